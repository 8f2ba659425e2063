"""From CAM to saliency map, against SciPy and torch one step after the other."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from torch.nn import functional

from quickgaze.saliency import saliency_maps


def reference(cam: torch.Tensor, size: tuple[int, int], sigma: float, rectify: bool) -> np.ndarray:
    """The slow obvious way."""
    values = cam.clamp(min=0) if rectify else cam
    resized = functional.interpolate(
        values[None, None].double(), size, mode="bilinear", align_corners=False
    )[0, 0].numpy()
    if sigma > 0:
        resized = ndimage.gaussian_filter(resized, sigma, mode="reflect", truncate=4.0)
    extent = resized.max() - resized.min()
    if extent < 1e-12:
        return np.zeros(size)
    return (resized - resized.min()) / extent


@settings(deadline=None)
@given(
    grid=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    size=st.tuples(st.integers(2, 60), st.integers(2, 60)),
    sigma=st.sampled_from([0.0, 0.7, 5.0, 19.0]),
    rectify=st.booleans(),
    seed=st.integers(0, 99),
)
def test_equals_the_slow_obvious_way(
    grid: tuple[int, int], size: tuple[int, int], sigma: float, rectify: bool, seed: int
) -> None:
    cam = torch.randn(grid, generator=torch.Generator().manual_seed(seed))
    found = saliency_maps(cam, size, sigma, rectify).numpy()
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, reference(cam, size, sigma, rectify), atol=2e-5)


def test_a_batch_is_scaled_map_by_map() -> None:
    cams = torch.tensor([[[0.0, 1.0]], [[0.0, 100.0]]])
    maps = saliency_maps(cams, (2, 6), sigma=0)
    assert maps.shape == (2, 2, 6)
    torch.testing.assert_close(maps[0], maps[1])
    assert maps.amin((1, 2)).tolist() == [0, 0]
    assert maps.amax((1, 2)).tolist() == [1, 1]


def test_flipping_comes_before_rectifying() -> None:
    cam = torch.tensor([[-2.0, 1.0]])
    torch.testing.assert_close(saliency_maps(-cam, (1, 2), 0), torch.tensor([[1.0, 0.0]]))


def test_the_negative_part_can_be_kept() -> None:
    cam = torch.tensor([[-1.0, 0.0, 1.0]])
    torch.testing.assert_close(
        saliency_maps(cam, (1, 3), 0, rectify=False), torch.tensor([[0.0, 0.5, 1.0]])
    )


@pytest.mark.parametrize("value", [0.0, -1.0, 2.5, 1e-30, 0.1, 1e9])
@pytest.mark.parametrize("sigma", [0.0, 2.0, 19.0])
def test_a_constant_map_is_zero_and_not_its_rounding(value: float, sigma: float) -> None:
    assert (saliency_maps(torch.full((1, 3, 7), value), (53, 61), sigma, rectify=False) == 0).all()


def test_nan_stays_with_its_map() -> None:
    cams = torch.tensor([[[torch.nan, 1.0]], [[0.0, 1.0]]])
    maps = saliency_maps(cams, (2, 4), 1.0)
    assert maps[0].isnan().all()
    assert not maps[1].isnan().any()


def test_a_density_is_divided_by_its_maximum_alone() -> None:
    values = torch.tensor([[[1.0, 2.0], [4.0, 3.0]]])
    made = saliency_maps(values, (2, 2), sigma=0, density=True)
    assert made.tolist() == [[[0.25, 0.5], [1.0, 0.75]]]
    assert saliency_maps(torch.full((1, 2, 2), 3.0), (4, 4), density=True).tolist() == [
        [[1.0] * 4] * 4
    ]
    assert saliency_maps(torch.zeros(1, 2, 2), (2, 2), density=True).abs().max() == 0
    assert saliency_maps(values * torch.nan, (2, 2), density=True).isnan().all()
