"""The study's claims, on the real data."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

import quickgaze as qg
from quickgaze.errors import RandomWeightsWarning
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
    }
    cc = mean_by_orientation(run, "cc")
    assert cc["activation"] >= 0.60
    assert cc["lapack"] < 0.2
    assert cc["activation"] <= cc["oracle"] <= cc["activation"] + 0.02


@pytest.mark.slow
def test_osie_is_scored_on_the_images_that_are_there(osie_sample: Path, tmp_path: Path) -> None:
    dataset = qg.load_dataset("osie", osie_sample)
    assert (len(dataset), len(dataset.missing)) == (40, 660)
    run = qg.Study(dataset, orientations=["activation", "oracle"]).run(tmp_path / "run")
    assert run.manifest["counts"]["scored"] == 40
    assert mean_by_orientation(run, "cc")["activation"] >= 0.43


@pytest.mark.slow
def test_a_detector_runs_through_on_real_images(salicon_examples: Path, tmp_path: Path) -> None:
    dataset = qg.load_dataset("salicon", salicon_examples)[:2]
    study = qg.Study(dataset, backbones=["fasterrcnn_resnet50_fpn"], weights="none")
    with pytest.warns(RandomWeightsWarning):
        run = study.run(tmp_path / "run")
    assert run.manifest["counts"]["scored"] == 2
    maps = run.maps().select("height", "width").unique()
    assert maps.rows() == [(13, 17)]
