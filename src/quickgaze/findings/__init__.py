"""Tables computed from the scores of a run."""

from quickgaze.findings.bounds import bounds, shares
from quickgaze.findings.deciles import deciles
from quickgaze.findings.orientation_audit import orientation_audit
from quickgaze.findings.summary import VARIANT, summary

__all__ = ["VARIANT", "bounds", "deciles", "orientation_audit", "shares", "summary"]
