"""Bounds and pooled gaze in a study."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import quickgaze as qg
from quickgaze.bounds import BOUNDS
from quickgaze.errors import OptionError, UnknownNameError
from quickgaze.stimuli import Dataset, Fixations
from quickgaze.study._settings import default_bounds


@pytest.fixture(scope="module")
def displays() -> Dataset:
    return qg.load_dataset("popout", n=5, size=(120, 160))


def study(dataset: Dataset, **options: object) -> qg.Study:
    options = {"orientations": ["activation"], "device": "cpu", "shard_size": 2, **options}
    return qg.Study(dataset, **options)


def test_baselines_are_scored_beside_the_model(displays: Dataset, tmp_path: Path) -> None:
    run = study(displays).run(tmp_path / "run", progress=False)
    table = run.bounds()
    assert table["stimulus"].unique(maintain_order=True).to_list() == [s.id for s in displays]
    assert table["bound"].to_list()[:4] == ["uniform", "center", "center_bias", "shuffled"]
    assert table.columns == ["stimulus", "bound", "convention", *run.metrics, "trials"]
    others = [each for each in displays if each.id != displays[3].id]
    mean = sum(each.density(19.0) / each.density(19.0).sum() for each in others)
    row = table.row(
        by_predicate=(pl.col("stimulus") == displays[3].id) & (pl.col("bound") == "center_bias"),
        named=True,
    )
    assert row["cc"] == pytest.approx(qg.metrics.cc(mean, displays[3].density(19.0)), abs=1e-5)


def test_bounds_do_not_depend_on_shards_or_resuming(displays: Dataset, tmp_path: Path) -> None:
    options = {"metrics": ["cc", "auc", "auc_shuffled", "information_gain"], "shard_size": 3}
    whole = study(displays, **options).run(tmp_path / "whole", progress=False)
    part = study(displays, **options).run(tmp_path / "part", progress=False)
    (tmp_path / "part" / "shards" / "part-00000.json").unlink()
    (tmp_path / "part" / "manifest.json").unlink()
    part = study(displays, **options).run(tmp_path / "part", progress=False)
    assert_frame_equal(part.bounds(), whole.bounds())
    assert_frame_equal(part.scores(), whole.scores())


def test_metrics_that_need_other_stimuli_get_them(displays: Dataset, tmp_path: Path) -> None:
    options = {"metrics": ["auc_shuffled", "information_gain"], "cams": ["center"], "sigmas": [0]}
    run = study(displays, bounds=["center"], **options).run(tmp_path / "run", progress=False)
    own = displays[1]
    others = np.concatenate([each.fixations.points for each in displays if each is not own])
    saliency = qg.SaliencyModel("efficientnet_lite0", cam="center", sigma=0)(own.image()).map
    row = run.scores().row(by_predicate=pl.col("stimulus") == own.id, named=True)
    expected = qg.metrics.auc_shuffled(saliency, own.fixations.points, others)
    assert row["auc_shuffled"] == pytest.approx(expected, abs=1e-9)
    # the same map, as a CAM and as a bound
    assert row["information_gain"] == pytest.approx(
        run.bounds().filter(pl.col("stimulus") == own.id)["information_gain"][0], abs=1e-6
    )


@pytest.mark.parametrize("convention", ["tuebingen", "mit"])
def test_others_fall_on_the_pixels_of_the_convention(
    displays: Dataset, tmp_path: Path, convention: str
) -> None:
    """Three of four points lie between pixels, one of them beyond the last pixel's centre."""
    points = [[30.0, 40.0], [80.6, 60.7], [159.7, 119.8], [12.4, 100.5]]

    class Looked:
        def __init__(self, point: list[float]) -> None:
            self.point = point

        def read(self, size: tuple[int, int]) -> Fixations:
            return Fixations.inside(self.point[:1], self.point[1:], ["ann"], size)

    stimuli = tuple(
        replace(each, gaze=Looked(point), map=None)
        for each, point in zip(displays, points, strict=False)
    )
    dataset = replace(displays[:4], stimuli=stimuli)
    options = {"metrics": ["auc_shuffled"], "cams": ["center"], "sigmas": [0], "bounds": []}
    run = study(dataset, convention=convention, **options).run(tmp_path / "run", progress=False)
    saliency = qg.SaliencyModel("efficientnet_lite0", cam="center", sigma=0)(stimuli[0].image())
    expected = qg.metrics.auc_shuffled(
        saliency.map, np.array(points[:1]), np.array(points[1:]), convention
    )
    assert run.scores()["auc_shuffled"][0] == pytest.approx(expected, abs=1e-9)
    other = {"tuebingen": "mit", "mit": "tuebingen"}[convention]
    counts = qg.metrics.FixationCounts.of(points[1:], (120, 160), other)
    mixed = qg.metrics.auc_shuffled(saliency.map, np.array(points[:1]), counts, convention)
    assert mixed != pytest.approx(expected, abs=1e-9)


def test_without_others_those_metrics_are_undefined(displays: Dataset, tmp_path: Path) -> None:
    run = study(displays[:1], metrics=["auc_shuffled"]).run(tmp_path / "run", progress=False)
    assert np.isnan(run.scores()["auc_shuffled"][0])
    assert "other images" in run.undefined()["reason"][0]


def test_a_data_set_has_the_bounds_that_its_gaze_allows(displays: Dataset, tmp_path: Path) -> None:
    assert default_bounds(displays[:1]) == ()
    assert {BOUNDS[name].kind for name in default_bounds(displays)} == {"baseline"}
    run = study(displays, bounds=[]).run(tmp_path / "run", progress=False)
    assert run.bounds().is_empty()


class Unreadable:
    """Gaze of another package, which raises what it likes."""

    def read(self, _size: tuple[int, int]) -> Fixations:
        raise FileNotFoundError("no such file")


def test_a_first_stimulus_with_bad_gaze_does_not_keep_a_study_from_beginning(
    displays: Dataset,
) -> None:
    first = replace(displays[0], gaze=Unreadable())
    spoilt = replace(displays, stimuli=(first, *displays.stimuli[1:]))
    assert default_bounds(spoilt) == default_bounds(displays)
    assert default_bounds(spoilt) != ()


def test_ceilings_of_a_single_observer_say_why_they_are_undefined(
    displays: Dataset, tmp_path: Path
) -> None:
    options = {"bounds": ["one_observer"], "metrics": ["cc"]}
    run = study(displays, **options).run(tmp_path / "run", progress=False)
    undefined = run.undefined()
    assert undefined["bound"].to_list() == ["one_observer"] * 5
    assert "1 observer" in undefined["reason"][0]


def test_bad_options_are_refused(displays: Dataset) -> None:
    with pytest.raises(UnknownNameError, match="split_half"):
        study(displays, bounds=["split_halves"])
    with pytest.raises(OptionError, match="draws"):
        study(displays, draws=0)
    with pytest.raises(OptionError, match="seed"):
        study(displays, seed=-1)
