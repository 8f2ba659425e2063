"""What a study says of images whose features make no map."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
import torch
from torch import nn

import quickgaze as qg

CAMS = ["eigen", "deviation", "activation"]


def run_of(network: nn.Module, out: Path) -> qg.Run:
    colours = {"mean": (0.5, 0.5, 0.5), "std": (0.25, 0.25, 0.25)}
    return qg.Study(
        qg.load_dataset("popout", n=2, size=(120, 160)),
        [qg.wrap_backbone(network, ["1"], name="mine", **colours)],
        cams=[*CAMS, "uniform"],
        orientations=["activation", "oracle"],
        metrics=["auc", "cc"],
    ).run(out, progress=False)


@pytest.mark.parametrize("value", [0.0, 0.3, torch.nan])
def test_the_score_is_nan_and_the_reason_is_the_features(tmp_path: Path, value: float) -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), nn.ReLU())
    nn.init.zeros_(network[0].weight)
    nn.init.constant_(network[0].bias, value)
    run = run_of(network, tmp_path / "run")
    assert run.failures().is_empty()
    scores = run.scores().filter(pl.col("cam").is_in(CAMS))
    assert scores.height == 2 * (2 + 1 + 1)
    assert scores["auc"].is_nan().all()
    reasons = run.undefined().filter(pl.col("cam").is_in(CAMS))
    assert set(reasons["reason"]) == {
        "the CAM is NaN on the 60x80 grid: its features are the same everywhere, or not finite"
    }
    assert reasons.height == 2 * scores.height
    # a map that is constant on purpose keeps its score
    assert run.scores().filter(pl.col("cam") == "uniform")["auc"].to_list() == [0.5, 0.5]


def test_scores_do_not_depend_on_what_torch_was_told(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), nn.ReLU())
    expected = run_of(network, tmp_path / "plain").scores()
    with torch.autocast("cpu", torch.bfloat16):
        assert run_of(network, tmp_path / "autocast").scores().equals(expected, null_equal=True)
    torch.set_default_dtype(torch.float64)
    try:
        found = run_of(network, tmp_path / "float64").scores()
    finally:
        torch.set_default_dtype(torch.float32)
    assert found.equals(expected, null_equal=True)
