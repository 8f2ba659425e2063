"""Numbers and names as the cells of a page's tables show them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from quickgaze.findings import sentences
from quickgaze.metrics import METRICS

NOTHING = "—"
"""Stands where there is no value."""


def number(value: float | None, digits: int = 3) -> str:
    """Write a number with so many decimals, and no minus before what rounds to 0."""
    if value is None or math.isnan(value):
        return NOTHING
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def with_interval(
    value: float | None,
    low: float | None,
    high: float | None,
    write: Callable[[float | None], str] = number,
) -> str:
    """Write a number and its interval, if there is one."""
    if low is None or high is None:
        return write(value)
    return f"{write(value)} [{write(low)}, {write(high)}]"


def percent(value: float | None) -> str:
    """Write a share in per cent; 1 is 100 %."""
    return NOTHING if value is None or math.isnan(value) else f"{value:.0%}".replace("%", " %")


def probability(value: float | None) -> str:
    """Write a p or q value."""
    return NOTHING if value is None or math.isnan(value) else sentences.probability(value)


def count(value: int | None) -> str:
    """Write a count."""
    return NOTHING if value is None else f"{value:,}"


def shortened(text: str, length: int = 32) -> str:
    """Shorten a long text in its middle, since ids often differ at their end."""
    if len(text) <= length:
        return text
    half = (length - 1) // 2
    return f"{text[:half]}…{text[-half:]}"


def arrow(metric: str) -> str:
    """Show whether higher scores of a metric are better.

    Parameters
    ----------
    metric : str

    Returns
    -------
    str
        An arrow up if they are, down if not; empty for a metric that no catalogue holds.

    Examples
    --------
    >>> arrow("cc"), arrow("kld")
    ('↑', '↓')
    """
    if metric not in METRICS.names():
        return ""
    return "↑" if METRICS[metric].higher_is_better else "↓"


def heading(metric: str) -> str:
    """Name a metric with its arrow."""
    return f"{metric} {arrow(metric)}"


_HEADINGS = {
    "best_score": "there",
    "cc": "cc ↑",
    "effect_size": "effect size d",
    "images_without": "without",
    "inverted": "inverted ↓",
    "left_out": "undefined",
    "lost": "cc lost ↓",
    "margin": "median margin",
    "mean_with": "with",
    "mean_without": "without",
    "reason": "remark",
    "rest": "variant",
    "share": "way from centre bias to people",
    "wilcoxon_p": "p (Wilcoxon)",
    "words": "in words",
}
_INTERVALS = {
    **dict.fromkeys(("mean", "effect", "difference", "coefficient"), ("low", "high")),
    "share": ("share_low", "share_high"),
}
_WRITERS: Mapping[str, Callable[[Any], str]] = {
    **dict.fromkeys(("share", "win_rate", "inverted"), percent),
    **dict.fromkeys(("wilcoxon_p", "q"), probability),
    **dict.fromkeys(("reason", "words"), lambda text: text or ""),
    **dict.fromkeys(("effect_size", "margin"), lambda value: number(value, 2)),
    "variance_inflation": lambda value: number(value, 1),
    "metric": heading,
}


def texts(table: pl.DataFrame, *columns: str, **headings: str) -> pl.DataFrame:
    """Write columns of a finding as texts: numbers with their intervals, if there are any."""
    shown = {
        column: {**_HEADINGS, **headings}.get(column, column.replace("_", " "))
        for column in columns
    }
    rows = [
        {title: _cell(row, column) for column, title in shown.items()}
        for row in table.iter_rows(named=True)
    ]
    return pl.DataFrame(rows, dict.fromkeys(shown.values(), pl.String))


def _cell(row: Mapping[str, Any], column: str) -> str:
    value = row[column]
    write = _WRITERS.get(column, _written)
    low, high = (row.get(end) for end in _INTERVALS.get(column, ("", "")))
    return with_interval(value, low, high, write)


def _written(value: Any) -> str:
    if isinstance(value, float):
        return number(value)
    if isinstance(value, int):
        return count(value)
    return NOTHING if value is None else str(value)
