"""A saliency map and the human density compared pixel by pixel."""

# ruff: noqa: A002 - `map` is the field's name for it, and part of the public interface

from __future__ import annotations

from quickgaze.metrics._arrays import Array, dot
from quickgaze.metrics._conventions import (
    DEFAULT_CONVENTION,
    Definition,
    UndefinedError,
    everywhere,
)
from quickgaze.metrics._evaluation import evaluate
from quickgaze.metrics._prepared import PreparedMap
from quickgaze.metrics._scaling import centred, scaled, total, total_of, values_at

UNION_THRESHOLD = 1e-4
"""Value of a min-max scaled map above which a pixel belongs to the union of `cc_union`."""


def cc(map: Array, density: Array, convention: str = DEFAULT_CONVENTION) -> Array:
    """Pearson's correlation coefficient of a saliency map and the human density.

    Parameters
    ----------
    map, density : Array, shape (H, W) or (B, H, W)
        Saliency maps, of any scale and offset, and the human saliency map: one for all or each.
    convention : {"tuebingen", "mit", "salicon", "cap6415"}
        A constant map scores 0, but is undefined in ``"cap6415"``, which min-max scales both
        first; that changes no correlation.

    Returns
    -------
    float, or Array of shape () or (B,)
        In [-1, 1], higher is better; no unit. NaN if the density is constant, or if either holds
        NaN or infinity.

    Notes
    -----
    ``cc(a, b) == cc(b, a)`` wherever both are defined. The score of a torch map has a gradient,
    which is finite for a constant map too.

    References
    ----------
    .. [1] Le Meur, Le Callet & Barba 2007, Vision Research 47(19).

    Examples
    --------
    >>> import numpy as np
    >>> density = np.arange(12.0).reshape(3, 4)
    >>> round(cc(5 - 2 * density, density), 6)
    -1.0
    >>> cc(np.stack([np.ones((3, 4)), 2 * density]), density).round(6)
    array([0., 1.])
    """
    return evaluate("cc", CC, convention, map, density)


def cc_union(map: Array, density: Array, convention: str = DEFAULT_CONVENTION) -> Array:
    """Pearson's correlation coefficient where the saliency map or the human density is not 0.

    Both are min-max scaled; only pixels where either is above 1e-4 count.

    Parameters
    ----------
    map, density : Array, shape (H, W) or (B, H, W)
        Saliency maps, of any scale and offset, and the human saliency map: one for all or each.
    convention : {"tuebingen", "mit", "salicon", "cap6415"}
        The definition is that of ``"cap6415"`` in all, except when fewer than two pixels count:
        0 in ``"cap6415"``, undefined in the others.

    Returns
    -------
    float, or Array of shape () or (B,)
        In [-1, 1], higher is better; no unit. NaN if the density is constant, if either is
        constant over the pixels that count, or if either holds NaN or infinity.

    Notes
    -----
    Rectified maps are 0 over large areas. Leaving out the pixels where both are 0 makes this
    lower than `cc` for maps that agree on where nothing is, and often negative.

    References
    ----------
    .. [1] The CAP6415 study of autumn 2025, which calls it CC_mask.

    Examples
    --------
    >>> import numpy as np
    >>> map = np.array([[0.0, 0.0, 1.0, 2.0]])
    >>> density = np.array([[0.0, 0.0, 2.0, 1.0]])
    >>> round(cc(map, density), 6), round(cc_union(map, density), 6)
    (0.636364, -1.0)
    """
    return evaluate("cc_union", CC_UNION, convention, map, density)


def spearman(map: Array, density: Array, convention: str = DEFAULT_CONVENTION) -> Array:
    """Spearman's rank correlation coefficient of a saliency map and the human density.

    Parameters
    ----------
    map, density : Array, shape (H, W) or (B, H, W)
        Saliency maps, of which only the order of values matters, and the human saliency map:
        one for all, or one for each.
    convention : {"tuebingen", "mit", "salicon", "cap6415"}
        The same in all: Pearson's correlation of the ranks; equal values share their average.

    Returns
    -------
    float, or Array of shape () or (B,)
        In [-1, 1], higher is better; no unit. NaN if either is constant, or holds NaN or
        infinity.

    Notes
    -----
    Every pixel counts alike, also the many where almost nobody looked: far from the fixations,
    the order of a blurred density is that of their distances.

    References
    ----------
    .. [1] Spearman 1904, The American Journal of Psychology 15(1).
    .. [2] Fel, Felipe, Linsley & Serre 2022, NeurIPS.

    Examples
    --------
    >>> import numpy as np
    >>> density = np.array([[0.0, 1.0, 10.0, 100.0]])
    >>> round(spearman(np.array([[1.0, 2.0, 3.0, 4.0]]), density), 6)
    1.0
    """
    return evaluate("spearman", SPEARMAN, convention, map, density)


def mae(map: Array, density: Array, convention: str = DEFAULT_CONVENTION) -> Array:
    """Mean absolute difference of the min-max scaled saliency map and human density.

    A map of 0 scores well, as human densities are near 0 almost everywhere. It is offered for
    comparison with the CAP6415 study of autumn 2025.

    Parameters
    ----------
    map, density : Array, shape (H, W) or (B, H, W)
        Saliency maps, of any scale and offset, a constant one being 0, and the human saliency
        map: one for all or each.
    convention : {"tuebingen", "mit", "salicon", "cap6415"}
        The definition is the same in all.

    Returns
    -------
    float, or Array of shape () or (B,)
        In [0, 1], lower is better; no unit. NaN if the density is constant, or if either holds
        NaN or infinity.

    Examples
    --------
    >>> import numpy as np
    >>> mae(np.array([[0.0, 2.0, 4.0]]), np.array([[0.0, 1.0, 1.0]]))
    0.16666666666666666
    """
    return evaluate("mae", MAE, convention, map, density)


def mse(map: Array, density: Array, convention: str = DEFAULT_CONVENTION) -> Array:
    """Mean squared difference of the min-max scaled saliency map and human density.

    What is said of `mae` holds here too.

    Parameters
    ----------
    map, density : Array, shape (H, W) or (B, H, W)
        Saliency maps, of any scale and offset, a constant one being 0, and the human saliency
        map: one for all or each.
    convention : {"tuebingen", "mit", "salicon", "cap6415"}
        The definition is the same in all.

    Returns
    -------
    float, or Array of shape () or (B,)
        In [0, 1], lower is better; no unit. NaN where `mae` is.

    Examples
    --------
    >>> import numpy as np
    >>> mse(np.array([[0.0, 2.0, 4.0]]), np.array([[0.0, 1.0, 1.0]]))
    0.08333333333333333
    """
    return evaluate("mse", MSE, convention, map, density)


def _pearson(prediction: PreparedMap, density: PreparedMap) -> Array:
    first, second = prediction.once(centred), density.once(centred)
    scalings = (first.scaling, second.scaling)
    product = total(dot(prediction.xp), (prediction, density), scalings)
    if prediction.constant:
        return product  # 0
    return _in_range(prediction, product / (first.norm * second.norm))


def _in_range(prediction: PreparedMap, correlation: Array) -> Array:
    return prediction.xp.clip(correlation, -1.0, 1.0)  # rounding must not leave the range


def _pearson_of_varying(prediction: PreparedMap, density: PreparedMap) -> Array:
    if prediction.constant:
        raise UndefinedError("the map is constant")
    return _pearson(prediction, density)


def _pearson_on_union(prediction: PreparedMap, density: PreparedMap) -> Array:
    if (parts := _on_union(prediction, density)) is None:
        raise UndefinedError("fewer than two pixels of the map or the density are above 0")
    return _pearson_of_parts(*parts)


def _pearson_on_union_or_zero(prediction: PreparedMap, density: PreparedMap) -> Array:
    if (parts := _on_union(prediction, density)) is None:
        return 0 * prediction.minimum  # with a gradient: 0
    return _pearson_of_parts(*parts)


def _on_union(
    prediction: PreparedMap, density: PreparedMap
) -> tuple[PreparedMap, PreparedMap] | None:
    """Scaled map and density where either is above 0; None for fewer than two pixels."""
    first, second = (values_at(each, scaled(each)) for each in (prediction, density))
    union = (first > UNION_THRESHOLD) | (second > UNION_THRESHOLD)
    first, second = first[union], second[union]
    if (number := first.shape[0]) < 2:
        return None
    return PreparedMap("map", (1, number), first), PreparedMap("density", (1, number), second)


def _pearson_of_parts(prediction: PreparedMap, density: PreparedMap) -> Array:
    for part in (prediction, density):
        if part.constant:
            raise UndefinedError(f"the {part.role} is constant where either is above 0")
    return _pearson(prediction, density)


def _pearson_of_ranks(prediction: PreparedMap, density: PreparedMap) -> Array:
    if prediction.constant:
        raise UndefinedError("the map is constant")
    ranks = prediction.once(_unit_vector_of_ranks), density.once(_unit_vector_of_ranks)
    return _in_range(prediction, dot(prediction.xp)(*ranks))


def _unit_vector_of_ranks(prepared: PreparedMap) -> Array:
    """Centred ranks from 0, the average one for ties, scaled to a Euclidean norm of 1."""
    values, xp = prepared.sortable, prepared.xp
    order = xp.argsort(values, stable=False)
    in_order = xp.take(values, order, axis=0)
    differs = in_order[1:] != in_order[:-1]
    start = xp.zeros_like(order[:1])
    first = xp.concat([start, xp.nonzero(differs)[0] + 1])
    after = xp.concat([first[1:], start + values.shape[0]])
    tie = xp.cumulative_sum(xp.astype(differs, xp.int64), include_initial=True)
    average = prepared.precise(first + after - 1) / 2
    ranks = xp.empty_like(values, dtype=average.dtype)
    ranks[order] = xp.take(average, tie, axis=0)
    from_mean = ranks - (values.shape[0] - 1) / 2
    return from_mean / xp.sqrt(dot(xp)(from_mean, from_mean))


def _mean_absolute_difference(prediction: PreparedMap, density: PreparedMap) -> Array:
    xp = prediction.xp
    differences = total_of(lambda p, g: xp.sum(xp.abs(p - g)), scaled, prediction, density)
    return differences / prediction.number


def _mean_squared_difference(prediction: PreparedMap, density: PreparedMap) -> Array:
    product = dot(prediction.xp)
    differences = total_of(lambda p, g: product(p - g, p - g), scaled, prediction, density)
    return differences / prediction.number


CC = {
    **everywhere(Definition("density", _pearson)),
    "cap6415": Definition("density", _pearson_of_varying),
}
CC_UNION = {
    **everywhere(Definition("density", _pearson_on_union)),
    "cap6415": Definition("density", _pearson_on_union_or_zero),
}
SPEARMAN = everywhere(Definition("density", _pearson_of_ranks))
MAE = everywhere(Definition("density", _mean_absolute_difference))
MSE = everywhere(Definition("density", _mean_squared_difference))
