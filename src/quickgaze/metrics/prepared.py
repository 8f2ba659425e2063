"""A map and its target, made ready once for all metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, reduce
from operator import add
from typing import Any, TypeVar

from array_api_compat import array_namespace, is_numpy_array

from quickgaze.metrics.arrays import Array, scoring_dtype
from quickgaze.metrics.undefined import UndefinedError

T = TypeVar("T")

PART = 32_768
"""Pixels that are computed with at a time in NumPy."""


@dataclass(frozen=True, eq=False)
class PreparedMap:
    """A saliency map or a human density, with its pixels in one row.

    Parameters
    ----------
    role : str
        ``"map"``, ``"density"`` or ``"baseline density"``, for the reasons of undefined scores.
    size : (int, int)
        Height and width in pixels.
    row : Array, shape (H * W,)
        Its values as they came; never changed.

    Examples
    --------
    >>> import numpy as np
    >>> prepared = PreparedMap.of(np.array([[0, 1], [2, 3]]), "map")
    >>> float(prepared.maximum), prepared.values, prepared.at(np.array([2]))
    (3.0, array([0., 1., 2., 3.]), array([2.]))
    """

    role: str
    size: tuple[int, int]
    row: Array
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
            ``"map"``, ``"density"`` or ``"baseline density"``.

        Returns
        -------
        PreparedMap
        """
        row = array_namespace(array).reshape(array, (-1,))
        return cls(role, (array.shape[0], array.shape[1]), row)

    @property
    def number(self) -> int:
        """Number of pixels."""
        return self.size[0] * self.size[1]

    @cached_property
    def values(self) -> Array:
        """All values, (H * W,), in `scoring_dtype`."""
        return self.precise(self.row)

    @property
    def sortable(self) -> Array:
        """Numbers in the same order, (H * W,): float32 where the map is, as it sorts faster."""
        return self.row if self.row.dtype == array_namespace(self.row).float32 else self.values

    def at(self, pixels: Array) -> Array:
        """Values, (n,), in `scoring_dtype`, at places in the row, (n,) int64.

        Parameters
        ----------
        pixels : Array, shape (n,), int64
            Places in the row.

        Returns
        -------
        Array, shape (n,)
        """
        return self.precise(array_namespace(self.row).take(self.row, pixels, axis=0))

    def precise(self, values: Array) -> Array:
        """Bring some of the row's values to `scoring_dtype`.

        Parameters
        ----------
        values : Array
            Of any shape.

        Returns
        -------
        Array
            Of the same shape; the same array where it has that type already.
        """
        return array_namespace(values).astype(values, scoring_dtype(values), copy=False)

    @cached_property
    def minimum(self) -> Array:
        """Smallest value; NaN if there is one."""
        return self.precise(array_namespace(self.row).min(self.sortable))

    @cached_property
    def maximum(self) -> Array:
        """Largest value; NaN if there is one."""
        return self.precise(array_namespace(self.row).max(self.sortable))

    @cached_property
    def constant(self) -> bool:
        """Whether all pixels are equal. Rounding cannot blur that, as it can a variance."""
        return bool(self.minimum == self.maximum)

    def require_defined(self) -> None:
        """Raise `UndefinedError` for maps that no metric can be computed with."""
        xp = array_namespace(self.row)
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

    Examples
    --------
    >>> import numpy as np
    >>> FixatedPixels.of(np.array([[0, 1], [1, 0], [1.4, 0.3], [9, 9]]), size=(2, 2))
    FixatedPixels(pixels=array([2, 1, 1]), recorded=4)
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

    @cached_property
    def unique(self) -> Array:
        """The pixels that were fixated at least once, (k,) int64, in ascending order."""
        return array_namespace(self.pixels).unique_values(self.pixels)

    def require_defined(self) -> None:
        """Raise `UndefinedError` if no fixation lies inside the image."""
        if self.recorded == 0:
            raise UndefinedError("there are no fixations")
        if self.pixels.shape[0] == 0:
            raise UndefinedError(f"no fixation lies inside the image ({self.recorded} outside)")


def parts(*maps: PreparedMap) -> Iterator[tuple[Array, ...]]:
    """Go through the values of maps of one size, some pixels at a time.

    What is computed from a part of a NumPy map stays in the processor's cache, where a whole map
    would take fresh memory at each step, which costs more than the computation. Tensors come in
    one part: their steps are kept for the gradient anyway, and a GPU is fastest with all at once.

    Parameters
    ----------
    *maps : PreparedMap
        Of the same size.

    Returns
    -------
    iterator of tuple of Array, shape (n,)
        Values of each map at the same pixels, in `scoring_dtype`.
    """
    number = maps[0].number
    step = PART if is_numpy_array(maps[0].row) else number
    for start in range(0, number, step):
        yield tuple(each.precise(each.row[start : start + step]) for each in maps)


def total(terms: Iterable[Array]) -> Array:
    """Add what was computed from each part.

    Parameters
    ----------
    terms : iterable of Array, shape ()
        At least one.

    Returns
    -------
    Array, shape ()
    """
    return reduce(add, terms)
