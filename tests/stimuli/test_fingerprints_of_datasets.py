"""Fingerprints of whole data sets: a copy keeps them, a change of one stimulus changes its own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import h5py
import numpy as np
import polars as pl
import pytest
import scipy.io

from quickgaze.stimuli import (
    Dataset,
    from_pysaliency,
    load_dataset,
    to_pysaliency,
    write_pysaliency_hdf5,
)

Write = Callable[..., Path]
Change = Callable[[Path], object]


def replace_within(path: Path, before: bytes, after: bytes) -> None:
    """Change a file's content and nothing else: not its size, not its time."""
    assert len(before) == len(after)
    content, status = path.read_bytes(), path.stat()
    assert before in content
    path.write_bytes(content.replace(before, after, 1))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def another_picture(path: Path) -> None:
    """Overwrite an image by another of the same size in bytes."""
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def copied(root: Path) -> Path:
    """Copy a data set elsewhere, without the times of its files."""
    place = root.with_name(f"{root.name}-copy")
    shutil.copytree(root, place, copy_function=shutil.copyfile)
    for path in place.rglob("*"):
        os.utime(path, (1, 1))
    return place


def follows(root: Path, load: Callable[[Path], Dataset], change: Change, changed: set[str]) -> None:
    """Hold a data set to its promise.

    A copy has the same fingerprints, and a change changes those of the stimuli concerned.
    """
    dataset = load(root)
    before = dict(zip([one.id for one in dataset], dataset.fingerprints(), strict=True))
    assert len(set(before.values())) == len(before)
    copy = load(copied(root))
    assert copy.fingerprints() == list(before.values())
    whole = dataset.fingerprint()
    assert copy.fingerprint() == whole
    change(root)
    after = load(root)
    prints = dict(zip([one.id for one in after], after.fingerprints(), strict=True))
    assert {name for name in before if prints[name] != before[name]} == changed
    assert after.fingerprint() != whole


@pytest.fixture
def folder(tmp_path: Path, draw: Write) -> Path:
    root = tmp_path / "folder"
    for name in ("a", "b", "c"):
        draw(root / "images" / f"{name}.bmp")
    np.save(draw(root / "maps" / "a.png", mode="L").with_name("b.npy"), np.eye(6, 8))
    (root / "fixations.csv").write_text(
        "stimulus,observer,x,y,duration\na,ann,1,2,100\nb,ann,1,2,100\nb,bob,3,2,100\n"
    )
    return root


@pytest.mark.parametrize(
    ("name", "before", "after", "changed"),
    [
        ("fixations.csv", b"b,bob,3", b"b,bob,4", {"b"}),
        ("fixations.csv", b"a,ann,1,2", b"a,ann,1,3", {"a"}),
        ("fixations.csv", b"b,bob", b"b,bib", {"b"}),
        ("fixations.csv", b"3,2,100", b"3,2,101", {"b"}),
    ],
)
def test_a_table_of_fixations(
    folder: Path, name: str, before: bytes, after: bytes, changed: set[str]
) -> None:
    follows(
        folder,
        lambda root: load_dataset("folder", root, origin=0),
        lambda root: replace_within(root / name, before, after),
        changed,
    )


@pytest.mark.parametrize(
    ("name", "changed"), [("images/c.bmp", {"c"}), ("maps/a.png", {"a"}), ("maps/b.npy", {"b"})]
)
def test_images_and_maps_of_a_folder(folder: Path, name: str, changed: set[str]) -> None:
    follows(
        folder,
        lambda root: load_dataset("folder", root, origin=0),
        lambda root: another_picture(root / name),
        changed,
    )


def test_a_table_tells_its_points_and_not_its_format(folder: Path) -> None:
    csv = load_dataset("folder", folder, origin=0).fingerprints()
    pl.read_csv(folder / "fixations.csv").write_parquet(folder / "fixations.parquet")
    (folder / "fixations.csv").unlink()
    assert load_dataset("folder", folder, origin=0).fingerprints() == csv
    assert load_dataset("folder", folder, origin=1).fingerprints() != csv


def test_salicon_annotations(tmp_path: Path, draw: Write, annotate: Write) -> None:
    root = tmp_path / "salicon"
    samples = {"a.jpg": {"w1": [[1, 2], [3, 4]]}, "b.jpg": {"w1": [[5, 6]]}, "c.jpg": {}}
    for name in samples:
        draw(root / "images" / name)
    annotate(root / "fixations_val2014.json", samples)

    def load(place: Path) -> Dataset:
        return load_dataset("salicon", place)

    table = root / "fixations_val2014.json"
    follows(root, load, lambda _: replace_within(table, b"[3, 4]", b"[3, 5]"), {"a"})


def test_salicon_matlab_files_and_maps(tmp_path: Path, draw: Write, record: Write) -> None:
    for change in ("fixations/val/a.mat", "maps/val/a.png", "images/val/a.jpg"):
        root = tmp_path / change.partition("/")[0]
        for name in ("a", "b"):
            draw(root / f"images/val/{name}.jpg")
            draw(root / f"maps/val/{name}.png", mode="L")
            record(root / f"fixations/val/{name}.mat", [[[1, 2]], [[3, 4]]])
        follows(
            root,
            lambda place: load_dataset("salicon", place),
            lambda place, change=change: another_picture(place / change),
            {"a"},
        )


def osie_file(path: Path, x: float) -> None:
    subject = np.array(
        [({"fix_x": [x, 4.0], "fix_y": [2.0, 3.0], "fix_duration": [100.0, 200.0]})], dtype=object
    )
    images = [{"img": name, "subjects": subject} for name in ("1001.jpg", "1002.jpg")]
    images[1] = {**images[1], "subjects": np.array([{**subject[0], "fix_x": [3.0, 4.0]}], object)}
    scipy.io.savemat(path, {"fixations": np.array(images, dtype=object)})


def test_osie(tmp_path: Path, draw: Write) -> None:
    root = tmp_path / "osie"
    for name in ("1001", "1002"):
        draw(root / "stimuli" / f"{name}.jpg")
    osie_file(root / "fixations.mat", 3.0)
    follows(
        root,
        lambda place: load_dataset("osie", place),
        lambda place: osie_file(place / "fixations.mat", 3.5),
        {"1001"},
    )


@pytest.fixture
def archived(tmp_path: Path, folder: Path) -> Path:
    """Files of pysaliency with pixels and points in them."""
    root = tmp_path / "pysaliency"
    root.mkdir()
    shutil.rmtree(folder / "maps")
    write_pysaliency_hdf5(load_dataset("folder", folder, origin=0), root)
    return root


def set_value(path: Path, name: str, place: Any, value: Any) -> None:
    with h5py.File(path, "r+") as file:
        file[name][place] = value


@pytest.mark.parametrize(
    ("file", "name", "place", "value", "changed"),
    [
        ("stimuli.hdf5", "1", (3, 4, 0), 78, {"b"}),
        ("fixations.hdf5", "x", 2, 6.5, {"b"}),
    ],
)
def test_pysaliency_files(
    archived: Path, file: str, name: str, place: Any, value: Any, changed: set[str]
) -> None:
    follows(
        archived,
        lambda root: load_dataset("pysaliency", root),
        lambda root: set_value(root / file, name, place, value),
        changed,
    )


def test_pysaliency_objects() -> None:
    pixels = [np.full((6, 8, 3), level, np.uint8) for level in (10, 20)]
    gaze = SimpleNamespace(x=[3.5, 1.5], y=[2.5, 2.5], n=[0, 1], subjects=[7, 8])

    def prints() -> list[str]:
        stimuli = SimpleNamespace(stimuli=pixels, shapes=[one.shape for one in pixels])
        return from_pysaliency(stimuli, gaze).fingerprints()

    before = prints()
    assert prints() == before
    pixels[0][5, 7, 2] += 1
    first = prints()
    assert [one == other for one, other in zip(first, before, strict=True)] == [False, True]
    gaze.y[1] = 3.5
    assert [one == other for one, other in zip(prints(), first, strict=True)] == [True, False]


def test_objects_that_pysaliency_made(pysaliency: ModuleType) -> None:
    dataset = load_dataset("popout", n=3, size=(120, 160), set_size=12)
    assert pysaliency.__name__ == "pysaliency"
    once, again = (from_pysaliency(*to_pysaliency(dataset)) for _ in range(2))
    assert once.fingerprints() == again.fingerprints()
    assert len(set(once.fingerprints())) == 3


def test_popout() -> None:
    dataset = load_dataset("popout", n=6)
    assert load_dataset("popout", n=9)[:6].fingerprints() == dataset.fingerprints()
    for options in ({"seed": 1}, {"size": (481, 640)}, {"set_size": 30}):
        other = load_dataset("popout", n=6, **options).fingerprints()
        assert not set(other) & set(dataset.fingerprints())
