"""A saliency map and the human density compared as probability distributions over pixels."""

# ruff: noqa: A002 - `map` is the field's name for it, and part of the public interface

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import ceil
from types import ModuleType

import numpy as np
import numpy.typing as npt

from quickgaze.errors import require
from quickgaze.metrics._arrays import Array, dot, numbers_beside, on_host
from quickgaze.metrics._conventions import DEFAULT_CONVENTION, Definition, UndefinedError
from quickgaze.metrics._evaluation import evaluate
from quickgaze.metrics._prepared import PreparedMap
from quickgaze.metrics._scaling import (
    Scaling,
    min_max_share,
    regularised,
    scaled,
    share,
    sum_of_regularised,
    sum_of_scaled,
    total_of,
    values_at,
)

EPSILON = 2.2204e-16
"""Added to shares and to their quotients by `kld` in the convention ``"mit"``."""

FLOOR = 1e-8
"""Added to the sum, and smallest share of a pixel, in `kld` in the convention ``"cap6415"``."""

CELL = 32
"""Side in pixels of the cells that `emd` reduces maps to."""

MAXIMUM_STEPS = 10_000_000
"""Steps of the network simplex of `emd`; a photograph of 480 x 640 pixels takes some thousands."""


def sim(map: Array, density: Array, convention: str = DEFAULT_CONVENTION) -> Array:
    """Similarity: how much of the map's and the human distribution lies on the same pixels.

    Each is divided by its sum; the score is the sum over pixels of the smaller of the two.

    Parameters
    ----------
    map, density : Array, shape (H, W) or (B, H, W)
        Saliency maps, of any scale, a constant one being uniform, and the human saliency map: one
        for all or each.
    convention : {"tuebingen", "mit"}
        ``"tuebingen"``: before the division, the minimum is subtracted if it is negative.
        ``"mit"``: both are min-max scaled, so that the minimum is always subtracted.

    Returns
    -------
    float, or Array of shape () or (B,)
        In [0, 1], higher is better; no unit. NaN if the density is constant, or if either holds
        NaN or infinity.

    Notes
    -----
    The score of a torch map has a gradient, which is 0 for a constant map.

    References
    ----------
    .. [1] Judd, Durand & Torralba 2012, MIT-CSAIL-TR-2012-001.

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
    map, density : Array, shape (H, W) or (B, H, W)
        Saliency maps, and the human saliency map: one for all, or one for each.
    convention : {"tuebingen", "mit", "salicon", "cap6415"}
        ``"tuebingen"``: the minimum is subtracted if it is negative, 1e-20 is added, and each is
        divided by its sum. ``"mit"`` and ``"salicon"``: each is divided by its sum, the minimum
        subtracted if it is negative; with g for the density's pixels, p for the map's and e for
        2.2204e-16, the score is the sum of ``g * log(e + g / (p + e))``. ``"cap6415"``: each is
        min-max scaled, divided by its sum + 1e-8, and at least 1e-8 everywhere.

    Returns
    -------
    float, or Array of shape () or (B,)
        In nats, from 0, lower is better. NaN if the density is constant, or if either holds
        NaN or infinity.

    Notes
    -----
    A map that is 0 where people looked scores very high, up to about 50 (36 in ``"mit"``),
    whatever it does elsewhere, and in ``"tuebingen"`` its gradient there is as large as 1e20:
    add a small number to a map before you train it with this score. Gradients are finite. In
    ``"cap6415"``, a score may fall below 0 by up to 1e-8 per pixel.

    References
    ----------
    .. [1] Kullback & Leibler 1951, Annals of Mathematical Statistics 22(1).

    Examples
    --------
    >>> import numpy as np
    >>> round(kld(np.array([[1.0, 3.0]]), np.array([[3.0, 1.0]])), 6)  # log(3) / 2
    0.549306
    """
    return evaluate("kld", KLD, convention, map, density)


def emd(map: Array, density: Array, convention: str = "mit") -> Array:
    """Earth mover's distance: the least work that turns the map's mass into the density's.

    Parameters
    ----------
    map, density : Array, shape (H, W) or (B, H, W)
        Saliency maps, of any scale, a constant one being uniform, and the human saliency map: one
        for all or each.
    convention : {"mit"}
        The only convention that defines it.

    Returns
    -------
    float, or Array of shape () or (B,)
        In cells of 32 pixels, from 0, lower is better; without a gradient. NaN if the image has
        fewer than two cells, if the density is constant, or if either holds NaN or infinity.

    Notes
    -----
    Each map is divided by its sum, after its minimum is subtracted if that is negative. Its
    pixels are added up in ``ceil(H / 32)`` by ``ceil(W / 32)`` cells of equal size; a pixel on the
    border of two cells is divided between them. The score is the exact minimum of mass times
    Euclidean distance in this grid. The MATLAB code reduces maps with bicubic interpolation, so
    that its scores differ a little. An image of 480 x 640 pixels takes some 10 ms, one of
    1080 x 1920 a second.

    References
    ----------
    .. [1] Rubner, Tomasi & Guibas 2000, International Journal of Computer Vision 40(2).

    Examples
    --------
    >>> import numpy as np
    >>> density = np.zeros((64, 96))
    >>> density[10, 10] = 1
    >>> round(emd(np.roll(density, 64, axis=1), density), 6)
    2.0
    """
    return evaluate("emd", EMD, convention, map, density)


def _shared_mass(prediction: PreparedMap, density: PreparedMap) -> Array:
    return _sum_of_minima(share, prediction, density)


def _shared_mass_of_scaled(prediction: PreparedMap, density: PreparedMap) -> Array:
    return _sum_of_minima(min_max_share, prediction, density)


def _sum_of_minima(
    how: Callable[[PreparedMap], Scaling], prediction: PreparedMap, density: PreparedMap
) -> Array:
    xp = prediction.xp
    shared = total_of(lambda a, b: xp.sum(xp.minimum(a, b)), how, prediction, density)
    return xp.clip(shared, None, 1.0)  # rounding must not leave the range


def _divergence(prediction: PreparedMap, density: PreparedMap) -> Array:
    xp = prediction.xp
    # the density's sum is divided by after the parts are added, the map's within the logarithm
    crossed = total_of(lambda p, g: dot(xp)(g, xp.log(p)), regularised, prediction, density)
    sum_of_map, sum_of_density = (each.once(sum_of_regularised) for each in (prediction, density))
    divergence = density.once(_mean_log_share) + xp.log(sum_of_map) - crossed / sum_of_density
    return xp.clip(divergence, 0.0, None)  # rounding must not leave the range


def _mean_log_share(prepared: PreparedMap) -> Array:
    """Mean over a regularised distribution of its logarithm: its negative entropy."""
    xp, whole = prepared.xp, prepared.once(sum_of_regularised)
    weighted = total_of(lambda g: dot(xp)(g, xp.log(g)), regularised, prepared)
    return weighted / whole - xp.log(whole)


def _divergence_with_epsilon(prediction: PreparedMap, density: PreparedMap) -> Array:
    xp = prediction.xp

    def compare(p: Array, g: Array) -> Array:
        return dot(xp)(g, xp.log(EPSILON + g / (p + EPSILON)))

    divergence = total_of(compare, share, prediction, density)
    return xp.clip(divergence, 0.0, None)  # a perfect map is below by 1e-16 a pixel


def _divergence_with_floor(prediction: PreparedMap, density: PreparedMap) -> Array:
    xp = prediction.xp

    def compare(p: Array, g: Array) -> Array:
        p, g = xp.clip(p, FLOOR, None), xp.clip(g, FLOOR, None)
        return dot(xp)(g, xp.log(g / p))

    return total_of(compare, _share_beside_floor, prediction, density)


def _share_beside_floor(prepared: PreparedMap) -> Scaling:
    plain = scaled(prepared)
    return replace(plain, divide=(*plain.divide, prepared.once(sum_of_scaled) + FLOOR))


def _require_pot() -> ModuleType:
    return require("ot", "emd", "emd")


def _least_work(prediction: PreparedMap, density: PreparedMap) -> Array:
    height, width = (ceil(side / CELL) for side in prediction.size)
    if height * width < 2:
        raise UndefinedError(
            f"an image of {prediction.size[0]} x {prediction.size[1]} pixels has one cell of "
            f"{CELL} x {CELL}, in which nothing can be moved"
        )
    source, destination = prediction.once(_cells), density.once(_cells)
    # cells without mass neither give nor take any
    given, taken = source > 0, destination > 0
    distances = _distances(height, width)[np.ix_(given, taken)]
    work, log = _require_pot().emd2(
        source[given], destination[taken], distances, numItermax=MAXIMUM_STEPS, log=True
    )
    if log["warning"] is not None:
        raise UndefinedError(f"the optimal transport was not found: {log['warning']}")
    return numbers_beside(prediction.row, np.asarray(float(work)))


def _cells(prepared: PreparedMap) -> npt.NDArray[np.float64]:
    """Mass in each cell, (number of cells,), with a sum of 1."""
    height, width = prepared.size
    shares = on_host(values_at(prepared, share(prepared)))
    mass: npt.NDArray[np.float64] = shares.reshape(height, width).astype(np.float64, copy=False)
    return (_overlaps(height) @ mass @ _overlaps(width).T).ravel()


def _overlaps(side: int) -> npt.NDArray[np.float64]:
    """Share of each pixel of a row that lies in each cell, (cells, side)."""
    number = ceil(side / CELL)
    borders = np.arange(number + 1)[:, None] * (side / number)
    pixels = np.arange(side)
    shared = np.minimum(borders[1:], pixels + 1) - np.maximum(borders[:-1], pixels)
    overlaps: npt.NDArray[np.float64] = np.clip(shared, 0, None)
    return overlaps


def _distances(height: int, width: int) -> npt.NDArray[np.float64]:
    """Euclidean distance of each cell from each, (cells, cells), in cells."""
    rows, columns = np.indices((height, width))
    places = (rows + 1j * columns).ravel()
    apart: npt.NDArray[np.float64] = np.abs(np.subtract.outer(places, places))
    return apart


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
EMD = {"mit": Definition("density", _least_work, library=_require_pot)}
