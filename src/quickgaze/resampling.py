"""The project's one way to resize and one way to blur.

Both are linear and separable. Resizing along an axis is therefore a small matrix, blurring that
matrix gives resizing and blurring in one, and a stack of maps on a coarse grid becomes full-size
blurred maps by one product from the left and one from the right.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from quickgaze.errors import OptionError

FloatMatrix = npt.NDArray[np.float64]

TRUNCATE = 4.0
"""Standard deviations after which the Gaussian is cut off."""

LARGEST_MATRIX = 2048
"""Longest side in pixels of images that are blurred by matrices; they grow with its square."""


@dataclass(frozen=True, eq=False)
class BilinearTaps:
    """The two source cells that each target cell lies between, and how far along.

    Parameters
    ----------
    lower, upper : ndarray, shape (target,), int64
        Neighbouring source cells; the same beyond the outermost centres.
    share : ndarray, shape (target,), float64
        Of the upper one, in [0, 1).
    """

    lower: npt.NDArray[np.int64]
    upper: npt.NDArray[np.int64]
    share: FloatMatrix


@lru_cache(maxsize=64)
def bilinear_taps(target: int, source: int, extent: float | None = None) -> BilinearTaps:
    """Find where `target` cells lie between `source` cells.

    Cells have half-pixel centres, there is no antialiasing, and beyond the outermost centres
    the border value is repeated: what `torch.nn.functional.interpolate` does with
    ``mode="bilinear", align_corners=False``.

    Parameters
    ----------
    target, source : int
        Number of cells after and before.
    extent : float, optional
        How many of the source cells, from the first, the target cells are laid over: all
        by default, fewer to leave out padding.

    Returns
    -------
    BilinearTaps
        Of read-only arrays.

    Examples
    --------
    >>> taps = bilinear_taps(2, 4)
    >>> taps.lower, taps.upper, taps.share
    (array([0, 2]), array([1, 3]), array([0.5, 0.5]))
    """
    extent = float(source) if extent is None else extent
    centres = ((np.arange(target) + 0.5) * extent / target - 0.5).clip(0, source - 1)
    lower = np.floor(centres).astype(np.int64)
    taps = BilinearTaps(lower, np.minimum(lower + 1, source - 1), centres - lower)
    for array in (taps.lower, taps.upper, taps.share):
        array.setflags(write=False)
    return taps


@lru_cache(maxsize=64)
def bilinear_matrix(target: int, source: int, extent: float | None = None) -> FloatMatrix:
    """Weights that resample `source` cells to `target` cells, linearly.

    Parameters
    ----------
    target, source, extent
        As for `bilinear_taps`.

    Returns
    -------
    ndarray, shape (target, source), float64, read-only
        Each row sums to 1.

    Examples
    --------
    >>> bilinear_matrix(2, 4)
    array([[0.5, 0.5, 0. , 0. ],
           [0. , 0. , 0.5, 0.5]])
    >>> bilinear_matrix(2, 4, extent=2.0)
    array([[1., 0., 0., 0.],
           [0., 1., 0., 0.]])
    """
    taps = bilinear_taps(target, source, extent)
    matrix = np.zeros((target, source))
    rows = np.arange(target)
    np.add.at(matrix, (rows, taps.lower), 1 - taps.share)
    np.add.at(matrix, (rows, taps.upper), taps.share)
    matrix.setflags(write=False)
    return matrix


def check_sigma(sigma: float) -> None:
    """Refuse what is no blur.

    Parameters
    ----------
    sigma : float
        Standard deviation in pixels; 0 is no blur.

    Raises
    ------
    OptionError
        If it is negative or not finite.
    """
    if not (np.isfinite(sigma) and sigma >= 0):
        raise OptionError(f"sigma is {sigma}; give a standard deviation in pixels, 0 for no blur")


def gaussian_blur(array: npt.ArrayLike, sigma: float, axes: tuple[int, ...]) -> FloatMatrix:
    """Blur with a Gaussian that is reflected at the border and cut off at 4 sigma.

    Parameters
    ----------
    array : array_like
        Values to blur.
    sigma : float
        Standard deviation in pixels (elements); 0 is no blur.
    axes : tuple of int
        The axes along which to blur.

    Returns
    -------
    ndarray, float64
        Of the shape of `array`. The sum over the blurred axes is kept.

    Raises
    ------
    OptionError
        If `sigma` is negative or not finite.

    Examples
    --------
    >>> gaussian_blur([0.0, 1.0, 0.0], 0.5, axes=(0,)).round(2)
    array([0.11, 0.79, 0.11])
    """
    check_sigma(sigma)
    values = np.asarray(array, dtype=np.float64)
    if sigma == 0:
        return values
    blurred: FloatMatrix = ndimage.gaussian_filter(
        values, sigma, mode="reflect", truncate=TRUNCATE, axes=axes
    )
    return blurred


@lru_cache(maxsize=64)
def enlarging_matrix(target: int, source: int, sigma: float) -> FloatMatrix:
    """Weights that resample `source` cells to `target` cells and blur what comes out.

    Parameters
    ----------
    target, source : int
        Number of cells after and before.
    sigma : float
        Standard deviation in target cells; 0 is no blur.

    Returns
    -------
    ndarray, shape (target, source), float64, read-only
        `gaussian_blur` of `bilinear_matrix`; each row sums to 1.

    Examples
    --------
    >>> enlarging_matrix(4, 2, 0.5).round(2)
    array([[0.97, 0.03],
           [0.72, 0.28],
           [0.28, 0.72],
           [0.03, 0.97]])
    """
    matrix = gaussian_blur(bilinear_matrix(target, source), sigma, axes=(0,))
    matrix.setflags(write=False)
    return matrix


@lru_cache(maxsize=16)
def blur_matrix(cells: int, sigma: float) -> FloatMatrix:
    """Weights of `gaussian_blur` along one axis.

    Parameters
    ----------
    cells : int
        Length of the axis.
    sigma : float
        Standard deviation in cells; 0 is no blur.

    Returns
    -------
    ndarray, shape (cells, cells), float64, read-only
        Each column is a blurred cell and sums to 1.

    Examples
    --------
    >>> blur_matrix(3, 0.5).round(2)
    array([[0.89, 0.11, 0.  ],
           [0.11, 0.79, 0.11],
           [0.  , 0.11, 0.89]])
    """
    matrix = gaussian_blur(np.eye(cells), sigma, axes=(0,))
    matrix.setflags(write=False)
    return matrix


def blurred_plane(plane: FloatMatrix, sigma: float) -> FloatMatrix:
    """Blur a plane along both axes, several times as fast as `gaussian_blur`.

    Parameters
    ----------
    plane : ndarray, shape (H, W), float64
    sigma : float
        Standard deviation in pixels; 0 is no blur.

    Returns
    -------
    ndarray, shape (H, W), float64
        What `gaussian_blur` makes of it, up to rounding.

    Examples
    --------
    >>> blurred_plane(np.array([[0.0, 1.0, 0.0]]), 0.5).round(2)
    array([[0.11, 0.79, 0.11]])
    """
    height, width = plane.shape
    if sigma == 0 or max(height, width) > LARGEST_MATRIX:
        return gaussian_blur(plane, sigma, axes=(0, 1))
    blurred: FloatMatrix = blur_matrix(height, sigma) @ (plane @ blur_matrix(width, sigma).T)
    return blurred


def blurred_points(
    rows: npt.NDArray[np.int64],
    columns: npt.NDArray[np.int64],
    size: tuple[int, int],
    sigma: float,
) -> FloatMatrix:
    """Count points by pixel and blur the counts; ten times as fast as `gaussian_blur` for few.

    Parameters
    ----------
    rows, columns : ndarray, shape (n,), int64
        Pixels of the points, inside the image; repeats count.
    size : (int, int)
        Height and width in pixels.
    sigma : float
        Standard deviation in pixels; 0 is no blur.

    Returns
    -------
    ndarray, shape (H, W), float64
        What `gaussian_blur` makes of the counts, up to rounding. The sum is n.

    Examples
    --------
    >>> blurred_points(np.array([0, 0]), np.array([1, 1]), (1, 3), 0.5).round(2)
    array([[0.21, 1.57, 0.21]])
    """
    height, width = size
    if sigma > 0 and len(rows) <= max(size) <= LARGEST_MATRIX:
        # each point is the outer product of two blurred lines
        down, across = blur_matrix(height, sigma), blur_matrix(width, sigma)
        blurred: FloatMatrix = down[:, rows] @ across[:, columns].T
        return blurred
    counts = np.bincount(rows * width + columns, minlength=height * width)
    return blurred_plane(counts.reshape(size).astype(np.float64), sigma)
