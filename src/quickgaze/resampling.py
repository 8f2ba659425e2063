"""The project's one way to resize and one way to blur.

Both are linear and separable, so they are small matrices: one product from the left and one from
the right turn a stack of maps on a coarse grid into full-size blurred maps.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from quickgaze.errors import OptionError

FloatMatrix = npt.NDArray[np.float64]
_Number = TypeVar("_Number", np.float64, np.int64)

_TRUNCATE = 4.0  # standard deviations after which the Gaussian is cut off
_LARGEST_MATRIX = 2048  # longest side in pixels of images blurred by matrices of its square


@dataclass(frozen=True, eq=False)
class BilinearTaps:
    """The two source cells that each target cell lies between, and the share of the upper one."""

    lower: npt.NDArray[np.int64]
    upper: npt.NDArray[np.int64]  # the same as `lower` beyond the outermost centres
    share: FloatMatrix  # in [0, 1)


@lru_cache(maxsize=64)
def bilinear_taps(target: int, source: int, extent: float | None = None) -> BilinearTaps:
    """Find where `target` cells laid over the first `extent` of `source` cells lie between them.

    As `torch.nn.functional.interpolate` does with ``mode="bilinear", align_corners=False``.
    """
    extent = float(source) if extent is None else extent
    centres = ((np.arange(target) + 0.5) * extent / target - 0.5).clip(0, source - 1)
    lower = np.floor(centres).astype(np.int64)
    upper = np.minimum(lower + 1, source - 1)
    return BilinearTaps(_read_only(lower), _read_only(upper), _read_only(centres - lower))


@lru_cache(maxsize=64)
def bilinear_matrix(target: int, source: int, extent: float | None = None) -> FloatMatrix:
    """Weights (target, source) of `bilinear_taps`, read-only."""
    taps = bilinear_taps(target, source, extent)
    matrix = np.zeros((target, source))
    rows = np.arange(target)
    np.add.at(matrix, (rows, taps.lower), 1 - taps.share)
    np.add.at(matrix, (rows, taps.upper), taps.share)
    return _read_only(matrix)


@lru_cache(maxsize=64)
def pooling_matrix(target: int, source: int, extent: float | None = None) -> FloatMatrix:
    """Weights (target, source) that bring cells to a grid without leaving any out, read-only.

    Target cells are laid over the first `extent` of the source cells: means over their areas where
    they are larger than source cells, `bilinear_matrix` where they are smaller.
    """
    extent = float(source) if extent is None else extent
    if extent <= target:
        return bilinear_matrix(target, source, extent)
    edges = np.arange(target + 1)[:, None] * extent / target
    cells = np.arange(source)
    shares = (np.minimum(edges[1:], cells + 1) - np.maximum(edges[:-1], cells)).clip(min=0)
    return _read_only(shares / shares.sum(1, keepdims=True))


def check_sigma(sigma: float) -> None:
    """Refuse a blur that is negative or not finite."""
    if not (np.isfinite(sigma) and sigma >= 0):
        raise OptionError(f"sigma is {sigma}; give a standard deviation in pixels, 0 for no blur")


def gaussian_blur(array: npt.ArrayLike, sigma: float, axes: tuple[int, ...]) -> FloatMatrix:
    """Blur with a Gaussian that is reflected at the border and cut off at 4 sigma; keeps the sum.

    `sigma` is the standard deviation in elements; 0 is no blur.
    """
    check_sigma(sigma)
    values = np.asarray(array, dtype=np.float64)
    if sigma == 0:
        return values
    blurred: FloatMatrix = ndimage.gaussian_filter(
        values, sigma, mode="reflect", truncate=_TRUNCATE, axes=axes
    )
    return blurred


@lru_cache(maxsize=64)
def enlarging_matrix(target: int, source: int, sigma: float) -> FloatMatrix:
    """Weights (target, source) that resample cells and blur the result, read-only."""
    return _read_only(gaussian_blur(bilinear_matrix(target, source), sigma, axes=(0,)))


@lru_cache(maxsize=16)
def _blur_matrix(cells: int, sigma: float) -> FloatMatrix:
    """Weights of `gaussian_blur` along one axis; each column is a blurred cell."""
    return _read_only(gaussian_blur(np.eye(cells), sigma, axes=(0,)))


def _read_only(array: npt.NDArray[_Number]) -> npt.NDArray[_Number]:
    array.setflags(write=False)
    return array


def blurred_plane(plane: FloatMatrix, sigma: float) -> FloatMatrix:
    """Blur a plane along both axes; as `gaussian_blur` up to rounding, several times as fast."""
    height, width = plane.shape
    if sigma == 0 or max(height, width) > _LARGEST_MATRIX:
        return gaussian_blur(plane, sigma, axes=(0, 1))
    blurred: FloatMatrix = _blur_matrix(height, sigma) @ (plane @ _blur_matrix(width, sigma).T)
    return blurred


def blurred_points(
    rows: npt.NDArray[np.int64],
    columns: npt.NDArray[np.int64],
    size: tuple[int, int],
    sigma: float,
) -> FloatMatrix:
    """Count points by pixel and blur the counts; for few, ten times as fast as `gaussian_blur`."""
    height, width = size
    if sigma > 0 and len(rows) <= max(size) <= _LARGEST_MATRIX:
        # each point is the outer product of two blurred lines
        down, across = _blur_matrix(height, sigma), _blur_matrix(width, sigma)
        blurred: FloatMatrix = down[:, rows] @ across[:, columns].T
        return blurred
    counts = np.bincount(rows * width + columns, minlength=height * width)
    return blurred_plane(counts.reshape(size).astype(np.float64), sigma)
