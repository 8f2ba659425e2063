"""What maps are compared with, taken from a user's arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import repeat
from typing import TypeAlias

from quickgaze.errors import OptionError
from quickgaze.metrics.arrays import Array, as_array, beside
from quickgaze.metrics.other_fixations import FixationCounts, OtherFixations
from quickgaze.metrics.prepared import FixatedPixels, PreparedMap

Target: TypeAlias = PreparedMap | FixatedPixels | OtherFixations
"""A prepared density, the pixels that were fixated, or those fixated in other images."""

Points: TypeAlias = Array | FixationCounts


def densities(maps: Array, density: Array, wanted: str, role: str = "density") -> Iterator[Target]:
    """Prepare the density of each map.

    Parameters
    ----------
    maps : Array, shape (H, W) or (B, H, W)
        Saliency maps.
    density : array_like, shape (H, W) or that of `maps`
        One for all maps, or one for each.
    wanted : str
        Beginning of the error message, up to what was expected.
    role : str
        ``"density"`` or ``"baseline density"``.

    Returns
    -------
    iterator of PreparedMap
        One for each map, without an end where all have the same.

    Raises
    ------
    OptionError
        If the shape of `density` does not fit.
    """
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


def fixated_pixels(
    maps: Array, fixations: Array | Sequence[Array], wanted: str
) -> Iterator[Target]:
    """Find the pixels fixated in each map.

    Parameters
    ----------
    maps : Array, shape (H, W) or (B, H, W)
        Saliency maps.
    fixations : array_like, shape (n, 2), or sequence of B such arrays
        One set for all maps, or one for each.
    wanted : str
        Beginning of the error message, up to what was expected.

    Returns
    -------
    iterator of FixatedPixels
        One for each map, without an end where all have the same.

    Raises
    ------
    OptionError
        If a shape of `fixations` or their number does not fit.
    """
    size = (maps.shape[-2], maps.shape[-1])

    def prepare(points: Points) -> Target:
        return FixatedPixels.of(_points(maps, points, wanted, "fixations"), size)

    return _one_or_each(maps, fixations, wanted, "fixations", prepare)


def fixations_of_others(
    maps: Array, others: Points | Sequence[Points], wanted: str
) -> Iterator[Target]:
    """Find the pixels of each map that were fixated in other images.

    Parameters
    ----------
    maps : Array, shape (H, W) or (B, H, W)
        Saliency maps.
    others : array_like, shape (n, 2), or FixationCounts, or sequence of B such
        One set for all maps, or one for each.
    wanted : str
        Beginning of the error message, up to what was expected.

    Returns
    -------
    iterator of OtherFixations
        One for each map, without an end where all have the same.

    Raises
    ------
    OptionError
        If a shape of `others` or their number does not fit.
    """
    size, what = (maps.shape[-2], maps.shape[-1]), "fixations of other images"

    def prepare(points: Points) -> Target:
        if not isinstance(points, FixationCounts):
            return OtherFixations.of_points(_points(maps, points, wanted, what), size)
        if tuple(points.counts.shape) != size:
            raise OptionError(
                f"{wanted} {what}: counts of shape {size} for a map of shape "
                f"{tuple(maps.shape)}; got shape {tuple(points.counts.shape)}"
            )
        return OtherFixations.of_counts(points, maps)

    return _one_or_each(maps, others, wanted, what, prepare)


def _one_or_each(
    maps: Array,
    given: Points | Sequence[Points],
    wanted: str,
    what: str,
    prepare: Callable[[Points], Target],
) -> Iterator[Target]:
    sets = _sets(given, what) if maps.ndim == 3 else None
    if sets is None:
        return repeat(prepare(given))
    if len(sets) != maps.shape[0]:
        raise OptionError(
            f"{wanted} {what}: one set for all maps or one for each; "
            f"got {len(sets)} sets for {maps.shape[0]} maps"
        )
    # all of them now, so that nothing has been computed when one does not fit
    return iter([prepare(points) for points in sets])


def _sets(given: Points | Sequence[Points], what: str) -> Sequence[Points] | None:
    """Return what was given if it is a sequence of sets, None if it is one set."""
    if isinstance(given, FixationCounts):
        return None
    if isinstance(given, list | tuple):
        return given if all(_is_one_set(points, what) for points in given) else None
    array = as_array(given, what)
    return list(array) if array.ndim == 3 else None


def _is_one_set(points: Points, what: str) -> bool:
    return isinstance(points, FixationCounts) or as_array(points, what).ndim == 2


def _points(maps: Array, points: Array, wanted: str, what: str) -> Array:
    array = beside(maps, points, what)
    shape = tuple(array.shape)
    if len(shape) != 2 or shape[1] != 2:
        raise OptionError(
            f"{wanted} {what}: of shape (n, 2), columns x and y; got shape {shape} "
            f"for a map of shape {tuple(maps.shape)}"
        )
    return array
