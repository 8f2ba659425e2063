"""Metrics of a whole data set, as modules of torchmetrics: ``pip install 'quickgaze[training]'``.

A module takes batches, and gives the mean over all images that have a score. Its states add up,
so that it works across processes; in ``forward`` it gives the batch's mean with its gradient.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any, ClassVar, TypeAlias, TypeVar

import torch

from quickgaze.errors import require
from quickgaze.metrics._catalogue import METRICS, Metric
from quickgaze.metrics._conventions import definition_in, require_seed
from quickgaze.metrics._targets import FixationCounts

require("torchmetrics", "training", "quickgaze.metrics.modules")

import torchmetrics  # noqa: E402 - after the check that names its extra

Points: TypeAlias = torch.Tensor | Sequence[torch.Tensor]
"""Fixations: (n, 2), columns x and y, the same for all maps, or one such set for each."""


class SaliencyMetric(torchmetrics.Metric):
    """Base of the modules: the mean of a metric over images.

    Each metric has a class with its `name`; the rest is taken from the catalogue.

    Parameters
    ----------
    convention : str, optional
        By default the first that defines the metric: ``"tuebingen"``, or ``"mit"``.
    seed : int
        Start of the random numbers of each map, for metrics that draw any.
    **options : object
        Options of every torchmetrics module, such as ``dist_sync_on_step``.

    Notes
    -----
    Scores add up in float64. On a device that lacks it, such as Apple's, leave the module on the
    processor: it takes maps from any device. In a `torchmetrics.MetricCollection`, only modules of
    the same metric, convention and seed share their state.

    A training batch in which no image has a score, as none has gaze, gives NaN in ``forward`` and a
    gradient of 0, if the metric is differentiable: a step changes no weight but by the
    optimiser's momentum and decay. Skip it where the loss is NaN to avoid these too.

    Examples
    --------
    >>> CC().metric.range, CC().higher_is_better, KLD().higher_is_better
    ((-1.0, 1.0), True, False)
    """

    full_state_update: bool = False
    name: ClassVar[str] = ""
    convention: str

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.name:
            metric = METRICS[cls.name]
            cls.is_differentiable = metric.differentiable
            cls.higher_is_better = metric.higher_is_better
            cls.plot_lower_bound, cls.plot_upper_bound = (
                bound if isfinite(bound) else None for bound in metric.range
            )

    def __init__(self, convention: str | None = None, *, seed: int = 0, **options: Any) -> None:
        super().__init__(**options)
        definitions = self.metric.definitions
        self.convention = next(iter(definitions)) if convention is None else convention
        definition_in(self.convention, definitions, self.name)
        require_seed(seed)
        self.seed = seed
        # The total, the number of images with a score, and of those without. A name of its own
        # keeps a MetricCollection from taking two metrics for one after a batch that both score
        # alike, for instance with no score at all.
        self._state = f"sums_of_{self.name}_{self.convention}_{seed}"
        self.add_state(self._state, torch.zeros(3, dtype=torch.float64), dist_reduce_fx="sum")

    @property
    def metric(self) -> Metric:
        """The metric's entry in the catalogue: its unit, range, paper and definitions."""
        return METRICS[self.name]

    @property
    def scored(self) -> int:
        """Number of images with a score, in this process."""
        return int(self._sums[1])

    @property
    def undefined(self) -> int:
        """Number of images without a score, in this process; the mean leaves them out."""
        return int(self._sums[2])

    def compute(self) -> torch.Tensor:
        """Mean over all images that have a score.

        Returns
        -------
        Tensor, shape ()
            NaN if no image has one.
        """
        total, scored, _ = self._sums.unbind()
        # a division by 0 would turn a gradient of 0 into NaN
        return (total / scored.clamp(min=1)).where(scored > 0, torch.nan)

    def _add(self, maps: torch.Tensor, *given: Any) -> None:
        """Add the scores of one map (H, W) or a batch (B, H, W)."""
        definition = definition_in(self.convention, self.metric.definitions, self.name)
        options = {"seed": self.seed} if definition.random else {}
        scores = self.metric.function(maps, *given, convention=self.convention, **options)
        scores = scores.reshape(-1).to(self._sums)
        defined = ~scores.isnan()
        total = scores[defined].sum()
        if self.metric.differentiable:
            # the sum of no pixels: it is 0, and so is its gradient, whatever the maps hold
            total = total + maps.flatten()[:0].sum().to(total)
        sums = torch.stack([total, defined.sum(), (~defined).sum()])
        setattr(self, self._state, self._sums + sums)

    @property
    def _sums(self) -> torch.Tensor:
        sums: torch.Tensor = getattr(self, self._state)
        return sums


class DensityMetric(SaliencyMetric):
    """Base of the modules that compare maps with human densities.

    Examples
    --------
    >>> density = torch.arange(12.0).reshape(3, 4)
    >>> cc = CC()
    >>> cc.update(torch.stack([2 * density, -density, density**0]), density)
    >>> cc.update(density, density)
    >>> cc.compute().item(), cc.scored
    (0.25, 4)
    """

    def update(self, maps: torch.Tensor, density: torch.Tensor) -> None:
        """Add the scores of a batch.

        Parameters
        ----------
        maps, density : Tensor, shape (B, H, W) or (H, W)
            Saliency maps, and the human saliency map of each or one for all.
        """
        self._add(maps, density)


class FixationMetric(SaliencyMetric):
    """Base of the modules that compare maps with fixations.

    Examples
    --------
    >>> maps, nss = torch.arange(24.0).reshape(2, 3, 4), NSS()
    >>> nss.update(maps, [torch.tensor([[3, 2], [3, 1]]), torch.empty(0, 2)])
    >>> round(nss.compute().item(), 6), nss.scored, nss.undefined
    (1.01389, 1, 1)
    """

    def update(self, maps: torch.Tensor, fixations: Points) -> None:
        """Add the scores of a batch.

        Parameters
        ----------
        maps : Tensor, shape (B, H, W) or (H, W)
        fixations : sequence of B Tensors of shape (n, 2), or one such Tensor
            Columns x and y in pixels, from 0, for each map or for all; for fractions see
            `quickgaze.metrics.pixel_places`. In the convention
            ``"cap6415"``, densities as of a `DensityMetric`.
        """
        self._add(maps, fixations)


class OthersMetric(SaliencyMetric):
    """Base of the modules that also need the fixations of other images.

    Examples
    --------
    >>> map_, shuffled = torch.arange(12.0).reshape(3, 4), AUCShuffled()
    >>> shuffled.update(map_, torch.tensor([[3, 2], [3, 1]]), torch.tensor([[0, 0], [3, 1]]))
    >>> shuffled.compute().item()
    0.875
    """

    def update(
        self,
        maps: torch.Tensor,
        fixations: Points,
        others: Points | FixationCounts | Sequence[FixationCounts],
    ) -> None:
        """Add the scores of a batch.

        Parameters
        ----------
        maps, fixations
            As for a `FixationMetric`.
        others : as `fixations`, or FixationCounts
            Fixations of all other images of the data set, not only of the batch.
        """
        self._add(maps, fixations, others)


class BaselineMetric(SaliencyMetric):
    """Base of the modules that also need a density known without the image.

    Examples
    --------
    >>> map_, gain = torch.arange(12.0).reshape(3, 4), InformationGain()
    >>> gain.update(map_, torch.tensor([[3, 2], [3, 1]]), torch.ones(3, 4))
    >>> round(gain.compute().item(), 6)
    0.673962
    """

    def update(self, maps: torch.Tensor, fixations: Points, baseline: torch.Tensor) -> None:
        """Add the scores of a batch.

        Parameters
        ----------
        maps, fixations
            As for a `FixationMetric`.
        baseline : Tensor, shape (B, H, W) or (H, W)
            Density that is known without the image.
        """
        self._add(maps, fixations, baseline)


M = TypeVar("M", bound=SaliencyMetric)


def _module(class_name: str, base: type[M], metric: str) -> type[M]:
    """Make the module of a metric in the catalogue, with its documentation."""
    documented = f"""Mean of `quickgaze.metrics.{metric}`: {METRICS[metric].summary}.

    Takes the parameters of a `SaliencyMetric`, and in ``update`` those of a `{base.__name__}`.

    Examples
    --------
    >>> {class_name}().name, {class_name}().convention
    {metric, METRICS[metric].conventions[0]}
    """
    members = {"name": metric, "__doc__": documented, "__module__": __name__}
    made: type[M] = type(class_name, (base,), members)
    return made


CC: type[DensityMetric] = _module("CC", DensityMetric, "cc")
CCUnion: type[DensityMetric] = _module("CCUnion", DensityMetric, "cc_union")
SIM: type[DensityMetric] = _module("SIM", DensityMetric, "sim")
KLD: type[DensityMetric] = _module("KLD", DensityMetric, "kld")
EMD: type[DensityMetric] = _module("EMD", DensityMetric, "emd")
MAE: type[DensityMetric] = _module("MAE", DensityMetric, "mae")
MSE: type[DensityMetric] = _module("MSE", DensityMetric, "mse")
Spearman: type[DensityMetric] = _module("Spearman", DensityMetric, "spearman")
IoU: type[DensityMetric] = _module("IoU", DensityMetric, "iou")
Dice: type[DensityMetric] = _module("Dice", DensityMetric, "dice")
NSS: type[FixationMetric] = _module("NSS", FixationMetric, "nss")
AUC: type[FixationMetric] = _module("AUC", FixationMetric, "auc")
AUCJudd: type[FixationMetric] = _module("AUCJudd", FixationMetric, "auc_judd")
AUCBorji: type[FixationMetric] = _module("AUCBorji", FixationMetric, "auc_borji")
AUCShuffled: type[OthersMetric] = _module("AUCShuffled", OthersMetric, "auc_shuffled")
InformationGain: type[BaselineMetric] = _module(
    "InformationGain", BaselineMetric, "information_gain"
)
