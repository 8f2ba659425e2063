"""Many metrics at once for the maps of one stimulus, and the reasons of undefined scores."""

# ruff: noqa: A002 - `map` is the field's name for it, and part of the public interface

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quickgaze.errors import OptionError
from quickgaze.metrics.arrays import Array, as_maps
from quickgaze.metrics.catalogue import METRICS
from quickgaze.metrics.conventions import (
    DEFAULT_CONVENTION,
    Definition,
    Need,
    definition_in,
    require_seed,
)
from quickgaze.metrics.evaluation import Outcome, needs, outcomes, settle
from quickgaze.metrics.other_fixations import FixationCounts
from quickgaze.metrics.prepared import PreparedMap
from quickgaze.metrics.targets import Target, densities, fixated_pixels


@dataclass(frozen=True, eq=False)
class Scores:
    """Scores of the maps of one stimulus.

    Parameters
    ----------
    values : dict of str to ndarray, shape (V,), float64
        One score per map, by metric; NaN where the metric is undefined.
    reasons : dict of str to tuple of (str or None), length V
        Why a score is NaN, by metric; None where it is not.

    Examples
    --------
    >>> map_, fixations = np.eye(4), np.array([[9, 0]])
    >>> scores = score(["nss"], map_[None], None, fixations)
    >>> scores.values["nss"], scores.reasons["nss"]
    (array([nan]), ('no fixation lies inside the image (1 outside)',))
    """

    values: dict[str, npt.NDArray[np.float64]]
    reasons: dict[str, tuple[str | None, ...]]


def score(
    names: Iterable[str],
    maps: Array,
    density: Array | None,
    fixations: Array | None,
    convention: str = DEFAULT_CONVENTION,
    *,
    others: Array | FixationCounts | None = None,
    baseline: Array | None = None,
    seed: int = 0,
) -> Scores:
    """Score the maps of one stimulus with several metrics.

    What metrics share is computed once per map, and once per stimulus for the human side.

    Parameters
    ----------
    names : iterable of str
        Metrics, by their names in `METRICS`.
    maps : ndarray, shape (V, H, W)
        Saliency maps of the same stimulus. Fastest as float32.
    density : ndarray, shape (H, W), or None
        Human saliency map, if there is one.
    fixations : ndarray, shape (n, 2), or None
        Columns x and y in pixels, from 0, if there are any.
    convention : str
        The convention of all scores.
    others : ndarray, shape (m, 2), or FixationCounts, or None
        Fixations of all other images, scaled to this image's size, repeats kept; for
        `auc_shuffled`.
    baseline : ndarray, shape (H, W), or None
        Density that is known without the image, such as a centre bias; for `information_gain`.
    seed : int
        Start of the random numbers of each map, for metrics that draw any.

    Returns
    -------
    Scores
        The same as the metrics' own functions give. NaN, with the reason, for metrics that
        compare with a density or fixations that are None, or that need `others` or a `baseline`
        that is None.

    Raises
    ------
    UnknownNameError
        If there is no such metric or convention.
    OptionError
        If the convention does not define a metric, a package that it needs is missing, or a
        shape does not fit. Nothing has been computed.

    Examples
    --------
    >>> import numpy as np
    >>> density = np.arange(12.0).reshape(3, 4)
    >>> maps = np.stack([density, -density])
    >>> scores = score(["cc", "nss"], maps, density, None)
    >>> scores.values["cc"].round(6), scores.reasons["nss"][0]
    (array([ 1., -1.]), 'the stimulus has no fixations')
    """
    definitions = {
        name: definition_in(convention, METRICS[name].definitions, name) for name in names
    }
    require_seed(seed)
    batch = as_maps(maps)
    if batch.ndim != 3 or batch.shape[0] == 0:
        raise OptionError(
            f"score takes at least one map, as (V, H, W); got shape {tuple(batch.shape)}"
        )
    targets = _targets(batch, density, fixations)
    given = {"others": others, "baseline": baseline}
    needed = {need: _needed(batch, need, given[need]) for need in _all_needs(definitions)}
    found: dict[str, list[Outcome]] = {name: [] for name in definitions}
    for i in range(batch.shape[0]):
        prepared = PreparedMap.of(batch[i, ...], "map")
        for name, definition in definitions.items():
            target = targets.get(definition.compares)
            if target is None:
                outcome = Outcome(None, f"the stimulus has no {definition.compares}")
            else:
                beside = needed.get(definition.beside) if definition.beside else None
                outcome = settle(definition, prepared, target, beside, seed)
            found[name].append(outcome)
    return Scores(
        {name: np.asarray([_number(each) for each in found[name]], np.float64) for name in found},
        {name: tuple(each.reason for each in found[name]) for name in found},
    )


def undefined_reason(
    name: str,
    map: Array,
    target: Array,
    convention: str = DEFAULT_CONVENTION,
    *,
    others: Array | FixationCounts | None = None,
    baseline: Array | None = None,
    seed: int = 0,
) -> str | None:
    """Say why a metric is undefined for a map.

    Parameters
    ----------
    name : str
        A metric, by its name in `METRICS`.
    map : Array, shape (H, W)
        Saliency map.
    target : Array, shape (H, W) or (n, 2)
        The density or the fixations that the metric compares it with.
    convention : str
        The convention of the score.
    others, baseline, seed
        As for `score`.

    Returns
    -------
    str or None
        A sentence where the metric's function gives NaN, None where it gives a score.

    Raises
    ------
    UnknownNameError
        If there is no such metric or convention.
    OptionError
        If the convention does not define the metric, or a shape does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> undefined_reason("nss", np.eye(4), np.array([[9, 0]]))
    'no fixation lies inside the image (1 outside)'
    >>> undefined_reason("nss", np.eye(4), np.array([[3, 0]]))
    """
    array = as_maps(map)
    if array.ndim != 2:
        raise OptionError(f"undefined_reason takes one map (H, W); got shape {tuple(array.shape)}")
    definitions = METRICS[name].definitions
    need = definition_in(convention, definitions, name).beside
    beside = {"others": others, "baseline": baseline, None: None}[need]
    return outcomes(name, definitions, convention, array, target, beside, seed)[0].reason


def _targets(maps: Array, density: Array | None, fixations: Array | None) -> dict[str, Target]:
    """Prepare what there is to compare with."""
    first = maps[0, ...]
    targets: dict[str, Target] = {}
    if density is not None:
        targets["density"] = next(densities(first, density, "score compares with"))
    if fixations is not None:
        targets["fixations"] = next(fixated_pixels(first, fixations, "score compares with"))
    return targets


def _all_needs(definitions: dict[str, Definition]) -> set[Need]:
    return {each.beside for each in definitions.values() if each.beside is not None}


def _needed(maps: Array, need: Need, given: Array | FixationCounts | None) -> Target | None:
    return next(needs(maps[0, ...], need, given, "score needs"))


def _number(outcome: Outcome) -> float:
    return float("nan") if outcome.value is None else float(outcome.value)
