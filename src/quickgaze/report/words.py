"""Numbers as they are read."""

from __future__ import annotations

import math

NOTHING = "—"
"""Stands where there is no value."""


def number(value: float | None, digits: int = 3) -> str:
    """Write a number with a fixed count of decimals.

    Parameters
    ----------
    value : float or None
    digits : int
        After the point.

    Returns
    -------
    str
        A dash for None and NaN; no minus before what rounds to 0.

    Examples
    --------
    >>> number(0.66789), number(-0.0001), number(None), number(float("nan"))
    ('0.668', '0.000', '—', '—')
    """
    if value is None or math.isnan(value):
        return NOTHING
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def shortened(text: str, length: int = 32) -> str:
    """Shorten a long text in its middle, since ids often differ at their end.

    Parameters
    ----------
    text : str
    length : int
        Most characters that are kept.

    Returns
    -------
    str

    Examples
    --------
    >>> shortened("COCO_train2014_000000123855", 15)
    'COCO_tr…0123855'
    """
    if len(text) <= length:
        return text
    half = (length - 1) // 2
    return f"{text[:half]}…{text[-half:]}"


def with_interval(value: float | None, low: float | None, high: float | None) -> str:
    """Write a number and its interval.

    Parameters
    ----------
    value, low, high : float or None

    Returns
    -------
    str

    Examples
    --------
    >>> with_interval(0.5, 0.25, 0.75), with_interval(0.5, None, None)
    ('0.500 [0.250, 0.750]', '0.500')
    """
    if low is None or high is None:
        return number(value)
    return f"{number(value)} [{number(low)}, {number(high)}]"


def percent(value: float | None) -> str:
    """Write a share in per cent.

    Parameters
    ----------
    value : float or None
        1 is 100 %.

    Returns
    -------
    str

    Examples
    --------
    >>> percent(0.375), percent(None)
    ('38 %', '—')
    """
    return NOTHING if value is None or math.isnan(value) else f"{value:.0%}".replace("%", " %")


def chance(value: float | None) -> str:
    """Write a probability.

    Parameters
    ----------
    value : float or None

    Returns
    -------
    str

    Examples
    --------
    >>> chance(0.04), chance(1e-9), chance(None)
    ('0.040', '< 0.001', '—')
    """
    if value is None or math.isnan(value):
        return NOTHING
    return "< 0.001" if value < 0.001 else number(value)


def count(value: int | None) -> str:
    """Write a count.

    Parameters
    ----------
    value : int or None

    Returns
    -------
    str

    Examples
    --------
    >>> count(5000), count(None)
    ('5,000', '—')
    """
    return NOTHING if value is None else f"{value:,}"
