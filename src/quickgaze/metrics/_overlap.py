"""How far the most salient tenth of a map is the most looked-at tenth of the image."""

# ruff: noqa: A002 - `map` is the field's name for it, and part of the public interface

from __future__ import annotations

from math import ceil

from quickgaze.metrics._arrays import Array
from quickgaze.metrics._conventions import (
    DEFAULT_CONVENTION,
    Definition,
    UndefinedError,
    everywhere,
)
from quickgaze.metrics._evaluation import evaluate
from quickgaze.metrics._prepared import PreparedMap


def iou(map: Array, density: Array, convention: str = DEFAULT_CONVENTION) -> Array:
    """Intersection over union of the highest tenth of the map and of the human density.

    Parameters
    ----------
    map, density : Array, shape (H, W) or (B, H, W)
        Saliency maps, of which only the order of values matters, and the human saliency map:
        one for all, or one for each.
    convention : {"tuebingen", "mit", "salicon", "cap6415"}
        The definition is the same in all.

    Returns
    -------
    float, or Array of shape () or (B,)
        In [0, 1], higher is better; no unit. NaN if more than a tenth of the pixels share the
        highest value of the map or of the density, if the density is constant, or if either holds
        NaN or infinity.

    Notes
    -----
    With k for a tenth of the number of pixels, rounded up, the highest tenth is the pixels above
    the value of rank k + 1: k pixels, or fewer where that value occurs several times. A map that
    is above 0 on 5 % of its pixels and 0 elsewhere has these 5 %. Two tenths at random overlap
    with an IoU of about 0.053 and a Dice score of 0.1.

    References
    ----------
    .. [1] Jaccard 1912, New Phytologist 11(2).
    .. [2] Fel, Felipe, Linsley & Serre 2022, NeurIPS.

    Examples
    --------
    >>> import numpy as np
    >>> density = np.arange(100.0).reshape(10, 10)
    >>> iou(density**2, density), iou(-density, density)
    (1.0, 0.0)
    """
    return evaluate("iou", IOU, convention, map, density)


def dice(map: Array, density: Array, convention: str = DEFAULT_CONVENTION) -> Array:
    """Dice score of the highest tenth of the map and of the human density.

    Twice the number of pixels in both, divided by the sum of their numbers of pixels.

    Parameters
    ----------
    map, density : Array, shape (H, W) or (B, H, W)
        Saliency maps, of which only the order of values matters, and the human saliency map:
        one for all, or one for each.
    convention : {"tuebingen", "mit", "salicon", "cap6415"}
        The definition is the same in all.

    Returns
    -------
    float, or Array of shape () or (B,)
        In [0, 1], higher is better; no unit. NaN where `iou` is.

    See Also
    --------
    iou : Says what the highest tenth is. ``dice == 2 * iou / (1 + iou)``.

    References
    ----------
    .. [1] Dice 1945, Ecology 26(3).

    Examples
    --------
    >>> import numpy as np
    >>> density = np.arange(100.0).reshape(10, 10)
    >>> dice(np.roll(density, 5), density)
    0.5
    """
    return evaluate("dice", DICE, convention, map, density)


def _intersection_over_union(prediction: PreparedMap, density: PreparedMap) -> Array:
    both, pixels = _numbers(prediction, density)
    return both / (pixels - both)


def _dice(prediction: PreparedMap, density: PreparedMap) -> Array:
    both, pixels = _numbers(prediction, density)
    return 2 * both / pixels


def _numbers(prediction: PreparedMap, density: PreparedMap) -> tuple[Array, Array]:
    """Count the pixels in both tenths, and add up the numbers of pixels in each."""
    first, second = prediction.once(_highest_tenth), density.once(_highest_tenth)
    xp, precise = prediction.xp, prediction.precise
    return precise(xp.sum(first & second)), precise(xp.sum(first) + xp.sum(second))


def _highest_tenth(prepared: PreparedMap) -> Array:
    """Pixels, (H * W,) bool, above the value of rank k + 1 of the n = H * W pixels."""
    n = prepared.number
    k = ceil(n / 10)
    top = prepared.sortable > prepared.ascending[max(n - k - 1, 0)]
    if not bool(prepared.xp.any(top)):
        raise UndefinedError(
            f"more than a tenth of the pixels share the highest value of the {prepared.role}"
        )
    return top


IOU = everywhere(Definition("density", _intersection_over_union))
DICE = everywhere(Definition("density", _dice))
