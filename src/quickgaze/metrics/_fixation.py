"""A saliency map judged by its values at the pixels that people fixated."""

# ruff: noqa: A002 - `map` is the field's name for it, and part of the public interface

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from quickgaze.metrics._arrays import Array
from quickgaze.metrics._conventions import DEFAULT_CONVENTION, Definition
from quickgaze.metrics._evaluation import evaluate
from quickgaze.metrics._prepared import PreparedMap
from quickgaze.metrics._roc_area import looked_at
from quickgaze.metrics._scaling import (
    centred,
    min_max_share,
    regularised,
    sum_of_regularised,
    values_at,
)
from quickgaze.metrics._targets import FixatedPixels

EPSILON = 1e-8
"""Added to the standard deviation by `nss` in the convention ``"cap6415"``."""

SMALLEST_SHARE = 2.2204e-16
"""Added to the share of each pixel by `information_gain` in the convention ``"mit"``."""


def nss(
    map: Array, fixations: Array | Sequence[Array], convention: str = DEFAULT_CONVENTION
) -> Array:
    """Normalised scanpath saliency: the z-scored saliency map, averaged over fixations.

    Parameters
    ----------
    map : Array, shape (H, W) or (B, H, W)
        Saliency map, or a batch of them; any scale and offset.
    fixations : Array, shape (n, 2), or sequence of B such arrays
        Columns x and y in pixels, from 0; for fractions see `pixel_places`. Points outside the
        image and NaN are dropped. One set for all maps, or one for each.
        In the convention ``"cap6415"``, a density instead: shape (H, W), or (B, H, W).
    convention : {"tuebingen", "mit", "salicon", "cap6415"}
        ``"tuebingen"`` and ``"salicon"``: mean over all fixations, repeats kept, of the map minus
        its mean, divided by its standard deviation (ddof 0). ``"mit"``: the same over the pixels
        that were fixated, each counted once, and with ddof 1. ``"cap6415"``: over the pixels
        where the human *map* is above 0, and with 1e-8 added to the standard deviation. A
        constant map scores 0 in all.

    Returns
    -------
    float, or Array of shape () or (B,)
        In standard deviations of the map, higher is better, 0 is chance. NaN if no fixation lies
        inside the image, or if the map holds NaN or infinity. In ``"cap6415"``, NaN if the density
        is constant, not finite or nowhere above 0.

    Notes
    -----
    A score in ``"cap6415"`` cannot be compared with any published value of NSS: a blurred
    density is above 0 almost everywhere. The score of a torch map has a gradient, which is finite
    for a constant map too.

    References
    ----------
    .. [1] Peters, Iyer, Itti & Koch 2005, Vision Research 45(18).

    Examples
    --------
    >>> import numpy as np
    >>> map = np.array([[0.0, 1.0], [2.0, 5.0]])
    >>> round(nss(map, np.array([[1, 1], [1, 1], [0, 1]])), 6)
    1.069045
    """
    return evaluate("nss", NSS, convention, map, fixations)


def information_gain(
    map: Array,
    fixations: Array | Sequence[Array],
    baseline: Array,
    convention: str = DEFAULT_CONVENTION,
) -> Array:
    """Information gain: how much better than a baseline the map predicts fixations.

    Map and baseline are taken for the probability of a fixation at each pixel.

    Parameters
    ----------
    map : Array, shape (H, W) or (B, H, W)
        Saliency map, or a batch of them, of any scale.
    fixations : Array, shape (n, 2), or sequence of B such arrays
        Columns x and y in pixels, from 0; for fractions see `pixel_places`. Points outside the
        image and NaN are dropped. One set for all maps, or one for each.
    baseline : Array, shape (H, W) or (B, H, W)
        Density that is known without the image, as a rule where people look in other images; a
        constant one is uniform. One for all maps, or one for each.
    convention : {"tuebingen", "mit"}
        ``"tuebingen"``: mean over all fixations, repeats kept, of log2 p - log2 b. For p and b,
        the minimum is subtracted if it is negative, 1e-20 is added, and map and baseline are
        divided by their sums. ``"mit"``: map and baseline are min-max scaled and divided by
        their sums, 2.2204e-16 is added to each, and the mean is over the pixels that were
        fixated, each counted once.

    Returns
    -------
    float, or Array of shape () or (B,)
        In bits per fixation, higher is better; 0 is as good as the baseline. NaN if no fixation
        lies inside the image, or if the map or the baseline holds NaN or infinity.

    Notes
    -----
    A saliency map is not a probability: a fixation where it is 0 costs up to about 70 bits (50 in
    ``"mit"``), so that one such fixation may decide the score.

    References
    ----------
    .. [1] Kümmerer, Wallis & Bethge 2015, PNAS 112(52).

    Examples
    --------
    >>> import numpy as np
    >>> map, uniform = np.array([[1.0, 1.0, 2.0, 4.0]]), np.ones((1, 4))
    >>> round(information_gain(map, np.array([[3, 0], [2, 0]]), uniform), 6)
    0.5
    """
    return evaluate("information_gain", INFORMATION_GAIN, convention, map, fixations, baseline)


def _mean_z_score(prediction: PreparedMap, fixated: FixatedPixels) -> Array:
    return _z_score(prediction, fixated.pixels)


def _mean_z_score_of_unique_pixels(prediction: PreparedMap, fixated: FixatedPixels) -> Array:
    # the standard deviation of ddof 1 is larger than that of ddof 0 by this
    return _z_score(prediction, fixated.unique) * sqrt(1 - 1 / prediction.number)


def _z_score(prediction: PreparedMap, pixels: Array) -> Array:
    """Mean of the map at some pixels in standard deviations (ddof 0) from its mean."""
    centre = prediction.once(centred)
    excess = values_at(prediction, centre.scaling, pixels).mean()
    return excess if prediction.constant else excess / _deviation(prediction)


def _mean_z_score_on_density(prediction: PreparedMap, density: PreparedMap) -> Array:
    centre = prediction.once(centred)
    excess = values_at(prediction, centre.scaling, looked_at(density)).mean()
    epsilon = EPSILON if centre.unit is None else EPSILON / centre.unit
    return excess / (_deviation(prediction) + epsilon)


def _deviation(prediction: PreparedMap) -> Array:
    """Give the standard deviation (ddof 0) in the map's own unit."""
    return prediction.once(centred).norm / sqrt(prediction.number)


def _bits_over_baseline(
    prediction: PreparedMap, fixated: FixatedPixels, baseline: PreparedMap
) -> Array:
    pixels = fixated.pixels
    return (_bits_at(prediction, pixels) - _bits_at(baseline, pixels)).mean()


def _bits_at(prepared: PreparedMap, pixels: Array) -> Array:
    log2 = prepared.xp.log2
    values = values_at(prepared, regularised(prepared), pixels)
    return log2(values) - log2(prepared.once(sum_of_regularised))


def _bits_over_baseline_at_unique_pixels(
    prediction: PreparedMap, fixated: FixatedPixels, baseline: PreparedMap
) -> Array:
    xp, pixels = prediction.xp, fixated.unique
    p, b = (values_at(each, min_max_share(each), pixels) for each in (prediction, baseline))
    return (xp.log2(SMALLEST_SHARE + p) - xp.log2(SMALLEST_SHARE + b)).mean()


NSS = {
    "tuebingen": Definition("fixations", _mean_z_score),
    "mit": Definition("fixations", _mean_z_score_of_unique_pixels),
    "salicon": Definition("fixations", _mean_z_score),
    "cap6415": Definition("density", _mean_z_score_on_density),
}
INFORMATION_GAIN = {
    "tuebingen": Definition("fixations", _bits_over_baseline, beside="baseline"),
    "mit": Definition("fixations", _bits_over_baseline_at_unique_pixels, beside="baseline"),
}
