"""The conventions, and what a metric is in each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Literal

import numpy as np

from quickgaze.catalogue import unknown_name
from quickgaze.errors import OptionError
from quickgaze.metrics.arrays import Array

CONVENTIONS: Mapping[str, str] = {
    "tuebingen": "MIT/Tuebingen saliency benchmark, as pysaliency computes it",
    "mit": "MIT saliency benchmark of 2012, as its MATLAB code computes it",
    "salicon": "SALICON challenge of 2015 to 2017, as its evaluation code computes it",
    "cap6415": "CAP6415 study of autumn 2025; its nss and auc compare with the human map",
}
"""The conventions that scores can be computed in, and where each comes from."""

DEFAULT_CONVENTION = "tuebingen"

Need = Literal["others", "baseline"]
"""What a metric may need beside its target: fixations of other images, or a baseline density."""


@dataclass(frozen=True)
class Definition:
    """What a metric is in one convention.

    Parameters
    ----------
    compares : {"density", "fixations"}
        What a map is compared with.
    compute : callable
        ``compute(map, target)``, then what is needed beside the target, then the seed, where the
        definition has them. Takes a `PreparedMap` with finite values and its target, a
        `PreparedMap` with finite values that is not constant or `FixatedPixels` of which there
        is at least one. Returns the score, or raises `UndefinedError` with the reason why there
        is none.
    beside : {"others", "baseline"}, optional
        What else it needs: `OtherFixations` of which there is at least one, or a `PreparedMap`
        with finite values.
    random : bool
        Whether it draws random numbers, and so takes a seed.
    library : callable, optional
        Imports the optional package that it needs, or raises `OptionError`.

    Examples
    --------
    >>> from quickgaze.metrics import METRICS
    >>> METRICS["auc_borji"].definitions["mit"].random
    True
    >>> METRICS["information_gain"].definitions["tuebingen"].beside
    'baseline'
    """

    compares: Literal["density", "fixations"]
    compute: Callable[..., Array]
    beside: Need | None = None
    random: bool = False
    library: Callable[[], ModuleType] | None = None


def everywhere(definition: Definition) -> dict[str, Definition]:
    """Offer one definition in all conventions, for metrics that none of them changes.

    Parameters
    ----------
    definition : Definition

    Returns
    -------
    dict of str to Definition

    Examples
    --------
    >>> list(everywhere(Definition("density", lambda map, density: density.maximum)))
    ['tuebingen', 'mit', 'salicon', 'cap6415']
    """
    return dict.fromkeys(CONVENTIONS, definition)


def require_seed(seed: int) -> None:
    """Raise `OptionError` if a seed is not one that NumPy's generator takes."""
    if not isinstance(seed, int | np.integer) or isinstance(seed, bool) or seed < 0:
        raise OptionError(f"seed must be an integer from 0; got {seed!r}")


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
        If the convention does not define the metric, or a package that it needs is missing.
    """
    if convention in definitions:
        definition = definitions[convention]
        if definition.library is not None:
            definition.library()
        return definition
    if convention not in CONVENTIONS:
        raise unknown_name("convention", convention, CONVENTIONS)
    known = ", ".join(definitions)
    raise OptionError(
        f"{name} is not defined in the convention {convention!r}; use one of: {known}"
    )
