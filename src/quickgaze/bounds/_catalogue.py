"""All bounds, how their maps are made, and which of them stands for people in each metric."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from quickgaze import cams
from quickgaze.bounds._pool import resized
from quickgaze.bounds._trials import BoundInput, Trial
from quickgaze.catalogue import Catalogue
from quickgaze.metrics import Metric, UndefinedError, as_metric
from quickgaze.saliency import saliency_maps

CHANCE = "center_bias"
"""The bound from which the share of the way to people is counted."""


@dataclass(frozen=True)
class Bound:
    """Something that a model's scores are compared with, computed from the data set itself.

    Parameters
    ----------
    name : str
    kind : {"baseline", "ceiling"}
        Whether a model should be above it, or can hardly be.
    trials : callable
        Takes a `BoundInput` and gives trials, over which scores are averaged, or raises
        `UndefinedError`.
    summary : str
    corrected : bool
        Whether scores of metrics with ``spearman_brown`` are corrected for the halved number of
        observers.

    Examples
    --------
    >>> def ramp(given):
    ...     return given.against_everybody(np.ones(given.size).cumsum(axis=1))
    >>> Bound("ramp", "baseline", ramp, "brighter to the right").corrected
    False
    """

    name: str
    kind: Literal["baseline", "ceiling"]
    trials: Callable[[BoundInput], list[Trial]]
    summary: str
    corrected: bool = False


def _uniform(given: BoundInput) -> list[Trial]:
    return given.against_everybody(np.ones(given.size, dtype=np.float32))


def _center(given: BoundInput) -> list[Trial]:
    height, width = given.size
    cam = cams.center(torch.empty(1, 3, 1, 1).expand(1, 3, height, width))
    return given.against_everybody(saliency_maps(cam.projection, given.size, 0.0)[0].numpy())


def _center_bias(given: BoundInput) -> list[Trial]:
    density = given.pool.mean_of_others(given.stimulus, given.size, given.sigma)
    if density is None:
        raise UndefinedError("no other stimulus of the data set has gaze data")
    return given.against_everybody(density)


def _shuffled(given: BoundInput) -> list[Trial]:
    partner = given.pool.partner(given.stimulus, given.seed)
    density = None if partner is None else partner.density(given.sigma)
    if density is None:
        raise UndefinedError("no other stimulus of the data set has gaze data")
    if density.shape != given.size:
        density = resized(density, given.size).astype(np.float32)
    return given.against_everybody(density)


def _one_observer(given: BoundInput) -> list[Trial]:
    return [Trial(pair.one_density, pair.rest_density, pair.rest.points) for pair in given.pairs]


def _gold_standard(given: BoundInput) -> list[Trial]:
    return [Trial(pair.rest_density, pair.one_density, pair.one.points) for pair in given.pairs]


def _split_half(given: BoundInput) -> list[Trial]:
    # an odd observer goes to the second half
    names = given.observers()
    generator = given.generator("halves")
    trials = []
    for _ in range(given.draws):
        first, second = given.parted(generator.permutation(names)[: len(names) // 2])
        trials.append(Trial(given.blurred(first), given.blurred(second), second.points))
    return trials


_OWN = (
    Bound("uniform", "baseline", _uniform, "every place alike"),
    Bound("center", "baseline", _center, "the literature's centre Gaussian"),
    Bound(
        CHANCE,
        "baseline",
        _center_bias,
        "mean density of all other stimuli (cross-validated centre bias)",
    ),
    Bound("shuffled", "baseline", _shuffled, "another stimulus's density"),
    Bound(
        "one_observer", "ceiling", _one_observer, "one observer's density against all others' gaze"
    ),
    Bound(
        "split_half",
        "ceiling",
        _split_half,
        "half of the observers against the other half; correlations corrected (Spearman-Brown)",
        corrected=True,
    ),
    Bound(
        "gold_standard",
        "ceiling",
        _gold_standard,
        "all other observers' density against one observer's gaze",
    ),
)

BOUNDS: Catalogue[Bound] = Catalogue(
    "bound", "quickgaze.bounds", {bound.name: bound for bound in _OWN}
)
"""Bounds by name; installed packages may add to them."""


def people(metric: str | Metric, convention: str) -> str:
    """Name the ceiling that stands for people in a metric.

    Parameters
    ----------
    metric : str or Metric
    convention : str

    Returns
    -------
    str
        ``"gold_standard"`` for metrics that compare with fixations, ``"split_half"`` for those
        that compare with a density.

    Examples
    --------
    >>> people("nss", "tuebingen"), people("cc", "tuebingen")
    ('gold_standard', 'split_half')
    """
    compares = as_metric(metric).compares[convention]
    return "gold_standard" if compares == "fixations" else "split_half"
