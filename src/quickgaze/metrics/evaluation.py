"""From a user's arrays to one score per map, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from array_api_compat import array_namespace, device, is_numpy_array

from quickgaze.metrics.arrays import Array, as_maps, scoring_dtype
from quickgaze.metrics.conventions import Definition, definition_in
from quickgaze.metrics.prepared import PreparedMap
from quickgaze.metrics.targets import Target, densities, fixated_pixels
from quickgaze.metrics.undefined import UndefinedError


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

    Returns
    -------
    float, or Array of shape () or (B,)
        A float for one NumPy map, otherwise an array of the library and on the device of
        `maps`. NaN where the metric is undefined.

    Raises
    ------
    OptionError
        If an argument has the wrong shape or type, or for an unknown convention.
    """
    maps = as_maps(maps)
    xp = array_namespace(maps)
    kind = {"dtype": scoring_dtype(maps), "device": device(maps)}
    values = [
        xp.asarray(float("nan"), **kind) if outcome.value is None else outcome.value
        for outcome in outcomes(name, definitions, convention, maps, target)
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
) -> list[Outcome]:
    """Compute a metric for one map or a batch, keeping the reasons.

    Maps are taken one at a time: one fits a processor's cache where a batch does not, and no
    score can depend on the maps beside it.

    Parameters
    ----------
    name, definitions, convention, maps, target
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
    maps = as_maps(maps)
    wanted = f"{name} in the convention {convention!r} compares with"
    if definition.compares == "density":
        targets: Iterator[Target] = densities(maps, target, wanted)
    else:
        targets = fixated_pixels(maps, target, wanted)
    batch = maps[None, ...] if maps.ndim == 2 else maps
    pairs = zip(range(batch.shape[0]), targets, strict=False)
    return [settle(definition, PreparedMap.of(batch[i], "map"), each) for i, each in pairs]


def settle(definition: Definition, prepared: PreparedMap, target: Target) -> Outcome:
    """Compute a metric for one map, or find out why it is undefined.

    Parameters
    ----------
    definition : Definition
        What to compute.
    prepared : PreparedMap
        The map.
    target : PreparedMap or FixatedPixels
        What the definition compares it with.

    Returns
    -------
    Outcome
    """
    with np.errstate(all="ignore"):
        try:
            prepared.require_defined()
            target.require_defined()
            value = definition.compute(prepared, target)
        except UndefinedError as why:
            return Outcome(None, str(why))
        if not bool(array_namespace(prepared.values).isfinite(value)):
            return Outcome(None, "the values are too large to compute with")
    return Outcome(value, None)
