"""What cannot be fitted to is refused or left out, and the caller's torch stays as it was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import quickgaze as qg
from quickgaze.backbones import Backbone
from quickgaze.cams import Readout
from quickgaze.errors import DatasetError, LeftOutWarning, OptionError, RunError, UnknownNameError
from quickgaze.stimuli import Dataset, Stimulus

Make = Callable[..., Any]


def fit(dataset: Dataset, backbone: Backbone, **options: Any) -> Readout:
    given: dict[str, Any] = {"grid": "cells", "hidden": 0, "folds": 2, "progress": False}
    return qg.fit_readout(dataset, backbone, **(given | options))


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"folds": 1}, OptionError, "folds is 1, which leaves no image"),
        ({"folds": -1}, OptionError, "folds is -1"),
        ({"folds": 13}, OptionError, "folds is 13, but blobs has 12 images with gaze"),
        ({"hidden": -1}, OptionError, "hidden is -1"),
        ({"seed": -1}, OptionError, "seed is -1"),
        ({"levels": []}, OptionError, "levels is empty"),
        ({"levels": ["cell"]}, UnknownNameError, "level of colours 'cell'.*did you mean 'cells'"),
        ({"grid": "fine"}, UnknownNameError, "grid 'fine'"),
    ],
)
def test_options_that_cannot_be_used(
    seen: Dataset, colours: Backbone, options: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        fit(seen, colours, **options)


def test_a_backbone_that_there_is_not(seen: Dataset) -> None:
    with pytest.raises(UnknownNameError, match="efficientnet_lite0"):
        qg.fit_readout(seen, "efficientnet_lite", progress=False)


def test_more_folds_than_scenes(seen: Dataset, colours: Backbone) -> None:
    stimuli = tuple(replace(each, attributes={"scene": "hall"}) for each in seen.stimuli)
    with pytest.raises(OptionError, match="blobs has 1 scenes"):
        fit(replace(seen, stimuli=stimuli), colours)


def test_a_data_set_without_gaze(seen: Dataset, colours: Backbone) -> None:
    stimuli = tuple(replace(each, gaze=None) for each in seen.stimuli)
    with pytest.raises(DatasetError, match="blobs has no gaze"):
        fit(replace(seen, stimuli=stimuli), colours)


def test_a_data_set_whose_gaze_lies_outside(seen: Dataset, colours: Backbone, looked: Make) -> None:
    outside = looked(np.full((3, 2), 500.0))
    stimuli = tuple(replace(each, gaze=outside) for each in seen.stimuli)
    with pytest.raises(DatasetError, match=r"none of the 12 images.*image-0: it has no gaze"):
        fit(replace(seen, stimuli=stimuli), colours)


@pytest.mark.parametrize("folder", ["file", "full"])
def test_a_folder_that_holds_something(
    seen: Dataset, colours: Backbone, tmp_path: Path, folder: str
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(RunError, match=f"{folder} holds something already"):
        fit(seen, colours, out=tmp_path / folder)


def _damaged(stimulus: Stimulus, drawn: Make, looked: Make, mapped: Make, how: str) -> Stimulus:
    if how == "image":
        return replace(stimulus, source=drawn(None))
    if how == "gaze":
        return replace(stimulus, gaze=looked(np.empty((0, 2))))
    if how == "density":
        return replace(stimulus, gaze=None, map=mapped(np.zeros(stimulus.size, np.float32)))
    return replace(stimulus, source=drawn(np.full((48, 64, 3), 255, np.uint8)))


class _NanWhereWhite(nn.Module):
    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        return torch.where(batch.amin((1, 2, 3), keepdim=True) == 1, torch.nan, batch)


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("image", "the image is damaged"),
        ("gaze", "it has no gaze inside the image"),
        ("density", "its density is 0 everywhere"),
        ("features", "features that are not finite"),
    ],
)
def test_one_image_that_cannot_be_fitted_to_is_left_out_and_listed(
    seen: Dataset,
    drawn: Make,
    looked: Make,
    mapped: Make,
    tmp_path: Path,
    how: str,
    reason: str,
) -> None:
    network = nn.Sequential(_NanWhereWhite(), nn.AvgPool2d(8))
    plain = {"mean": (0, 0, 0), "std": (1, 1, 1), "device": "cpu"}
    backbone = qg.wrap_backbone(network, {"cells": "1"}, name="colours", **plain)
    stimuli = list(seen.stimuli)
    stimuli[3] = _damaged(stimuli[3], drawn, looked, mapped, how)
    dataset = replace(seen, stimuli=tuple(stimuli))
    with pytest.warns(LeftOutWarning, match=f"1 of 12 images.*image-3: .*{reason}"):
        found = fit(dataset, backbone, out=tmp_path / "out")
    assert found.card.images == 11
    assert found.card.scores["information_gain"] > 1
    run = qg.open_run(tmp_path / "out" / "run")
    assert run.failures()["stimulus"].to_list() == ["image-3"]
    assert reason in run.failures()["message"][0] or how == "image"
    assert run.scores().height == 11


def test_the_callers_torch_stays_as_it_was(seen: Dataset, colours: Backbone) -> None:
    plain = fit(seen, colours, hidden=2, folds=0)
    before = torch.random.get_rng_state(), torch.get_num_threads()
    torch.set_default_dtype(torch.float64)
    try:
        with torch.autocast("cpu", torch.bfloat16), torch.inference_mode():
            asked = fit(seen, colours, hidden=2, folds=0)
            assert torch.is_autocast_enabled("cpu")
            assert torch.is_inference_mode_enabled()
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
    assert torch.is_grad_enabled()
    assert torch.equal(torch.random.get_rng_state(), before[0])
    assert torch.get_num_threads() == before[1]
    for name, tensor in plain.tensors.items():
        assert torch.equal(tensor, asked.tensors[name]), name
        assert not tensor.requires_grad
