"""Tables computed from the scores of a run, complete or not."""

from quickgaze.findings._across import across
from quickgaze.findings._calibrated import calibrated
from quickgaze.findings._claims import CLAIMS, Claim, study_claims
from quickgaze.findings._comparison import Comparison, compare, compare_variants
from quickgaze.findings._deep_dive import DeepDive, deep_dive
from quickgaze.findings._effects import attribute_effects
from quickgaze.findings._means import means, shares
from quickgaze.findings._orientation_audit import orientation_audit
from quickgaze.findings._ranking import Distribution, deciles, distribution, ranking
from quickgaze.findings._regression import attribute_regression
from quickgaze.findings._shown_and_known import shown_and_known
from quickgaze.findings._summary import VARIANT, bounds, summary
from quickgaze.findings.attributes import (
    coco_attributes,
    image_attributes,
    join_attributes,
    read_attributes,
    text_attributes,
)

__all__ = [
    "CLAIMS",
    "VARIANT",
    "Claim",
    "Comparison",
    "DeepDive",
    "Distribution",
    "across",
    "attribute_effects",
    "attribute_regression",
    "bounds",
    "calibrated",
    "coco_attributes",
    "compare",
    "compare_variants",
    "deciles",
    "deep_dive",
    "distribution",
    "image_attributes",
    "join_attributes",
    "means",
    "orientation_audit",
    "ranking",
    "read_attributes",
    "shares",
    "shown_and_known",
    "study_claims",
    "summary",
    "text_attributes",
]
