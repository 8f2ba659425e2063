"""How well saliency maps predict where people look.

A score without its convention cannot be compared with anything, so every metric takes one. The
default, ``"tuebingen"``, is that of the MIT/Tuebingen saliency benchmark. A metric takes one map
(H, W) or a batch (B, H, W), from NumPy or torch, and gives one score per map, never an average: a
float for one NumPy map, otherwise an array of the map's library, on its device. Where a score is
undefined, it is NaN and `undefined_reason` says why; no fixations at all may be an empty list.
Shapes that do not fit, arrays in which a mask hides anything, and a convention that is not known or
does not define the metric, raise `quickgaze.errors.OptionError`.
"""

from quickgaze.metrics._catalogue import (
    DEFAULT_METRICS,
    METRICS,
    Metric,
    as_metric,
    required_inputs,
)
from quickgaze.metrics._conventions import (
    CONVENTIONS,
    DEFAULT_CONVENTION,
    Definition,
    UndefinedError,
    everywhere,
    pixel_places,
)
from quickgaze.metrics._distribution import emd, kld, sim
from quickgaze.metrics._evaluation import evaluate
from quickgaze.metrics._fixation import information_gain, nss
from quickgaze.metrics._overlap import dice, iou
from quickgaze.metrics._pixelwise import cc, cc_union, mae, mse, spearman
from quickgaze.metrics._prepared import PreparedMap
from quickgaze.metrics._roc_area import auc, auc_borji, auc_judd, auc_shuffled
from quickgaze.metrics._scoring import Scores, score, undefined_reason
from quickgaze.metrics._targets import FixatedPixels, FixationCounts

__all__ = [
    "CONVENTIONS",
    "DEFAULT_CONVENTION",
    "DEFAULT_METRICS",
    "METRICS",
    "Definition",
    "FixatedPixels",
    "FixationCounts",
    "Metric",
    "PreparedMap",
    "Scores",
    "UndefinedError",
    "as_metric",
    "auc",
    "auc_borji",
    "auc_judd",
    "auc_shuffled",
    "cc",
    "cc_union",
    "dice",
    "emd",
    "evaluate",
    "everywhere",
    "information_gain",
    "iou",
    "kld",
    "mae",
    "mse",
    "nss",
    "pixel_places",
    "required_inputs",
    "score",
    "sim",
    "spearman",
    "undefined_reason",
]
