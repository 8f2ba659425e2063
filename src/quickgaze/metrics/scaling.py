"""What metrics make of a map's values before they compare them.

Each function takes a `PreparedMap` and some of its values, (n,), in `scoring_dtype`, and returns
as many: what it must know of the whole map is computed once.
"""

from __future__ import annotations

from math import inf, sqrt
from typing import Any

from array_api_compat import array_namespace

from quickgaze.metrics.arrays import Array, inner
from quickgaze.metrics.prepared import PreparedMap, parts, total

REGULARISATION = 1e-20
"""Added to each pixel by `regularised`, so that none is 0."""


def scaled(prepared: PreparedMap, values: Array) -> Array:
    """Scale a map to [0, 1]; a constant one becomes 0 everywhere."""
    result = values - prepared.minimum
    if not prepared.constant:
        result /= prepared.maximum - prepared.minimum
    return result


def centred(prepared: PreparedMap, values: Array) -> Array:
    """Subtract a map's mean, in its own `unit`; a constant one becomes 0 everywhere.

    Subtracting the minimum first keeps small variations on a large offset from being lost to
    rounding.
    """
    result = _shifted(prepared, values)
    result -= prepared.once(_sum_of_shifted) / prepared.number
    return result


def unit(prepared: PreparedMap) -> Array | None:
    """Find what to divide a map by so that its squares stay precise; None if they are."""
    extent = prepared.maximum - prepared.minimum
    smallest = _limits(prepared).smallest_normal ** 0.25
    precise = prepared.constant or smallest < extent < 1 / smallest
    return None if precise else extent


def norm(prepared: PreparedMap) -> Array:
    """Euclidean norm of a map that is `centred`, shape (); 0 for a constant one."""
    if prepared.constant:
        return 0 * prepared.minimum  # a root of 0 would have no gradient
    xp = array_namespace(prepared.row)
    return xp.sqrt(total(_square(centred(prepared, part)) for (part,) in parts(prepared)))


def deviation(prepared: PreparedMap) -> Array:
    """Find the standard deviation (ddof 0) of a map, in its own `unit`, shape ()."""
    return prepared.once(norm) / sqrt(prepared.number)


def share(prepared: PreparedMap, values: Array) -> Array:
    """Divide a map by its sum, after its minimum is subtracted if that is negative.

    The result has a sum of 1 and is not negative; a constant map becomes uniform.
    """
    if prepared.constant:
        return _uniform(prepared, values)
    largest, whole = prepared.once(_largest_and_sum)
    positive = _not_negative(prepared, values)
    return (positive if largest is None else positive / largest) / whole


def min_max_share(prepared: PreparedMap, values: Array) -> Array:
    """Scale a map to [0, 1] and divide it by its sum; a constant one becomes uniform."""
    if prepared.constant:
        return _uniform(prepared, values)
    return scaled(prepared, values) / prepared.once(_sum_of_scaled)


def share_with_floor(prepared: PreparedMap, values: Array, floor: float) -> Array:
    """Scale a map to [0, 1], divide it by its sum plus a floor, and raise it to that floor."""
    xp = array_namespace(values)
    return xp.clip(scaled(prepared, values) / (prepared.once(_sum_of_scaled) + floor), floor, None)


def regularised(prepared: PreparedMap, values: Array) -> Array:
    """Subtract the minimum if it is negative, and add 1e-20 to each pixel."""
    return _not_negative(prepared, values) + REGULARISATION


def sum_of_regularised(prepared: PreparedMap) -> Array:
    """Sum of a map that is `regularised`, shape ()."""
    xp = array_namespace(prepared.row)
    return total(xp.sum(regularised(prepared, part)) for (part,) in parts(prepared))


def _not_negative(prepared: PreparedMap, values: Array) -> Array:
    return values - prepared.minimum if prepared.minimum < 0 else values


def _uniform(prepared: PreparedMap, values: Array) -> Array:
    # 0 times the map keeps its gradient: 0, not missing
    return 0 * values + 1.0 / prepared.number


def _shifted(prepared: PreparedMap, values: Array) -> Array:
    result = values - prepared.minimum
    divisor = prepared.once(unit)
    if divisor is not None:
        result /= divisor
    return result


def _sum_of_shifted(prepared: PreparedMap) -> Array:
    xp = array_namespace(prepared.row)
    return total(xp.sum(_shifted(prepared, part)) for (part,) in parts(prepared))


def _sum_of_scaled(prepared: PreparedMap) -> Array:
    xp = array_namespace(prepared.row)
    return total(xp.sum(scaled(prepared, part)) for (part,) in parts(prepared))


def _largest_and_sum(prepared: PreparedMap) -> tuple[Array | None, Array]:
    """Find what to divide a map by: by its sum alone where that is precise."""
    xp = array_namespace(prepared.row)
    plain = total(xp.sum(_not_negative(prepared, part)) for (part,) in parts(prepared))
    limits = _limits(prepared)
    if limits.smallest_normal / limits.eps < plain < inf:
        return None, plain
    largest = _not_negative(prepared, prepared.maximum)
    scaled_parts = (_not_negative(prepared, part) / largest for (part,) in parts(prepared))
    return largest, total(xp.sum(part) for part in scaled_parts)


def _limits(prepared: PreparedMap) -> Any:
    return array_namespace(prepared.row).finfo(prepared.minimum.dtype)


def _square(values: Array) -> Array:
    return inner(values, values)
