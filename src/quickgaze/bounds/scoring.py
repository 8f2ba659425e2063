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
    >>> import quickgaze as qg
    >>> from quickgaze.bounds import GazePool
    >>> displays = qg.load_dataset("popout", n=3, size=(120, 160))
    >>> pool, own = GazePool.read(displays), displays[0].id
    >>> beside = Beside(baseline=pool.mean_of_others(own, (120, 160), sigma=9.0))
    >>> beside.baseline.shape, beside.others
    ((120, 160), None)
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

    Raises
    ------
    UnknownNameError
        If there is no such bound, metric or convention.
    OptionError
        If the convention does not define a metric, or a package that it needs is missing.

    Examples
    --------
    >>> import quickgaze as qg
    >>> from quickgaze.bounds import GazePool
    >>> displays = qg.load_dataset("popout", n=3, size=(120, 160))
    >>> first, size = displays[0], (120, 160)
    >>> given = BoundInput(
    ...     first.id,
    ...     size,
    ...     first.density(9.0),
    ...     first.fixations,
    ...     GazePool.read(displays),
    ...     sigma=9.0,
    ...     draws=10,
    ...     seed=0,
    ... )
    >>> score_bound("uniform", given, ["nss"], "tuebingen", Beside())
    BoundScores(values={'nss': 0.0}, reasons={'nss': None}, trials=1)
    >>> score_bound("split_half", given, ["cc"], "tuebingen", Beside()).reasons["cc"][:30]
    'the stimulus has 1 observer; p'
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
