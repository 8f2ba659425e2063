"""A saliency map and the human density compared as probability distributions over pixels."""

# ruff: noqa: A002 - `map` is the field's name for it, and part of the public interface

from __future__ import annotations

from collections.abc import Callable

from array_api_compat import array_namespace

from quickgaze.metrics.arrays import Array, inner
from quickgaze.metrics.conventions import DEFAULT_CONVENTION, Definition
from quickgaze.metrics.evaluation import evaluate
from quickgaze.metrics.prepared import PreparedMap, parts, total
from quickgaze.metrics.scaling import (
    min_max_share,
    regularised,
    share,
    share_with_floor,
    sum_of_regularised,
)

EPSILON = 2.2204e-16
"""Added to shares and to their quotients by `kld` in the convention ``"mit"``."""

FLOOR = 1e-8
"""Added to the sum, and smallest share of a pixel, in `kld` in the convention ``"cap6415"``."""


def sim(map: Array, density: Array, convention: str = DEFAULT_CONVENTION) -> Array:
    """Similarity: how much of the map's and the human distribution lies on the same pixels.

    Each is divided by its sum. The score is the sum over pixels of the smaller of the two, also
    known as histogram intersection.

    Parameters
    ----------
    map : Array, shape (H, W) or (B, H, W)
        Saliency map, or a batch of them; any scale. A constant one counts as uniform.
    density : Array, shape (H, W) or (B, H, W)
        Human saliency map: one for all maps, or one for each.
    convention : {"tuebingen", "mit"}
        ``"tuebingen"``: before the division, the minimum is subtracted if it is negative.
        ``"mit"``: both are min-max scaled, so that the minimum is always subtracted.

    Returns
    -------
    float, or Array of shape () or (B,)
        In [0, 1], higher is better; no unit. A float for one NumPy map, otherwise an array
        of the library and on the device of `map`. NaN if the density is constant, or if the map
        or the density holds NaN or infinity.

    Raises
    ------
    OptionError
        If the shapes do not fit, or the convention is not known or does not define SIM.

    Notes
    -----
    The score of a torch map has a gradient, which is 0 for a constant map.

    References
    ----------
    .. [1] T. Judd, F. Durand and A. Torralba, "A Benchmark of Computational Models of Saliency to
       Predict Human Fixations", MIT-CSAIL-TR-2012-001, 2012.
    .. [2] M. J. Swain and D. H. Ballard, "Color indexing", International Journal of Computer
       Vision 7(1), 1991.

    Examples
    --------
    >>> import numpy as np
    >>> sim(np.array([[1.0, 3.0]]), np.array([[30.0, 10.0]]))
    0.5
    """
    return evaluate("sim", SIM, convention, map, density)


def kld(map: Array, density: Array, convention: str = DEFAULT_CONVENTION) -> Array:
    """Kullback-Leibler divergence of the saliency map from the human density.

    Parameters
    ----------
    map : Array, shape (H, W) or (B, H, W)
        Saliency map, or a batch of them.
    density : Array, shape (H, W) or (B, H, W)
        Human saliency map: one for all maps, or one for each.
    convention : {"tuebingen", "mit", "salicon", "cap6415"}
        ``"tuebingen"``: the minimum is subtracted if it is negative, 1e-20 is added, and each is
        divided by its sum. ``"mit"`` and ``"salicon"``: each is divided by its sum, the minimum
        subtracted if it is negative; with g for the density's pixels, p for the map's and e for
        2.2204e-16, the score is the sum of ``g * log(e + g / (p + e))``. ``"cap6415"``: each is
        min-max scaled, divided by its sum + 1e-8, and at least 1e-8 everywhere.

    Returns
    -------
    float, or Array of shape () or (B,)
        In nats, from 0, lower is better. A float for one NumPy map, otherwise an array of the
        library and on the device of `map`. NaN if the density is constant, or if the map or the
        density holds NaN or infinity.

    Raises
    ------
    OptionError
        If the shapes do not fit, or the convention is not known.

    Notes
    -----
    A map that is 0 where people looked scores very high, up to about 50 (36 in ``"mit"``),
    whatever it does elsewhere, and in ``"tuebingen"`` its gradient there is as large as 1e20:
    add a small number to a map before you train it with this score. Gradients of torch maps are
    finite, also for a constant one. In ``"cap6415"`` the floor leaves sums a little above 1, so
    that a score may fall below 0 by up to 1e-8 per pixel.

    References
    ----------
    .. [1] S. Kullback and R. A. Leibler, "On Information and Sufficiency", The Annals of
       Mathematical Statistics 22(1), 1951.
    .. [2] M. Kümmerer, T. S. A. Wallis and M. Bethge, "Saliency Benchmarking Made Easy:
       Separating Models, Maps and Metrics", ECCV 2018.

    Examples
    --------
    >>> import numpy as np
    >>> round(kld(np.array([[1.0, 3.0]]), np.array([[3.0, 1.0]])), 6)  # log(3) / 2
    0.549306
    """
    return evaluate("kld", KLD, convention, map, density)


def _shared_mass(prediction: PreparedMap, density: PreparedMap) -> Array:
    return _sum_of_minima(prediction, density, share)


def _shared_mass_of_scaled(prediction: PreparedMap, density: PreparedMap) -> Array:
    return _sum_of_minima(prediction, density, min_max_share)


def _sum_of_minima(
    prediction: PreparedMap, density: PreparedMap, of: Callable[[PreparedMap, Array], Array]
) -> Array:
    xp = array_namespace(prediction.row)
    shared = total(
        xp.sum(xp.minimum(of(prediction, values), of(density, human)))
        for values, human in parts(prediction, density)
    )
    return xp.clip(shared, None, 1.0)  # rounding must not leave the range


def _divergence(prediction: PreparedMap, density: PreparedMap) -> Array:
    xp = array_namespace(prediction.row)
    # the density's sum is divided by after the parts are added, the map's within the logarithm
    crossed = total(
        inner(regularised(density, human), xp.log(regularised(prediction, values)))
        for values, human in parts(prediction, density)
    )
    sum_of_map, sum_of_density = (each.once(sum_of_regularised) for each in (prediction, density))
    divergence = density.once(_mean_log_share) + xp.log(sum_of_map) - crossed / sum_of_density
    return xp.clip(divergence, 0.0, None)  # rounding must not leave the range


def _mean_log_share(prepared: PreparedMap) -> Array:
    """Mean over a regularised distribution of its logarithm: its negative entropy."""
    xp, whole = array_namespace(prepared.row), prepared.once(sum_of_regularised)
    values = (regularised(prepared, part) for (part,) in parts(prepared))
    return total(inner(each, xp.log(each)) for each in values) / whole - xp.log(whole)


def _divergence_with_epsilon(prediction: PreparedMap, density: PreparedMap) -> Array:
    xp = array_namespace(prediction.row)

    def divergence_of(predicted: Array, human: Array) -> Array:
        return inner(human, xp.log(EPSILON + human / (predicted + EPSILON)))

    divergence = total(
        divergence_of(share(prediction, values), share(density, human))
        for values, human in parts(prediction, density)
    )
    return xp.clip(divergence, 0.0, None)  # a perfect map is below by 1e-16 a pixel


def _divergence_with_floor(prediction: PreparedMap, density: PreparedMap) -> Array:
    xp = array_namespace(prediction.row)

    def divergence_of(predicted: Array, human: Array) -> Array:
        return inner(human, xp.log(human / predicted))

    return total(
        divergence_of(
            share_with_floor(prediction, values, FLOOR), share_with_floor(density, human, FLOOR)
        )
        for values, human in parts(prediction, density)
    )


SIM = {
    "tuebingen": Definition("density", _shared_mass),
    "mit": Definition("density", _shared_mass_of_scaled),
}
KLD = {
    "tuebingen": Definition("density", _divergence),
    "mit": Definition("density", _divergence_with_epsilon),
    "salicon": Definition("density", _divergence_with_epsilon),
    "cap6415": Definition("density", _divergence_with_floor),
}
