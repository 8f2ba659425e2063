"""The conventions, what a metric is in each, and the error of a score that does not exist."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np
from array_api_compat import array_namespace

from quickgaze.catalogue import unknown_name
from quickgaze.errors import OptionError
from quickgaze.metrics._arrays import Array

CONVENTIONS: Mapping[str, str] = {
    "tuebingen": "MIT/Tuebingen saliency benchmark, as pysaliency computes it",
    "mit": "MIT saliency benchmark of 2012, as its MATLAB code computes it",
    "salicon": "SALICON challenge of 2015 to 2017, as its evaluation code computes it",
    "cap6415": "CAP6415 study of autumn 2025; its nss and auc compare with the human map",
}
"""The conventions that scores can be computed in, and where each comes from."""

DEFAULT_CONVENTION = "tuebingen"

_TRUNCATING = ("tuebingen", "salicon")

Target: TypeAlias = Literal["density", "fixations"]
Need: TypeAlias = Literal["others", "baseline"]
Input: TypeAlias = Literal["density", "fixations", "others", "baseline", "seed"]
"""What a metric may need beside the map; "others" are the fixations of other images."""


class UndefinedError(Exception):
    """A score that does not exist; a definition raises it, with the reason, to be given NaN."""


@dataclass(frozen=True)
class Definition:
    """What a metric is in one convention.

    Parameters
    ----------
    compares : {"density", "fixations"}
        What a map is compared with.
    compute : callable
        ``compute(map, target)``, followed by what `beside` names and by the seed, where the
        definition has them. Takes a `PreparedMap` with finite values and its target: a
        `PreparedMap` with finite values that is not constant, or `FixatedPixels` of which there
        is at least one. Returns the score, or raises `UndefinedError` with the reason why there
        is none.
    beside : {"others", "baseline"}, optional
        What else it needs: the fixations of other images, of which there is at least one, or a
        density known without the image, as a `PreparedMap` with finite values.
    random : bool
        Whether it draws random numbers, and so takes a seed.
    library : callable, optional
        Imports the optional package that it needs, or raises `OptionError`.

    Examples
    --------
    >>> from quickgaze.metrics import METRICS
    >>> METRICS["auc_shuffled"].definitions["mit"].inputs
    ('fixations', 'others', 'seed')
    """

    compares: Target
    compute: Callable[..., Array]
    beside: Need | None = None
    random: bool = False
    library: Callable[[], object] | None = None

    @cached_property
    def inputs(self) -> tuple[Input, ...]:
        """What `compute` takes after the map, in that order."""
        beside: tuple[Input, ...] = () if self.beside is None else (self.beside,)
        return (self.compares, *beside, *(("seed",) if self.random else ()))


def everywhere(definition: Definition) -> dict[str, Definition]:
    """Use one definition in all conventions, for metrics that none of them changes.

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


def pixel_places(coordinates: Array, convention: str = DEFAULT_CONVENTION) -> Array:
    """Say how far coordinates lie from the edge of the first pixel: the whole part is the pixel.

    Parameters
    ----------
    coordinates : Array
        Columns or rows in pixels, from 0.
    convention : str
        ``"tuebingen"`` and ``"salicon"`` cut the fraction off, as Python's ``int`` does: pixel 3
        reaches from 3 to below 4, pixel 0 from above -1. ``"mit"`` rounds, as MATLAB does, and so
        does ``"cap6415"``: pixel 3 reaches from 2.5 to below 3.5.

    Returns
    -------
    Array
        Below 0 if outside the image; NaN and infinity stay.

    Raises
    ------
    UnknownNameError
        If the convention is not known.

    Examples
    --------
    >>> x = np.array([2.4, 2.6, -0.7])
    >>> np.floor(pixel_places(x, "tuebingen")), np.floor(pixel_places(x, "mit"))
    (array([2., 2., 0.]), array([ 2.,  3., -1.]))
    """
    if convention not in CONVENTIONS:
        raise unknown_name("convention", convention, CONVENTIONS)
    if convention not in _TRUNCATING:
        return coordinates + 0.5
    xp, places = array_namespace(coordinates), coordinates + 0.0
    return xp.where((places > -1) & (places < 0), xp.zeros_like(places), places)


def require_seed(seed: int) -> None:
    """Raise `OptionError` if a seed is not one that NumPy's generator takes."""
    if not isinstance(seed, int | np.integer) or isinstance(seed, bool) or seed < 0:
        raise OptionError(f"seed must be an integer from 0; got {seed!r}")


def definition_in(convention: str, definitions: Mapping[str, Definition], name: str) -> Definition:
    """Look up what a metric is in a convention, with the package that it needs installed."""
    if convention in definitions:
        definition = definitions[convention]
        if definition.library is not None:
            definition.library()
        return definition
    if convention not in CONVENTIONS:
        raise unknown_name("convention", convention, CONVENTIONS)
    raise OptionError(
        f"{name} is not defined in the convention {convention!r}; "
        f"use one of: {', '.join(definitions)}"
    )
