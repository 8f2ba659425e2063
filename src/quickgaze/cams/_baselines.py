"""Baselines that any model has to beat, made from the image alone, without any network."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from scipy import ndimage
from torch.nn import functional

from quickgaze.backbones import plain_torch
from quickgaze.cams._cam import Cam
from quickgaze.errors import OptionError
from quickgaze.stimuli.types import Size

_GRID_WIDTH = 64  # cells across the image
_CENTER_VARIANCE = 0.23  # of where people look horizontally, in units of half the image's width
_CENTER_ANISOTROPY = 0.45  # their vertical variance, as a share of the horizontal one
_LUMINANCE = (0.2989, 0.5870, 0.1140)
_SMOOTHING = 2.5
_SMOOTHING_RADIUS = 5


def center(images: torch.Tensor) -> Cam:
    """How people look at any image: a Gaussian at its centre, wider than it is high.

    Its standard deviations are 0.240 of the image's width across and 0.161 of the
    image's width down.

    Parameters
    ----------
    images : Tensor, shape (B, 3, H, W)
        Only their size counts.

    Returns
    -------
    Cam
        64 cells wide, the same for all images, at most 1 and above 0, without evidence.

    References
    ----------
    Clarke, A. D. F. and Tatler, B. W. (2014). Deriving an appropriate baseline for describing
    fixation behaviour. Vision Research 102, 41-51.

    Examples
    --------
    >>> cam = center(torch.zeros(1, 3, 480, 640))
    >>> cam.grid, cam.projection[0, 24, 32].item() > 0.99
    ((48, 64), True)
    """
    height, width = size = image_grid((images.shape[-2], images.shape[-1]))
    with plain_torch():
        down = _offsets(height) * images.shape[-2] / images.shape[-1]
        across = _offsets(width)
        squares = across.square() + down.square()[:, None] / _CENTER_ANISOTROPY
        planes = torch.exp(-squares / _CENTER_VARIANCE / 2)
        return Cam.unsigned(planes.expand(len(images), *size))


def uniform(images: torch.Tensor) -> Cam:
    """Every place alike: what a metric gives a map that says nothing.

    Parameters
    ----------
    images : Tensor, shape (B, 3, H, W)
        Only their number counts.

    Returns
    -------
    Cam
        One cell of value 1 for each image, without evidence. Metrics that a constant map does not
        have, such as a correlation, are undefined for it.

    Examples
    --------
    >>> uniform(torch.zeros(2, 3, 480, 640)).projection.flatten()
    tensor([1., 1.])
    """
    with plain_torch():
        return Cam.unsigned(torch.ones(len(images), 1, 1))


def spectral_residual(images: torch.Tensor) -> Cam:
    """Where an image's spectrum differs from the smooth one that all images share.

    The luminance, 64 pixels wide, is transformed. The mean over 3 x 3 frequencies is subtracted
    from the logarithm of its amplitude; the phase stays. The result is transformed back, squared
    and blurred with a Gaussian of 2.5 cells, with 0 beyond the border.

    Parameters
    ----------
    images : Tensor, shape (B, 3, H, W), float
        RGB in [0, 1].

    Returns
    -------
    Cam
        64 cells wide, never negative, without evidence. The map of a constant image is 0, that of
        one that is not finite NaN.

    References
    ----------
    Hou, X. and Zhang, L. (2007). Saliency Detection: A Spectral Residual Approach. CVPR.

    Notes
    -----
    As in the authors' published code, with two differences: the image is reduced with a linear
    filter, not a cubic one, and the Gaussian is 11 cells wide, not 10, so that it is centred.

    Examples
    --------
    >>> texture = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)) / 10
    >>> texture[:, :, 40:44, 20:24] += 0.5
    >>> divmod(spectral_residual(texture).projection.argmax().item(), 64)
    (41, 22)
    """
    size = image_grid((images.shape[-2], images.shape[-1]))
    with plain_torch():
        images = images.double().cpu()
        luminance = (images * torch.tensor(_LUMINANCE, dtype=torch.float64)[:, None, None]).sum(1)
        reduced = functional.interpolate(
            luminance[:, None], size, mode="bilinear", align_corners=False, antialias=True
        )[:, 0]
        maps = [_residual_map(plane) for plane in reduced.numpy()]
        return Cam.unsigned(torch.from_numpy(np.stack(maps)))


def image_grid(size: Size) -> Size:
    """Height and width in nearly square cells of a map made from images of `size` pixels alone."""
    if min(size) < 1:
        raise OptionError(
            f"images of {size[0]} x {size[1]} pixels have no map; an image has at least one row "
            "and one column"
        )
    return max(1, round(_GRID_WIDTH * size[0] / size[1])), _GRID_WIDTH


def _offsets(cells: int) -> torch.Tensor:
    """Distance of each cell from the centre, -1 to 1 from one border to the other."""
    return (torch.arange(cells, dtype=torch.float64) + 0.5) / cells * 2 - 1


def _residual_map(luminance: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    if not np.isfinite(luminance).all():
        return np.full_like(luminance, np.nan)
    # Rounding leaves a spectrum, with a phase of its own, even of a constant image.
    if np.ptp(luminance) <= 1e-12:
        return np.zeros_like(luminance)
    spectrum = np.fft.fft2(luminance)
    amplitude = np.abs(spectrum)
    # A frequency of amplitude 0 has no logarithm.
    logarithm = np.log(np.maximum(amplitude, amplitude.max() * np.finfo(np.float64).eps))
    residual = logarithm - ndimage.uniform_filter(logarithm, 3, mode="nearest")
    restored = np.fft.ifft2(np.exp(residual + 1j * np.angle(spectrum)))
    # The transform takes opposite borders for neighbours; without 0 beyond them, most maps would
    # have their maximum there.
    blurred: npt.NDArray[np.float64] = ndimage.gaussian_filter(
        np.abs(restored) ** 2, _SMOOTHING, mode="constant", radius=_SMOOTHING_RADIUS
    )
    return blurred
