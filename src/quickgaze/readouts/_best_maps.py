"""The map that a density predicts to score best in a metric."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from quickgaze.errors import OptionError
from quickgaze.metrics import METRICS
from quickgaze.resampling import blurred_plane

Plane = npt.NDArray[np.float64]


def best_map(
    density: npt.ArrayLike,
    metric: str,
    *,
    sigma: float = 19.0,
    centre_bias: npt.ArrayLike | None = None,
) -> Plane:
    """Turn a density into the saliency map that scores best in a metric, if the density is right.

    Metrics ask for different maps [1]_: a model that predicts where people look with one density
    is judged fairly by each if it gives each its own.

    Parameters
    ----------
    density : ndarray, shape (H, W)
        How likely a fixation is at each pixel; of any scale, never negative.
    metric : str
        ``"auc"``, ``"auc_judd"``, ``"auc_borji"``, ``"nss"`` and ``"information_gain"`` take the
        density itself; ``"auc_shuffled"`` the density divided by the centre bias; ``"kld"``,
        ``"cc"`` and ``"sim"`` the density blurred as fixations are. That is the best map for KLD,
        nearly so for CC, and no more than a good one for SIM.
    sigma : float
        Standard deviation in pixels that the data set's fixations are blurred with.
    centre_bias : ndarray, shape (H, W), optional
        Where people look in other images; ``"auc_shuffled"`` needs it.

    Returns
    -------
    ndarray, shape (H, W), float64
        With a sum of 1.

    Raises
    ------
    UnknownNameError
        If there is no such metric.
    OptionError
        If no best map is known for it, if the density is no density, or the centre bias is
        missing, 0 somewhere or of another size.

    References
    ----------
    .. [1] M. Kümmerer, T. S. A. Wallis, M. Bethge, "Saliency benchmarking made easy: separating
       models, maps and metrics", ECCV 2018.

    Examples
    --------
    >>> density = np.array([[0.0, 1.0], [1.0, 2.0]])
    >>> best_map(density, "auc")
    array([[0.  , 0.25],
           [0.25, 0.5 ]])
    >>> best_map(density, "auc_shuffled", centre_bias=np.array([[1, 1], [1, 4]]))
    array([[0. , 0.4],
           [0.4, 0.2]])
    """
    plane = _plane(density, "density")
    if METRICS[metric].name not in _BEST:
        raise OptionError(
            f"no best map is known for the metric {metric!r}, only for: {', '.join(_BEST)}"
        )
    if metric == "auc_shuffled":
        if centre_bias is None:
            raise OptionError("the best map for 'auc_shuffled' needs the centre_bias; give it")
        beside = _plane(centre_bias, "centre bias")
        if beside.shape != plane.shape or not (beside > 0).all():
            raise OptionError(
                f"the centre bias must be above 0 everywhere and of the density's shape "
                f"{plane.shape}; its smallest value is {beside.min():g}, its shape {beside.shape}"
            )
        made = plane / beside
    else:
        made = _BEST[metric](plane, sigma)
    best: Plane = made / made.sum()
    return best


def _plane(given: npt.ArrayLike, what: str) -> Plane:
    plane = np.array(given, dtype=np.float64)
    if plane.ndim != 2 or not (np.isfinite(plane).all() and (plane >= 0).all() and plane.any()):
        raise OptionError(
            f"the {what} must have shape (H, W), be finite, nowhere negative and somewhere above "
            f"0; got shape {plane.shape}"
        )
    plane /= plane.sum()
    return plane


def _itself(density: Plane, _: float) -> Plane:
    return density


_BEST: Mapping[str, Callable[[Plane, float], Plane]] = {
    **dict.fromkeys(("information_gain", "auc", "auc_judd", "auc_borji", "nss"), _itself),
    "auc_shuffled": _itself,
    **dict.fromkeys(("kld", "cc", "sim"), blurred_plane),
}
"""What is made of the density; for ``"auc_shuffled"``, before the centre bias is divided by."""
