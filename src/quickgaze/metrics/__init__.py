"""How well saliency maps predict where people look.

A score without its convention cannot be compared with anything, so every metric takes one. The
default, ``"tuebingen"``, is that of the MIT/Tuebingen saliency benchmark. A metric takes one map
(H, W) or a batch (B, H, W), from NumPy or torch, and gives one score per map, never an average;
where it is undefined, the score is NaN and `undefined_reason` says why.
"""

from quickgaze.metrics.catalogue import DEFAULT_METRICS, METRICS, Metric
from quickgaze.metrics.conventions import CONVENTIONS, DEFAULT_CONVENTION, Definition, everywhere
from quickgaze.metrics.correlation import cc, cc_union, spearman
from quickgaze.metrics.difference import mae, mse
from quickgaze.metrics.distribution import kld, sim
from quickgaze.metrics.evaluation import evaluate
from quickgaze.metrics.fixation import information_gain, nss
from quickgaze.metrics.other_fixations import FixationCounts
from quickgaze.metrics.overlap import dice, iou
from quickgaze.metrics.prepared import FixatedPixels, PreparedMap
from quickgaze.metrics.roc_area import auc, auc_borji, auc_judd, auc_shuffled
from quickgaze.metrics.scoring import Scores, score, undefined_reason
from quickgaze.metrics.transport import emd
from quickgaze.metrics.undefined import UndefinedError

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
    "score",
    "sim",
    "spearman",
    "undefined_reason",
]
