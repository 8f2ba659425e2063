"""The spectral residual, against the authors' code transcribed without any FFT routine."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch
from skimage.data import chelsea
from torch.nn import functional

from quickgaze.cams import spectral_residual

Array = npt.NDArray[np.float64]


def windowed(values: Array, weights: Array, mode: str) -> Array:
    """Weighted sums over windows, one place after the other."""
    reach = len(weights) // 2
    padded = np.pad(values, reach, mode=mode)  # type: ignore[call-overload]
    result = np.empty_like(values)
    for row, column in np.ndindex(values.shape):
        window = padded[row : row + len(weights), column : column + len(weights)]
        result[row, column] = (window * weights).sum()
    return result


def reference(image: torch.Tensor) -> Array:
    """Map of one image (3, H, W), 64 pixels wide, by the definition."""
    red, green, blue = image.double()
    luminance = (0.2989 * red + 0.587 * green + 0.114 * blue).numpy()
    down, across = (
        np.exp(-2j * np.pi * np.outer(np.arange(side), np.arange(side)) / side)
        for side in luminance.shape
    )
    spectrum = down @ luminance @ across
    logarithm = np.log(np.abs(spectrum))
    residual = logarithm - windowed(logarithm, np.full((3, 3), 1 / 9), "edge")
    restored = down.conj() @ np.exp(residual + 1j * np.angle(spectrum)) @ across.conj()
    gaussian = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 2.5**2))
    gaussian /= gaussian.sum()
    power = np.abs(restored / luminance.size) ** 2
    return windowed(power, np.outer(gaussian, gaussian), "constant")


@pytest.mark.parametrize("height", [20, 48, 81])
def test_equals_the_definition(height: int) -> None:
    images = torch.rand(2, 3, height, 64, generator=torch.Generator().manual_seed(height))
    cam = spectral_residual(images)
    assert cam.grid == (height, 64)
    for image in range(2):
        np.testing.assert_allclose(cam.projection[image], reference(images[image]), rtol=1e-4)


def test_a_photograph_is_reduced_first() -> None:
    image = torch.from_numpy(chelsea()).permute(2, 0, 1)[None] / 255
    cam = spectral_residual(image)
    assert cam.grid == (43, 64)
    reduced = functional.interpolate(image, (43, 64), mode="bilinear", antialias=True)
    np.testing.assert_allclose(cam.projection[0], reference(reduced[0]), rtol=1e-3)


def test_the_map_has_neither_sign_nor_component() -> None:
    cam = spectral_residual(torch.rand(2, 3, 30, 40))
    assert not cam.signed
    assert (cam.projection >= 0).all()
    assert cam.explained_variance.isnan().all()
    assert cam.projection.dtype == torch.float32


def test_an_image_without_structure_has_none() -> None:
    images = torch.stack([torch.full((3, 30, 40), value) for value in (0.0, 0.3, 1.0)])
    assert (spectral_residual(images).projection == 0).all()


def test_one_bad_image_does_not_spoil_its_batch() -> None:
    images = torch.rand(3, 3, 30, 40, generator=torch.Generator().manual_seed(0))
    expected = spectral_residual(images).projection
    images[1, 0, 0, 0] = torch.nan
    found = spectral_residual(images).projection
    assert found[1].isnan().all()
    for image in (0, 2):
        torch.testing.assert_close(found[image], expected[image])


@pytest.mark.parametrize("size", [(2, 500), (500, 2)])
def test_any_shape_of_image_has_a_map(size: tuple[int, int]) -> None:
    assert spectral_residual(torch.rand(1, 3, *size)).projection.isfinite().all()
