"""From a user's arrays to one score per map, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device, is_numpy_array

from quickgaze.metrics.arrays import Array, as_maps, scoring_dtype
from quickgaze.metrics.conventions import Definition, Need, definition_in, require_seed
from quickgaze.metrics.other_fixations import NO_OTHERS, FixationCounts
from quickgaze.metrics.prepared import PreparedMap
from quickgaze.metrics.targets import Target, densities, fixated_pixels, fixations_of_others
from quickgaze.metrics.undefined import UndefinedError

MISSING: Mapping[Need, str] = {
    "others": NO_OTHERS,
    "baseline": "there is no baseline density",
}
"""Why a score is undefined without what it needs beside its target."""


@dataclass(frozen=True)
class Outcome:
    """A score, or the reason why there is none; never both, never neither.

    Parameters
    ----------
    value : Array or None
        A scalar of the map's library: finite.
    reason : str or None
        A sentence.
    """

    value: Array | None
    reason: str | None


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
        A float for one NumPy map, otherwise an array of the library and on the device of
        `maps`. NaN where the metric is undefined.

    Raises
    ------
    OptionError
        If an argument has the wrong shape or type, or for an unknown convention.

    Examples
    --------
    A metric of one's own is what it computes of two prepared maps; shapes, batches, libraries
    and what is undefined are settled here.

    >>> def compute(prediction, density):
    ...     return prediction.maximum / density.maximum
    >>> definitions = {"tuebingen": Definition("density", compute)}
    >>> density = np.eye(3)
    >>> maps = np.stack([density / 2, density, density * np.nan])
    >>> evaluate("peak", definitions, "tuebingen", maps, density)
    array([0.5, 1. , nan])
    """
    maps = as_maps(maps)
    xp = array_namespace(maps)
    kind = {"dtype": scoring_dtype(maps), "device": device(maps)}
    values = [
        xp.asarray(float("nan"), **kind) if outcome.value is None else outcome.value
        for outcome in outcomes(name, definitions, convention, maps, target, beside, seed)
    ]
    if maps.ndim == 2:
        return float(values[0]) if is_numpy_array(maps) else values[0]
    return xp.stack(values) if values else xp.zeros((0,), **kind)


def outcomes(
    name: str,
    definitions: Mapping[str, Definition],
    convention: str,
    maps: Array,
    target: Array | Sequence[Array],
    beside: Array | FixationCounts | Sequence[Any] | None = None,
    seed: int = 0,
) -> list[Outcome]:
    """Compute a metric for one map or a batch, keeping the reasons.

    Maps are taken one at a time: one fits a processor's cache where a batch does not, and no
    score can depend on the maps beside it.

    Parameters
    ----------
    name, definitions, convention, maps, target, beside, seed
        As for `evaluate`.

    Returns
    -------
    list of Outcome
        One per map.

    Raises
    ------
    OptionError
        As for `evaluate`.
    """
    definition = definition_in(convention, definitions, name)
    require_seed(seed)
    maps = as_maps(maps)
    defined = f"{name} in the convention {convention!r}"
    wanted = f"{defined} compares with"
    if definition.compares == "density":
        targets: Iterator[Target] = densities(maps, target, wanted)
    else:
        targets = fixated_pixels(maps, target, wanted)
    needed = needs(maps, definition.beside, beside, f"{defined} needs")
    batch = maps[None, ...] if maps.ndim == 2 else maps
    each = zip(range(batch.shape[0]), targets, needed, strict=False)
    return [
        settle(definition, PreparedMap.of(batch[i], "map"), target, need, seed)
        for i, target, need in each
    ]


def needs(
    maps: Array,
    need: Need | None,
    given: Array | FixationCounts | Sequence[Any] | None,
    wanted: str,
) -> Iterator[Target | None]:
    """Prepare what a definition needs beside the target.

    Parameters
    ----------
    maps : Array, shape (H, W) or (B, H, W)
        Saliency maps.
    need : {"others", "baseline"} or None
        What is needed.
    given : Array, FixationCounts, sequence of such, or None
        What there is.
    wanted : str
        Beginning of the error message, up to what was expected.

    Returns
    -------
    iterator of OtherFixations, PreparedMap or None
        One for each map, without an end where all have the same; None where nothing is needed
        or there is nothing.

    Raises
    ------
    OptionError
        If a shape or number does not fit.
    """
    if need is None or given is None:
        return repeat(None)
    if need == "others":
        return fixations_of_others(maps, given, wanted)
    return densities(maps, given, wanted, "baseline density")


def settle(
    definition: Definition,
    prepared: PreparedMap,
    target: Target,
    beside: Target | None = None,
    seed: int = 0,
) -> Outcome:
    """Compute a metric for one map, or find out why it is undefined.

    Parameters
    ----------
    definition : Definition
        What to compute.
    prepared : PreparedMap
        The map.
    target : PreparedMap or FixatedPixels
        What the definition compares it with.
    beside : OtherFixations, PreparedMap or None
        What the definition needs beside the target; None if there is none.
    seed : int
        Start of the random numbers.

    Returns
    -------
    Outcome
    """
    arguments: list[Any] = [prepared, target]
    if definition.beside is not None:
        if beside is None:
            return Outcome(None, MISSING[definition.beside])
        arguments.append(beside)
    with np.errstate(all="ignore"):
        try:
            for argument in arguments:
                argument.require_defined()
            seeded = [seed] if definition.random else []
            value = definition.compute(*arguments, *seeded)
        except UndefinedError as why:
            return Outcome(None, str(why))
        if not bool(array_namespace(prepared.row).isfinite(value)):
            return Outcome(None, "the values are too large to compute with")
    return Outcome(value, None)
