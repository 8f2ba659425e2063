"""Metrics of a whole data set, as modules of torchmetrics.

    pip install 'quickgaze[training]'

A module takes batches, and gives the mean over all images that have a score. Its states add up,
so that it works across processes; in ``forward`` it gives the batch's mean with its gradient.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, ClassVar, TypeAlias

import torch

from quickgaze.errors import OptionError
from quickgaze.metrics.catalogue import METRICS, Metric
from quickgaze.metrics.conventions import definition_in, require_seed
from quickgaze.metrics.other_fixations import FixationCounts

try:
    import torchmetrics
except ImportError as error:
    raise OptionError(
        "quickgaze.metrics.modules needs the package torchmetrics, which is not installed; run: "
        "pip install 'quickgaze[training]'"
    ) from error

Points: TypeAlias = torch.Tensor | Sequence[torch.Tensor]
"""Fixations: (n, 2), columns x and y, the same for all maps, or one such set for each."""


class SaliencyMetric(torchmetrics.Metric):
    """Base of the modules: the mean of a metric over images.

    A class of its own for each metric says which one by its `name`; what torchmetrics wants to
    know of it is taken from the catalogue.

    Parameters
    ----------
    convention : str, optional
        The convention of the scores; by default the first that defines the metric:
        ``"tuebingen"``, or ``"mit"`` for those of that convention alone.
    seed : int
        Start of the random numbers of each map, for metrics that draw any.
    **options : object
        Options of every torchmetrics module, such as ``dist_sync_on_step``.

    Raises
    ------
    UnknownNameError
        If there is no such convention.
    OptionError
        If the convention does not define the metric, or a package that it needs is missing.

    Notes
    -----
    Scores add up in float64. On a device that lacks it, such as Apple's, leave the module on the
    processor: it takes maps from any device.

    Two modules share their state in a `torchmetrics.MetricCollection` only if they have the same
    metric, convention and seed.

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
        metric = METRICS[cls.name] if cls.name else None
        if metric is not None:
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
        """Number of images left out of the mean for want of a score, in this process."""
        return int(self._sums[2])

    def compute(self) -> torch.Tensor:
        """Mean over all images that have a score.

        Returns
        -------
        Tensor, shape ()
            NaN if no image has one.
        """
        total, scored, _ = self._sums.unbind()
        return total / scored

    def _add(self, maps: torch.Tensor, *given: Any) -> None:
        """Add the scores of one map (H, W) or a batch (B, H, W)."""
        definition = definition_in(self.convention, self.metric.definitions, self.name)
        options: Mapping[str, int] = {"seed": self.seed} if definition.random else {}
        scores = self.metric.function(maps, *given, convention=self.convention, **options)
        scores = scores.reshape(-1).to(self._sums)
        defined = ~scores.isnan()
        sums = torch.stack([scores[defined].sum(), defined.sum(), (~defined).sum()])
        setattr(self, self._state, self._sums + sums)

    @property
    def _sums(self) -> torch.Tensor:
        sums: torch.Tensor = getattr(self, self._state)
        return sums


class DensityMetric(SaliencyMetric):
    """Base of the modules that compare maps with human densities.

    Examples
    --------
    >>> [kind.__name__ for kind in (CC, NSS) if issubclass(kind, DensityMetric)]
    ['CC']
    """

    def update(self, maps: torch.Tensor, density: torch.Tensor) -> None:
        """Add the scores of a batch.

        Parameters
        ----------
        maps : Tensor, shape (B, H, W) or (H, W)
            Saliency maps.
        density : Tensor, shape (B, H, W) or (H, W)
            Human saliency map of each, or one for all.
        """
        self._add(maps, density)


class FixationMetric(SaliencyMetric):
    """Base of the modules that compare maps with fixations.

    Examples
    --------
    >>> [kind.__name__ for kind in (CC, NSS) if issubclass(kind, FixationMetric)]
    ['NSS']
    """

    def update(self, maps: torch.Tensor, fixations: Points) -> None:
        """Add the scores of a batch.

        Parameters
        ----------
        maps : Tensor, shape (B, H, W) or (H, W)
            Saliency maps.
        fixations : sequence of B Tensors of shape (n, 2), or one such Tensor
            Columns x and y in pixels, from 0, for each map or for all. In the convention
            ``"cap6415"``, densities as of a `DensityMetric`.
        """
        self._add(maps, fixations)


class CC(DensityMetric):
    """Mean linear correlation with human densities: `quickgaze.metrics.cc`.

    Examples
    --------
    >>> import torch
    >>> density = torch.arange(12.0).reshape(3, 4)
    >>> cc = CC()
    >>> cc.update(torch.stack([2 * density, -density, density**0]), density)
    >>> cc.update(density, density)
    >>> cc.compute().item(), cc.scored, cc.higher_is_better
    (0.25, 4, True)
    """

    name = "cc"


class CCUnion(DensityMetric):
    """Mean linear correlation where either is not 0: `quickgaze.metrics.cc_union`.

    Examples
    --------
    >>> import torch
    >>> density = torch.arange(12.0).reshape(3, 4)
    >>> cc_union = CCUnion()
    >>> cc_union.update(density.flip(1), density)
    >>> round(cc_union.compute().item(), 6)
    0.79021
    """

    name = "cc_union"


class SIM(DensityMetric):
    """Mean similarity to human densities: `quickgaze.metrics.sim`.

    Examples
    --------
    >>> import torch
    >>> density = torch.arange(12.0).reshape(3, 4)
    >>> sim = SIM()
    >>> sim.update(density.flip(1), density)
    >>> round(sim.compute().item(), 6)
    0.818182
    """

    name = "sim"


class KLD(DensityMetric):
    """Mean Kullback-Leibler divergence from human densities: `quickgaze.metrics.kld`.

    Examples
    --------
    >>> import torch
    >>> density = torch.arange(12.0).reshape(3, 4)
    >>> kld = KLD()
    >>> kld.update(density.flip(1), density)
    >>> round(kld.compute().item(), 6)
    2.197969
    """

    name = "kld"


class EMD(DensityMetric):
    """Mean earth mover's distance from human densities: `quickgaze.metrics.emd`.

    Examples
    --------
    >>> import torch
    >>> density = torch.eye(2).repeat_interleave(32, 0).repeat_interleave(32, 1)
    >>> emd = EMD()
    >>> emd.update(density.flip(1), density)
    >>> round(emd.compute().item(), 6), emd.convention
    (1.0, 'mit')
    """

    name = "emd"


class MAE(DensityMetric):
    """Mean absolute difference from human densities: `quickgaze.metrics.mae`.

    Examples
    --------
    >>> import torch
    >>> density = torch.arange(12.0).reshape(3, 4)
    >>> mae = MAE()
    >>> mae.update(density.flip(1), density)
    >>> round(mae.compute().item(), 6)
    0.181818
    """

    name = "mae"


class MSE(DensityMetric):
    """Mean squared difference from human densities: `quickgaze.metrics.mse`.

    Examples
    --------
    >>> import torch
    >>> density = torch.arange(12.0).reshape(3, 4)
    >>> mse = MSE()
    >>> mse.update(density.flip(1), density)
    >>> round(mse.compute().item(), 6)
    0.041322
    """

    name = "mse"


class Spearman(DensityMetric):
    """Mean rank correlation with human densities: `quickgaze.metrics.spearman`.

    Examples
    --------
    >>> import torch
    >>> density = torch.arange(12.0).reshape(3, 4)
    >>> spearman = Spearman()
    >>> spearman.update(density.flip(1), density)
    >>> round(spearman.compute().item(), 6)
    0.79021
    """

    name = "spearman"


class IoU(DensityMetric):
    """Mean intersection over union of the highest tenths: `quickgaze.metrics.iou`.

    Examples
    --------
    >>> import torch
    >>> density = torch.arange(12.0).reshape(3, 4)
    >>> iou = IoU()
    >>> iou.update(density.flip(1), density)
    >>> round(iou.compute().item(), 6)
    0.0
    """

    name = "iou"


class Dice(DensityMetric):
    """Mean Dice score of the highest tenths: `quickgaze.metrics.dice`.

    Examples
    --------
    >>> import torch
    >>> density = torch.arange(12.0).reshape(3, 4)
    >>> dice = Dice()
    >>> dice.update(density.flip(1), density)
    >>> round(dice.compute().item(), 6)
    0.0
    """

    name = "dice"


class NSS(FixationMetric):
    """Mean normalised scanpath saliency: `quickgaze.metrics.nss`.

    Examples
    --------
    >>> import torch
    >>> maps = torch.arange(24.0).reshape(2, 3, 4)
    >>> nss = NSS()
    >>> nss.update(maps, [torch.tensor([[3, 2], [3, 1]]), torch.empty(0, 2)])
    >>> round(nss.compute().item(), 6), nss.scored, nss.undefined
    (1.01389, 1, 1)
    """

    name = "nss"


class AUC(FixationMetric):
    """Mean area under the ROC curve: `quickgaze.metrics.auc`.

    Examples
    --------
    >>> import torch
    >>> map_, fixations = torch.arange(12.0).reshape(3, 4).flip(1), torch.tensor([[3, 2], [3, 1]])
    >>> auc = AUC()
    >>> auc.update(map_, fixations)
    >>> round(auc.compute().item(), 6)
    0.541667
    """

    name = "auc"


class AUCJudd(FixationMetric):
    """Mean area under the ROC curve, Judd's kind: `quickgaze.metrics.auc_judd`.

    Examples
    --------
    >>> import torch
    >>> map_, fixations = torch.arange(12.0).reshape(3, 4).flip(1), torch.tensor([[3, 2], [3, 1]])
    >>> auc_judd = AUCJudd()
    >>> auc_judd.update(map_, fixations)
    >>> round(auc_judd.compute().item(), 6)
    0.7
    """

    name = "auc_judd"


class AUCBorji(FixationMetric):
    """Mean area under the ROC curve, Borji's kind: `quickgaze.metrics.auc_borji`.

    Examples
    --------
    >>> import torch
    >>> map_, fixations = torch.arange(12.0).reshape(3, 4).flip(1), torch.tensor([[3, 2], [3, 1]])
    >>> auc_borji = AUCBorji()
    >>> auc_borji.update(map_, fixations)
    >>> round(auc_borji.compute().item(), 6)
    0.485
    """

    name = "auc_borji"


class AUCShuffled(SaliencyMetric):
    """Mean area under the ROC curve against other images: `quickgaze.metrics.auc_shuffled`.

    Examples
    --------
    >>> import torch
    >>> map_, fixations = torch.arange(12.0).reshape(3, 4).flip(1), torch.tensor([[3, 2], [3, 1]])
    >>> shuffled = AUCShuffled()
    >>> shuffled.update(map_, fixations, torch.tensor([[0, 0], [1, 2]]))
    >>> shuffled.compute().item()
    0.5
    """

    name = "auc_shuffled"

    def update(
        self,
        maps: torch.Tensor,
        fixations: Points,
        others: Points | FixationCounts | Sequence[FixationCounts],
    ) -> None:
        """Add the scores of a batch.

        Parameters
        ----------
        maps : Tensor, shape (B, H, W) or (H, W)
            Saliency maps.
        fixations : sequence of B Tensors of shape (n, 2), or one such Tensor
            Columns x and y in pixels, from 0, for each map or for all.
        others : as `fixations`, or FixationCounts
            Fixations of all other images of the data set, not only of the batch.
        """
        self._add(maps, fixations, others)


class InformationGain(SaliencyMetric):
    """Mean information gain over a baseline: `quickgaze.metrics.information_gain`.

    Examples
    --------
    >>> import torch
    >>> map_, fixations = torch.arange(12.0).reshape(3, 4).flip(1), torch.tensor([[3, 2], [3, 1]])
    >>> gain = InformationGain()
    >>> gain.update(map_, fixations, torch.ones(3, 4))
    >>> round(gain.compute().item(), 6)
    0.040568
    """

    name = "information_gain"

    def update(self, maps: torch.Tensor, fixations: Points, baseline: torch.Tensor) -> None:
        """Add the scores of a batch.

        Parameters
        ----------
        maps : Tensor, shape (B, H, W) or (H, W)
            Saliency maps.
        fixations : sequence of B Tensors of shape (n, 2), or one such Tensor
            Columns x and y in pixels, from 0, for each map or for all.
        baseline : Tensor, shape (B, H, W) or (H, W)
            Density that is known without the image.
        """
        self._add(maps, fixations, baseline)
