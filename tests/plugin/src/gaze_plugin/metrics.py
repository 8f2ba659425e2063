"""A metric is a `Metric`: its function, its definition in each convention, and how to read it."""

from typing import Any

from array_api_compat import array_namespace

from quickgaze.metrics import (
    DEFAULT_CONVENTION,
    Definition,
    FixatedPixels,
    Metric,
    PreparedMap,
    evaluate,
    everywhere,
)


def hit_rate(map: Any, fixations: Any, convention: str = DEFAULT_CONVENTION) -> Any:  # noqa: A002
    """Share of the fixations at which the map is above the middle of its range."""
    return evaluate("hit_rate", DEFINITIONS, convention, map, fixations)


def _hit_rate(prediction: PreparedMap, fixated: FixatedPixels) -> Any:
    xp = array_namespace(prediction.row)
    middle = (prediction.minimum + prediction.maximum) / 2
    return xp.mean(xp.astype(prediction.at(fixated.pixels) > middle, xp.float64))


DEFINITIONS = everywhere(Definition("fixations", _hit_rate))
HIT_RATE = Metric(
    name="hit_rate",
    function=hit_rate,
    definitions=DEFINITIONS,
    higher_is_better=True,
    range=(0.0, 1.0),
    unit="",
    summary="share of the fixations in the upper half of the map's range",
    reference="this package",
)
