"""A report draws no map that does not exist."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

import quickgaze as qg
from quickgaze.report._album import write_album
from quickgaze.report._originals import find_originals
from quickgaze.report._subjects import subject_of
from quickgaze.stimuli import Dataset


@pytest.mark.parametrize("cam", ["eigen", "deviation", "activation"])
@pytest.mark.parametrize("value", [0.0, torch.nan])
def test_a_cam_that_is_nan_is_not_drawn(
    displays: Dataset, tmp_path: Path, cam: str, value: float
) -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3, 4), nn.ReLU())
    nn.init.zeros_(network[0].weight)
    nn.init.constant_(network[0].bias, value)
    backbone = qg.wrap_backbone(network, ["1"], name="dead", mean=(0, 0, 0), std=(1, 1, 1))
    study = qg.Study(displays[:2], [backbone], [cam], orientations=["skew"], metrics=["auc"])
    subject = subject_of([study.run(tmp_path / "run", progress=False)])
    album = write_album(
        subject, find_originals(subject, displays), tmp_path, longest=80, progress=False
    )
    assert set(album.signs) == {".."}
    assert not album.failures
    layers = {path.name for path in (tmp_path / "pictures").iterdir() if any(path.rglob("*.*"))}
    assert layers == {"image", "density"}
