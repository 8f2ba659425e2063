"""What maps are compared with: where people looked, taken from a user's arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import repeat
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from array_api_compat import array_namespace

from quickgaze.errors import OptionError
from quickgaze.metrics._arrays import Array, as_array, beside, numbers_beside, on_host
from quickgaze.metrics._conventions import (
    DEFAULT_CONVENTION,
    Input,
    UndefinedError,
    pixel_places,
)
from quickgaze.metrics._points import advice, as_points, is_one_set
from quickgaze.metrics._prepared import PreparedMap

NO_OTHERS = "there are no fixations of other images"


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
    >>> FixatedPixels.of(np.array([[0, 1], [1, 0], [1.7, 0.3], [9, 9]]), size=(2, 2))
    FixatedPixels(pixels=array([2, 1, 1]), recorded=4)
    """

    pixels: Array
    recorded: int

    @classmethod
    def of(
        cls, points: Array, size: tuple[int, int], convention: str = DEFAULT_CONVENTION
    ) -> FixatedPixels:
        """Find the pixels of fixations.

        Parameters
        ----------
        points : Array, shape (n, 2)
            Columns x and y in pixels, from 0. Points outside the image and NaN are dropped.
        size : (int, int)
            Height and width of the image in pixels.
        convention : str
            Says which pixel a fraction falls on, as `pixel_places` does.

        Returns
        -------
        FixatedPixels

        Raises
        ------
        OptionError
            If `points` are no points, or the convention is not known.
        """
        array = as_points(points, size)
        xp = array_namespace(array)
        height, width = size
        columns, rows = (xp.floor(pixel_places(array[:, i], convention)) for i in (0, 1))
        inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
        # products stay exact as integers, and NaN is gone before the cast
        rows, columns = xp.astype(rows[inside], xp.int64), xp.astype(columns[inside], xp.int64)
        return cls(rows * width + columns, array.shape[0])

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


@dataclass(frozen=True, eq=False)
class FixationCounts:
    """How many fixations fall on each pixel: millions of them in little memory.

    Parameters
    ----------
    counts : ndarray, shape (H, W), integer
        Not negative. The size is that of the image that is scored.

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
        counts = on_host(as_array(self.counts, "counts of fixations"))
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
    def of(
        cls, points: Array, size: tuple[int, int], convention: str = DEFAULT_CONVENTION
    ) -> FixationCounts:
        """Count fixations.

        Parameters
        ----------
        points : array_like, shape (n, 2)
            Columns x and y in pixels, from 0, scaled to the image that is scored; repeats count.
            Points outside it and NaN are dropped.
        size : (int, int)
            Height and width of that image in pixels.
        convention : str
            That of the scores: it says which pixel a fraction falls on, as `pixel_places` does.

        Returns
        -------
        FixationCounts

        Raises
        ------
        OptionError
            If `points` are no points, or the convention is not known.
        """
        pixels = on_host(FixatedPixels.of(points, size, convention).pixels)
        return cls(np.bincount(pixels, minlength=size[0] * size[1]).reshape(size))


@dataclass(frozen=True, eq=False)
class OtherFixations:
    """Pixels (k,) fixated in other images, each once, how often, and how many were recorded."""

    pixels: Array
    counts: Array
    recorded: int

    @classmethod
    def of(cls, points: Array, size: tuple[int, int], convention: str) -> OtherFixations:
        """Take points (n, 2), columns x and y, as `FixatedPixels.of` does."""
        fixated = FixatedPixels.of(points, size, convention)
        pixels, counts = array_namespace(fixated.pixels).unique_counts(fixated.pixels)
        return cls(pixels, counts, fixated.recorded)

    @classmethod
    def of_counts(cls, counts: FixationCounts, reference: Array) -> OtherFixations:
        """Take counts per pixel to the library and the device of a reference."""
        row = np.asarray(counts.counts).ravel()
        pixels = np.flatnonzero(row > 0)  # several times as fast as of numbers
        numbers = row[pixels].astype(np.int64)
        here = numbers_beside(reference, pixels), numbers_beside(reference, numbers)
        return cls(*here, int(numbers.sum()))

    def require_defined(self) -> None:
        """Raise `UndefinedError` if no fixation of other images lies inside this one."""
        if self.recorded == 0:
            raise UndefinedError(NO_OTHERS)
        if self.pixels.shape[0] == 0:
            raise UndefinedError(
                f"no fixation of other images lies inside this one ({self.recorded} outside)"
            )


Prepared: TypeAlias = PreparedMap | FixatedPixels | OtherFixations
Points: TypeAlias = Array | FixationCounts


def prepare(
    maps: Array, given: Mapping[Input, Any], convention: str, subject: str
) -> dict[Input, Iterator[Any]]:
    """Prepare what maps are compared with, one for each; `subject` begins error messages."""
    found = {}
    for name, value in given.items():
        verb = "compares with" if name in ("density", "fixations") else "needs"
        found[name] = _PREPARE[name](maps, value, f"{subject} {verb}", convention)
    return found


def _densities(
    maps: Array, density: Array, wanted: str, _convention: str, role: str
) -> Iterator[Prepared]:
    array = beside(maps, density, role)
    size, shape = tuple(maps.shape[-2:]), tuple(array.shape)
    if shape == size:
        return repeat(PreparedMap.of(array, role))
    if shape == tuple(maps.shape):
        return (PreparedMap.of(array[i, ...], role) for i in range(shape[0]))
    choices = f"{size}" if maps.ndim == 2 else f"{size} or {tuple(maps.shape)}"
    what = "human density" if role == "density" else role
    raise OptionError(
        f"{wanted} a {what}: of shape {choices} for a map of shape {tuple(maps.shape)}; "
        f"got shape {shape}"
    )


def _fixations(
    maps: Array,
    given: Any,
    wanted: str,
    convention: str,
    kind: type[FixatedPixels | OtherFixations],
    what: str,
) -> Iterator[Prepared]:
    one_set = partial(_one_set, maps, wanted=f"{wanted} {what}", convention=convention, kind=kind)
    sets = _sets(given, what) if maps.ndim == 3 else None
    if sets is None:
        return repeat(one_set(given))
    if len(sets) != maps.shape[0]:
        hint = "" if sets is given else advice(as_array(given, what), maps.shape)
        raise OptionError(
            f"{wanted} {what}: one set for all maps or one for each; "
            f"got {len(sets)} sets for {maps.shape[0]} maps{hint}"
        )
    # all of them now, so that nothing has been computed when one does not fit
    return iter([one_set(points) for points in sets])


def _one_set(
    maps: Array,
    points: Points,
    wanted: str,
    convention: str,
    kind: type[FixatedPixels | OtherFixations],
) -> Prepared:
    size = (maps.shape[-2], maps.shape[-1])
    if isinstance(points, FixationCounts) and kind is OtherFixations:
        if tuple(points.counts.shape) != size:
            raise OptionError(
                f"{wanted}: counts of shape {size} for a map of shape {tuple(maps.shape)}; "
                f"got shape {points.counts.shape}"
            )
        return OtherFixations.of_counts(points, maps)
    array = beside(maps, as_points(points, maps.shape, f"{wanted}: of"), "fixations")
    return kind.of(array, size, convention)


def _sets(given: Points | Sequence[Points], what: str) -> Sequence[Points] | None:
    """Return what was given if it is a sequence of sets, None if it is one set."""
    if isinstance(given, FixationCounts):
        return None
    if not isinstance(given, list | tuple):
        array = as_array(given, what)
        return list(array) if array.ndim == 3 else None
    each_is_one_set = len(given) > 0 and all(
        isinstance(points, FixationCounts) or is_one_set(as_array(points, what)) for points in given
    )
    return given if each_is_one_set else None


_PREPARE: Mapping[Input, Callable[..., Iterator[Prepared]]] = {
    "density": partial(_densities, role="density"),
    "baseline": partial(_densities, role="baseline density"),
    "fixations": partial(_fixations, kind=FixatedPixels, what="fixations"),
    "others": partial(_fixations, kind=OtherFixations, what="fixations of other images"),
}
