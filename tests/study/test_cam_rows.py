"""Which rows a study has for CAMs without grid, components or sign, and what fusion changes."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

import quickgaze as qg
from quickgaze.backbones import Backbone
from quickgaze.errors import RunError
from quickgaze.stimuli import Dataset


@pytest.fixture(scope="module")
def displays() -> Dataset:
    return qg.load_dataset("popout", n=3, size=(120, 160))


def test_scores_of_signless_cams_have_one_row_a_blur(displays: Dataset, tmp_path: Path) -> None:
    cams = ["eigen", "deviation", "activation", "center", "uniform", "spectral_residual"]
    study = qg.Study(
        displays[:2],
        cams=cams,
        grids=["coarsest", "s8"],
        components=[0, 1],
        orientations=["activation", "lapack", "oracle"],
        sigmas=[0, 5],
        metrics=["auc"],
        fusion="mean",
    )
    scores = study.run(tmp_path / "run", progress=False).scores()
    counts = scores.group_by("cam", maintain_order=True).len()
    # Two stimuli and two blurs, by grids, components and orientations.
    assert dict(counts.rows()) == {
        "eigen": 4 * 2 * 2 * 3,
        "deviation": 4 * 2,
        "activation": 4 * 2,
        "center": 4,
        "uniform": 4,
        "spectral_residual": 4,
    }
    signless = scores.filter(pl.col("cam") != "eigen")
    assert set(signless["orientation"]) == {"none"}
    assert set(signless["component"]) == {0}
    assert set(signless.filter(pl.col("cam") == "center")["grid"]) == {"own"}
    assert set(signless.filter(pl.col("cam") == "deviation")["grid"]) == {"coarsest", "s8"}
    assert scores.filter(pl.col("cam") == "uniform")["auc"].to_list() == [0.5] * 4


def test_baselines_need_no_features(
    displays: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> object:
        pytest.fail("a network ran for nothing")

    monkeypatch.setattr(Backbone, "__call__", refuse)
    study = qg.Study(displays, cams=["center", "uniform", "spectral_residual"], metrics=["auc"])
    run = study.run(tmp_path / "run", progress=False)
    assert run.failures().is_empty()
    assert run.scores().height == 3 * len(displays)


def test_fusion_is_recorded_and_changes_scores(displays: Dataset, tmp_path: Path) -> None:
    runs = {
        fusion: qg.Study(
            displays, fusion=fusion, orientations=["activation", "lapack"], metrics=["cc"]
        ).run(tmp_path / fusion, progress=False)
        for fusion in ("concatenate", "mean")
    }
    assert runs["mean"].manifest["settings"]["fusion"] == "mean"
    joined, mean = (
        run.scores().filter(pl.col("orientation") == "activation")["cc"] for run in runs.values()
    )
    assert (joined != mean).all()
    # A mean of levels is nothing that LAPACK could have given a sign.
    lapack = runs["mean"].scores().filter(pl.col("orientation") == "lapack")
    assert lapack["cc"].is_nan().all()
    with pytest.raises(RunError, match="fusion is concatenate here and mean there"):
        qg.Study(displays, orientations=["activation", "lapack"], metrics=["cc"]).run(
            runs["mean"].path, progress=False
        )
