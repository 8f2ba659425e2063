"""The scores of bounds for one stimulus."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from quickgaze.bounds.ceilings import spearman_brown
from quickgaze.bounds.entries import BOUNDS, CORRELATIONS
from quickgaze.bounds.trials import BoundInput, Trial
from quickgaze.errors import QuickgazeError
from quickgaze.metrics import FixationCounts, Scores, UndefinedError, score
from quickgaze.stimuli.types import Density


@dataclass(frozen=True)
class BoundScores:
    """Scores of one bound for one stimulus.

    Parameters
    ----------
    values : dict of str to float
        By metric; the mean over the trials with a defined score, NaN if there is none.
    reasons : dict of str to (str or None)
        Why a score is NaN.
    trials : int
        How many maps were scored.
    """

    values: dict[str, float]
    reasons: dict[str, str | None]
    trials: int


@dataclass(frozen=True, eq=False)
class Beside:
    """What some metrics need beside the gaze on the stimulus.

    Parameters
    ----------
    others : FixationCounts or None
        Fixations on all other stimuli, in the pixels of this one.
    baseline : ndarray, shape (H, W), float32, or None
        Mean density of all other stimuli.
    """

    others: FixationCounts | None = None
    baseline: Density | None = None


def score_bound(
    name: str, given: BoundInput, metrics: Iterable[str], convention: str, beside: Beside
) -> BoundScores:
    """Score a bound for one stimulus.

    Parameters
    ----------
    name : str
        Of `BOUNDS`.
    given : BoundInput
        The gaze.
    metrics : iterable of str
    convention : str
        That the metrics are computed in.
    beside : Beside
        What some metrics need besides.

    Returns
    -------
    BoundScores
    """
    names = tuple(metrics)
    bound = BOUNDS[name]
    try:
        trials = bound.trials(given)
    except (UndefinedError, QuickgazeError) as why:
        return BoundScores(dict.fromkeys(names, math.nan), dict.fromkeys(names, str(why)), 0)
    found = [_score(trial, names, convention, beside, given.seed) for trial in trials]
    values, reasons = {}, {}
    for metric in names:
        values[metric], reasons[metric] = _mean(found, metric)
        if bound.corrected and metric in CORRELATIONS:
            values[metric] = spearman_brown(values[metric])
    return BoundScores(values, reasons, len(trials))


def _score(
    trial: Trial, metrics: tuple[str, ...], convention: str, beside: Beside, seed: int
) -> Scores:
    maps = np.asarray(trial.map)[None]
    return score(
        metrics,
        maps,
        trial.density,
        trial.fixations,
        convention,
        others=beside.others,
        baseline=beside.baseline,
        seed=seed,
    )


def _mean(found: list[Scores], metric: str) -> tuple[float, str | None]:
    """Average the defined scores of a metric, or say why there is none."""
    values = [float(scores.values[metric][0]) for scores in found]
    defined = [value for value in values if not math.isnan(value)]
    if defined:
        return fmean(defined), None
    return math.nan, found[0].reasons[metric][0]
