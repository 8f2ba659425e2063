"""A saliency map and the human density compared as probability distributions over pixels."""

# ruff: noqa: A002 - `map` is the field's name for it, and part of the public interface

from __future__ import annotations

from array_api_compat import array_namespace

from quickgaze.metrics.arrays import Array
from quickgaze.metrics.conventions import DEFAULT_CONVENTION, Definition
from quickgaze.metrics.evaluation import evaluate
from quickgaze.metrics.prepared import PreparedMap, min_max, not_negative

REGULARISATION = 1e-20
"""Added to each pixel by `kld` in the convention ``"tuebingen"``, so that none is 0."""

FLOOR = 1e-8
"""Added to the sum, and smallest share of a pixel, in `kld` in the convention ``"cap6415"``."""


def sim(map: Array, density: Array, convention: str = DEFAULT_CONVENTION) -> Array:
    """Similarity: how much of the map's and the human distribution lies on the same pixels.

    Each is divided by its sum, after its minimum is subtracted if that is negative. The score is
    the sum over pixels of the smaller of the two, also known as histogram intersection.

    Parameters
    ----------
    map : Array, shape (H, W) or (B, H, W)
        Saliency map, or a batch of them; any scale. One that is 0 everywhere counts as uniform.
    density : Array, shape (H, W) or (B, H, W)
        Human saliency map: one for all maps, or one for each.
    convention : {"tuebingen"}
        The only convention that defines it.

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
    convention : {"tuebingen", "cap6415"}
        ``"tuebingen"``: the minimum is subtracted if it is negative, 1e-20 is added, and each is
        divided by its sum. ``"cap6415"``: each is min-max scaled, divided by its sum + 1e-8,
        and at least 1e-8 everywhere.

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
    A map that is 0 where people looked scores very high, up to about 50, whatever it does
    elsewhere. In ``"cap6415"`` the floor leaves sums a little above 1, so that a score may
    fall below 0 by up to 1e-8 per pixel.

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
    xp = array_namespace(prediction.values)
    shared = xp.sum(xp.minimum(prediction.once(_distribution), density.once(_distribution)))
    return xp.clip(shared, None, 1.0)  # rounding must not leave the range


def _divergence(prediction: PreparedMap, density: PreparedMap) -> Array:
    xp = array_namespace(prediction.values)
    excess = density.once(_log_distribution) - prediction.once(_log_distribution)
    divergence = xp.sum(density.once(_regularised_distribution) * excess)
    return xp.clip(divergence, 0.0, None)  # rounding must not leave the range


def _divergence_with_floor(prediction: PreparedMap, density: PreparedMap) -> Array:
    xp = array_namespace(prediction.values)
    human = density.once(_distribution_with_floor)
    return xp.sum(human * xp.log(human / prediction.once(_distribution_with_floor)))


def _distribution(prepared: PreparedMap) -> Array:
    """Divide a map by its sum; one that is 0 everywhere becomes uniform."""
    xp = array_namespace(prepared.values)
    if prepared.constant:
        return xp.full_like(prepared.values, 1.0 / prepared.values.shape[0])
    positive = not_negative(prepared)
    shares = positive / xp.max(positive)  # the sum of very large values would overflow
    return shares / xp.sum(shares)


def _regularised_distribution(prepared: PreparedMap) -> Array:
    return array_namespace(prepared.values).exp(prepared.once(_log_distribution))


def _log_distribution(prepared: PreparedMap) -> Array:
    """Logarithm of a map that is divided by its sum, 1e-20 added to each pixel."""
    xp = array_namespace(prepared.values)
    regularised = not_negative(prepared) + REGULARISATION
    return xp.log(regularised) - xp.log(xp.sum(regularised))


def _distribution_with_floor(prepared: PreparedMap) -> Array:
    xp = array_namespace(prepared.values)
    scaled = prepared.once(min_max)
    return xp.clip(scaled / (xp.sum(scaled) + FLOOR), FLOOR, None)


SIM = {"tuebingen": Definition("density", _shared_mass)}
KLD = {
    "tuebingen": Definition("density", _divergence),
    "cap6415": Definition("density", _divergence_with_floor),
}
