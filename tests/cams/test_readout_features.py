"""The features of a readout: means over areas, interpolation, and no padding."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch.nn import functional

from quickgaze.backbones import Pyramid, load_backbone
from quickgaze.cams import readout_features
from quickgaze.errors import UnknownNameError

PyramidMaker = Callable[..., Pyramid]


def one_level(values: list[list[float]], stride: int = 8, **given: tuple[int, int]) -> Pyramid:
    level = torch.tensor([[values]])
    size = (level.shape[2] * stride, level.shape[3] * stride)
    content = given.get("content", size)
    return Pyramid({"0": level}, {"0": stride}, size, content)


@pytest.mark.parametrize(
    ("grid", "expected"),
    [
        ("0", [[0.0, 1.0, 2.0, 3.0], [4.0, 5.0, 6.0, -7.0]]),
        ("1x2", [[2.5, 1.0]]),
        ("2x1", [[1.5], [2.0]]),
        ("1x1", [[1.75]]),
        ("1x4", [[2.0, 3.0, 4.0, -2.0]]),
        ("4x1", [[1.5], [1.625], [1.875], [2.0]]),
    ],
)
def test_literal_features(grid: str, expected: list[list[float]]) -> None:
    pyramid = one_level([[0.0, 1.0, 2.0, 3.0], [4.0, 5.0, 6.0, -7.0]])
    torch.testing.assert_close(readout_features(pyramid, None, grid)[0, 0], torch.tensor(expected))


def test_padding_is_left_out() -> None:
    padded = one_level([[1.0, 3.0, 5.0, 99.0], [99.0] * 4], content=(8, 20))
    # two and a half cells are content: the mean has half of the third
    features = readout_features(padded, None, "1x1")
    torch.testing.assert_close(features.flatten(), torch.tensor([(1 + 3 + 0.5 * 5) / 2.5]))
    halves = readout_features(padded, None, "1x2").flatten()
    expected = [(1 + 0.25 * 3) / 1.25, (0.75 * 3 + 0.5 * 5) / 1.25]
    torch.testing.assert_close(halves, torch.tensor(expected))


@pytest.mark.parametrize("grid", ["0", "1", "2", "s8", "coarsest", "finest"])
def test_equals_pooling_and_interpolation_by_torch(random_pyramid: PyramidMaker, grid: str) -> None:
    pyramid = random_pyramid(seed=3, batch=2)
    size = pyramid.grid_size(grid)
    expected = [
        functional.adaptive_avg_pool2d(level, size)
        if level.shape[2] >= size[0]
        else functional.interpolate(level, size, mode="bilinear", align_corners=False)
        for level in pyramid.levels.values()
    ]
    found = readout_features(pyramid, None, grid)
    torch.testing.assert_close(found, torch.cat(expected, 1), rtol=1e-5, atol=1e-5)
    assert found.dtype == torch.float32


def test_levels_stand_from_fine_to_coarse_whatever_is_asked_for(
    random_pyramid: PyramidMaker,
) -> None:
    pyramid = random_pyramid()
    found = readout_features(pyramid, ["2", "s4"], "s8")
    torch.testing.assert_close(found, readout_features(pyramid, ["0", "2"], "8x12"))
    assert found.shape == (1, 5 + 17, 8, 12)


def test_unknown_levels_and_grids_are_refused(random_pyramid: PyramidMaker) -> None:
    with pytest.raises(UnknownNameError, match="unknown level 's7'"):
        readout_features(random_pyramid(), ["s7"], "1")
    with pytest.raises(UnknownNameError, match="unknown grid 'fine'"):
        readout_features(random_pyramid(), None, "fine")


def test_images_of_a_batch_do_not_meet(random_pyramid: PyramidMaker) -> None:
    pyramid = random_pyramid(seed=1, batch=3)
    pyramid.levels["1"][1] = torch.nan
    together = readout_features(pyramid, None, "1")
    assert together[1].isnan().any()
    for image in (0, 2):
        alone = Pyramid(
            {name: level[image : image + 1] for name, level in pyramid.levels.items()},
            pyramid.strides,
            pyramid.input_size,
            pyramid.content,
        )
        torch.testing.assert_close(together[image], readout_features(alone, None, "1")[0])


def test_levels_are_left_as_they_were_and_so_is_torch(random_pyramid: PyramidMaker) -> None:
    pyramid = random_pyramid()
    kept = {name: level.clone() for name, level in pyramid.levels.items()}
    exact = readout_features(pyramid, None, "1")
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(readout_features(pyramid, None, "1"), exact, rtol=0, atol=0)
    for name, level in pyramid.levels.items():
        assert torch.equal(level, kept[name])


def test_a_backbone_s_levels_may_be_computed_when_they_are_read() -> None:
    backbone = load_backbone("efficientnet_lite0", device="cpu")
    features = readout_features(backbone(torch.rand(1, 3, 96, 128)), None, "s16")
    assert features.shape == (1, 512, 6, 8)
    assert not features.is_inference()  # so that a fit can take gradients of weights
