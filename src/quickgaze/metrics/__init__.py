"""How well saliency maps predict where people look.

A score without its convention cannot be compared with anything, so every metric takes one. The
default, ``"tuebingen"``, is that of the MIT/Tuebingen saliency benchmark. A metric takes one map
(H, W) or a batch (B, H, W), from NumPy or torch, and gives one score per map, never an average;
where it is undefined, the score is NaN and `undefined_reason` says why.
"""

from quickgaze.metrics.catalogue import DEFAULT_METRICS, METRICS, Metric
from quickgaze.metrics.conventions import CONVENTIONS, DEFAULT_CONVENTION, Definition
from quickgaze.metrics.correlation import cc, cc_union
from quickgaze.metrics.difference import mae, mse
from quickgaze.metrics.distribution import kld, sim
from quickgaze.metrics.fixation import auc, nss
from quickgaze.metrics.scoring import Scores, score, undefined_reason
from quickgaze.metrics.undefined import UndefinedError

__all__ = [
    "CONVENTIONS",
    "DEFAULT_CONVENTION",
    "DEFAULT_METRICS",
    "METRICS",
    "Definition",
    "Metric",
    "Scores",
    "UndefinedError",
    "auc",
    "cc",
    "cc_union",
    "kld",
    "mae",
    "mse",
    "nss",
    "score",
    "sim",
    "undefined_reason",
]
