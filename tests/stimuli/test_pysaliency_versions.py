"""Fixations as later releases of pysaliency keep them, in which ``subjects`` is ``subject``."""

from __future__ import annotations

import json
import types
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from quickgaze.errors import DatasetError
from quickgaze.stimuli import Dataset, from_pysaliency, load_dataset, write_pysaliency_hdf5

Make = Callable[..., Dataset]

IMAGE = np.random.default_rng(0).integers(0, 256, (12, 30, 3), dtype=np.uint8)
STIMULI = types.SimpleNamespace(stimuli=[IMAGE], shapes=[IMAGE.shape])
X, Y = np.array([10.0, 20.0]), np.array([5.0, 6.0])


def describe(file: h5py.Group, kind: str, version: str) -> None:
    file.attrs["type"], file.attrs["version"] = np.bytes_(kind), np.bytes_(version)


def write_files(folder: Path, version: str, **subjects: list[Any]) -> Path:
    """Write a two-point file as pysaliency does, with the subjects under any names."""
    with h5py.File(folder / "stimuli.hdf5", "w") as file:
        describe(file, "Stimuli", "1.1")
        file.attrs["size"], file.attrs["__attributes__"] = 1, np.bytes_("[]")
        file["0"] = IMAGE
    path = folder / "fixations.hdf5"
    with h5py.File(path, "w") as file:
        describe(file, "Fixations", version)
        file.attrs["__attributes__"] = np.bytes_(json.dumps(list(subjects)))
        file.attrs["__variable_length_arrays__"] = np.bytes_('["t_hist", "x_hist", "y_hist"]')
        columns = {"x": X, "y": Y, "t": np.zeros(2), "n": np.zeros(2, dtype=int)}
        for name, values in {**columns, **subjects, "lengths": np.zeros(2, dtype=int)}.items():
            file[name] = values
        for name in ("x_hist", "y_hist", "t_hist"):
            file[name] = np.full((2, 1), np.nan)
    return path


def hold_the_two_points(dataset: Dataset, observers: list[str]) -> None:
    fixations = dataset[0].fixations
    assert fixations is not None
    assert fixations.points.tolist() == [[10, 5], [20, 6]]
    assert fixations.observer.tolist() == observers
    assert fixations.dropped == 0


@pytest.mark.parametrize(
    ("version", "name"), [("1.0", "subjects"), ("1.1", "subjects"), ("1.2", "subject")]
)
def test_each_version_gives_the_same_points(tmp_path: Path, version: str, name: str) -> None:
    write_files(tmp_path, version, **{name: [3, 7]})
    dataset = load_dataset("pysaliency", tmp_path)
    assert dataset.edition == f"pysaliency Fixations {version}"
    hold_the_two_points(dataset, ["3", "7"])


def test_of_both_names_in_a_file_the_later_one_counts(tmp_path: Path) -> None:
    write_files(tmp_path, "1.2", subjects=[0, 0], subject=[3, 7])
    hold_the_two_points(load_dataset("pysaliency", tmp_path), ["3", "7"])


def test_a_file_of_unknown_subjects(tmp_path: Path) -> None:
    write_files(tmp_path, "1.2")
    hold_the_two_points(load_dataset("pysaliency", tmp_path), ["all observers"] * 2)


def test_an_earlier_file_has_subjects(tmp_path: Path) -> None:
    write_files(tmp_path, "1.1")
    with pytest.raises(DatasetError, match="subjects"):
        load_dataset("pysaliency", tmp_path)


@pytest.mark.parametrize("version", ["1.3", "2.0"])
def test_a_version_that_nobody_knows_yet(tmp_path: Path, version: str) -> None:
    write_files(tmp_path, version, subject=[3, 7])
    with pytest.raises(DatasetError, match=rf"'{version}'; .*1\.1, 1\.2.*update quickgaze"):
        load_dataset("pysaliency", tmp_path)


def write_scanpaths(group: h5py.Group, lengths: str, **attributes: list[Any]) -> None:
    describe(group, "Scanpaths", "1.0")
    group["xs"], group["ys"] = [[10.0, 0.0], [20.0, 0.0]], [[5.0, 0.0], [6.0, 0.0]]
    group["n"], group[lengths] = [0, 0], [1, 1]
    group.attrs["attribute_mapping"] = np.bytes_("{}")
    named = group.create_group("scanpath_attributes")
    for name, values in attributes.items():
        named[name] = values
    timed = group.create_group("fixation_attributes")
    timed.attrs["__attributes__"] = np.bytes_('["ts"]')
    timed["ts"] = np.zeros((2, 2))


@pytest.mark.parametrize("lengths", ["length", "lengths"])
@pytest.mark.parametrize("kind", ["ScanpathFixations", "Scanpaths"])
def test_scanpaths_of_that_version(tmp_path: Path, kind: str, lengths: str) -> None:
    path = write_files(tmp_path, "1.2", subject=[0, 0])
    with h5py.File(path, "w") as file:
        if kind == "ScanpathFixations":
            describe(file, kind, "1.0")
            write_scanpaths(file.create_group("scanpaths"), lengths, subject=[3, 7])
        else:
            write_scanpaths(file, lengths, subject=[3, 7])
    hold_the_two_points(load_dataset("pysaliency", tmp_path), ["3", "7"])


def test_scanpaths_without_subjects(tmp_path: Path) -> None:
    path = write_files(tmp_path, "1.2", subject=[0, 0])
    with h5py.File(path, "w") as file:
        write_scanpaths(file, "length", task=[1, 2])
    hold_the_two_points(load_dataset("pysaliency", tmp_path), ["all observers"] * 2)


def test_trains_of_that_version(tmp_path: Path) -> None:
    path = write_files(tmp_path, "1.2", subject=[0, 0])
    with h5py.File(path, "w") as file:
        describe(file, "FixationTrains", "1.3")
        file["train_xs"], file["train_ys"] = [[10.0, np.nan], [20.0, np.nan]], [[5.0, np.nan]] * 2
        file["train_ys"][1, 0] = 6.0
        file["train_ts"], file["train_ns"] = np.zeros((2, 2)), [0, 0]
        file["train_subjects"], file["train_lengths"] = [3, 7], [1, 1]
        file.attrs["__attributes__"] = np.bytes_('["scanpath_index"]')
        file.attrs["scanpath_attribute_mapping"] = np.bytes_("{}")
        for name in ("scanpath_attributes", "scanpath_fixation_attributes"):
            file.create_group(name).attrs["__attributes__"] = np.bytes_("[]")
    hold_the_two_points(load_dataset("pysaliency", tmp_path), ["3", "7"])


class Later:
    """Fixations of a later release, in which the earlier name warns."""

    def __init__(self, subject: list[int] | None) -> None:
        self.x, self.y, self.n = X, Y, np.zeros(2, dtype=int)
        self.subject = None if subject is None else np.array(subject)

    @property
    def subjects(self) -> object:
        warnings.warn("subjects is deprecated", DeprecationWarning, stacklevel=2)
        return self.subject


def test_objects() -> None:
    columns = {"x": X, "y": Y, "n": [0, 0]}
    before = types.SimpleNamespace(**columns, subjects=[3, 7])
    both = types.SimpleNamespace(**columns, subject=[3, 7], subjects=[0, 0])
    for fixations in (before, both, Later([3, 7])):
        hold_the_two_points(from_pysaliency(STIMULI, fixations), ["3", "7"])
    hold_the_two_points(from_pysaliency(STIMULI, Later(None)), ["all observers"] * 2)


def test_scanpaths_are_no_fixations() -> None:
    scanpaths = types.SimpleNamespace(xs=[X], ys=[Y], n=[0], subject=[3])
    with pytest.raises(DatasetError, match=r"give pysaliency\.ScanpathFixations\(scanpaths\)"):
        from_pysaliency(STIMULI, scanpaths)


def test_what_is_written_is_read_by_every_release(tmp_path: Path, in_memory: Make) -> None:
    """Later releases take ``subjects`` from files of version 1.0, and from these alone."""
    write_pysaliency_hdf5(in_memory(), tmp_path)
    with h5py.File(tmp_path / "fixations.hdf5") as file:
        assert file.attrs["version"] == b"1.0"
        assert "subjects" in file
