"""How well a saliency map tells fixated pixels from others: areas under ROC curves."""

# ruff: noqa: A002 - `map` is the field's name for it, and part of the public interface

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from array_api_compat import array_namespace, device

from quickgaze.metrics._arrays import Array, ascending, numbers_beside, scoring_dtype
from quickgaze.metrics._conventions import DEFAULT_CONVENTION, Definition, UndefinedError
from quickgaze.metrics._evaluation import evaluate
from quickgaze.metrics._prepared import PreparedMap
from quickgaze.metrics._scaling import scaled, values_at
from quickgaze.metrics._targets import FixatedPixels, FixationCounts, OtherFixations

SPLITS = 100
"""Sets of negatives that `auc_borji` draws, and `auc_shuffled` in the convention ``"mit"``."""

RANDOM_PIXELS = 100_000
"""Negatives that `auc` draws in the convention ``"salicon"``."""

JITTER = 1e-7
"""Upper end of what `auc_judd` adds to each pixel, so that hardly any two are equal."""


def auc(
    map: Array,
    fixations: Array | Sequence[Array],
    convention: str = DEFAULT_CONVENTION,
    *,
    seed: int = 0,
) -> Array:
    """Area under the ROC curve: how often a fixated pixel has a higher value than another.

    Parameters
    ----------
    map : Array, shape (H, W) or (B, H, W)
        Saliency map, or a batch of them; only the order of its values matters.
    fixations : Array, shape (n, 2), or sequence of B such arrays
        Columns x and y in pixels, from 0; for fractions see `pixel_places`. Points outside the
        image and NaN are dropped. One set for all maps, or one for each.
        In the convention ``"cap6415"``, a density instead: shape (H, W), or (B, H, W).
    convention : {"tuebingen", "salicon", "cap6415"}
        ``"tuebingen"``: positives are all fixations, repeats kept, negatives are all pixels of
        the image. ``"salicon"``: negatives are 100,000 pixels drawn at random, and thresholds
        are the multiples of 0.01 below the largest of the values of the min-max scaled map.
        ``"cap6415"``: positives are the pixels where the human *map* is above 0, negatives are
        the others. Ties count one half in ``"tuebingen"`` and ``"cap6415"``.
    seed : int
        Start of the random numbers of ``"salicon"``, the same for each map.

    Returns
    -------
    float, or Array of shape () or (B,)
        In [0, 1], higher is better, 0.5 is chance; no unit. NaN if no fixation lies inside the
        image, or if the map holds NaN or infinity. In ``"cap6415"``, NaN if the density is
        constant or not finite, or above 0 at no pixel or at all of them.

    Notes
    -----
    In ``"tuebingen"``, pairs are counted exactly: a map of one value scores 0.5. As fixated pixels
    are among the negatives too, the best score is a little below 1. In ``"salicon"``, a map whose
    peak is far above the rest scores near 0.5. A score in ``"cap6415"`` cannot be compared with
    any published value of AUC: a blurred density is above 0 almost everywhere.

    References
    ----------
    .. [1] Tatler, Baddeley & Gilchrist 2005, Vision Research 45(5).

    Examples
    --------
    >>> import numpy as np
    >>> map = np.array([[0.0, 1.0], [1.0, 5.0]])
    >>> auc(map, np.array([[1, 1], [1, 0]]))
    0.6875
    >>> auc(np.ones((10, 10)), np.array([[1, 1], [1, 0]]))
    0.5
    """
    return evaluate("auc", AUC, convention, map, fixations, seed=seed)


def auc_judd(
    map: Array, fixations: Array | Sequence[Array], convention: str = "mit", *, seed: int = 0
) -> Array:
    """Area under the ROC curve whose thresholds are the map's values at fixated pixels.

    Positives are the fixated pixels, each counted once; negatives are all other pixels.

    Parameters
    ----------
    map : Array, shape (H, W) or (B, H, W)
        Saliency map, or a batch of them.
    fixations : Array, shape (n, 2), or sequence of B such arrays
        Columns x and y in pixels, from 0; for fractions see `pixel_places`. Points outside the
        image and NaN are dropped. One set for all maps, or one for each.
    convention : {"mit"}
        The only convention that defines it.
    seed : int
        Start of the random numbers that break ties, the same for each map.

    Returns
    -------
    float, or Array of shape () or (B,)
        In [0, 1], higher is better, 0.5 is chance; no unit. NaN if no fixation lies inside the
        image, if every pixel is fixated, or if the map holds NaN or infinity.

    Notes
    -----
    To break ties, a number from [0, 1e-7) is added to each pixel. That decides the order of values
    that lie closer together, such as the probabilities of a million pixels: scale a map to [0, 1]
    first. Ties that remain count one half, unlike in the MATLAB code.

    References
    ----------
    .. [1] Judd, Durand & Torralba 2012, MIT-CSAIL-TR-2012-001.

    Examples
    --------
    >>> import numpy as np
    >>> map = np.arange(100.0).reshape(10, 10)
    >>> round(auc_judd(map, np.array([[9, 9]])), 6)
    1.0
    """
    return evaluate("auc_judd", AUC_JUDD, convention, map, fixations, seed=seed)


def auc_borji(
    map: Array, fixations: Array | Sequence[Array], convention: str = "mit", *, seed: int = 0
) -> Array:
    """Area under the ROC curve with negatives drawn from the whole image.

    Positives are the fixated pixels, each once. As many negatives are drawn from all pixels, 100
    times over; the score is the mean over the 100 curves.

    Parameters
    ----------
    map : Array, shape (H, W) or (B, H, W)
        Saliency map, or a batch of them; any scale and offset.
    fixations : Array, shape (n, 2), or sequence of B such arrays
        Columns x and y in pixels, from 0; for fractions see `pixel_places`. Points outside the
        image and NaN are dropped. One set for all maps, or one for each.
    convention : {"mit"}
        The only convention that defines it.
    seed : int
        Start of the random numbers, the same for each map.

    Returns
    -------
    float, or Array of shape () or (B,)
        In [0, 1], higher is better, 0.5 is chance; no unit. NaN if no fixation lies inside the
        image, or if the map holds NaN or infinity.

    Notes
    -----
    Thresholds are 0, 0.1, ... 1 on the min-max scaled map. Values between two of them count as
    equal: a map whose peak is far above the rest scores near 0.5, a constant one 0.5.

    References
    ----------
    .. [1] Borji, Tavakoli, Sihite & Itti 2013, ICCV.

    Examples
    --------
    >>> import numpy as np
    >>> auc_borji(np.ones((10, 10)), np.array([[9, 9]]))
    0.5
    """
    return evaluate("auc_borji", AUC_BORJI, convention, map, fixations, seed=seed)


def auc_shuffled(
    map: Array,
    fixations: Array | Sequence[Array],
    others: Array | FixationCounts | Sequence[Array | FixationCounts],
    convention: str = DEFAULT_CONVENTION,
    *,
    seed: int = 0,
) -> Array:
    """Area under the ROC curve with the fixations of other images as negatives (sAUC).

    Parameters
    ----------
    map : Array, shape (H, W) or (B, H, W)
        Saliency map, or a batch of them.
    fixations : Array, shape (n, 2), or sequence of B such arrays
        Columns x and y in pixels, from 0; for fractions see `pixel_places`. Points outside the
        image and NaN are dropped. One set for all maps, or one for each.
    others : Array, shape (m, 2), or FixationCounts, or sequence of B such
        Fixations of all *other* images, scaled to the size of this one, repeats kept: points as
        in `fixations`, or their number on each pixel. One set for all maps, or one for each.
    convention : {"tuebingen", "mit"}
        ``"tuebingen"``: positives are all fixations and negatives are all `others`, repeats kept;
        ties count one half, and only the order of the map's values matters. ``"mit"``: positives
        are the fixated pixels, each once; as many negatives, or all if there are fewer, are drawn
        without replacement from the pixels of `others`, 100 times over. Thresholds are 0, 0.1,
        ... 1 on the min-max scaled map.
    seed : int
        Start of the random numbers of ``"mit"``, the same for each map.

    Returns
    -------
    float, or Array of shape () or (B,)
        In [0, 1], higher is better, 0.5 is chance; no unit. NaN if no fixation of this image or
        none of the others lies inside it, or if the map holds NaN or infinity.

    Notes
    -----
    People look at the centre of any image, which a map of the centre alone predicts with a high
    `auc`. Here the other images' fixations lie in the centre too, and such a map scores near 0.5.

    References
    ----------
    .. [1] Zhang, Tong, Marks, Shan & Cottrell 2008, Journal of Vision 8(7).

    Examples
    --------
    >>> import numpy as np
    >>> map = np.array([[0.0, 1.0], [1.0, 5.0]])
    >>> others = np.array([[0, 0], [1, 0], [1, 0], [1, 0]])
    >>> auc_shuffled(map, np.array([[0, 1]]), others)
    0.625
    """
    return evaluate("auc_shuffled", AUC_SHUFFLED, convention, map, fixations, others, seed)


def looked_at(density: PreparedMap) -> Array:
    """Pixels, (H * W,) bool, that count as fixated in the convention ``"cap6415"``."""
    above = density.row > 0
    if not bool(density.xp.any(above)):
        raise UndefinedError("the density is nowhere above 0, which leaves no positives")
    return above


def _roc_area(prediction: PreparedMap, fixated: FixatedPixels) -> Array:
    return _area(_sortable_at(prediction, fixated.pixels), prediction.ascending)


def _roc_area_of_others(
    prediction: PreparedMap, fixated: FixatedPixels, others: OtherFixations
) -> Array:
    negatives = _sortable_at(prediction, others.pixels)
    xp = prediction.xp
    order = xp.argsort(negatives, stable=False)
    up_to = xp.cumulative_sum(xp.take(others.counts, order, axis=0), include_initial=True)
    positives = _sortable_at(prediction, fixated.pixels)
    return _area(positives, xp.take(negatives, order, axis=0), up_to)


def _roc_area_on_density(prediction: PreparedMap, density: PreparedMap) -> Array:
    positive = looked_at(density)
    if bool(density.xp.all(positive)):
        raise UndefinedError("the density is above 0 everywhere, which leaves no negatives")
    values = prediction.sortable
    # sorted positives are found faster, as neighbours lie in the same part of memory
    return _area(ascending(values[positive]), ascending(values[~positive]))


def _roc_area_of_random_pixels(prediction: PreparedMap, fixated: FixatedPixels, seed: int) -> Array:
    drawn = np.random.default_rng(seed).integers(prediction.number, size=RANDOM_PIXELS)
    positives, negatives = _scaled_at(prediction, fixated.pixels), _drawn(prediction, drawn)
    xp = prediction.xp
    thresholds = numbers_beside(positives, np.arange(100) * 0.01)
    largest = xp.maximum(xp.max(positives), xp.max(negatives))
    return _area_at_thresholds(positives, negatives, thresholds[thresholds < largest])


def _judd_area(prediction: PreparedMap, fixated: FixatedPixels, seed: int) -> Array:
    number, fixated_number = prediction.number, fixated.unique.shape[0]
    if fixated_number == number:
        raise UndefinedError("every pixel is fixated, which leaves no negatives")
    xp = prediction.xp
    noise = numbers_beside(prediction.row, np.random.default_rng(seed).random(number))
    values = prediction.values + JITTER * noise
    thresholds = ascending(xp.take(values, fixated.unique, axis=0))
    not_below = number - xp.searchsorted(ascending(values), thresholds, side="left")
    true_positives = fixated_number - xp.searchsorted(thresholds, thresholds, side="left")
    return _area_of_lines(
        not_below - true_positives, number - fixated_number, true_positives, fixated_number
    )


def _borji_area(prediction: PreparedMap, fixated: FixatedPixels, seed: int) -> Array:
    size = (SPLITS, fixated.unique.shape[0])
    drawn = np.random.default_rng(seed).integers(prediction.number, size=size)
    return _mean_area_of_splits(prediction, fixated, _drawn(prediction, drawn))


def _shuffled_area(
    prediction: PreparedMap, fixated: FixatedPixels, others: OtherFixations, seed: int
) -> Array:
    xp, rng = prediction.xp, np.random.default_rng(seed)
    available = others.pixels.shape[0]
    size = min(fixated.unique.shape[0], available)
    drawn = np.stack([rng.choice(available, size, replace=False) for _ in range(SPLITS)])
    places = numbers_beside(prediction.row, drawn.ravel())
    pixels = xp.take(others.pixels, places, axis=0)
    return _mean_area_of_splits(prediction, fixated, _scaled_at(prediction, pixels))


def _mean_area_of_splits(
    prediction: PreparedMap, fixated: FixatedPixels, negatives: Array
) -> Array:
    # All splits have the same positives and as many negatives, and the area is linear in the
    # false positive rates, so the mean of the areas is the area of the mean curve.
    positives = _scaled_at(prediction, fixated.unique)
    thresholds = numbers_beside(negatives, np.arange(11) / 10)
    return _area_at_thresholds(positives, negatives, thresholds)


def _sortable_at(prediction: PreparedMap, pixels: Array) -> Array:
    return prediction.xp.take(prediction.sortable, pixels, axis=0)


def _scaled_at(prediction: PreparedMap, pixels: Array) -> Array:
    return values_at(prediction, prediction.once(scaled), pixels)


def _drawn(prediction: PreparedMap, pixels: npt.NDArray[np.int64]) -> Array:
    return _scaled_at(prediction, numbers_beside(prediction.row, pixels.ravel()))


def _area(positives: Array, negatives: Array, up_to: Array | None = None) -> Array:
    """Share of pairs of a positive (n,) and a negative (m,) in which the positive is larger."""
    # Equal pairs count one half. Negatives ascend; where they count more than once, `up_to`
    # (m + 1,) holds how many come before each.
    xp = array_namespace(positives)
    kind = scoring_dtype(xp, device(positives))
    below = xp.searchsorted(negatives, positives, side="left")
    not_above = xp.searchsorted(negatives, positives, side="right")
    number = negatives.shape[0]
    if up_to is not None:
        below, not_above = xp.take(up_to, below, axis=0), xp.take(up_to, not_above, axis=0)
        number = xp.astype(up_to[-1], kind)
    pairs = positives.shape[0] * number
    return xp.astype(xp.sum(below) + xp.sum(not_above), kind) / (2 * pairs)


def _area_at_thresholds(positives: Array, negatives: Array, thresholds: Array) -> Array:
    """Area under the ROC curve whose points are at some thresholds (k,), which ascend."""
    xp, n, m = array_namespace(positives), positives.shape[0], negatives.shape[0]
    true_positives = n - xp.searchsorted(ascending(positives), thresholds, side="left")
    false_positives = m - xp.searchsorted(ascending(negatives), thresholds, side="left")
    return _area_of_lines(false_positives, m, true_positives, n)


def _area_of_lines(false_positives: Array, m: int, true_positives: Array, n: int) -> Array:
    """Area under the straight lines from (1, 1) through numbers of negatives and positives."""
    xp, place = array_namespace(false_positives), device(false_positives)
    none = xp.zeros((1,), dtype=xp.int64, device=place)
    x = xp.concat([none + m, false_positives, none])
    y = xp.concat([none + n, true_positives, none])
    doubled = xp.sum((x[:-1] - x[1:]) * (y[:-1] + y[1:]))
    return xp.astype(doubled, scoring_dtype(xp, place)) / (2 * m * n)


AUC = {
    "tuebingen": Definition("fixations", _roc_area),
    "salicon": Definition("fixations", _roc_area_of_random_pixels, random=True),
    "cap6415": Definition("density", _roc_area_on_density),
}
AUC_JUDD = {"mit": Definition("fixations", _judd_area, random=True)}
AUC_BORJI = {"mit": Definition("fixations", _borji_area, random=True)}
AUC_SHUFFLED = {
    "tuebingen": Definition("fixations", _roc_area_of_others, beside="others"),
    "mit": Definition("fixations", _shuffled_area, beside="others", random=True),
}
