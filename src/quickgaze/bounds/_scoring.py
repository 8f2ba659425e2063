"""The scores of bounds for one stimulus."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from quickgaze.bounds._catalogue import BOUNDS
from quickgaze.bounds._trials import BoundInput
from quickgaze.errors import QuickgazeError
from quickgaze.metrics import FixationCounts, Metric, Scores, UndefinedError, as_metric, score
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
        Number of maps.

    Examples
    --------
    >>> BoundScores({"cc": 0.5}, {"cc": None}, trials=10).values["cc"]
    0.5
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

    Examples
    --------
    >>> Beside(baseline=np.ones((3, 4), np.float32)).baseline.shape
    (3, 4)
    """

    others: FixationCounts | None = None
    baseline: Density | None = None


def score_bound(
    name: str,
    given: BoundInput,
    metrics: Iterable[str | Metric],
    convention: str,
    beside: Beside,
) -> BoundScores:
    """Score a bound for one stimulus.

    Parameters
    ----------
    name : str
        Of `BOUNDS`.
    given : BoundInput
    metrics : iterable of str or Metric
    convention : str
    beside : Beside

    Returns
    -------
    BoundScores

    Raises
    ------
    OptionError
        If a name is not known, the convention does not define a metric, or a package is missing.

    Examples
    --------
    >>> from quickgaze.bounds import GazePool
    >>> density = np.eye(3, 4, dtype=np.float32)
    >>> given = BoundInput("a", (3, 4), density, None, GazePool.read([]), sigma=1, draws=9, seed=0)
    >>> score_bound("uniform", given, ["cc"], "tuebingen", Beside())
    BoundScores(values={'cc': 0.0}, reasons={'cc': None}, trials=1)
    """
    chosen = {metric.name: metric for metric in map(as_metric, metrics)}
    bound = BOUNDS[name]
    try:
        trials = bound.trials(given)
    except (UndefinedError, QuickgazeError) as why:
        return BoundScores(dict.fromkeys(chosen, math.nan), dict.fromkeys(chosen, str(why)), 0)
    found = [
        score(
            chosen.values(),
            np.asarray(trial.map)[None],
            trial.density,
            trial.fixations,
            convention,
            others=beside.others,
            baseline=beside.baseline,
            seed=given.seed,
        )
        for trial in trials
    ]
    values, reasons = {}, {}
    for label, metric in chosen.items():
        values[label], reasons[label] = _mean(found, label)
        if bound.corrected and metric.spearman_brown:
            values[label] = spearman_brown(values[label])
    return BoundScores(values, reasons, len(trials))


def spearman_brown(correlation: float) -> float:
    """Estimate the correlation of whole groups from that of their halves.

    Parameters
    ----------
    correlation : float
        Of two halves, in [-1, 1].

    Returns
    -------
    float
        ``2 r / (1 + r)``; `correlation` itself where it is not above 0, since halves that do
        not agree say nothing of the whole (Spearman 1910, British Journal of Psychology 3(3)).

    Examples
    --------
    >>> spearman_brown(0.5), spearman_brown(-0.5)
    (0.6666666666666666, -0.5)
    """
    return 2 * correlation / (1 + correlation) if correlation > 0 else correlation


def _mean(found: list[Scores], metric: str) -> tuple[float, str | None]:
    """Average the defined scores of a metric, or say why there is none."""
    values = [float(scores.values[metric][0]) for scores in found]
    defined = [value for value in values if not math.isnan(value)]
    if defined:
        return fmean(defined), None
    return math.nan, found[0].reasons[metric][0]
