"""Every kind of source has a fingerprint that follows its content, not its place."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quickgaze.stimuli import Dataset, ImageFile, Stimulus, load_dataset, write_pysaliency_hdf5
from quickgaze.stimuli._fingerprints import (
    digest_of,
    fingerprint_of_array,
    fingerprint_of_file,
)
from quickgaze.stimuli._hdf5 import ArchivedImage
from quickgaze.stimuli.densities import ArchivedMap, DensityFile, open_model_maps
from quickgaze.stimuli.types import Density, Fixations, Image, RecordedPoints, Size


def test_maps_of_a_model(tmp_path: Path) -> None:
    """Maps of the same size, which begin and end with the same zeros."""
    values = np.zeros((200, 300))
    values[60:140, 80:200] = 1
    for name in ("one", "copy", "other"):
        (tmp_path / name).mkdir()
        shown = values * 2 if name == "other" else values
        np.save(tmp_path / name / "a.npy", shown)
        with h5py.File(tmp_path / f"{name}.h5", "w") as file:
            file["deep/a"] = shown
    for ending in ("", ".h5"):
        one, copy, other = (
            open_model_maps(tmp_path / f"{name}{ending}") for name in ("one", "copy", "other")
        )
        assert one.fingerprint == copy.fingerprint != other.fingerprint
        assert len(one.fingerprint) == 64
    sources = [DensityFile(tmp_path / name / "a.npy") for name in ("one", "copy", "other")]
    archived = [ArchivedMap(tmp_path / f"{name}.h5", "deep/a") for name in ("one", "copy", "other")]
    for first, second, third in (sources, archived):
        assert first.fingerprint() == second.fingerprint() != third.fingerprint()


@pytest.mark.parametrize("place", [0, 4095, 10_000, -4096, -1])
def test_a_file_replaced_by_another_of_its_size(tmp_path: Path, place: int) -> None:
    content = bytearray(20_000)
    path = tmp_path / "a.png"
    path.write_bytes(content)
    before, status = ImageFile(path).fingerprint(), path.stat()
    content[place] = 1
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert ImageFile(path).fingerprint() != before


@given(st.binary(max_size=64), st.binary(max_size=64))
def test_small_files_are_told_apart(
    tmp_path_factory: pytest.TempPathFactory, one: bytes, other: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "fingerprinted"
    prints = []
    for content in (one, other):
        path.write_bytes(content)
        prints.append(fingerprint_of_file(path))
    assert (prints[0] == prints[1]) == (one == other)


@given(st.lists(st.binary(max_size=3), max_size=4), st.lists(st.binary(max_size=3), max_size=4))
def test_digests_tell_where_pieces_end(one: list[bytes], other: list[bytes]) -> None:
    assert (digest_of(one) == digest_of(other)) == (one == other)


def test_arrays_are_told_apart() -> None:
    values = np.arange(600).reshape(20, 30)
    others: list[npt.NDArray[Any]] = [values.T, values.astype(np.int32), values[:19]]
    prints = {fingerprint_of_array(one) for one in [values, *others]}
    assert len(prints) == 4
    assert fingerprint_of_array(values.copy(order="F")) == fingerprint_of_array(values)
    with pytest.raises(ValueError, match="objects"):
        fingerprint_of_array(np.array([{}]))


def test_points_without_and_with_durations_differ() -> None:
    x, observers, looked = np.zeros(2), np.array(["ann", "bob"]), np.array([0, 1])
    recorded = [
        RecordedPoints(x, x, observers, looked),
        RecordedPoints(x, x, observers, looked, np.full(2, np.nan)),
        RecordedPoints(x, x, observers, looked[::-1]),
        RecordedPoints(x[:1], x[:1], observers, looked[:1]),
    ]
    assert len({points.fingerprint() for points in recorded}) == 4


@dataclass(frozen=True)
class Elsewhere:
    """A source of another package, which has no fingerprint, or one that fails."""

    level: int = 0

    def read(self, size: Size = (2, 2)) -> Any:
        return np.full(size, self.level)

    def size(self) -> Size:
        return 2, 2


class Failing(Elsewhere):
    def fingerprint(self) -> str:
        raise RuntimeError("gone")


class Told(Elsewhere):
    def fingerprint(self) -> str:
        return "told \udcff"


class Marked:
    """One whose fingerprint is no method."""

    fingerprint = "fixed"

    def read(self, size: Size) -> Fixations | Density | Image:
        raise NotImplementedError


def test_sources_of_other_packages() -> None:
    bare: Any = Elsewhere()
    plain = Stimulus("a", bare)
    alike = [Stimulus("a", Elsewhere(5)), Stimulus("a", bare, attributes={"x": 1})]  # type: ignore[arg-type]
    assert {one.fingerprint() for one in [plain, *alike]} == {plain.fingerprint()}
    different = [
        plain,
        replace(plain, id="b"),
        replace(plain, id="a\udcff"),
        replace(plain, source=Failing()),
        replace(plain, source=Told()),
        replace(plain, gaze=bare),
        replace(plain, map=bare),
        replace(plain, gaze=Failing()),
    ]
    prints = [one.fingerprint() for one in different]
    assert len(set(prints)) == len(prints)
    assert replace(plain, gaze=Marked()).fingerprint() == prints[5]  # type: ignore[arg-type]
    assert all(len(one) == 16 and int(one, 16) >= 0 for one in prints)


def test_what_cannot_be_read_has_a_fingerprint_too(
    tmp_path: Path, in_memory: Callable[..., Dataset]
) -> None:
    write_pysaliency_hdf5(in_memory(), tmp_path)
    source = ArchivedImage(tmp_path / "stimuli.hdf5", "0", (6, 8, 3))
    stimuli = [Stimulus("a", source), Stimulus("b", ImageFile(tmp_path / "gone.png"))]
    before = [one.fingerprint() for one in stimuli]
    (tmp_path / "stimuli.hdf5").unlink()
    after = [one.fingerprint() for one in stimuli]
    assert after[0] != before[0]
    assert after[1] == before[1]
    (tmp_path / "gone.png").write_bytes(b"back")
    assert stimuli[1].fingerprint() != before[1]


@pytest.mark.parametrize("count", [0, 1, 31, 32, 33, 100])
def test_fingerprints_come_in_order(count: int) -> None:
    stimuli = tuple(Stimulus(str(number), Told()) for number in range(count))
    dataset = Dataset("d", stimuli, "e")
    assert dataset.fingerprints() == [stimulus.fingerprint() for stimulus in stimuli]
    assert len(dataset.fingerprint()) == 64


def test_many_displays_take_seconds() -> None:
    dataset = load_dataset("popout", n=20_000)
    begun = time.perf_counter()
    prints = dataset.fingerprints()
    assert time.perf_counter() - begun < 5
    assert len(set(prints)) == 20_000


def test_pictures_are_as_quick(tmp_path: Path) -> None:
    PIL.Image.effect_noise((64, 48), 50).save(tmp_path / "a.png")
    stimuli = tuple(Stimulus(str(n), ImageFile(tmp_path / "a.png")) for n in range(5_000))
    begun = time.perf_counter()
    assert len(set(Dataset("d", stimuli, "e").fingerprints())) == 5_000
    assert time.perf_counter() - begun < 5
