"""All metrics, with what a reader of their scores must know."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf
from typing import Literal

from quickgaze.catalogue import Catalogue
from quickgaze.metrics import correlation, difference, distribution, fixation
from quickgaze.metrics.arrays import Array
from quickgaze.metrics.conventions import Definition

DEFAULT_METRICS = ("cc", "sim", "kld", "nss", "auc")
"""The metrics of most benchmarks; all are defined in the default convention."""


@dataclass(frozen=True)
class Metric:
    """A way to say how well a saliency map predicts where people look.

    Parameters
    ----------
    name : str
        As used in options and as a column of scores.
    function : callable
        ``function(map, target, convention)`` gives one score per map.
    definitions : mapping of str to Definition
        What it is in each convention that defines it.
    higher_is_better : bool
        Its direction.
    range : (float, float)
        Smallest and largest possible score.
    unit : str
        Unit of the score; empty if it has none.
    summary : str
        What it says, in one line.
    reference : str
        The paper it comes from.

    Examples
    --------
    >>> METRICS["nss"].higher_is_better, METRICS["nss"].unit, METRICS["sim"].conventions
    (True, 'standard deviations', ('tuebingen',))
    >>> METRICS["nss"].compares
    {'tuebingen': 'fixations', 'cap6415': 'density'}
    """

    name: str
    function: Callable[..., Array]
    definitions: Mapping[str, Definition]
    higher_is_better: bool
    range: tuple[float, float]
    unit: str
    summary: str
    reference: str

    @property
    def conventions(self) -> tuple[str, ...]:
        """Names of the conventions that define it."""
        return tuple(self.definitions)

    @property
    def compares(self) -> dict[str, Literal["density", "fixations"]]:
        """What a map is compared with, by convention."""
        return {name: definition.compares for name, definition in self.definitions.items()}


METRICS: Catalogue[Metric] = Catalogue(
    "metric",
    "quickgaze.metrics",
    {
        metric.name: metric
        for metric in (
            Metric(
                name="cc",
                function=correlation.cc,
                definitions=correlation.CC,
                higher_is_better=True,
                range=(-1.0, 1.0),
                unit="",
                summary="linear correlation of the map and the human density",
                reference="Le Meur, Le Callet & Barba 2007, Vision Research 47(19)",
            ),
            Metric(
                name="cc_union",
                function=correlation.cc_union,
                definitions=correlation.CC_UNION,
                higher_is_better=True,
                range=(-1.0, 1.0),
                unit="",
                summary="linear correlation where the map or the human density is above 0",
                reference="CAP6415 study, 2025",
            ),
            Metric(
                name="sim",
                function=distribution.sim,
                definitions=distribution.SIM,
                higher_is_better=True,
                range=(0.0, 1.0),
                unit="",
                summary="share of the map that lies where the human density does",
                reference="Judd, Durand & Torralba 2012, MIT-CSAIL-TR-2012-001",
            ),
            Metric(
                name="kld",
                function=distribution.kld,
                definitions=distribution.KLD,
                higher_is_better=False,
                range=(0.0, inf),
                unit="nats",
                summary="information lost when the map stands for the human density",
                reference="Kullback & Leibler 1951, Annals of Mathematical Statistics 22(1)",
            ),
            Metric(
                name="mae",
                function=difference.mae,
                definitions=difference.MAE,
                higher_is_better=False,
                range=(0.0, 1.0),
                unit="",
                summary="mean absolute difference of the min-max scaled map and human density",
                reference="CAP6415 study, 2025",
            ),
            Metric(
                name="mse",
                function=difference.mse,
                definitions=difference.MSE,
                higher_is_better=False,
                range=(0.0, 1.0),
                unit="",
                summary="mean squared difference of the min-max scaled map and human density",
                reference="CAP6415 study, 2025",
            ),
            Metric(
                name="nss",
                function=fixation.nss,
                definitions=fixation.NSS,
                higher_is_better=True,
                range=(-inf, inf),
                unit="standard deviations",
                summary="mean of the z-scored map at fixations",
                reference="Peters, Iyer, Itti & Koch 2005, Vision Research 45(18)",
            ),
            Metric(
                name="auc",
                function=fixation.auc,
                definitions=fixation.AUC,
                higher_is_better=True,
                range=(0.0, 1.0),
                unit="",
                summary="chance that a fixated pixel is above another pixel of the image",
                reference="Tatler, Baddeley & Gilchrist 2005, Vision Research 45(5)",
            ),
        )
    },
)
"""Metrics by name; installed packages may add to them."""
