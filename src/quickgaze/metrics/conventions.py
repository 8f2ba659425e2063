"""The conventions, and what a metric is in each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from quickgaze.catalogue import unknown_name
from quickgaze.errors import OptionError
from quickgaze.metrics.arrays import Array
from quickgaze.metrics.prepared import PreparedMap

CONVENTIONS: Mapping[str, str] = {
    "tuebingen": "MIT/Tuebingen saliency benchmark, as pysaliency computes it",
    "cap6415": "CAP6415 study of autumn 2025; its nss and auc compare with the human map",
}
"""The conventions that scores can be computed in, and where each comes from."""

DEFAULT_CONVENTION = "tuebingen"


@dataclass(frozen=True)
class Definition:
    """What a metric is in one convention.

    Parameters
    ----------
    compares : {"density", "fixations"}
        What a map is compared with.
    compute : callable
        Takes a `PreparedMap` with finite values and its target, a `PreparedMap` with finite
        values that is not constant or `FixatedPixels` of which there is at least one.
        Returns the score, or raises `UndefinedError` with the reason why there is none.
    """

    compares: Literal["density", "fixations"]
    compute: Callable[[PreparedMap, Any], Array]


def definition_in(convention: str, definitions: Mapping[str, Definition], name: str) -> Definition:
    """Look up what a metric is in a convention.

    Parameters
    ----------
    convention : str
        Name of a convention.
    definitions : mapping of str to Definition
        The metric's definition in each convention that has one.
    name : str
        The metric, for the error message.

    Returns
    -------
    Definition

    Raises
    ------
    UnknownNameError
        If there is no such convention.
    OptionError
        If the convention does not define the metric.
    """
    if convention in definitions:
        return definitions[convention]
    if convention not in CONVENTIONS:
        raise unknown_name("convention", convention, CONVENTIONS)
    known = ", ".join(definitions)
    raise OptionError(
        f"{name} is not defined in the convention {convention!r}; use one of: {known}"
    )
