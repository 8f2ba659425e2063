"""Areas under ROC curves, from the values of a map at positive and at negative pixels."""

from __future__ import annotations

from array_api_compat import array_namespace, device

from quickgaze.metrics.arrays import Array, scoring_dtype
from quickgaze.metrics.prepared import PreparedMap
from quickgaze.metrics.undefined import UndefinedError


def sorted_values(prepared: PreparedMap) -> Array:
    """All values of a map in ascending order, (H * W,)."""
    return ascending(prepared.sortable)


def looked_at(density: PreparedMap) -> Array:
    """Pixels, (H * W,) bool, that count as fixated in the convention ``"cap6415"``."""
    above = density.row > 0
    if not bool(array_namespace(above).any(above)):
        raise UndefinedError("the density is nowhere above 0, which leaves no positives")
    return above


def ascending(values: Array) -> Array:
    """Sort numbers, (n,)."""
    # equal numbers cannot be told apart, and a stable sort takes ten times as long
    return array_namespace(values).sort(values, stable=False)


def area(positives: Array, negatives: Array) -> Array:
    """Share of pairs of a positive and a negative in which the positive is larger.

    Parameters
    ----------
    positives : Array, shape (n,)
        At least one.
    negatives : Array, shape (m,)
        At least one, in ascending order.

    Returns
    -------
    Array, shape ()
        In [0, 1]; equal pairs count one half.
    """
    xp = array_namespace(positives)
    below = xp.sum(xp.searchsorted(negatives, positives, side="left"))
    not_above = xp.sum(xp.searchsorted(negatives, positives, side="right"))
    pairs = positives.shape[0] * negatives.shape[0]
    return xp.astype(below + not_above, scoring_dtype(positives)) / (2 * pairs)


def weighted_area(positives: Array, negatives: Array, counts: Array) -> Array:
    """Do what `area` does, for negatives that count more than once.

    Parameters
    ----------
    positives : Array, shape (n,)
        At least one.
    negatives : Array, shape (k,)
        At least one, in any order.
    counts : Array, shape (k,), int64
        How often each negative counts, at least once.

    Returns
    -------
    Array, shape ()
        In [0, 1]; equal pairs count one half.
    """
    xp = array_namespace(positives)
    order = xp.argsort(negatives, stable=False)
    negatives = xp.take(negatives, order, axis=0)
    up_to = xp.cumulative_sum(xp.take(counts, order, axis=0), include_initial=True)
    below = xp.take(up_to, xp.searchsorted(negatives, positives, side="left"), axis=0)
    not_above = xp.take(up_to, xp.searchsorted(negatives, positives, side="right"), axis=0)
    pairs = positives.shape[0] * xp.astype(up_to[-1], scoring_dtype(positives))
    return xp.astype(xp.sum(below + not_above), scoring_dtype(positives)) / (2 * pairs)


def area_at_thresholds(positives: Array, negatives: Array, thresholds: Array) -> Array:
    """Area under the straight lines between the points of a ROC curve at some thresholds.

    Parameters
    ----------
    positives : Array, shape (n,)
        At least one.
    negatives : Array, shape (m,)
        At least one.
    thresholds : Array, shape (k,)
        In ascending order; numbers at or above a threshold are taken for positives. The points
        (0, 0) and (1, 1) are added to theirs.

    Returns
    -------
    Array, shape ()
    """
    xp, n, m = array_namespace(positives), positives.shape[0], negatives.shape[0]
    true_positives = n - xp.searchsorted(ascending(positives), thresholds, side="left")
    false_positives = m - xp.searchsorted(ascending(negatives), thresholds, side="left")
    return area_of_lines(false_positives, m, true_positives, n)


def area_of_lines(false_positives: Array, m: int, true_positives: Array, n: int) -> Array:
    """Area under the straight lines from (1, 1) through points of a ROC curve to (0, 0).

    Parameters
    ----------
    false_positives, true_positives : Array, shape (k,), int64
        How many of the `m` negatives and of the `n` positives are at or above each threshold, in
        ascending order of the thresholds.
    m, n : int
        Their numbers, at least 1.

    Returns
    -------
    Array, shape ()
        In [0, 1]: computed in whole numbers up to one division.
    """
    xp = array_namespace(false_positives)
    none = xp.zeros((1,), dtype=xp.int64, device=device(false_positives))
    x = xp.concat([none + m, false_positives, none])
    y = xp.concat([none + n, true_positives, none])
    doubled = xp.sum((x[:-1] - x[1:]) * (y[:-1] + y[1:]))
    return xp.astype(doubled, scoring_dtype(false_positives)) / (2 * m * n)
