"""What maps are compared with, taken from a user's arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import TypeAlias

from quickgaze.errors import OptionError
from quickgaze.metrics.arrays import Array, as_array, beside
from quickgaze.metrics.prepared import FixatedPixels, PreparedMap

Target: TypeAlias = PreparedMap | FixatedPixels
"""A prepared density, or the pixels that were fixated."""


def densities(maps: Array, density: Array, wanted: str) -> Iterator[Target]:
    """Prepare the density of each map.

    Parameters
    ----------
    maps : Array, shape (H, W) or (B, H, W)
        Saliency maps.
    density : array_like, shape (H, W) or that of `maps`
        One for all maps, or one for each.
    wanted : str
        Beginning of the error message, up to what was expected.

    Returns
    -------
    iterator of PreparedMap
        One for each map, without an end where all have the same.

    Raises
    ------
    OptionError
        If the shape of `density` does not fit.
    """
    array = beside(maps, density, "density")
    size, shape = tuple(maps.shape[-2:]), tuple(array.shape)
    if shape == size:
        return repeat(PreparedMap.of(array, "density"))
    if shape == tuple(maps.shape):
        return (PreparedMap.of(array[i, ...], "density") for i in range(shape[0]))
    choices = f"{size}" if maps.ndim == 2 else f"{size} or {tuple(maps.shape)}"
    raise OptionError(
        f"{wanted} a human density: of shape {choices} for a map of shape {tuple(maps.shape)}; "
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
    if maps.ndim == 3 and _is_one_for_each(fixations):
        if len(fixations) != maps.shape[0]:
            raise OptionError(
                f"{wanted} fixations: one set for all maps or one for each; "
                f"got {len(fixations)} sets for {maps.shape[0]} maps"
            )
        each = [_points(maps, points, wanted) for points in fixations]
        return (FixatedPixels.of(points, size) for points in each)
    return repeat(FixatedPixels.of(_points(maps, fixations, wanted), size))


def _is_one_for_each(fixations: Array | Sequence[Array]) -> bool:
    if isinstance(fixations, list | tuple):
        return all(as_array(points, "fixations").ndim == 2 for points in fixations)
    return bool(as_array(fixations, "fixations").ndim == 3)


def _points(maps: Array, fixations: Array, wanted: str) -> Array:
    array = beside(maps, fixations, "fixations")
    shape = tuple(array.shape)
    if len(shape) != 2 or shape[1] != 2:
        raise OptionError(
            f"{wanted} fixations: of shape (n, 2), columns x and y; got shape {shape} "
            f"for a map of shape {tuple(maps.shape)}"
        )
    return array
