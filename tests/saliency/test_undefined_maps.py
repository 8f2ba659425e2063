"""A map that does not exist is NaN, and a warning says why."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from quickgaze import SaliencyModel, wrap_backbone
from quickgaze.errors import OptionError, UndefinedMapWarning
from quickgaze.saliency import saliency_maps

CAMS = pytest.mark.parametrize("cam", ["eigen", "deviation", "activation"])
IMAGE = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)


@pytest.fixture
def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 6, 3, 2, 1), nn.ReLU())


def model_of(network: nn.Module, **options: Any) -> SaliencyModel:
    colours = {"mean": (0.5, 0.5, 0.5), "std": (0.25, 0.25, 0.25)}
    return SaliencyModel(wrap_backbone(network, ["1", "3"], name="mine", **colours), **options)


@CAMS
def test_an_image_of_one_cell(cam: str) -> None:
    model = SaliencyModel(cam=cam, device="cpu")
    with pytest.warns(UndefinedMapWarning, match=r"^the map is undefined \(NaN\): its grid is a"):
        result = model(IMAGE[:2, :2])
    assert result.map.shape == (2, 2)
    assert np.isnan(result.map).all()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isfinite(model(IMAGE).map).all()


@CAMS
@pytest.mark.parametrize("fusion", ["concatenate", "mean"])
def test_features_that_are_0(network: nn.Sequential, cam: str, fusion: str) -> None:
    for layer in (network[0], network[2]):
        nn.init.zeros_(layer.weight)
        nn.init.constant_(layer.bias, -1)  # what the rectifier never lets pass
    with pytest.warns(UndefinedMapWarning, match="its features are 0 everywhere"):
        assert np.isnan(model_of(network, cam=cam, fusion=fusion)(IMAGE).map).all()


@CAMS
def test_features_that_are_constant(network: nn.Sequential, cam: str) -> None:
    for layer in (network[0], network[2]):
        nn.init.zeros_(layer.weight)
        nn.init.constant_(layer.bias, 0.3)
    with pytest.warns(UndefinedMapWarning, match="its features are the same everywhere"):
        assert np.isnan(model_of(network, cam=cam)(IMAGE).map).all()


@CAMS
@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_features_that_are_not_finite(network: nn.Sequential, cam: str, value: float) -> None:
    nn.init.constant_(network[2].bias, value)
    with pytest.warns(UndefinedMapWarning, match="its features are not finite in 3"):
        assert np.isnan(model_of(network, cam=cam)(IMAGE).map).all()
    # the other level is sound
    assert np.isfinite(model_of(network, cam=cam, levels=["1"])(IMAGE).map).all()


def test_a_half_that_overflows(network: nn.Sequential) -> None:
    nn.init.constant_(network[0].weight, 6e4)
    with pytest.warns(UndefinedMapWarning, match="its features are not finite in 1, 3"):
        model_of(network.half())(IMAGE)


def test_a_gradient_cam_of_features_that_are_not_finite(network: nn.Sequential) -> None:
    nn.init.constant_(network[2].bias, torch.nan)
    head = nn.Sequential(*network, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4))
    with pytest.warns(UndefinedMapWarning, match="its features are not finite in 3"):
        assert np.isnan(model_of(head, cam="gradcam")(IMAGE).map).all()


def test_of_several_images_the_one_is_named() -> None:
    model = SaliencyModel(device="cpu")
    with pytest.warns(UndefinedMapWarning) as caught:
        results = model([IMAGE, IMAGE[:2, :2], IMAGE, np.full_like(IMAGE[:2, :2], 9)])
    assert [str(each.message).split(":")[0] for each in caught] == [
        "image 2 of 4",
        "image 4 of 4",
    ]
    assert [bool(np.isnan(result.map).all()) for result in results] == [False, True, False, True]
    assert caught[0].filename == __file__


def test_a_rule_that_cannot_choose_is_still_an_error() -> None:
    with pytest.raises(OptionError, match="'border' gives no sign on the 2x4 grid"):
        SaliencyModel(device="cpu", grid="2x4", orientation="border")(IMAGE)


def test_cams_that_are_no_tensor_are_refused() -> None:
    with pytest.raises(OptionError, match=r"not a ndarray; torch\.from_numpy\(array\) makes one"):
        saliency_maps(np.ones((3, 4)), (9, 9))  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", [(0, 4), (4, 0), (2, 0, 4)])
def test_maps_without_cells_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(OptionError, match="maps have at least one row and one column"):
        saliency_maps(torch.zeros(shape), (8, 8))
