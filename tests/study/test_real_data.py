"""The study's claims, on the real data."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

import quickgaze as qg
from quickgaze.bounds import BOUNDS
from quickgaze.errors import RandomWeightsWarning
from quickgaze.findings import bounds, shares
from quickgaze.study import Run


def mean_by_orientation(run: Run, metric: str) -> dict[str, float]:
    means = run.scores().group_by("orientation").agg(pl.col(metric).mean())
    return dict(means.iter_rows())


@pytest.mark.slow
def test_the_sign_decides_on_salicon(salicon_examples: Path, tmp_path: Path) -> None:
    run = qg.Study(qg.load_dataset("salicon", salicon_examples)).run(tmp_path / "run")
    assert run.manifest["counts"] == {
        "stimuli": 10,
        "scored": 10,
        "failed": 0,
        "undefined_scores": 0,
        "points": 73630,
        "points_outside": 0,
    }
    cc = mean_by_orientation(run, "cc")
    assert cc["activation"] >= 0.60
    assert cc["lapack"] < 0.2
    assert cc["activation"] <= cc["oracle"] <= cc["activation"] + 0.02


@pytest.fixture(scope="module")
def osie_run(osie_sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    dataset = qg.load_dataset("osie", osie_sample)
    assert (len(dataset), len(dataset.missing)) == (40, 660)
    study = qg.Study(dataset, orientations=["activation", "oracle"], device="cpu")
    return study.run(tmp_path_factory.mktemp("osie") / "run", progress=False)


@pytest.mark.slow
def test_osie_is_scored_on_the_images_that_are_there(osie_run: Run) -> None:
    assert osie_run.manifest["counts"]["scored"] == 40
    assert mean_by_orientation(osie_run, "cc")["activation"] >= 0.43


@pytest.mark.slow
def test_people_stand_above_the_model_and_the_model_above_chance(osie_run: Run) -> None:
    rows = bounds(osie_run).rows(named=True)
    means = {(row["bound"], row["metric"]): row["mean"] for row in rows}
    assert set(osie_run.bounds()["bound"]) == set(BOUNDS.names())
    table = shares(osie_run)
    for row in table.filter(pl.col("metric").is_in(["cc", "sim", "nss", "auc"])).rows(named=True):
        assert row["images"] == 40
        assert row["chance"] < row["model"] < row["people"]
        assert 0 < row["share"] < 1
    assert means["uniform", "auc"] == 0.5
    for metric in ("cc", "nss", "auc"):
        assert means["shuffled", metric] < means["center_bias", metric]
        assert means["center_bias", metric] < means["one_observer", metric]
        assert means["one_observer", metric] <= means["gold_standard", metric]
    # people of two halves, told for the whole group, agree better than one with the others
    assert means["one_observer", "cc"] < means["split_half", "cc"] < 1


@pytest.mark.slow
def test_a_detector_runs_through_on_real_images(salicon_examples: Path, tmp_path: Path) -> None:
    dataset = qg.load_dataset("salicon", salicon_examples)[:2]
    study = qg.Study(dataset, backbones=["fasterrcnn_resnet50_fpn"], weights="none")
    with pytest.warns(RandomWeightsWarning):
        run = study.run(tmp_path / "run")
    assert run.manifest["counts"]["scored"] == 2
    maps = run.maps().select("height", "width").unique()
    assert maps.rows() == [(13, 17)]
