"""Where people looked in the other images of a data set: the negatives of the shuffled AUC."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from array_api_compat import array_namespace

from quickgaze.errors import OptionError
from quickgaze.metrics.arrays import Array, numbers_beside
from quickgaze.metrics.prepared import FixatedPixels
from quickgaze.metrics.undefined import UndefinedError

NO_OTHERS = "there are no fixations of other images"


@dataclass(frozen=True, eq=False)
class FixationCounts:
    """How many fixations fall on each pixel: a short way to say millions of them.

    Parameters
    ----------
    counts : ndarray, shape (H, W), integer
        Not negative. The size is that of the image that is scored.

    Raises
    ------
    OptionError
        If `counts` are not that.

    Examples
    --------
    The fixations of all images but one, for images of one size:

    >>> import numpy as np
    >>> everywhere = FixationCounts.of(np.array([[0, 0], [2, 1], [2, 1], [9, 9]]), (2, 3))
    >>> everywhere.counts
    array([[1, 0, 0],
           [0, 0, 2]])
    >>> own = FixationCounts.of(np.array([[2, 1]]), (2, 3))
    >>> others = FixationCounts(everywhere.counts - own.counts)
    """

    counts: npt.NDArray[np.integer[Any]]

    def __post_init__(self) -> None:
        counts = np.asarray(self.counts)
        if counts.ndim != 2 or counts.dtype.kind not in "iu":
            raise OptionError(
                "counts of fixations must be integers of shape (H, W); "
                f"got {counts.dtype} of shape {counts.shape}"
            )
        if counts.size and counts.min() < 0:
            raise OptionError(
                f"counts of fixations must not be negative; the smallest is {counts.min()}"
            )

    @classmethod
    def of(cls, points: npt.ArrayLike, size: tuple[int, int]) -> FixationCounts:
        """Count fixations.

        Parameters
        ----------
        points : array_like, shape (n, 2)
            Columns x and y in pixels, from 0, with pixel centres on integers, scaled to the
            image that is scored; repeats count. Points outside it and NaN are dropped.
        size : (int, int)
            Height and width of that image in pixels.

        Returns
        -------
        FixationCounts

        Raises
        ------
        OptionError
            If `points` have another shape.
        """
        coordinates = np.asarray(points, dtype=np.float64)
        if coordinates.ndim != 2 or coordinates.shape[1] != 2:
            raise OptionError(
                f"fixations must have shape (n, 2), columns x and y; got {coordinates.shape}"
            )
        pixels = FixatedPixels.of(coordinates, size).pixels
        return cls(np.bincount(pixels, minlength=size[0] * size[1]).reshape(size))


@dataclass(frozen=True, eq=False)
class OtherFixations:
    """The pixels of an image that were fixated in other images.

    Parameters
    ----------
    pixels : Array, shape (k,), int64
        Places in the row of pixels of a `PreparedMap`: each once, in ascending order.
    counts : Array, shape (k,), int64
        How often each was fixated, at least 1.
    recorded : int
        Number of fixations before those outside the image were dropped.
    """

    pixels: Array
    counts: Array
    recorded: int

    @classmethod
    def of_points(cls, points: Array, size: tuple[int, int]) -> OtherFixations:
        """Take points (n, 2), columns x and y, as `FixatedPixels.of` does."""
        fixated = FixatedPixels.of(points, size)
        pixels, counts = array_namespace(points).unique_counts(fixated.pixels)
        return cls(pixels, counts, fixated.recorded)

    @classmethod
    def of_counts(cls, counts: FixationCounts, reference: Array) -> OtherFixations:
        """Take counts per pixel to the library and the device of a reference."""
        row = np.asarray(counts.counts).ravel()
        pixels = np.flatnonzero(row > 0)  # several times as fast as of numbers
        numbers = row[pixels].astype(np.int64)
        return cls(
            numbers_beside(reference, pixels),
            numbers_beside(reference, numbers),
            int(numbers.sum()),
        )

    def require_defined(self) -> None:
        """Raise `UndefinedError` if no fixation of other images lies inside this one."""
        if self.recorded == 0:
            raise UndefinedError(NO_OTHERS)
        if self.pixels.shape[0] == 0:
            raise UndefinedError(
                f"no fixation of other images lies inside this one ({self.recorded} outside)"
            )
