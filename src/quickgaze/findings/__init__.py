"""Tables computed from the scores of a run."""

from quickgaze.findings.summary import VARIANT, summary

__all__ = ["VARIANT", "summary"]
