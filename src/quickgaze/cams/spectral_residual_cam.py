"""The spectral residual: saliency from the image's spectrum, without any network."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from scipy import ndimage
from torch.nn import functional

from quickgaze.cams.baselines import image_cam, image_grid
from quickgaze.cams.cam import Cam

_LUMINANCE = (0.2989, 0.5870, 0.1140)
_SMOOTHING = 2.5
_SMOOTHING_RADIUS = 5


def spectral_residual(images: torch.Tensor) -> Cam:
    """Where an image's spectrum differs from the smooth one that all images share.

    The luminance, 64 pixels wide, is transformed; from the logarithm of its amplitude the mean
    over 3 x 3 frequencies is taken, and with the phase as it was it is transformed back,
    squared and blurred with a Gaussian of 2.5 cells, with 0 beyond the border.

    Parameters
    ----------
    images : Tensor, shape (B, 3, H, W), float
        RGB in [0, 1].

    Returns
    -------
    Cam
        64 cells wide, never negative, without evidence. The map of an image without any
        structure is 0, of one that is not finite NaN.

    References
    ----------
    Hou, X. and Zhang, L. (2007). Saliency Detection: A Spectral Residual Approach. CVPR.

    Notes
    -----
    As in the authors' published code, with two differences: the image is reduced with a linear
    filter, not a cubic one, and the Gaussian is 11 cells wide, not 10, so that it is centred.
    Its border of 0 matters: the transform takes opposite borders for neighbours, and most maps
    have their maximum there without it.

    Examples
    --------
    >>> texture = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)) / 10
    >>> texture[:, :, 40:44, 20:24] += 0.5
    >>> divmod(spectral_residual(texture).projection.argmax().item(), 64)
    (41, 22)
    """
    images = images.double().cpu()
    luminance = (images * torch.tensor(_LUMINANCE, dtype=torch.float64)[:, None, None]).sum(1)
    reduced = functional.interpolate(
        luminance[:, None],
        image_grid((images.shape[-2], images.shape[-1])),
        mode="bilinear",
        align_corners=False,
        antialias=True,
    )[:, 0]
    return image_cam(torch.from_numpy(np.stack([_map(plane) for plane in reduced.numpy()])))


def _map(luminance: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    if not np.isfinite(luminance).all():
        return np.full_like(luminance, np.nan)
    # Rounding leaves a spectrum, with a phase of its own, even of a constant image.
    if np.ptp(luminance) <= 1e-12:
        return np.zeros_like(luminance)
    spectrum = np.fft.fft2(luminance)
    amplitude = np.abs(spectrum)
    # A frequency that is not there at all has no logarithm.
    logarithm = np.log(np.maximum(amplitude, amplitude.max() * np.finfo(np.float64).eps))
    residual = logarithm - ndimage.uniform_filter(logarithm, 3, mode="nearest")
    restored = np.fft.ifft2(np.exp(residual + 1j * np.angle(spectrum)))
    blurred: npt.NDArray[np.float64] = ndimage.gaussian_filter(
        np.abs(restored) ** 2, _SMOOTHING, mode="constant", radius=_SMOOTHING_RADIUS
    )
    return blurred
