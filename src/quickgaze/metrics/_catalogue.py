"""All metrics, with what a reader of their scores must know."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from math import inf
from types import ModuleType

from quickgaze.catalogue import Catalogue, unknown_name
from quickgaze.errors import OptionError
from quickgaze.metrics import _distribution as distribution
from quickgaze.metrics import _fixation as fixation
from quickgaze.metrics import _overlap as overlap
from quickgaze.metrics import _pixelwise as pixelwise
from quickgaze.metrics import _roc_area as roc_area
from quickgaze.metrics._arrays import Array
from quickgaze.metrics._conventions import CONVENTIONS, Definition, Input, Need, Target

DEFAULT_METRICS = ("cc", "sim", "kld", "nss", "auc")
"""The metrics of most benchmarks; all are defined in the default convention."""

_NAME = re.compile(r"\w[\w.-]*")


@dataclass(frozen=True)
class Metric:
    """A way to say how well a saliency map predicts where people look.

    Parameters
    ----------
    name : str
        As used in options and as a column of scores: letters, digits, dots, dashes and
        underscores.
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
    chance : float, optional
        What a map that knows nothing of the image scores, where that is one number for all
        images; a map below it is better inverted.
    spearman_brown : bool
        Whether the agreement of two halves of the observers is corrected by the Spearman-Brown
        formula to that of all of them: for correlations.

    Examples
    --------
    >>> METRICS["nss"].higher_is_better, METRICS["nss"].unit, METRICS["sim"].conventions
    (True, 'standard deviations', ('tuebingen', 'mit'))
    >>> METRICS["auc"].compares
    {'tuebingen': 'fixations', 'salicon': 'fixations', 'cap6415': 'density'}
    >>> METRICS["auc"].chance, METRICS["auc_shuffled"].needs
    (0.5, {'tuebingen': 'others', 'mit': 'others'})
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
    chance: float | None = None
    spearman_brown: bool = False

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise OptionError(
                f"a metric cannot be called {self.name!r}; use letters, digits, dots, dashes and "
                "underscores"
            )
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
    def compares(self) -> dict[str, Target]:
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


def _of(module: ModuleType, name: str) -> tuple[str, Callable[..., Array], dict[str, Definition]]:
    """Name, function and definitions of a metric, as its module calls them."""
    return name, getattr(module, name), getattr(module, name.upper())


_correlation = partial(Metric, higher_is_better=True, range=(-1.0, 1.0), unit="", chance=0.0)
_area = partial(Metric, higher_is_better=True, range=(0.0, 1.0), unit="", chance=0.5)
_overlap = partial(Metric, higher_is_better=True, range=(0.0, 1.0), unit="")
_difference = partial(
    Metric, higher_is_better=False, range=(0.0, 1.0), unit="", differentiable=True
)

_OWN = (
    _correlation(
        *_of(pixelwise, "cc"),
        summary="linear correlation of the map and the human density",
        reference="Le Meur, Le Callet & Barba 2007, Vision Research 47(19)",
        differentiable=True,
        spearman_brown=True,
    ),
    _correlation(
        *_of(pixelwise, "cc_union"),
        summary="linear correlation where the map or the human density is above 0",
        reference="CAP6415 study, 2025",
        differentiable=True,
    ),
    _overlap(
        *_of(distribution, "sim"),
        summary="share of the map that lies where the human density does",
        reference="Judd, Durand & Torralba 2012, MIT-CSAIL-TR-2012-001",
        differentiable=True,
    ),
    Metric(
        *_of(distribution, "kld"),
        higher_is_better=False,
        range=(0.0, inf),
        unit="nats",
        summary="information lost when the map stands for the human density",
        reference="Kullback & Leibler 1951, Annals of Mathematical Statistics 22(1)",
        differentiable=True,
    ),
    Metric(
        *_of(distribution, "emd"),
        higher_is_better=False,
        range=(0.0, inf),
        unit="cells of 32 pixels",
        summary="work that turns the map's mass into the human density's",
        reference="Rubner, Tomasi & Guibas 2000, Int. Journal of Computer Vision 40(2)",
    ),
    _difference(
        *_of(pixelwise, "mae"),
        summary="mean absolute difference of the min-max scaled map and human density",
        reference="CAP6415 study, 2025",
    ),
    _difference(
        *_of(pixelwise, "mse"),
        summary="mean squared difference of the min-max scaled map and human density",
        reference="CAP6415 study, 2025",
    ),
    _correlation(
        *_of(pixelwise, "spearman"),
        summary="rank correlation of the map and the human density",
        reference="Spearman 1904, The American Journal of Psychology 15(1)",
        spearman_brown=True,
    ),
    _overlap(
        *_of(overlap, "iou"),
        summary="intersection over union of the highest tenths of map and human density",
        reference="Jaccard 1912, New Phytologist 11(2)",
    ),
    _overlap(
        *_of(overlap, "dice"),
        summary="Dice score of the highest tenths of map and human density",
        reference="Dice 1945, Ecology 26(3)",
    ),
    Metric(
        *_of(fixation, "nss"),
        higher_is_better=True,
        range=(-inf, inf),
        unit="standard deviations",
        summary="mean of the z-scored map at fixations",
        reference="Peters, Iyer, Itti & Koch 2005, Vision Research 45(18)",
        differentiable=True,
        chance=0.0,
    ),
    _area(
        *_of(roc_area, "auc"),
        summary="chance that a fixated pixel is above another pixel of the image",
        reference="Tatler, Baddeley & Gilchrist 2005, Vision Research 45(5)",
    ),
    _area(
        *_of(roc_area, "auc_judd"),
        summary="chance that a fixated pixel is above one that is not fixated",
        reference="Judd, Durand & Torralba 2012, MIT-CSAIL-TR-2012-001",
    ),
    _area(
        *_of(roc_area, "auc_borji"),
        summary="chance that a fixated pixel is above a random one, on eleven thresholds",
        reference="Borji, Tavakoli, Sihite & Itti 2013, ICCV",
    ),
    _area(
        *_of(roc_area, "auc_shuffled"),
        summary="chance that a fixated pixel is above one fixated in other images",
        reference="Zhang, Tong, Marks, Shan & Cottrell 2008, Journal of Vision 8(7)",
    ),
    Metric(
        *_of(fixation, "information_gain"),
        higher_is_better=True,
        range=(-inf, inf),
        unit="bits per fixation",
        summary="how much better than a baseline the map predicts fixations",
        reference="Kümmerer, Wallis & Bethge 2015, PNAS 112(52)",
        differentiable=True,
    ),
)

METRICS: Catalogue[Metric] = Catalogue(
    "metric", "quickgaze.metrics", {metric.name: metric for metric in _OWN}
)
"""Metrics by name; installed packages may add to them."""


def as_metric(given: str | Metric) -> Metric:
    """Look up a metric by its name, or take a metric of your own as it is.

    Parameters
    ----------
    given : str or Metric
        A name in `METRICS`, or a metric.

    Returns
    -------
    Metric

    Raises
    ------
    OptionError
        If there is no metric of this name, or one of your own has the name of another.

    Examples
    --------
    >>> as_metric("cc") is METRICS["cc"] is as_metric(METRICS["cc"])
    True
    """
    if isinstance(given, str):
        return METRICS[given]
    if not isinstance(given, Metric):
        raise OptionError(
            f"a metric is given by its name or as a quickgaze.metrics.Metric; got {given!r}"
        )
    if METRICS.own.get(given.name, given) != given:
        raise OptionError(
            f"quickgaze has a metric {given.name!r} of its own; give yours another name"
        )
    return given


def required_inputs(
    metrics: Iterable[str | Metric], convention: str | None = None
) -> frozenset[Input]:
    """Say what metrics take beside the map.

    Parameters
    ----------
    metrics : iterable of str or Metric
        Names in `METRICS`, or metrics of your own.
    convention : str, optional
        The convention of their scores; by default all that define them.

    Returns
    -------
    frozenset of str
        Of ``"density"``; ``"fixations"``; ``"others"``, the fixations of other images;
        ``"baseline"``, a density known without the image; and ``"seed"``.

    Examples
    --------
    >>> sorted(required_inputs(["cc", "auc_shuffled"], "mit"))
    ['density', 'fixations', 'others', 'seed']
    >>> sorted(required_inputs(["nss"])), sorted(required_inputs(["nss"], "tuebingen"))
    (['density', 'fixations'], ['fixations'])
    """
    return frozenset(
        name
        for metric in map(as_metric, metrics)
        for defined_in, definition in metric.definitions.items()
        if convention in (None, defined_in)
        for name in definition.inputs
    )
