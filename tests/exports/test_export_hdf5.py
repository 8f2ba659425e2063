"""Maps in HDF5, read back by pysaliency and by quickgaze itself."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Sequence
from pathlib import Path

import h5py
import numpy as np
import PIL.Image
import pytest

import quickgaze as qg
from quickgaze.errors import OptionError
from quickgaze.exports import export_hdf5
from quickgaze.stimuli import Dataset
from quickgaze.study import Run, stored_saliency

RunNamed = Callable[..., Run]


LEAKS = (
    pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
)
"""pysaliency 0.2.22 does not close the images that it opens."""


def leaks(test: Callable[..., None]) -> Callable[..., None]:
    for mark in LEAKS:
        test = mark(test)
    return test


def file_stimuli(pysaliency: types.ModuleType, displays: Dataset, files: Sequence[Path]) -> object:
    """Write displays as image files, for pysaliency to read."""
    for stimulus, file in zip(displays, files, strict=True):
        file.parent.mkdir(parents=True, exist_ok=True)
        PIL.Image.fromarray(stimulus.image()).save(file)
    return pysaliency.FileStimuli([str(file) for file in files])


@leaks
def test_pysaliency_reads_the_models_maps(
    pysaliency: types.ModuleType, displays: Dataset, run: Run, tmp_path: Path
) -> None:
    exported = export_hdf5(run, tmp_path / "maps.h5", suffix=".png", progress=False)
    assert (exported.count, exported.failures) == (3, ())
    files = [tmp_path / "images" / f"{stimulus.id}.png" for stimulus in displays]
    stimuli = file_stimuli(pysaliency, displays, files)
    model = pysaliency.HDF5SaliencyMapModel(stimuli, str(exported.path))
    ours = qg.SaliencyModel("efficientnet_lite0", sigma=7)
    for row, stimulus, theirs in zip(
        run.maps().iter_rows(named=True), displays, stimuli, strict=True
    ):
        found = model.saliency_map(theirs)
        assert found.dtype == np.float32
        assert np.array_equal(found, stored_saliency(row, "activation", 7.0))
        assert np.abs(found - ours(stimulus.image()).map).max() < 1e-5
    model.hdf5_file.close()


@leaks
def test_pysaliency_reads_folders_and_known_endings(
    pysaliency: types.ModuleType, displays: Dataset, run_named: RunNamed, tmp_path: Path
) -> None:
    run = run_named(["in/1", "out/1", "out/2.png"], "salicon")
    exported = export_hdf5(run, tmp_path / "maps.h5", progress=False)
    names = ("in/1.jpg", "out/1.jpg", "out/2.png")
    stimuli = file_stimuli(pysaliency, displays, [tmp_path / "images" / name for name in names])
    model = pysaliency.HDF5SaliencyMapModel(stimuli, str(exported.path))
    assert model.names == list(names)
    assert all(model.saliency_map(stimulus).shape == (120, 160) for stimulus in stimuli)
    model.hdf5_file.close()


def test_quickgaze_scores_the_file_as_it_scored_the_run(
    displays: Dataset, run: Run, tmp_path: Path
) -> None:
    export_hdf5(run, tmp_path / "maps.h5", suffix="", progress=False)
    study = qg.Study(displays, maps={"again": tmp_path / "maps.h5"}, sigmas=[0], metrics=["cc"])
    scores = study.run(tmp_path / "run", progress=False).scores()
    assert scores["cc"].to_numpy() == pytest.approx(run.scores()["cc"].to_numpy(), abs=1e-6)


def test_the_ending_must_be_known(run: Run, run_named: RunNamed, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"name it with suffix, such as \.png"):
        export_hdf5(run, tmp_path / "maps.h5", progress=False)
    assert not (tmp_path / "maps.h5").exists()
    named = run_named(["a.jpg", "b.PNG"])
    export_hdf5(named, tmp_path / "maps.h5", progress=False)
    with h5py.File(tmp_path / "maps.h5") as file:
        assert list(file) == ["a.jpg", "b.PNG"]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a", "a.png"], r"'a' and 'a.png' would both be called 'a.png'"),
        (["a", "a.png/b"], r"'a' needs the name of the group that 'a.png/b' lies in"),
        (["../a"], "cannot be a name in HDF5"),
        (["/a"], "cannot be a name in HDF5"),
        (["a\0b"], "cannot be a name in HDF5"),
    ],
)
def test_names_that_hdf5_cannot_hold(
    names: list[str], message: str, run_named: RunNamed, tmp_path: Path
) -> None:
    with pytest.raises(OptionError, match=message):
        export_hdf5(run_named(names), tmp_path / "maps.h5", suffix=".png", progress=False)
    assert not (tmp_path / "maps.h5").exists()


def test_a_file_is_replaced_only_when_that_is_allowed(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "maps.h5"
    out.touch()
    export_hdf5(run, out, suffix=".png", progress=False)
    with pytest.raises(OptionError, match="is there already"):
        export_hdf5(run, out, suffix=".jpg", progress=False)
    export_hdf5(run, out, suffix=".jpg", overwrite=True, progress=False)
    with h5py.File(out) as file:
        assert all(name.endswith(".jpg") for name in file)
    assert [path.name for path in tmp_path.iterdir()] == ["maps.h5"]


def test_without_h5py_the_extra_is_named(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(OptionError, match=r"pip install 'quickgaze\[hdf5\]'"):
        export_hdf5(run, tmp_path / "maps.h5", suffix="", progress=False)
