"""Numbers and names as the cells of a page's tables show them."""

from __future__ import annotations

import math

from quickgaze.findings import sentences

NOTHING = "—"
"""Stands where there is no value."""


def number(value: float | None, digits: int = 3) -> str:
    """Write a number with so many decimals, and no minus before what rounds to 0."""
    if value is None or math.isnan(value):
        return NOTHING
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def with_interval(value: float | None, low: float | None, high: float | None) -> str:
    """Write a number and its interval, if there is one."""
    if low is None or high is None:
        return number(value)
    return f"{number(value)} [{number(low)}, {number(high)}]"


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
