"""Handing data sets over to pysaliency, and taking them back."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from quickgaze.errors import DatasetError, OptionError, StimulusError
from quickgaze.stimuli import (
    Dataset,
    Fixations,
    ImageFile,
    Stimulus,
    from_pysaliency,
    load_dataset,
    to_pysaliency,
    write_pysaliency_hdf5,
)

Make = Callable[..., Dataset]
Write = Callable[..., Path]


def fixations_of(stimulus: Stimulus) -> Fixations:
    fixations = stimulus.fixations
    assert fixations is not None
    return fixations


def same(ours: Dataset, read: Dataset) -> None:
    for before, after in zip(ours, read, strict=True):
        np.testing.assert_array_equal(before.image(), after.image())
        assert before.id == after.id
        if before.fixations is None:
            assert len(fixations_of(after)) == 0
            continue
        np.testing.assert_allclose(fixations_of(after).points, before.fixations.points, atol=1e-12)
        np.testing.assert_allclose(fixations_of(after).duration, before.fixations.duration)
        assert fixations_of(after).observer.tolist() == before.fixations.observer.tolist()


@pytest.mark.parametrize("observers", [("bob", "ann", "ann"), ("7", "12", "12")])
def test_there_and_back(
    tmp_path: Path, pysaliency: types.ModuleType, observers: tuple[str, ...], in_memory: Make
) -> None:
    ours = in_memory(observers)
    write_pysaliency_hdf5(ours, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fixations.hdf5", "stimuli.hdf5"]
    read = load_dataset("pysaliency", tmp_path)
    same(ours, read)
    assert (read.edition, read.gaze) == ("mine, first", "mouse samples")
    assert (read.notes, read.density_sigma) == (("A note.",), 24.0)
    stimuli = pysaliency.read_hdf5(str(tmp_path / "stimuli.hdf5"))
    fixations = pysaliency.read_hdf5(str(tmp_path / "fixations.hdf5"))
    np.testing.assert_array_equal(stimuli[0].stimulus_data, ours[0].image())
    assert list(stimuli.attributes["stimulus"]) == ["cats/tabby", "empty"]
    assert fixations.x.tolist() == [0.0, 1.25]
    assert fixations.y_int.tolist() == [5, 2]
    assert fixations.subjects.tolist() == ([1, 0] if observers[0] == "bob" else [7, 12])
    np.testing.assert_allclose(fixations.duration, [0.1, 0.25])
    same(ours, from_pysaliency(stimuli, fixations, name="back"))
    write_pysaliency_hdf5(ours, tmp_path)
    same(ours, load_dataset("pysaliency", tmp_path))


def test_objects_there_and_back(pysaliency: types.ModuleType, in_memory: Make) -> None:
    ours = in_memory()
    stimuli, fixations = to_pysaliency(ours)
    assert isinstance(fixations, pysaliency.Fixations)
    assert stimuli.sizes[0] == (6, 8)
    pixels = ours[0].image()
    shown = pysaliency.datasets.as_stimulus(stimuli[0])
    np.testing.assert_array_equal(shown.stimulus_data, pixels)
    assert stimuli[0].stimulus_id == pysaliency.datasets.get_image_hash(pixels)
    back = from_pysaliency(stimuli, fixations, name="back", density_sigma=24)
    same(ours, back)
    assert (back.name, back.edition, back.density_sigma) == ("back", "pysaliency Fixations", 24)
    kept = fixations[fixations.n == 0]
    np.testing.assert_allclose(kept.duration, [0.1, 0.25])


def test_a_model_of_pysaliency_scores_the_same(
    pysaliency: types.ModuleType, in_memory: Make
) -> None:
    """The NSS that pysaliency gives for a map is the one at our fixations' pixels."""
    ours = in_memory()
    stimuli, fixations = to_pysaliency(ours)
    saliency = np.random.default_rng(3).normal(size=(6, 8))
    points = fixations_of(ours[0])
    at = saliency[points.y.astype(int), points.x.astype(int)]
    expected = (at - saliency.mean()) / saliency.std()

    class Model(pysaliency.SaliencyMapModel):  # type: ignore[name-defined, misc]
        def _saliency_map(self, _: object) -> np.ndarray:
            return saliency

    np.testing.assert_allclose(Model().NSSs(stimuli, fixations), expected)


def test_osie_by_way_of_pysaliency(tmp_path: Path, osie_sample: Path) -> None:
    ours = load_dataset("osie", osie_sample)[:3]
    write_pysaliency_hdf5(ours, tmp_path)
    same(ours, load_dataset("pysaliency", tmp_path))


def test_nothing_to_hand_over(tmp_path: Path, draw: Write) -> None:
    draw(tmp_path / "a.png")
    dataset = load_dataset("folder", tmp_path)
    with pytest.raises(DatasetError, match="no fixations inside the images of folder"):
        write_pysaliency_hdf5(dataset, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_damaged_image_leaves_nothing_behind(
    tmp_path: Path, draw: Write, in_memory: Make
) -> None:
    path = draw(tmp_path / "bad.png")
    path.write_bytes(path.read_bytes()[:90])
    good = in_memory()[0]
    bad = Stimulus("bad", ImageFile(path), good.gaze)
    with pytest.raises(StimulusError, match="cannot be read"):
        write_pysaliency_hdf5(Dataset("x", (good, bad), "1"), tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_without_pysaliency(monkeypatch: pytest.MonkeyPatch, in_memory: Make) -> None:
    monkeypatch.setitem(sys.modules, "pysaliency", None)
    with pytest.raises(OptionError, match=r"pip install 'quickgaze\[pysaliency\]'"):
        to_pysaliency(in_memory())


def test_without_what_pysaliency_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_memory: Make
) -> None:
    monkeypatch.delitem(sys.modules, "pysaliency", raising=False)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    (tmp_path / "pysaliency.py").write_text("import pkg_resources")
    monkeypatch.setitem(sys.modules, "pkg_resources", None)
    with pytest.raises(OptionError, match=r"pkg_resources.*setuptools<81"):
        to_pysaliency(in_memory())
    (tmp_path / "pysaliency.py").write_text("raise AttributeError('trapz')")
    with pytest.raises(OptionError, match="AttributeError: trapz"):
        to_pysaliency(in_memory())
