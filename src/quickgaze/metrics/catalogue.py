"""All metrics, with what a reader of their scores must know."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf
from typing import Literal

from quickgaze.catalogue import Catalogue, unknown_name
from quickgaze.errors import OptionError
from quickgaze.metrics import (
    correlation,
    difference,
    distribution,
    fixation,
    overlap,
    roc_area,
    transport,
)
from quickgaze.metrics.arrays import Array
from quickgaze.metrics.conventions import CONVENTIONS, Definition, Need

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
        ``function(map, target, convention)`` gives one score per map; what `needs` names
        follows the target. Takes a ``seed`` where a definition draws random numbers.
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
    differentiable : bool
        Whether a map can be trained with it: a score of a torch map has a gradient.

    Examples
    --------
    >>> METRICS["nss"].higher_is_better, METRICS["nss"].unit, METRICS["sim"].conventions
    (True, 'standard deviations', ('tuebingen', 'mit'))
    >>> METRICS["auc"].compares
    {'tuebingen': 'fixations', 'salicon': 'fixations', 'cap6415': 'density'}
    >>> METRICS["auc"].needs, METRICS["auc_shuffled"].needs
    ({}, {'tuebingen': 'others', 'mit': 'others'})
    """

    name: str
    function: Callable[..., Array]
    definitions: Mapping[str, Definition]
    higher_is_better: bool
    range: tuple[float, float]
    unit: str
    summary: str
    reference: str
    differentiable: bool = False

    def __post_init__(self) -> None:
        for convention in self.definitions:
            if convention not in CONVENTIONS:
                raise unknown_name(f"convention of {self.name}:", convention, CONVENTIONS)
        if not self.definitions:
            raise OptionError(
                f"{self.name} has no definition; give one of {', '.join(CONVENTIONS)}"
            )

    @property
    def conventions(self) -> tuple[str, ...]:
        """Names of the conventions that define it."""
        return tuple(self.definitions)

    @property
    def compares(self) -> dict[str, Literal["density", "fixations"]]:
        """What a map is compared with, by convention."""
        return {name: definition.compares for name, definition in self.definitions.items()}

    @property
    def needs(self) -> dict[str, Need]:
        """What it needs beside that, by convention, where it needs anything.

        ``"others"``: fixations of other images; ``"baseline"``: a density known without the image.
        """
        return {name: each.beside for name, each in self.definitions.items() if each.beside}

    @property
    def random(self) -> dict[str, bool]:
        """Whether it draws random numbers, and so takes a seed, by convention."""
        return {name: definition.random for name, definition in self.definitions.items()}


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
                differentiable=True,
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
                differentiable=True,
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
                differentiable=True,
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
                differentiable=True,
            ),
            Metric(
                name="emd",
                function=transport.emd,
                definitions=transport.EMD,
                higher_is_better=False,
                range=(0.0, inf),
                unit="cells of 32 pixels",
                summary="work that turns the map's mass into the human density's",
                reference="Rubner, Tomasi & Guibas 2000, Int. Journal of Computer Vision 40(2)",
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
                differentiable=True,
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
                differentiable=True,
            ),
            Metric(
                name="spearman",
                function=correlation.spearman,
                definitions=correlation.SPEARMAN,
                higher_is_better=True,
                range=(-1.0, 1.0),
                unit="",
                summary="rank correlation of the map and the human density",
                reference="Spearman 1904, The American Journal of Psychology 15(1)",
            ),
            Metric(
                name="iou",
                function=overlap.iou,
                definitions=overlap.IOU,
                higher_is_better=True,
                range=(0.0, 1.0),
                unit="",
                summary="intersection over union of the highest tenths of map and human density",
                reference="Jaccard 1912, New Phytologist 11(2)",
            ),
            Metric(
                name="dice",
                function=overlap.dice,
                definitions=overlap.DICE,
                higher_is_better=True,
                range=(0.0, 1.0),
                unit="",
                summary="Dice score of the highest tenths of map and human density",
                reference="Dice 1945, Ecology 26(3)",
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
                differentiable=True,
            ),
            Metric(
                name="auc",
                function=roc_area.auc,
                definitions=roc_area.AUC,
                higher_is_better=True,
                range=(0.0, 1.0),
                unit="",
                summary="chance that a fixated pixel is above another pixel of the image",
                reference="Tatler, Baddeley & Gilchrist 2005, Vision Research 45(5)",
            ),
            Metric(
                name="auc_judd",
                function=roc_area.auc_judd,
                definitions=roc_area.AUC_JUDD,
                higher_is_better=True,
                range=(0.0, 1.0),
                unit="",
                summary="chance that a fixated pixel is above one that is not fixated",
                reference="Judd, Durand & Torralba 2012, MIT-CSAIL-TR-2012-001",
            ),
            Metric(
                name="auc_borji",
                function=roc_area.auc_borji,
                definitions=roc_area.AUC_BORJI,
                higher_is_better=True,
                range=(0.0, 1.0),
                unit="",
                summary="chance that a fixated pixel is above a random one, on eleven thresholds",
                reference="Borji, Tavakoli, Sihite & Itti 2013, ICCV",
            ),
            Metric(
                name="auc_shuffled",
                function=roc_area.auc_shuffled,
                definitions=roc_area.AUC_SHUFFLED,
                higher_is_better=True,
                range=(0.0, 1.0),
                unit="",
                summary="chance that a fixated pixel is above one fixated in other images",
                reference="Zhang, Tong, Marks, Shan & Cottrell 2008, Journal of Vision 8(7)",
            ),
            Metric(
                name="information_gain",
                function=fixation.information_gain,
                definitions=fixation.INFORMATION_GAIN,
                higher_is_better=True,
                range=(-inf, inf),
                unit="bits per fixation",
                summary="how much better than a baseline the map predicts fixations",
                reference="Kümmerer, Wallis & Bethge 2015, PNAS 112(52)",
                differentiable=True,
            ),
        )
    },
)
"""Metrics by name; installed packages may add to them."""
