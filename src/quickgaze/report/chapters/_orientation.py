"""The orientation audit: how often each rule inverts a map."""

from __future__ import annotations

import polars as pl

from quickgaze.errors import OptionError
from quickgaze.findings import VARIANT, orientation_audit
from quickgaze.report._charts import audit_chart
from quickgaze.report._contents import Chapter, Figure, Part, Table
from quickgaze.report._subjects import Subject
from quickgaze.report._words import texts

_TEXT = (
    "A principal component has no sign of its own, so a rule chooses one. This compares each rule "
    "with the sign that fits the human density better (the oracle, which no model can use). A good "
    "rule inverts few maps, loses little cc, and has margins far from 0."
)
_MISSING = (
    "It needs a run with the metric cc and the orientations to compare, including oracle: leave "
    "--orientation out to score all."
)


def orientation_chapter(subject: Subject) -> Chapter:
    """Write the audit of all runs that can be audited."""
    parts = []
    for place, run in enumerate(subject.runs):
        try:
            audit = orientation_audit(run)
        except OptionError:
            continue
        if audit.height:
            parts.append(_part(subject, place, audit))
    return Chapter("orientation", "Orientation audit", _TEXT, parts, _MISSING)


def _part(subject: Subject, run: int, audit: pl.DataFrame) -> Part:
    others = [name for name in VARIANT if name != "orientation"]
    varying = [name for name in others if audit[name].n_unique() > 1] or ["cam"]
    rest = [
        " · ".join(
            f"{name} {row[name]:g}" if isinstance(row[name], float) else f"{name} {row[name]}"
            for name in varying
        )
        for row in audit.iter_rows(named=True)
    ]
    named = audit.with_columns(pl.Series("rest", rest, pl.String))
    columns = ("orientation", "rest", "inverted", "cc", "lost", "margin", "images")
    caption = (
        "Share of maps whose negative agrees better with people, mean cc, and what it loses "
        "against the better sign in hindsight."
    )
    name = f"orientation{subject.suffix(run)}"
    figure = Figure(name, "Share of maps that each rule inverts.", audit_chart(named))
    table = Table(name, caption, texts(named, *columns), audit)
    return Part(subject.title(run), [figure], [table])
