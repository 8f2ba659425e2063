"""Clutter of an image, as the entropy of the subbands of a steerable pyramid."""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import product
from statistics import fmean

import numpy as np
import numpy.typing as npt
from scipy import fft
from scipy.stats import entropy
from skimage.color import rgb2lab

Floats = npt.NDArray[np.float64]

_SCALES = 3
_ORIENTATIONS = 4
_WEIGHTS = (0.84, 0.08, 0.08)  # of CIELAB's lightness and two colour axes; the authors' choice
_FLAT = 0.008  # a plane or band with a smaller range of values has entropy 0; also the authors'
_DECIMALS = 9  # of a subband's values: more differ between processors, and split ties between bins
_BORDER = 2 ** (_SCALES + 2)  # pixels that are mirrored, so that opposite edges do not meet


def subband_entropy(image: npt.NDArray[np.floating]) -> float:
    """Subband entropy, in bits, of an RGB image, (H, W, 3) in [0, 1] (Rosenholtz et al., 2007)."""
    planes = np.moveaxis(rgb2lab(image), -1, 0)
    return sum(
        weight * _plane_entropy(plane) for weight, plane in zip(_WEIGHTS, planes, strict=True)
    )


def _plane_entropy(plane: Floats) -> float:
    return 0.0 if np.ptp(plane) < _FLAT else fmean(map(_entropy, subbands(plane)))


def _entropy(band: Floats) -> float:
    if np.ptp(band) < _FLAT:
        return 0.0
    counts = np.histogram(band.round(_DECIMALS), math.ceil(math.sqrt(band.size)))[0]
    return float(entropy(counts, base=2))


def subbands(plane: Floats) -> list[Floats]:
    """Split a plane into three scales, from fine to coarse, of four orientations each."""
    height, width = plane.shape
    step = 2 ** (_SCALES - 1)
    below, right = (_BORDER + -size % step for size in plane.shape)
    padded = np.pad(plane, ((_BORDER, below), (_BORDER, right)), mode="symmetric")
    spectrum = fft.fftshift(fft.fft2(padded))
    bands = []
    for scale, orientation in product(range(_SCALES), range(_ORIENTATIONS)):
        reduction = 2**scale
        part = _middle(spectrum, reduction)
        band = fft.ifft2(fft.ifftshift(part * _filter(part.shape, scale, orientation))).imag
        start = _BORDER // reduction
        rows, columns = math.ceil(height / reduction), math.ceil(width / reduction)
        # half as many frequencies on each axis give values four times as large
        bands.append(band[start : start + rows, start : start + columns] / reduction**2)
    return bands


def _middle(spectrum: npt.NDArray[np.complex128], reduction: int) -> npt.NDArray[np.complex128]:
    """Low frequencies of a spectrum that has frequency 0 in its centre."""
    parts = [(full // 2 - full // reduction // 2, full // reduction) for full in spectrum.shape]
    return spectrum[tuple(slice(first, first + size) for first, size in parts)]


@lru_cache(maxsize=2 * _SCALES * _ORIENTATIONS)
def _filter(shape: tuple[int, int], scale: int, orientation: int) -> Floats:
    """Polar-separable filter, an octave around a quarter of the sampling rate; read-only."""
    rows, columns = (fft.fftshift(fft.fftfreq(size)) for size in shape)
    y, x = np.meshgrid(rows, columns, indexing="ij")
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    octave = np.log2(np.maximum(radius, 1e-9) / 0.25)
    falling = np.where(np.abs(octave) < 1, np.cos(np.pi / 2 * octave), 0.0)
    # the finest scale keeps the corners of the spectrum too
    radial = np.where((scale == 0) & (octave > 0), 1.0, falling)
    turned = np.cos(angle - np.pi * orientation / _ORIENTATIONS)
    # an odd function, so that the values of the subband are imaginary
    filtered: Floats = radial * turned ** (_ORIENTATIONS - 1)
    filtered.setflags(write=False)
    return filtered
