"""A map and its target, made ready once for all metrics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from array_api_compat import array_namespace

from quickgaze.metrics.arrays import Array, scoring_dtype
from quickgaze.metrics.undefined import UndefinedError

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class PreparedMap:
    """A saliency map or a human density, with its pixels in one row.

    Parameters
    ----------
    role : str
        ``"map"`` or ``"density"``, for the reasons of undefined scores.
    size : (int, int)
        Height and width in pixels.
    values : Array, shape (H * W,)
        In `scoring_dtype`.
    sortable : Array, shape (H * W,)
        Numbers in the same order: float32 where the map came so, which sorts faster.
    """

    role: str
    size: tuple[int, int]
    values: Array
    sortable: Array
    _results: dict[Callable[[PreparedMap], Any], Any] = field(
        init=False, default_factory=dict, repr=False
    )

    @classmethod
    def of(cls, array: Array, role: str) -> PreparedMap:
        """Prepare a map or a density.

        Parameters
        ----------
        array : Array, shape (H, W)
            At least one pixel; never changed.
        role : str
            ``"map"`` or ``"density"``.

        Returns
        -------
        PreparedMap
        """
        xp = array_namespace(array)
        row = xp.reshape(array, (-1,))
        values = xp.astype(row, scoring_dtype(row), copy=False)
        sortable = row if row.dtype == xp.float32 else values
        return cls(role, (array.shape[0], array.shape[1]), values, sortable)

    @cached_property
    def minimum(self) -> Array:
        """Smallest value; NaN if there is one."""
        return array_namespace(self.values).min(self.values)

    @cached_property
    def maximum(self) -> Array:
        """Largest value; NaN if there is one."""
        return array_namespace(self.values).max(self.values)

    @property
    def constant(self) -> bool:
        """Whether all pixels are equal. Rounding cannot blur that, as it can a variance."""
        return bool(self.minimum == self.maximum)

    def require_defined(self) -> None:
        """Raise `UndefinedError` for maps that no metric can be computed with."""
        xp = array_namespace(self.values)
        if not bool(xp.isfinite(self.minimum)) or not bool(xp.isfinite(self.maximum)):
            raise UndefinedError(f"the {self.role} holds NaN or infinity")
        if not bool(xp.isfinite(self.maximum - self.minimum)):
            raise UndefinedError(f"the values of the {self.role} lie too far apart to compute with")
        if self.role == "density" and self.constant:
            raise UndefinedError("the density is constant")

    def once(self, prepare: Callable[[PreparedMap], T]) -> T:
        """Return ``prepare(self)``, computed the first time and remembered.

        Parameters
        ----------
        prepare : callable
            A function of a module, so that all metrics that need the result share it.

        Returns
        -------
        object
            What `prepare` returned.
        """
        if prepare not in self._results:
            self._results[prepare] = prepare(self)
        result: T = self._results[prepare]
        return result


@dataclass(frozen=True, eq=False)
class FixatedPixels:
    """The pixels that the fixations inside an image fall on, repeats kept.

    Parameters
    ----------
    pixels : Array, shape (n,), int64
        Places in the row of pixels of a `PreparedMap`.
    recorded : int
        Number of points before those outside the image were dropped.
    """

    pixels: Array
    recorded: int

    @classmethod
    def of(cls, points: Array, size: tuple[int, int]) -> FixatedPixels:
        """Find the pixels of fixations.

        Parameters
        ----------
        points : Array, shape (n, 2), float
            Columns x and y in pixels, from 0, with pixel centres on integers. Points outside
            the image and NaN are dropped.
        size : (int, int)
            Height and width of the image in pixels.

        Returns
        -------
        FixatedPixels
        """
        xp = array_namespace(points)
        height, width = size
        columns, rows = xp.floor(points[:, 0] + 0.5), xp.floor(points[:, 1] + 0.5)
        inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
        # products stay exact as integers, and NaN is gone before the cast
        rows, columns = xp.astype(rows[inside], xp.int64), xp.astype(columns[inside], xp.int64)
        return cls(rows * width + columns, points.shape[0])

    def require_defined(self) -> None:
        """Raise `UndefinedError` if no fixation lies inside the image."""
        if self.recorded == 0:
            raise UndefinedError("there are no fixations")
        if self.pixels.shape[0] == 0:
            raise UndefinedError(f"no fixation lies inside the image ({self.recorded} outside)")


def min_max(prepared: PreparedMap) -> Array:
    """Scale a map to [0, 1]; a constant one becomes 0 everywhere.

    Parameters
    ----------
    prepared : PreparedMap
        A map with finite values.

    Returns
    -------
    Array, shape (H * W,)
    """
    shifted = prepared.values - prepared.minimum
    return shifted if prepared.constant else shifted / (prepared.maximum - prepared.minimum)


def not_negative(prepared: PreparedMap) -> Array:
    """Subtract the minimum from a map that has negative values; leave others as they are.

    Parameters
    ----------
    prepared : PreparedMap
        A map with finite values.

    Returns
    -------
    Array, shape (H * W,)
    """
    return prepared.values - prepared.minimum if prepared.minimum < 0 else prepared.values
