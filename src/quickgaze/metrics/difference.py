"""Pixelwise difference of a saliency map and the human density."""

# ruff: noqa: A002 - `map` is the field's name for it, and part of the public interface

from __future__ import annotations

from collections.abc import Iterator

from array_api_compat import array_namespace

from quickgaze.metrics.arrays import Array, inner
from quickgaze.metrics.conventions import DEFAULT_CONVENTION, Definition, everywhere
from quickgaze.metrics.evaluation import evaluate
from quickgaze.metrics.prepared import PreparedMap, parts, total
from quickgaze.metrics.scaling import scaled


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


def _mean_absolute_difference(prediction: PreparedMap, density: PreparedMap) -> Array:
    xp = array_namespace(prediction.row)
    differences = _differences(prediction, density)
    return total(xp.sum(xp.abs(part)) for part in differences) / prediction.number


def _mean_squared_difference(prediction: PreparedMap, density: PreparedMap) -> Array:
    differences = _differences(prediction, density)
    return total(inner(part, part) for part in differences) / prediction.number


def _differences(prediction: PreparedMap, density: PreparedMap) -> Iterator[Array]:
    for values, human in parts(prediction, density):
        yield scaled(prediction, values) - scaled(density, human)


MAE = everywhere(Definition("density", _mean_absolute_difference))
MSE = everywhere(Definition("density", _mean_squared_difference))
