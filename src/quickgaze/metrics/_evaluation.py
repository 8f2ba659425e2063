"""From a user's arrays to one score per map, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from array_api_compat import array_namespace, device, is_numpy_array

from quickgaze.metrics._arrays import Array, as_maps, numbers_beside, scoring_dtype
from quickgaze.metrics._conventions import (
    Definition,
    Input,
    UndefinedError,
    definition_in,
    require_seed,
)
from quickgaze.metrics._prepared import PreparedMap
from quickgaze.metrics._targets import NO_OTHERS, FixationCounts, prepare

MISSING: Mapping[Input, str] = {
    "density": "the stimulus has no density",
    "fixations": "the stimulus has no fixations",
    "others": NO_OTHERS,
    "baseline": "there is no baseline density",
}
"""Why a score is undefined without what a definition takes beside the map."""


Outcome: TypeAlias = tuple[Array, str | None]
"""A score, shape (), and None; or NaN and the reason why there is no score."""


def evaluate(
    name: str,
    definitions: Mapping[str, Definition],
    convention: str,
    maps: Array,
    target: Array | Sequence[Array],
    beside: Array | FixationCounts | Sequence[Any] | None = None,
    seed: int = 0,
) -> Array:
    """Compute a metric for one map or a batch.

    Parameters
    ----------
    name : str
        The metric, for error messages.
    definitions : mapping of str to Definition
        What the metric is in each convention.
    convention : str
        Which one to use.
    maps : Array, shape (H, W) or (B, H, W)
        Saliency maps.
    target : Array or sequence of Array
        One density (H, W) or set of fixations (n, 2) for all maps, or one for each.
    beside : Array, FixationCounts, sequence of such, or None
        What the definition needs beside the target: one for all maps, or one for each.
    seed : int
        Start of the random numbers of each map, where the definition draws any.

    Returns
    -------
    float, or Array of shape () or (B,)
        A float for one NumPy map. NaN where the metric is undefined; where it is for all maps, a
        tensor's gradient is 0, so that a training batch without gaze changes nothing.

    Examples
    --------
    Shapes, batches, libraries and undefined scores are taken care of:

    >>> def compute(prediction, density):
    ...     return prediction.maximum / density.maximum
    >>> definitions = {"tuebingen": Definition("density", compute)}
    >>> density = np.eye(3)
    >>> maps = np.stack([density / 2, density, density * np.nan])
    >>> evaluate("peak", definitions, "tuebingen", maps, density)
    array([0.5, 1. , nan])
    """
    maps = as_maps(maps)
    definition = definition_in(convention, definitions, name)
    require_seed(seed)
    given: dict[Input, Any] = {definition.compares: target}
    if definition.beside is not None and beside is not None:
        given[definition.beside] = beside
    inputs = prepare(maps, given, convention, f"{name} in the convention {convention!r}")
    batch = maps[None, ...] if maps.ndim == 2 else maps
    found = outcomes({name: definition}, batch, inputs, seed)[name]
    values = [value for value, _ in found]
    if all(reason is not None for _, reason in found):
        values = [value + _no_pixels(maps) for value in values]
    if maps.ndim == 2:
        return float(values[0]) if is_numpy_array(maps) else values[0]
    if not values:
        return numbers_beside(maps, np.zeros(0)) + _no_pixels(maps)
    return array_namespace(maps).stack(values)


def _no_pixels(maps: Array) -> Array:
    """Sum of none of the pixels: 0, and in torch its gradient is 0, whatever the maps hold."""
    xp = array_namespace(maps)
    return xp.sum(xp.astype(xp.reshape(maps, (-1,))[:0], scoring_dtype(xp, device(maps))))


def outcomes(
    definitions: Mapping[str, Definition],
    batch: Array,
    inputs: Mapping[Input, Iterator[Any]],
    seed: int,
) -> dict[str, list[Outcome]]:
    """Compute metrics for a batch (B, H, W), whose maps take `inputs` in turn; by name."""
    found: dict[str, list[Outcome]] = {name: [] for name in definitions}
    # One map at a time: it fits the processor's cache where a batch does not, and no score can
    # depend on the maps beside it.
    for i in range(batch.shape[0]):
        prediction = PreparedMap.of(batch[i, ...], "map")
        given = dict(zip(inputs, map(next, inputs.values()), strict=True))
        for name, definition in definitions.items():
            found[name].append(_outcome(definition, prediction, given, seed))
    return found


def _outcome(
    definition: Definition, prediction: PreparedMap, given: Mapping[Input, Any], seed: int
) -> Outcome:
    try:
        with np.errstate(all="ignore"):
            return _value(definition, prediction, given, seed), None
    except UndefinedError as why:
        return numbers_beside(prediction.row, np.array(np.nan)), str(why)


def _value(
    definition: Definition, prediction: PreparedMap, given: Mapping[Input, Any], seed: int
) -> Array:
    arguments = [prediction]
    for name in definition.inputs:
        if name != "seed":
            if name not in given:
                raise UndefinedError(MISSING[name])
            arguments.append(given[name])
    for argument in arguments:
        argument.require_defined()
    value = definition.compute(*arguments, *([seed] if definition.random else ()))
    if not bool(prediction.xp.isfinite(value)):
        raise UndefinedError("the values are too large to compute with")
    return value
