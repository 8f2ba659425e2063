"""A saliency map judged by its values at the pixels that people fixated."""

# ruff: noqa: A002 - `map` is the field's name for it, and part of the public interface

from __future__ import annotations

from collections.abc import Sequence

from array_api_compat import array_namespace

from quickgaze.metrics.arrays import Array, scoring_dtype
from quickgaze.metrics.conventions import DEFAULT_CONVENTION, Definition
from quickgaze.metrics.evaluation import evaluate
from quickgaze.metrics.prepared import FixatedPixels, PreparedMap, min_max
from quickgaze.metrics.undefined import UndefinedError

EPSILON = 1e-8
"""Added to the standard deviation by `nss` in the convention ``"cap6415"``."""


def nss(
    map: Array, fixations: Array | Sequence[Array], convention: str = DEFAULT_CONVENTION
) -> Array:
    """Normalised scanpath saliency: the z-scored saliency map, averaged over fixations.

    Parameters
    ----------
    map : Array, shape (H, W) or (B, H, W)
        Saliency map, or a batch of them; any scale and offset.
    fixations : Array, shape (n, 2), or sequence of B such arrays
        Columns x and y in pixels, from 0, with pixel centres on integers: a fixation counts at
        pixel ``floor(v + 0.5)``. Points outside the image and NaN are dropped. One set for
        all maps, or one for each. In the convention ``"cap6415"``, a density instead: shape
        (H, W), or (B, H, W).
    convention : {"tuebingen", "cap6415"}
        ``"tuebingen"``: mean over all fixations, repeats kept, of the map minus its mean,
        divided by its standard deviation (ddof 0); a constant map scores 0. ``"cap6415"``: the
        same over the pixels where the human *map* is above 0, and with 1e-8 added to the
        standard deviation.

    Returns
    -------
    float, or Array of shape () or (B,)
        In standard deviations of the map, higher is better, 0 is chance. A float for one NumPy
        map, otherwise an array of the library and on the device of `map`. NaN if no fixation
        lies inside the image, or if the map holds NaN or infinity. In ``"cap6415"``, NaN if the
        density is constant, not finite or nowhere above 0.

    Raises
    ------
    OptionError
        If the shapes do not fit, or the convention is not known.

    Notes
    -----
    A score in ``"cap6415"`` cannot be compared with any published value of NSS: a blurred
    density is above 0 almost everywhere.

    References
    ----------
    .. [1] R. J. Peters, A. Iyer, L. Itti and C. Koch, "Components of bottom-up gaze allocation in
       natural images", Vision Research 45(18), 2005.

    Examples
    --------
    >>> import numpy as np
    >>> map = np.array([[0.0, 1.0], [2.0, 5.0]])
    >>> round(nss(map, np.array([[1, 1], [1, 1], [0, 1]])), 6)
    1.069045
    """
    return evaluate("nss", NSS, convention, map, fixations)


def auc(
    map: Array, fixations: Array | Sequence[Array], convention: str = DEFAULT_CONVENTION
) -> Array:
    """Area under the ROC curve: how often a fixated pixel has a higher value than another.

    Parameters
    ----------
    map : Array, shape (H, W) or (B, H, W)
        Saliency map, or a batch of them; only the order of its values matters.
    fixations : Array, shape (n, 2), or sequence of B such arrays
        Columns x and y in pixels, from 0, with pixel centres on integers: a fixation counts at
        pixel ``floor(v + 0.5)``. Points outside the image and NaN are dropped. One set for
        all maps, or one for each. In the convention ``"cap6415"``, a density instead: shape
        (H, W), or (B, H, W).
    convention : {"tuebingen", "cap6415"}
        ``"tuebingen"``: positives are all fixations, repeats kept, negatives are all pixels of
        the image. ``"cap6415"``: positives are the pixels where the human *map* is above 0,
        negatives are the others. Ties count one half in both.

    Returns
    -------
    float, or Array of shape () or (B,)
        In [0, 1], higher is better, 0.5 is chance; no unit. A float for one NumPy map, otherwise
        an array of the library and on the device of `map`. NaN if no fixation lies inside the
        image, or if the map holds NaN or infinity. In ``"cap6415"``, NaN if the density is
        constant or not finite, or above 0 at no pixel or at all of them.

    Raises
    ------
    OptionError
        If the shapes do not fit, or the convention is not known.

    Notes
    -----
    Every value of the map is a threshold, nothing is sampled, and pairs are counted in whole
    numbers: a map of one value scores exactly 0.5. As fixated pixels are among the negatives too,
    the best score is a little below 1.

    A score in ``"cap6415"`` cannot be compared with any published value of AUC: a blurred
    density is above 0 almost everywhere.

    References
    ----------
    .. [1] B. W. Tatler, R. J. Baddeley and I. D. Gilchrist, "Visual correlates of fixation
       selection: effects of scale and time", Vision Research 45(5), 2005.
    .. [2] M. Kümmerer, T. S. A. Wallis and M. Bethge, "Saliency Benchmarking Made Easy:
       Separating Models, Maps and Metrics", ECCV 2018.

    Examples
    --------
    >>> import numpy as np
    >>> map = np.array([[0.0, 1.0], [1.0, 5.0]])
    >>> auc(map, np.array([[1, 1], [1, 0]]))
    0.6875
    >>> auc(np.ones((10, 10)), np.array([[1, 1], [1, 0]]))
    0.5
    """
    return evaluate("auc", AUC, convention, map, fixations)


def _mean_z_score(prediction: PreparedMap, fixated: FixatedPixels) -> Array:
    xp = array_namespace(prediction.values)
    mean, deviation = prediction.once(_mean_and_deviation)
    at_fixations = xp.take(prediction.once(min_max), fixated.pixels, axis=0)
    # a constant map is 0 minus 0 here
    return (xp.mean(at_fixations) - mean) / (1.0 if prediction.constant else deviation)


def _mean_z_score_on_density(prediction: PreparedMap, density: PreparedMap) -> Array:
    xp = array_namespace(prediction.values)
    looked_at = _looked_at(density)
    mean, deviation = prediction.once(_mean_and_deviation)
    extent = prediction.maximum - prediction.minimum
    excess = xp.mean(prediction.once(min_max)[looked_at]) - mean
    return excess * extent / (deviation * extent + EPSILON)


def _roc_area(prediction: PreparedMap, fixated: FixatedPixels) -> Array:
    xp = array_namespace(prediction.values)
    positives = xp.take(prediction.sortable, fixated.pixels, axis=0)
    return _area(positives, prediction.once(_sorted_values))


def _roc_area_on_density(prediction: PreparedMap, density: PreparedMap) -> Array:
    xp = array_namespace(prediction.values)
    looked_at = _looked_at(density)
    if bool(xp.all(looked_at)):
        raise UndefinedError("the density is above 0 everywhere, which leaves no negatives")
    values = prediction.sortable
    # sorted positives are found faster, as neighbours lie in the same part of memory
    return _area(_sorted(values[looked_at]), _sorted(values[~looked_at]))


def _looked_at(density: PreparedMap) -> Array:
    """Pixels that count as fixated in the convention ``"cap6415"``."""
    looked_at = density.values > 0
    if not bool(array_namespace(density.values).any(looked_at)):
        raise UndefinedError("the density is nowhere above 0, which leaves no positives")
    return looked_at


def _area(positives: Array, negatives: Array) -> Array:
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


def _sorted_values(prepared: PreparedMap) -> Array:
    return _sorted(prepared.sortable)


def _sorted(values: Array) -> Array:
    # equal numbers cannot be told apart, and a stable sort takes ten times as long
    return array_namespace(values).sort(values, stable=False)


def _mean_and_deviation(prepared: PreparedMap) -> tuple[Array, Array]:
    """Mean and standard deviation (ddof 0) of the min-max scaled map."""
    scaled = prepared.once(min_max)
    xp = array_namespace(scaled)
    return xp.mean(scaled), xp.std(scaled)


NSS = {
    "tuebingen": Definition("fixations", _mean_z_score),
    "cap6415": Definition("density", _mean_z_score_on_density),
}
AUC = {
    "tuebingen": Definition("fixations", _roc_area),
    "cap6415": Definition("density", _roc_area_on_density),
}
