"""Linear correlation of a saliency map with the human density."""

# ruff: noqa: A002 - `map` is the field's name for it, and part of the public interface

from __future__ import annotations

from array_api_compat import array_namespace

from quickgaze.metrics.arrays import Array
from quickgaze.metrics.conventions import DEFAULT_CONVENTION, Definition
from quickgaze.metrics.evaluation import evaluate
from quickgaze.metrics.prepared import PreparedMap, min_max
from quickgaze.metrics.undefined import UndefinedError

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
    convention : {"tuebingen", "cap6415"}
        ``"tuebingen"``: a constant map scores 0. ``"cap6415"``: both are min-max scaled first,
        which changes no correlation, and a constant map is undefined.

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
    ``cc(a, b) == cc(b, a)`` wherever both are defined.

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
    convention : {"tuebingen", "cap6415"}
        The definition is that of ``"cap6415"`` in both, except when fewer than two pixels count:
        undefined in ``"tuebingen"``, 0 in ``"cap6415"``.

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


def _pearson(prediction: PreparedMap, density: PreparedMap) -> Array:
    # a constant map has a unit vector of zeros, and so a correlation of 0
    return _inner_product(prediction.once(_unit_vector), density.once(_unit_vector))


def _pearson_of_varying(prediction: PreparedMap, density: PreparedMap) -> Array:
    if prediction.constant:
        raise UndefinedError("the map is constant")
    return _pearson(prediction, density)


def _pearson_on_union(prediction: PreparedMap, density: PreparedMap) -> Array:
    parts = _on_union(prediction, density)
    if _too_few(parts):
        raise UndefinedError("fewer than two pixels of the map or the density are above 0")
    return _pearson_of_parts(parts)


def _pearson_on_union_or_zero(prediction: PreparedMap, density: PreparedMap) -> Array:
    parts = _on_union(prediction, density)
    if _too_few(parts):
        return array_namespace(prediction.values).zeros_like(prediction.minimum)
    return _pearson_of_parts(parts)


def _on_union(prediction: PreparedMap, density: PreparedMap) -> tuple[Array, Array]:
    """Values of the scaled map and density at the pixels where either is above 0."""
    values, density_values = prediction.once(min_max), density.once(min_max)
    union = (values > UNION_THRESHOLD) | (density_values > UNION_THRESHOLD)
    return values[union], density_values[union]


def _too_few(parts: tuple[Array, Array]) -> bool:
    return bool(parts[0].shape[0] < 2)


def _pearson_of_parts(parts: tuple[Array, Array]) -> Array:
    prediction, density = (
        PreparedMap(role, (1, part.shape[0]), part, part)
        for role, part in zip(("map", "density"), parts, strict=True)
    )
    for part in (prediction, density):
        if part.constant:
            raise UndefinedError(f"the {part.role} is constant where either is above 0")
    return _pearson(prediction, density)


def _unit_vector(prepared: PreparedMap) -> Array:
    """Centre a map and scale it to a Euclidean norm of 1; a constant one becomes 0.

    Scaling to [0, 1] first keeps small variations on a large offset, and very large or small
    values, from being lost to rounding.
    """
    xp = array_namespace(prepared.values)
    scaled = prepared.once(min_max)
    if prepared.constant:
        return scaled
    centred = scaled - xp.mean(scaled)
    return centred / xp.sqrt(xp.sum(centred * centred))


def _inner_product(first: Array, second: Array) -> Array:
    xp = array_namespace(first)
    # rounding must not leave the range
    return xp.clip(xp.sum(first * second), -1.0, 1.0)


CC = {
    "tuebingen": Definition("density", _pearson),
    "cap6415": Definition("density", _pearson_of_varying),
}
CC_UNION = {
    "tuebingen": Definition("density", _pearson_on_union),
    "cap6415": Definition("density", _pearson_on_union_or_zero),
}
