"""Stimuli and fixations in the files of pysaliency, and in its objects."""

from __future__ import annotations

import json
import pickle
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quickgaze.errors import DatasetError, OptionError, StimulusError
from quickgaze.metrics import FixationCounts
from quickgaze.stimuli import (
    Dataset,
    Fixations,
    Stimulus,
    from_pysaliency,
    load_dataset,
    write_pysaliency_hdf5,
)

Make = Callable[..., Dataset]
Write = Callable[..., Path]


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


IMAGES = [noise(6, 8, 3), noise(5, 7), noise(9, 4, 3)]


@pytest.fixture
def trains(pysaliency_files: types.ModuleType) -> Any:
    return pysaliency_files.FixationTrains.from_fixation_trains(
        xs=[[0.0, 7.75], [3.0], [6.5, 9.0, -0.25]],
        ys=[[0.0, 5.5], [8.25], [4.0, 1.0, 1.0]],
        ts=[[0, 1], [0], [0, 1, 2]],
        ns=[0, 2, 1],
        subjects=[0, 0, 3],
        scanpath_fixation_attributes={"durations": [[0.2, 0.1], [0.3], [0.4, 0.5, 0.6]]},
        scanpath_attribute_mapping={"durations": "duration"},
    )


def fixations_of(stimulus: Stimulus) -> Fixations:
    fixations = stimulus.fixations
    assert fixations is not None
    return fixations


def hold_the_trains(dataset: Dataset) -> None:
    """Literal expectations: seconds as milliseconds, four inside of five."""
    first, second, third = (fixations_of(stimulus) for stimulus in dataset)
    assert first.points.tolist() == [[0.0, 0.0], [7.75, 5.5]]
    assert first.observer.tolist() == ["0", "0"]
    assert first.duration is not None
    np.testing.assert_allclose(first.duration, [200, 100])
    assert second.points.tolist() == [[6.5, 4.0], [-0.25, 1.0]]
    assert (second.dropped, second.observer.tolist()) == (1, ["3", "3"])
    assert third.points.tolist() == [[3.0, 8.25]]


def test_fixation_trains(tmp_path: Path, pysaliency_files: types.ModuleType, trains: Any) -> None:
    pysaliency_files.Stimuli(IMAGES).to_hdf5(str(tmp_path / "stimuli.hdf5"))
    trains.to_hdf5(str(tmp_path / "fixations.hdf5"))
    dataset = load_dataset("pysaliency", tmp_path)
    assert [stimulus.id for stimulus in dataset] == ["0", "1", "2"]
    assert [stimulus.size for stimulus in dataset] == [(6, 8), (5, 7), (9, 4)]
    assert (dataset.edition, dataset.density_sigma) == ("pysaliency FixationTrains 1.2", 19.0)
    hold_the_trains(dataset)
    np.testing.assert_array_equal(dataset[0].image(), IMAGES[0])
    np.testing.assert_array_equal(dataset[1].image(), np.repeat(IMAGES[1][..., None], 3, axis=2))
    named = load_dataset("pysaliency", tmp_path, edition="mine", density_sigma=30.0)
    assert (named.edition, named.density_sigma) == ("mine", 30.0)
    in_milliseconds = load_dataset("pysaliency", tmp_path, duration_unit="ms")
    np.testing.assert_allclose(fixations_of(in_milliseconds[2]).duration, [0.3])
    assert fixations_of(pickle.loads(pickle.dumps(dataset[0]))).dropped == 0  # noqa: S301


def test_pysaliency_counts_at_the_same_pixels(
    tmp_path: Path, pysaliency_files: types.ModuleType
) -> None:
    """Coordinates come as they are, up to the last fraction of the last pixel."""
    generator = np.random.default_rng(1)
    x, y = generator.uniform(0, 8, 200), generator.uniform(0, 6, 200)
    theirs = pysaliency_files.Fixations.create_without_history(x, y, np.zeros(200, dtype=int))
    pysaliency_files.Stimuli(IMAGES[:1]).to_hdf5(str(tmp_path / "stimuli.hdf5"))
    theirs.to_hdf5(str(tmp_path / "fixations.hdf5"))
    ours = fixations_of(load_dataset("pysaliency", tmp_path)[0])
    assert (len(ours), ours.dropped) == (200, 0)
    assert set(ours.observer) == {"1"}
    counts = np.zeros((6, 8), int)
    np.add.at(counts, (theirs.y_int, theirs.x_int), 1)
    np.testing.assert_array_equal(FixationCounts.of(ours.points, (6, 8)).counts, counts)


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_older_fixation_trains(
    tmp_path: Path, pysaliency_files: types.ModuleType, trains: Any, version: str
) -> None:
    """Held against pysaliency's own reader of these versions."""
    path = tmp_path / "fixations.hdf5"
    pysaliency_files.Stimuli(IMAGES).to_hdf5(str(tmp_path / "stimuli.hdf5"))
    trains.to_hdf5(str(path))
    with h5py.File(path, "a") as file:
        file.attrs["version"] = np.bytes_(version)
        del file.attrs["scanpath_attribute_mapping"], file["scanpath_fixation_attributes"]
        file["duration"] = [0.2, 0.1, 0.3, 0.4, 0.5, 0.6]
        file.attrs["__attributes__"] = np.bytes_(json.dumps(["subjects", "duration"]))
        if version == "1.0":
            del file["scanpath_attributes"]
    with pytest.warns(UserWarning, match="don't use attributes"):
        theirs = pysaliency_files.FixationTrains.read_hdf5(str(path))
    np.testing.assert_array_equal(theirs.x, trains.x)
    hold_the_trains(load_dataset("pysaliency", tmp_path))


def test_scanpath_fixations(tmp_path: Path, pysaliency_files: types.ModuleType) -> None:
    """The layout of pysaliency's later releases, in which padding is not always NaN."""
    pysaliency_files.Stimuli(IMAGES).to_hdf5(str(tmp_path / "stimuli.hdf5"))
    with h5py.File(tmp_path / "fixations.hdf5", "w") as file:
        file.attrs["type"], file.attrs["version"] = "ScanpathFixations", "1.0"
        paths = file.create_group("scanpaths")
        paths["xs"] = [[0.0, 7.75, 0], [3.0, 0, 0], [6.5, 9.0, -0.25]]
        paths["ys"] = [[0.0, 5.5, 0], [8.25, 0, 0], [4.0, 1.0, 1.0]]
        paths["n"], paths["length"] = [0, 2, 1], [2, 1, 3]
        paths.attrs["attribute_mapping"] = json.dumps({"durations": "duration", "ts": "t"})
        paths.create_group("scanpath_attributes")["subject"] = [0, 0, 3]
        timed = paths.create_group("fixation_attributes")
        timed.attrs["__attributes__"] = json.dumps(["durations", "ts"])
        timed["durations"] = [[0.2, 0.1, 0], [0.3, 0, 0], [0.4, 0.5, 0.6]]
        timed["ts"] = np.zeros((3, 3))
    dataset = load_dataset("pysaliency", tmp_path)
    assert dataset.edition == "pysaliency ScanpathFixations 1.0"
    hold_the_trains(dataset)


def test_stimuli_in_files(
    tmp_path: Path, pysaliency_files: types.ModuleType, trains: Any, draw: Write
) -> None:
    names = [draw(tmp_path / "images" / name, size).as_posix() for name, size in FILES.items()]
    # Without shapes, pysaliency opens the files and leaves them open.
    shapes = [(*size, 3) for size in FILES.values()]
    pysaliency_files.FileStimuli(names, shapes=shapes).to_hdf5(str(tmp_path / "stimuli_val.hdf5"))
    trains.to_hdf5(str(tmp_path / "fixations_val.hdf5"))
    files = {"stimuli": "stimuli_val.hdf5", "fixations": "fixations_val.hdf5"}
    dataset = load_dataset("pysaliency", tmp_path, **files)
    assert [stimulus.id for stimulus in dataset] == ["Action/001", "Art/001", "Art/002"]
    hold_the_trains(dataset)
    draw(Path(names[0]), (12, 16))
    with pytest.raises(StimulusError, match=r"of 6 x 8 pixels .* has 12 x 16"):
        _ = dataset[0].fixations
    Path(names[1]).unlink()
    dataset = load_dataset("pysaliency", tmp_path, **files)
    assert dataset.missing == ("Art/001",)
    assert len(dataset) == 2
    # As objects, too.
    draw(Path(names[1]), (5, 7))
    draw(Path(names[0]), (6, 8))
    stimuli = pysaliency_files.read_hdf5(str(tmp_path / "stimuli_val.hdf5"))
    hold_the_trains(from_pysaliency(stimuli, trains))


FILES = {"Action/001.png": (6, 8), "Art/001.png": (5, 7), "Art/002.png": (9, 4)}


@pytest.mark.parametrize(
    "name", ["../secret.png", "a/../../secret.png", "/etc/hostname", "C:/x.png", "..\\x.png", ""]
)
def test_names_that_lead_out(tmp_path: Path, draw: Write, name: str, in_memory: Make) -> None:
    root = tmp_path / "root"
    draw(tmp_path / "secret.png")
    root.mkdir()
    write_pysaliency_hdf5(in_memory(), root)
    with h5py.File(root / "stimuli.hdf5", "w") as file:
        file.attrs["type"], file.attrs["version"] = "FileStimuli", "2.0"
        file["filenames"] = [name]
    with pytest.raises(DatasetError, match="not a file below"):
        load_dataset("pysaliency", root)


def test_a_folder_beside_is_named_with_a_wider_root(
    tmp_path: Path, draw: Write, in_memory: Make
) -> None:
    draw(tmp_path / "images" / "a.png")
    write_pysaliency_hdf5(in_memory(), tmp_path / "gaze")
    with h5py.File(tmp_path / "gaze" / "stimuli.hdf5", "w") as file:
        file.attrs["type"], file.attrs["version"] = "FileStimuli", "2.0"
        file["filenames"] = ["../images/a.png", "../images/b.png"]
    files = {"stimuli": "gaze/stimuli.hdf5", "fixations": "gaze/fixations.hdf5"}
    dataset = load_dataset("pysaliency", tmp_path, **files)
    assert [stimulus.id for stimulus in dataset] == ["a"]
    assert dataset.missing == ("b",)


@given(
    points=st.lists(
        st.tuples(
            st.integers(0, 2),
            st.floats(-3, 12),
            st.floats(-3, 12) | st.just(np.nan),
            st.sampled_from(["1", "2", "Ünal", "a b"]),
        ),
        min_size=1,
        max_size=30,
    )
)
@settings(max_examples=30, deadline=None)
def test_any_gaze_comes_back(points: list[tuple[int, float, float, str]]) -> None:
    sizes = [image.shape[:2] for image in IMAGES]
    slow = [[one for one in points if one[0] == index] for index in range(3)]
    stimuli = types.SimpleNamespace(stimuli=IMAGES, shapes=[image.shape for image in IMAGES])
    n, x, y, subjects = zip(*points, strict=True)
    gaze = types.SimpleNamespace(x=np.array(x), y=np.array(y), n=np.array(n), subject=subjects)
    for stimulus, size, mine in zip(from_pysaliency(stimuli, gaze), sizes, slow, strict=True):
        fixations = fixations_of(stimulus)
        inside = [p for p in mine if -0.5 <= p[1] < size[1] and -0.5 <= p[2] < size[0]]
        assert fixations.observer.tolist() == [p[3] for p in inside]
        assert fixations.dropped == len(mine) - len(inside)
        assert fixations.x.tolist() == [p[1] for p in inside]


def test_options(tmp_path: Path, in_memory: Make) -> None:
    write_pysaliency_hdf5(in_memory(), tmp_path)
    with pytest.raises(OptionError, match="unknown unit of durations 'min'"):
        load_dataset("pysaliency", tmp_path, duration_unit="min")
    with pytest.raises(OptionError, match="density_sigma is -1"):
        load_dataset("pysaliency", tmp_path, density_sigma=-1)
    with pytest.raises(DatasetError, match="does not hold pysaliency's files"):
        load_dataset("pysaliency", tmp_path, fixations="other.hdf5")


def test_objects_of_another_kind() -> None:
    stimuli = types.SimpleNamespace(stimuli=IMAGES, shapes=[image.shape for image in IMAGES])
    with pytest.raises(DatasetError, match="have no 'subject' or 'subjects'"):
        from_pysaliency(stimuli, types.SimpleNamespace(x=[1], y=[1], n=[0]))
    with pytest.raises(DatasetError, match="belong together"):
        from_pysaliency(object(), object())
    with pytest.raises(DatasetError, match="stimuli 5 to 5, but 3 stimuli"):
        from_pysaliency(stimuli, types.SimpleNamespace(x=[1], y=[1], n=[5], subjects=[1]))


def test_without_h5py(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_memory: Make) -> None:
    write_pysaliency_hdf5(in_memory(), tmp_path)
    monkeypatch.setitem(sys.modules, "h5py", None)
    for call in (
        lambda: load_dataset("pysaliency", tmp_path),
        lambda: write_pysaliency_hdf5(in_memory(), tmp_path),
    ):
        with pytest.raises(OptionError, match=r"quickgaze\[hdf5\]"):
            call()
