"""Many metrics at once for the maps of one stimulus, and the reasons of undefined scores."""

# ruff: noqa: A002 - `map` is the field's name for it, and part of the public interface

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from quickgaze.errors import OptionError
from quickgaze.metrics._arrays import Array, as_array, as_maps
from quickgaze.metrics._catalogue import Metric, as_metric
from quickgaze.metrics._conventions import DEFAULT_CONVENTION, Input, definition_in, require_seed
from quickgaze.metrics._evaluation import outcomes
from quickgaze.metrics._targets import FixationCounts, prepare


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
    names: Iterable[str | Metric],
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

    What metrics share is computed once per map, and once per stimulus for the density.

    Parameters
    ----------
    names : iterable of str or Metric
        Names in `METRICS`, or metrics of your own.
    maps : ndarray, shape (V, H, W)
        Saliency maps of the same stimulus. Fastest as float32.
    density : ndarray, shape (H, W), or None
        Human saliency map, if there is one.
    fixations : ndarray, shape (n, 2), or None
        Columns x and y in pixels, from 0, if there are any; for fractions see `pixel_places`.
    convention : str
        The convention of all scores.
    others : ndarray, shape (m, 2), or FixationCounts, or None
        Fixations of all other images, scaled to this image's size, repeats kept.
    baseline : ndarray, shape (H, W), or None
        Density that is known without the image, such as a centre bias.
    seed : int
        Start of the random numbers of each map, for metrics that draw any.

    Returns
    -------
    Scores
        The same as the metrics' own functions give. NaN, with the reason, for metrics that take
        a density, fixations, `others` or a `baseline` that is None.

    Raises
    ------
    OptionError
        If a metric or the convention is not known, the convention does not define a metric, a
        package is missing, or a shape does not fit. Nothing has been computed.

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
        metric.name: definition_in(convention, metric.definitions, metric.name)
        for metric in map(as_metric, names)
    }
    require_seed(seed)
    size = None if density is None else tuple(as_array(density, "density").shape)
    batch = as_maps(maps, size)
    if batch.ndim != 3 or batch.shape[0] == 0:
        raise OptionError(
            f"score takes at least one map, as (V, H, W); got shape {tuple(batch.shape)}"
        )
    given: dict[Input, Any] = {
        "density": density,
        "fixations": fixations,
        "others": others,
        "baseline": baseline,
    }
    wanted = {"density", "fixations", *(each.beside for each in definitions.values())}
    there = {name: value for name, value in given.items() if name in wanted and value is not None}
    inputs = prepare(batch[0, ...], there, convention, "score")
    found = outcomes(definitions, batch, inputs, seed)
    return Scores(
        {name: np.array([float(value) for value, _ in found[name]]) for name in found},
        {name: tuple(reason for _, reason in found[name]) for name in found},
    )


def undefined_reason(
    name: str | Metric,
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
    name : str or Metric
        A name in `METRICS`, or a metric of your own.
    map : Array, shape (H, W)
    target : Array, shape (H, W) or (n, 2)
        The density or the fixations that the metric compares it with.
    convention, others, baseline, seed
        As for `score`.

    Returns
    -------
    str or None
        A sentence where the metric's function gives NaN, None where it gives a score.

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
    metric = as_metric(name)
    compares = definition_in(convention, metric.definitions, metric.name).compares
    density, fixations = (target, None) if compares == "density" else (None, target)
    given: dict[str, Any] = {"others": others, "baseline": baseline, "seed": seed}
    scores = score([metric], array[None, ...], density, fixations, convention, **given)
    return scores.reasons[metric.name][0]
