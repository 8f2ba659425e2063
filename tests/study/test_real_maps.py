"""How well maps without a sign agree with people, on the real data."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

import quickgaze as qg
from quickgaze.stimuli import Dataset


def mean_by_cam(dataset: Dataset, folder: Path) -> dict[str, float]:
    study = qg.Study(
        dataset,
        cams=["deviation", "activation", "center", "spectral_residual"],
        levels=["s8", "s16", "s32"],
        level_scale="std",
        metrics=["cc"],
    )
    scores = study.run(folder, progress=False).scores()
    return dict(scores.group_by("cam").agg(pl.col("cc").mean()).iter_rows())


@pytest.mark.slow
def test_on_salicon(salicon_examples: Path, tmp_path: Path) -> None:
    means = mean_by_cam(qg.load_dataset("salicon", salicon_examples), tmp_path / "run")
    assert means == {
        "deviation": pytest.approx(0.777, abs=0.01),
        "activation": pytest.approx(0.721, abs=0.01),
        "center": pytest.approx(0.555, abs=0.01),
        "spectral_residual": pytest.approx(0.480, abs=0.01),
    }


@pytest.mark.slow
def test_on_osie(osie_sample: Path, tmp_path: Path) -> None:
    means = mean_by_cam(qg.load_dataset("osie", osie_sample), tmp_path / "run")
    assert means == {
        "deviation": pytest.approx(0.541, abs=0.01),
        "activation": pytest.approx(0.489, abs=0.01),
        "center": pytest.approx(0.306, abs=0.01),
        "spectral_residual": pytest.approx(0.394, abs=0.01),
    }
