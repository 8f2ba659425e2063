"""A saliency map and the human density compared pixel by pixel."""

# ruff: noqa: A002 - `map` is the field's name for it, and part of the public interface

from __future__ import annotations

from array_api_compat import array_namespace

from quickgaze.metrics.arrays import Array, dot
from quickgaze.metrics.conventions import (
    DEFAULT_CONVENTION,
    Definition,
    UndefinedError,
    everywhere,
)
from quickgaze.metrics.evaluation import evaluate
from quickgaze.metrics.prepared import PreparedMap
from quickgaze.metrics.scaling import centred, scaled, total, total_of, values_at

UNION_THRESHOLD = 1e-4
"""Value of a min-max scaled map above which a pixel belongs to the union of `cc_union`."""


def cc(map: Array, density: Array, convention: str = DEFAULT_CONVENTION) -> Array:
    """Pearson's correlation coefficient of a saliency map and the human density.

    Parameters
    ----------
    map : Array, shape (H, W) or (B, H, W)
        Saliency map, or a batch of them; any scale and offset.
    density : Array, shape (H, W) or (B, H, W)
        Human saliency map: one for all maps, or one for each.
    convention : {"tuebingen", "mit", "salicon", "cap6415"}
        ``"tuebingen"``, ``"mit"`` and ``"salicon"``: a constant map scores 0. ``"cap6415"``:
        both are min-max scaled first, which changes no correlation, and a constant map is
        undefined.

    Returns
    -------
    float, or Array of shape () or (B,)
        In [-1, 1], higher is better; no unit. A float for one NumPy map, otherwise an array
        of the library and on the device of `map`. NaN if the density is constant, or if the map
        or the density holds NaN or infinity.

    Raises
    ------
    OptionError
        If the shapes do not fit, or the convention is not known.

    Notes
    -----
    ``cc(a, b) == cc(b, a)`` wherever both are defined. The score of a torch map has a gradient,
    which is finite for a constant map too.

    References
    ----------
    .. [1] O. Le Meur, P. Le Callet and D. Barba, "Predicting visual fixations on video based on
       low-level visual features", Vision Research 47(19), 2007.
    .. [2] M. Kümmerer, T. S. A. Wallis and M. Bethge, "Saliency Benchmarking Made Easy:
       Separating Models, Maps and Metrics", ECCV 2018.

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
    map : Array, shape (H, W) or (B, H, W)
        Saliency map, or a batch of them; any scale and offset.
    density : Array, shape (H, W) or (B, H, W)
        Human saliency map: one for all maps, or one for each.
    convention : {"tuebingen", "mit", "salicon", "cap6415"}
        The definition is that of ``"cap6415"`` in all, except when fewer than two pixels count:
        0 in ``"cap6415"``, undefined in the others.

    Returns
    -------
    float, or Array of shape () or (B,)
        In [-1, 1], higher is better; no unit. A float for one NumPy map, otherwise an array
        of the library and on the device of `map`. NaN if the density is constant, if either is
        constant over the pixels that count, or if either holds NaN or infinity.

    Raises
    ------
    OptionError
        If the shapes do not fit, or the convention is not known.

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
    map : Array, shape (H, W) or (B, H, W)
        Saliency map, or a batch of them; only the order of its values matters.
    density : Array, shape (H, W) or (B, H, W)
        Human saliency map: one for all maps, or one for each.
    convention : {"tuebingen", "mit", "salicon", "cap6415"}
        The definition is the same in all: Pearson's correlation of the ranks, where equal values
        share the average of theirs.

    Returns
    -------
    float, or Array of shape () or (B,)
        In [-1, 1], higher is better; no unit. A float for one NumPy map, otherwise an array
        of the library and on the device of `map`. NaN if the map or the density is constant, or
        holds NaN or infinity.

    Raises
    ------
    OptionError
        If the shapes do not fit, or the convention is not known.

    Notes
    -----
    Every pixel counts alike, also the many where almost nobody looked: far from the fixations,
    the order of a blurred density is that of their distances.

    References
    ----------
    .. [1] C. Spearman, "The Proof and Measurement of Association between Two Things", The
       American Journal of Psychology 15(1), 1904.
    .. [2] T. Fel, I. Felipe, D. Linsley and T. Serre, "Harmonizing the object recognition
       strategies of deep neural networks with humans", NeurIPS 2022.

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

    Parameters
    ----------
    map : Array, shape (H, W) or (B, H, W)
        Saliency map, or a batch of them; any scale and offset. A constant one counts as 0.
    density : Array, shape (H, W) or (B, H, W)
        Human saliency map: one for all maps, or one for each.
    convention : {"tuebingen", "mit", "salicon", "cap6415"}
        The definition is the same in all.

    Returns
    -------
    float, or Array of shape () or (B,)
        In [0, 1], lower is better; no unit. A float for one NumPy map, otherwise an array of
        the library and on the device of `map`. NaN if the density is constant, or if the map or
        the density holds NaN or infinity.

    Raises
    ------
    OptionError
        If the shapes do not fit, or the convention is not known.

    Notes
    -----
    Human densities are near 0 almost everywhere, so a map of 0 scores well. It is offered for
    comparison with the study named below.

    References
    ----------
    .. [1] The CAP6415 study of autumn 2025.

    Examples
    --------
    >>> import numpy as np
    >>> mae(np.array([[0.0, 2.0, 4.0]]), np.array([[0.0, 1.0, 1.0]]))
    0.16666666666666666
    """
    return evaluate("mae", MAE, convention, map, density)


def mse(map: Array, density: Array, convention: str = DEFAULT_CONVENTION) -> Array:
    """Mean squared difference of the min-max scaled saliency map and human density.

    Parameters
    ----------
    map : Array, shape (H, W) or (B, H, W)
        Saliency map, or a batch of them; any scale and offset. A constant one counts as 0.
    density : Array, shape (H, W) or (B, H, W)
        Human saliency map: one for all maps, or one for each.
    convention : {"tuebingen", "mit", "salicon", "cap6415"}
        The definition is the same in all.

    Returns
    -------
    float, or Array of shape () or (B,)
        In [0, 1], lower is better; no unit. A float for one NumPy map, otherwise an array of
        the library and on the device of `map`. NaN if the density is constant, or if the map or
        the density holds NaN or infinity.

    Raises
    ------
    OptionError
        If the shapes do not fit, or the convention is not known.

    Notes
    -----
    Human densities are near 0 almost everywhere, so a map of 0 scores well. It is offered for
    comparison with the study named below.

    References
    ----------
    .. [1] The CAP6415 study of autumn 2025.

    Examples
    --------
    >>> import numpy as np
    >>> mse(np.array([[0.0, 2.0, 4.0]]), np.array([[0.0, 1.0, 1.0]]))
    0.08333333333333333
    """
    return evaluate("mse", MSE, convention, map, density)


def _pearson(prediction: PreparedMap, density: PreparedMap) -> Array:
    xp, first, second = (
        array_namespace(prediction.row),
        prediction.once(centred),
        density.once(centred),
    )
    product = total(dot(xp), (prediction, density), (first.scaling, second.scaling))
    if prediction.constant:
        return product  # 0
    # rounding must not leave the range
    return xp.clip(product / (first.norm * second.norm), -1.0, 1.0)


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
    first, second = prediction.once(_unit_vector_of_ranks), density.once(_unit_vector_of_ranks)
    xp = array_namespace(first)
    return xp.clip(dot(xp)(first, second), -1.0, 1.0)


def _unit_vector_of_ranks(prepared: PreparedMap) -> Array:
    """Centred ranks from 0, the average one for ties, scaled to a Euclidean norm of 1."""
    values = prepared.sortable
    xp = array_namespace(values)
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
    xp = array_namespace(prediction.row)
    differences = total_of(lambda a, b: xp.sum(xp.abs(a - b)), scaled, prediction, density)
    return differences / prediction.number


def _mean_squared_difference(prediction: PreparedMap, density: PreparedMap) -> Array:
    product = dot(array_namespace(prediction.row))
    differences = total_of(lambda a, b: product(a - b, a - b), scaled, prediction, density)
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
