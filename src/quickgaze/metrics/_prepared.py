"""A saliency map or a density, made ready once for all metrics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from array_api_compat import array_namespace, device, is_numpy_array

from quickgaze.metrics._arrays import Array, ascending, scoring_dtype
from quickgaze.metrics._conventions import UndefinedError

T = TypeVar("T")

PART = 32_768
"""Pixels that are computed with at a time in NumPy."""


@dataclass(frozen=True, eq=False)
class PreparedMap:
    """A saliency map or a density, with its pixels in one row.

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
            As for the class.

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
    def xp(self) -> Any:
        """The library that the map is in, as the array API standard names its functions."""
        return array_namespace(self.row)

    @cached_property
    def precision(self) -> Any:
        """The type of number that scores are computed in: float64 where the device has it."""
        return scoring_dtype(self.xp, device(self.row))

    @cached_property
    def values(self) -> Array:
        """All values, (H * W,), in `precision`."""
        return self.precise(self.row)

    @cached_property
    def sortable(self) -> Array:
        """Numbers in the same order, (H * W,): float32 where the map is, as it sorts faster."""
        return self.row if self.row.dtype == self.xp.float32 else self.values

    @cached_property
    def ascending(self) -> Array:
        """All of `sortable` in ascending order, (H * W,)."""
        return ascending(self.sortable)

    @cached_property
    def parts(self) -> tuple[slice, ...]:
        """Slices of the row to compute with one after the other."""
        # A part of a NumPy map stays in the processor's cache, where a whole map would take fresh
        # memory at each step, which costs more than the computation. A tensor is one part: its
        # steps are kept for the gradient anyway, and a GPU is fastest with all at once.
        number = self.row.shape[0]
        step = PART if is_numpy_array(self.row) else number
        return tuple(map(slice, range(0, number, step), range(step, number + step, step)))

    def at(self, pixels: Array) -> Array:
        """Values at some pixels, in `precision`.

        Parameters
        ----------
        pixels : Array, shape (n,), int64
            Places in the row.

        Returns
        -------
        Array, shape (n,)
        """
        return self.precise(self.xp.take(self.row, pixels, axis=0))

    def precise(self, values: Array) -> Array:
        """Bring values to `precision`.

        Parameters
        ----------
        values : Array
            Of any shape, in the library and on the device of the map.

        Returns
        -------
        Array
        """
        return self.xp.astype(values, self.precision, copy=False)

    @cached_property
    def minimum(self) -> Array:
        """Smallest value; NaN if the map holds NaN."""
        return self.xp.astype(self.xp.min(self.sortable), self.precision, copy=False)

    @cached_property
    def maximum(self) -> Array:
        """Largest value; NaN if the map holds NaN."""
        return self.xp.astype(self.xp.max(self.sortable), self.precision, copy=False)

    @cached_property
    def constant(self) -> bool:
        """Whether all pixels are equal. Rounding cannot blur that, as it can a variance."""
        return bool(self.minimum == self.maximum)

    def require_defined(self) -> None:
        """Raise `UndefinedError` for maps that no metric can be computed with."""
        finite = self.xp.isfinite
        if not (bool(finite(self.minimum)) and bool(finite(self.maximum))):
            raise UndefinedError(f"the {self.role} holds NaN or infinity")
        if not bool(finite(self.maximum - self.minimum)):
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
        """
        if prepare not in self._results:
            self._results[prepare] = prepare(self)
        result: T = self._results[prepare]
        return result
