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
    return (resized - resized.min()) / (extent or 1.0)


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
    # One value of each sign at least keeps float32 rounding from being blown up to a full scale.
    cam = torch.randn(grid, generator=torch.Generator().manual_seed(seed))
    cam.view(-1)[0] = 3.0
    expected = reference(cam, size, sigma, rectify)
    found = saliency_maps(cam, size, sigma, rectify).numpy()
    before_scaling = reference_extent(cam, size, sigma, rectify)
    np.testing.assert_allclose(found, expected, atol=5e-6 * 3 / before_scaling)


def reference_extent(
    cam: torch.Tensor, size: tuple[int, int], sigma: float, rectify: bool
) -> float:
    """How much of the map is left before it is scaled: rounding grows by its inverse."""
    values = cam.clamp(min=0) if rectify else cam
    resized = functional.interpolate(values[None, None].double(), size, mode="bilinear")[0, 0]
    blurred = ndimage.gaussian_filter(resized.numpy(), sigma, mode="reflect", truncate=4.0)
    return max(float(blurred.max() - blurred.min()), 1e-3)


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


@pytest.mark.parametrize("value", [0.0, -1.0, 2.5])
def test_a_constant_map_is_zero(value: float) -> None:
    assert (saliency_maps(torch.full((1, 3, 3), value), (5, 5), 2.0) == 0).all()


def test_nan_stays_with_its_map() -> None:
    cams = torch.tensor([[[torch.nan, 1.0]], [[0.0, 1.0]]])
    maps = saliency_maps(cams, (2, 4), 1.0)
    assert maps[0].isnan().all()
    assert not maps[1].isnan().any()
