"""Clutter of an image: how much it takes to describe it (subband entropy)."""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import product

import numpy as np
import numpy.typing as npt
from scipy import fft
from skimage.color import rgb2lab

Floats = npt.NDArray[np.float64]

SCALES = 3
ORIENTATIONS = 4

_WEIGHTS = (0.84, 0.08, 0.08)  # of lightness and the two colour axes, as the authors chose
_FLAT = 0.008  # range of values below which there is nothing to describe, also the authors'
_DECIMALS = 9  # of a subband's values: more differ between processors, and split ties between bins
_BORDER = 2 ** (SCALES + 2)  # pixels that are mirrored, so that opposite edges do not meet


def subband_entropy(image: npt.NDArray[np.floating]) -> float:
    """Clutter, measured by the entropy of an image's subbands.

    Parameters
    ----------
    image : ndarray, shape (H, W, 3)
        RGB in [0, 1].

    Returns
    -------
    float
        Bits per coefficient: 0 for one colour throughout, about 4 to 5.5 for photographs.

    Notes
    -----
    As its authors describe it: lightness and the two colour axes of CIELAB are each split into
    three scales and four orientations, every subband's values go into a histogram of as many
    bins as the square root of their number, and the mean entropies of the three are weighted
    0.84, 0.08 and 0.08. The steerable pyramid is made of polar-separable filters of the
    spectrum, and borders are mirrored.

    References
    ----------
    .. [1] R. Rosenholtz, Y. Li, L. Nakano, "Measuring visual clutter", Journal of Vision 7(2),
       2007.
    .. [2] E. P. Simoncelli, W. T. Freeman, "The steerable pyramid", ICIP 1995.

    Examples
    --------
    >>> noise = np.random.default_rng(0).random((64, 64, 3))
    >>> subband_entropy(np.full((64, 64, 3), 0.5)), subband_entropy(noise) > 3
    (0.0, True)
    """
    planes = np.moveaxis(rgb2lab(image), -1, 0)
    return sum(
        weight * _plane_entropy(plane) for weight, plane in zip(_WEIGHTS, planes, strict=True)
    )


def _plane_entropy(plane: Floats) -> float:
    if np.ptp(plane) < _FLAT:
        return 0.0
    entropies = [_entropy(band) for band in subbands(plane)]
    return sum(entropies) / len(entropies)


def _entropy(band: Floats) -> float:
    if np.ptp(band) < _FLAT:
        return 0.0
    counts = np.histogram(band.round(_DECIMALS), math.ceil(math.sqrt(band.size)))[0]
    shares = counts[counts > 0] / band.size
    return float(-(shares * np.log2(shares)).sum())


def subbands(plane: Floats) -> list[Floats]:
    """Split a plane into scales and orientations.

    Parameters
    ----------
    plane : ndarray, shape (H, W)

    Returns
    -------
    list of ndarray
        From fine to coarse, four orientations each; each scale has half as many rows and
        columns as the one before.
    """
    height, width = plane.shape
    step = 2 ** (SCALES - 1)
    below, right = (_BORDER + -size % step for size in plane.shape)
    padded = np.pad(plane, ((_BORDER, below), (_BORDER, right)), mode="symmetric")
    spectrum = fft.fftshift(fft.fft2(padded))
    bands = []
    for scale, orientation in product(range(SCALES), range(ORIENTATIONS)):
        reduction = 2**scale
        part = _middle(spectrum, reduction)
        band = fft.ifft2(fft.ifftshift(part * _filter(part.shape, scale, orientation))).imag
        start = _BORDER // reduction
        inside = band[start:, start:][
            : math.ceil(height / reduction), : math.ceil(width / reduction)
        ]
        # a spectrum of a quarter of the places gives values four times as large
        bands.append(inside / reduction**2)
    return bands


def _middle(spectrum: npt.NDArray[np.complex128], reduction: int) -> npt.NDArray[np.complex128]:
    """Low frequencies of a spectrum that has frequency 0 in its centre."""
    height, width = (size // reduction for size in spectrum.shape)
    top, left = (
        full // 2 - part // 2 for full, part in zip(spectrum.shape, (height, width), strict=True)
    )
    return spectrum[top : top + height, left : left + width]


@lru_cache(maxsize=2 * SCALES * ORIENTATIONS)
def _filter(shape: tuple[int, int], scale: int, orientation: int) -> Floats:
    """Octave around a quarter of the sampling rate, in one of the orientations; read-only.

    It is odd, so that the values of the subband are imaginary.
    """
    rows, columns = (fft.fftshift(fft.fftfreq(size)) for size in shape)
    y, x = np.meshgrid(rows, columns, indexing="ij")
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    octave = np.log2(np.maximum(radius, 1e-9) / 0.25)
    falling = np.where(np.abs(octave) < 1, np.cos(np.pi / 2 * octave), 0.0)
    # the finest scale keeps the corners of the spectrum too
    radial = np.where((scale == 0) & (octave > 0), 1.0, falling)
    turned = np.cos(angle - np.pi * orientation / ORIENTATIONS)
    filtered: Floats = radial * turned ** (ORIENTATIONS - 1)
    filtered.setflags(write=False)
    return filtered
