"""The catalogue of bounds, and which of them stands for people in each metric."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from quickgaze.bounds import baselines, ceilings
from quickgaze.bounds.trials import BoundInput, Trial
from quickgaze.catalogue import Catalogue
from quickgaze.metrics import METRICS

CORRELATIONS = ("cc", "spearman")
"""Metrics that the Spearman-Brown correction is made for."""

CHANCE = "center_bias"
"""The bound from which the share of the way to people is counted."""


@dataclass(frozen=True)
class Bound:
    """Something that a model's scores are held against, computed from the data set itself.

    Parameters
    ----------
    name : str
    kind : {"baseline", "ceiling"}
        Whether a model should be above it, or can hardly be.
    trials : callable
        Takes a `BoundInput`, gives the maps and what each is scored against; the score is the
        mean over them. Raises `UndefinedError` where there is none.
    summary : str
        What it is, in one line.
    corrected : bool
        Whether correlations are corrected for the halved number of observers.

    Examples
    --------
    >>> import numpy as np
    >>> def corner(given):
    ...     map_ = np.zeros(given.size)
    ...     map_[0, 0] = 1
    ...     return given.against_everybody(map_)
    >>> Bound("corner", "baseline", corner, "the upper left corner").corrected
    False
    >>> BOUNDS["split_half"].kind, BOUNDS["split_half"].corrected
    ('ceiling', True)
    """

    name: str
    kind: Literal["baseline", "ceiling"]
    trials: Callable[[BoundInput], list[Trial]]
    summary: str
    corrected: bool = False


BOUNDS: Catalogue[Bound] = Catalogue(
    "bound",
    "quickgaze.bounds",
    {
        bound.name: bound
        for bound in (
            Bound("uniform", "baseline", baselines.uniform, "every place alike"),
            Bound("center", "baseline", baselines.center, "the literature's centre Gaussian"),
            Bound(
                "center_bias",
                "baseline",
                baselines.center_bias,
                "mean density of all other stimuli (cross-validated centre bias)",
            ),
            Bound("shuffled", "baseline", baselines.shuffled, "another stimulus's density"),
            Bound(
                "one_observer",
                "ceiling",
                ceilings.one_observer,
                "one observer's density against all others' gaze",
            ),
            Bound(
                "split_half",
                "ceiling",
                ceilings.split_half,
                "half of the observers against the other half; correlations corrected "
                "(Spearman-Brown)",
                corrected=True,
            ),
            Bound(
                "gold_standard",
                "ceiling",
                ceilings.gold_standard,
                "all other observers' density against one observer's gaze",
            ),
        )
    },
)
"""Bounds by name; installed packages may add to them."""


def people(metric: str, convention: str) -> str:
    """Name the ceiling that stands for people in a metric.

    Parameters
    ----------
    metric, convention : str

    Returns
    -------
    str
        ``"gold_standard"`` for metrics that compare with fixations: their mean over all
        fixations is what a model is scored by too. ``"split_half"`` for those that compare
        with a density.

    Examples
    --------
    >>> people("nss", "tuebingen"), people("cc", "tuebingen")
    ('gold_standard', 'split_half')
    """
    compares = METRICS[metric].compares[convention]
    return "gold_standard" if compares == "fixations" else "split_half"
