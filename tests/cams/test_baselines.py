"""Baselines, literally."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from quickgaze.cams import center, uniform
from quickgaze.saliency import saliency_maps


@pytest.mark.parametrize("size", [(480, 640), (600, 800), (640, 480), (300, 300)])
def test_the_centre_is_the_published_gaussian(size: tuple[int, int]) -> None:
    height, width = size
    cam = center(torch.zeros(2, 3, height, width))
    assert cam.grid == (round(64 * height / width), 64)
    # Clarke and Tatler count in half widths, from the centre.
    x = (np.arange(width) + 0.5 - width / 2) / (width / 2)
    y = (np.arange(height) + 0.5 - height / 2) / (width / 2)
    gaussian = np.exp(-(x**2 + y[:, None] ** 2 / 0.45) / (2 * 0.23))
    expected = (gaussian - gaussian.min()) / (gaussian.max() - gaussian.min())
    found = saliency_maps(cam.projection, size, sigma=0)
    # The outermost half of a cell repeats the value at the cell's centre.
    for image in range(2):
        np.testing.assert_allclose(found[image], expected, atol=1e-2)


def test_the_centre_has_the_stated_spread() -> None:
    row = center(torch.zeros(1, 3, 64, 640)).projection[0, 3].double()
    places = (torch.arange(64) + 0.5) / 64 - 0.5
    half = row[places.abs().sub(0.240 * (2 * np.log(2)) ** 0.5).abs().argmin()] / row.max()
    assert half.item() == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("size", [(2, 4000), (4000, 2), (1, 1)])
def test_any_shape_of_image_has_a_centre(size: tuple[int, int]) -> None:
    cam = center(torch.zeros(1, 3, *size))
    assert min(cam.grid) >= 1
    assert cam.projection.isfinite().all()


def test_uniform_is_one_value() -> None:
    cam = uniform(torch.rand(3, 3, 20, 30))
    assert cam.grid == (1, 1)
    assert (saliency_maps(cam.projection, (20, 30)) == 0).all()


def test_baselines_have_no_sign_and_no_component() -> None:
    for cam in (center(torch.zeros(2, 3, 20, 30)), uniform(torch.zeros(2, 3, 20, 30))):
        assert not cam.signed
        assert cam.explained_variance.isnan().tolist() == [True, True]
        assert cam.projection.dtype == torch.float32
