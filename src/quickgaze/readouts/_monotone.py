"""A blur, a monotone nonlinearity and a weight of the centre bias, fitted by likelihood.

The log density of a calibrated map is a piecewise linear function of the map plus the weighted log
of the centre bias. In its increments and that weight, the likelihood of gaze is concave: it has one
maximum, which Newton's method finds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize
from scipy.special import logsumexp

Plane = npt.NDArray[np.float64]

_SHARES = (0.0, 0.1, 0.25, 0.4, 0.55, 0.7, 0.8, 0.9, 0.95, 0.98)
"""Shares of the cells above 0 that lie below each knot; 0 and 1 are knots beside these."""

_SMALLEST_STEP = 1e-4
"""Distance below which two knots are one."""

_UNIFORM = 0.005
"""Share of the gaze that is taken to be anywhere, so that nowhere is ruled out by few images."""

_FLOOR = 0.001
"""Share of each density that is the same everywhere, whatever its map is like."""

_RIDGE = 1e-9
_STEPS = 50
_TOLERANCE = 1e-8  # nats


@dataclass(frozen=True, eq=False)
class Monotone:
    """From maps in [0, 1] to log densities.

    `knots` (k + 1,) go from 0 to 1; `rises` (k,), none negative, are what the log density gains
    from each to the next; `centre` (cells,) is the log of the centre bias.
    """

    knots: Plane
    rises: Plane
    centre_weight: float
    centre: Plane

    def log_density(self, maps: Plane) -> Plane:
        """Log of densities whose sum is 1, of maps (n, cells)."""
        steps = np.concatenate([[0.0], self.rises.cumsum()])
        scores = np.interp(maps, self.knots, steps) + self.centre_weight * self.centre
        log_density = scores - logsumexp(scores, axis=1, keepdims=True) + np.log1p(-_FLOOR)
        floored: Plane = np.logaddexp(log_density, np.log(_FLOOR / scores.shape[1]))
        return floored


def find_knots(maps: Plane) -> Plane:
    """Place knots where the values of maps are: closely where many are."""
    above = maps[maps > 0]
    inner = np.quantile(above, _SHARES) if above.size else np.empty(0)
    kept = [0.0]
    for knot in inner:
        if kept[-1] + _SMALLEST_STEP < knot < 1 - _SMALLEST_STEP:
            kept.append(float(knot))
    return np.array([*kept, 1.0])


def fit_monotone(
    maps: Plane, gaze: Plane, centre: Plane, start: Monotone | None = None
) -> Monotone:
    """Fit rises and weight to where people looked: maps and gaze are (n, cells), sums of gaze 1.

    A fit to nearly the same saves steps as `start`; what is found does not depend on it.
    """
    knots = find_knots(maps)
    features = _features(maps, knots, centre)
    somewhere = (1 - _UNIFORM) * gaze + _UNIFORM / gaze.shape[1]
    wanted = (somewhere[:, None] @ features)[:, 0].mean(0)
    weights = np.zeros(features.shape[2])
    weights[-1] = 1.0  # the centre bias itself
    if start is not None and len(start.rises) == len(weights) - 1:
        weights = np.array([*start.rises, start.centre_weight])
    loss, slope, curvature = _likelihood(features, wanted, weights)
    for _ in range(_STEPS):
        target = _smallest_within(weights, slope, curvature)
        step = 1.0
        while True:
            moved = weights + step * (target - weights)
            found = _likelihood(features, wanted, moved)
            if found[0] <= loss or step < _TOLERANCE:
                break
            step /= 2
        gained = loss - found[0]
        if gained > 0:
            weights, (loss, slope, curvature) = moved, found
        if gained < _TOLERANCE:
            break
    return Monotone(knots, weights[:-1], float(weights[-1]), centre)


def _features(maps: Plane, knots: Plane, centre: Plane) -> Plane:
    """How much of each rise a cell has, 0 to 1, and the centre bias, (n, cells, k + 1)."""
    lengths = np.diff(knots)
    features = np.empty((*maps.shape, len(lengths) + 1))
    for rise, (start, length) in enumerate(zip(knots, lengths, strict=False)):
        np.clip((maps - start) / length, 0, 1, out=features[:, :, rise])
    features[:, :, -1] = centre
    return features


def _likelihood(features: Plane, wanted: Plane, weights: Plane) -> tuple[float, Plane, Plane]:
    """Mean negative log-likelihood in nats, its gradient and its second derivatives."""
    scores = features @ weights
    normaliser = logsumexp(scores, axis=1, keepdims=True)
    density = np.exp(scores - normaliser)
    means = (density[:, None] @ features)[:, 0]
    flat = features.reshape(-1, features.shape[2])
    squares = flat.T @ (density.reshape(-1, 1) * flat)
    curvature = (squares - means.T @ means) / len(features)
    loss = float(normaliser.mean() - wanted @ weights)
    return loss, means.mean(0) - wanted, curvature


def _smallest_within(weights: Plane, slope: Plane, curvature: Plane) -> Plane:
    """Minimum over weights that are not negative of the parabola that touches the loss."""
    size = _RIDGE * max(1.0, float(np.trace(curvature)))
    root = np.linalg.cholesky(curvature + size * np.eye(len(weights)))
    aim = root.T @ weights - np.linalg.solve(root, slope)
    found: Plane = optimize.nnls(root.T, aim)[0]
    return found
