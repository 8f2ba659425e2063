"""Deviation and activation, against the definition in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch.nn import functional

from quickgaze.backbones import Pyramid
from quickgaze.cams import Cam, activation, deviation
from quickgaze.errors import UnknownNameError
from quickgaze.saliency import saliency_maps

BOTH = pytest.mark.parametrize("make", [deviation, activation])


def reference(
    pyramid: Pyramid, size: tuple[int, int], image: int, scaled: bool
) -> dict[object, npt.NDArray[np.float64]]:
    """Both maps of one image word for word; padding must be absent."""
    channels = []
    for level in pyramid.levels.values():
        features = level[image].abs().double().numpy()
        if scaled:
            features = features / features.std()
        resized = functional.interpolate(
            torch.from_numpy(features)[None], size, mode="bilinear", align_corners=False
        )
        channels.append(resized[0].numpy())
    joined = np.concatenate(channels)
    deviations = joined - joined.mean((1, 2), keepdims=True)
    return {deviation: np.sqrt((deviations**2).mean(0)), activation: joined.mean(0)}


@BOTH
@pytest.mark.parametrize("grid", ["coarsest", "finest", "1", "s8", "5x7", "1x9"])
@pytest.mark.parametrize("level_scale", ["none", "std"])
def test_equals_the_definition(
    random_pyramid: Callable[..., Pyramid], make: Any, grid: str, level_scale: str
) -> None:
    pyramid = random_pyramid(seed=1, batch=3)
    pyramid.levels["0"].mul_(5)
    cam = make(pyramid, grid, level_scale=level_scale)
    assert cam.projection.dtype == torch.float32
    for image in range(3):
        expected = reference(pyramid, cam.grid, image, level_scale == "std")[make]
        np.testing.assert_allclose(cam.projection[image], expected, rtol=1e-4)


def test_a_literal_deviation() -> None:
    # Two channels with means 2 and -, in absolute values, 2: deviations (-2, 0, 2), (1, -2, 1).
    features = torch.tensor([[[[0.0, 2.0, 4.0]], [[-3.0, 0.0, 3.0]]]])
    cam = deviation(Pyramid({"0": features}, {"0": 1}, (1, 3), (1, 3)))
    expected = torch.tensor([[[2.5**0.5, 2.0**0.5, 2.5**0.5]]])
    torch.testing.assert_close(cam.projection, expected)


@BOTH
def test_there_is_no_sign_to_choose(random_pyramid: Callable[..., Pyramid], make: Any) -> None:
    cam = make(random_pyramid(batch=2))
    assert not cam.signed
    assert (cam.projection >= 0).all()
    assert cam.explained_variance.isnan().all()
    torch.testing.assert_close(cam.oriented("skew"), cam.projection)


@BOTH
def test_levels_can_be_chosen(random_pyramid: Callable[..., Pyramid], make: Any) -> None:
    pyramid = random_pyramid(seed=3)
    chosen = make(pyramid, "4x6", levels=["s8", "2"])
    expected = reference(pyramid.select(["1", "2"]), (4, 6), 0, scaled=False)[make]
    np.testing.assert_allclose(chosen.projection[0], expected, rtol=1e-4)


@BOTH
@pytest.mark.parametrize("level_scale", ["none", "std"])
def test_the_batch_changes_nothing(
    random_pyramid: Callable[..., Pyramid], make: Any, level_scale: str
) -> None:
    together = random_pyramid(seed=4, batch=4)
    cam = make(together, "6x9", level_scale=level_scale)
    for image in range(4):
        levels = {name: level[image : image + 1] for name, level in together.levels.items()}
        alone = make(replace(together, levels=levels), "6x9", level_scale=level_scale)
        torch.testing.assert_close(alone.projection[0], cam.projection[image])


@BOTH
@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
@pytest.mark.parametrize("level_scale", ["none", "std"])
def test_one_bad_image_does_not_spoil_its_batch(
    random_pyramid: Callable[..., Pyramid], make: Any, bad: float, level_scale: str
) -> None:
    pyramid = random_pyramid(seed=5, batch=3)
    expected = make(pyramid, level_scale=level_scale).projection
    pyramid.levels["1"][1, 0, 0, 0] = bad
    found = make(pyramid, level_scale=level_scale).projection
    assert found[1].isnan().all()
    for image in (0, 2):
        torch.testing.assert_close(found[image], expected[image])


@BOTH
@pytest.mark.parametrize("value", [0.0, 1.0, 0.3, 1e4])
@pytest.mark.parametrize("level_scale", ["none", "std"])
@pytest.mark.parametrize("grid", ["coarsest", "3x3", "7x5"])
def test_features_that_do_not_vary_give_no_map(
    make: Any, value: float, level_scale: str, grid: str
) -> None:
    features = torch.full((1, 3, 4, 4), value) * torch.tensor([1.0, 1.1, -0.7])[:, None, None]
    cam: Cam = make(
        Pyramid({"0": features}, {"0": 8}, (32, 32), (32, 32)), grid, level_scale=level_scale
    )
    assert cam.projection.isnan().all()
    assert saliency_maps(cam.projection, (20, 20)).isnan().all()


@BOTH
def test_padding_does_not_shift_the_map(make: Any) -> None:
    bump = torch.exp(-((torch.arange(24.0) - 11.5) ** 2) / 18)
    level = (bump[:, None] * bump)[None, None] * torch.tensor([1.0, 2.0])[None, :, None, None]
    bare = make(Pyramid({"0": level}, {"0": 4}, (96, 96), (96, 96)), "12x12")
    padded_level = functional.pad(level, (0, 12, 0, 12), value=7.0)
    padded = make(Pyramid({"0": padded_level}, {"0": 4}, (144, 144), (96, 96)), "12x12")
    torch.testing.assert_close(padded.projection, bare.projection, atol=1e-5, rtol=1e-5)


@BOTH
def test_unknown_names_are_refused(random_pyramid: Callable[..., Pyramid], make: Any) -> None:
    with pytest.raises(UnknownNameError, match="coarsest"):
        make(random_pyramid(), "corsest")
    with pytest.raises(UnknownNameError, match="none, std"):
        make(random_pyramid(), level_scale="sdt")
    with pytest.raises(UnknownNameError, match="Known: 0, 1, 2"):
        make(random_pyramid(), levels=["pool"])
