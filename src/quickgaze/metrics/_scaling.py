"""What metrics make of a map's values before they compare them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from math import inf
from operator import add

from quickgaze.metrics._arrays import Array, dot
from quickgaze.metrics._prepared import PreparedMap

REGULARISATION = 1e-20
"""Added to each pixel by `regularised`, so that none is 0."""

EVERYWHERE = slice(None)


@dataclass(frozen=True, eq=False)
class Scaling:
    """``(value - subtract) / divide[0] / divide[1] … + add``, in this order."""

    subtract: Array | None = None
    divide: tuple[Array, ...] = ()
    add: Array | None = None


@dataclass(frozen=True, eq=False)
class Centred:
    """How to subtract a map's mean, and the Euclidean norm of the result."""

    scaling: Scaling
    norm: Array
    unit: Array | None  # what the map is divided by, where its squares would not stay precise


def total(
    compare: Callable[..., Array],
    maps: Sequence[PreparedMap],
    scalings: Sequence[Scaling],
    pixels: Array | slice | None = None,
) -> Array:
    """Scale maps of one size and add up what `compare` gives for each part of their pixels.

    With `pixels`, places in the row, it is called once, for these alone.
    """
    found = []
    for part in maps[0].parts if pixels is None else (pixels,):
        arguments: list[Array] = []
        for prepared, scaling in zip(maps, scalings, strict=True):
            if arguments and prepared is maps[0]:
                arguments.append(arguments[0])  # a map beside itself
                continue
            # in place, and without a call for each step, which costs as much as the arithmetic
            values = prepared.xp.astype(prepared.row[part], prepared.precision, copy=True)
            if scaling.subtract is not None:
                values -= scaling.subtract
            for divisor in scaling.divide:
                values /= divisor
            if scaling.add is not None:
                values += scaling.add
            arguments.append(values)
        found.append(compare(*arguments))
    return reduce(add, found)


def total_of(
    compare: Callable[..., Array], how: Callable[[PreparedMap], Scaling], *maps: PreparedMap
) -> Array:
    """Do what `total` does, for maps that are all scaled in one way."""
    return total(compare, maps, [each.once(how) for each in maps])


def values_at(prepared: PreparedMap, scaling: Scaling, pixels: Array | slice = EVERYWHERE) -> Array:
    """Scaled values of a map at some pixels: places in the row."""
    return total(lambda values: values, (prepared,), (scaling,), pixels)


def scaled(prepared: PreparedMap) -> Scaling:
    """Scale a map to [0, 1]; a constant one becomes 0 everywhere."""
    extent = () if prepared.constant else (prepared.maximum - prepared.minimum,)
    return Scaling(prepared.minimum, extent)


def centred(prepared: PreparedMap) -> Centred:
    """Subtract a map's mean; a constant one becomes 0 everywhere."""
    xp, extent = prepared.xp, prepared.maximum - prepared.minimum
    smallest = xp.finfo(prepared.precision).smallest_normal ** 0.25
    unit = None if prepared.constant or smallest < extent < 1 / smallest else extent
    # subtracting the minimum first keeps small variations on a large offset exact
    shifted = Scaling(prepared.minimum, () if unit is None else (unit,))
    mean = total(xp.sum, (prepared,), (shifted,)) / prepared.row.shape[0]
    scaling = replace(shifted, add=-mean)
    if prepared.constant:
        return Centred(scaling, 0 * prepared.minimum, unit)  # a root of 0 would have no gradient
    squares = total(dot(xp), (prepared, prepared), (scaling, scaling))
    return Centred(scaling, xp.sqrt(squares), unit)


def share(prepared: PreparedMap) -> Scaling:
    """Subtract the minimum if it is negative and divide by the sum; constant becomes uniform."""
    if prepared.constant:
        return _uniform(prepared)
    xp, positive = prepared.xp, _positive(prepared)
    whole = total(xp.sum, (prepared,), (positive,))
    limits = xp.finfo(prepared.precision)
    if limits.smallest_normal / limits.eps < whole < inf:
        return replace(positive, divide=(whole,))
    # the sum is imprecise: divide by the largest value first
    lowest = 0 if positive.subtract is None else positive.subtract
    at_most_1 = replace(positive, divide=(prepared.maximum - lowest,))
    whole = total(xp.sum, (prepared,), (at_most_1,))
    return replace(positive, divide=(*at_most_1.divide, whole))


def min_max_share(prepared: PreparedMap) -> Scaling:
    """Scale a map to [0, 1] and divide it by its sum; a constant one becomes uniform."""
    if prepared.constant:
        return _uniform(prepared)
    plain = scaled(prepared)
    return replace(plain, divide=(*plain.divide, prepared.once(sum_of_scaled)))


def sum_of_scaled(prepared: PreparedMap) -> Array:
    """Sum of a map that is `scaled`, shape ()."""
    return total_of(prepared.xp.sum, scaled, prepared)


def regularised(prepared: PreparedMap) -> Scaling:
    """Subtract the minimum if it is negative, and add 1e-20 to each pixel."""
    return replace(_positive(prepared), add=REGULARISATION)


def sum_of_regularised(prepared: PreparedMap) -> Array:
    """Sum of a map that is `regularised`, shape ()."""
    return total_of(prepared.xp.sum, regularised, prepared)


def _positive(prepared: PreparedMap) -> Scaling:
    return Scaling(prepared.minimum if prepared.minimum < 0 else None)


def _uniform(prepared: PreparedMap) -> Scaling:
    # divided by infinity, values are 0 and so is their gradient, which exists
    return Scaling(divide=(inf,), add=1.0 / prepared.number)
