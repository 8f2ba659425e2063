"""Findings about attributes, in plain sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def effect_sentence(row: Mapping[str, Any], better: int) -> str:
    """Say what a row of `attribute_effects` found.

    Parameters
    ----------
    row : mapping
        By column.
    better : {1, -1}
        Whether higher or lower scores of the metric mean agreement.

    Returns
    -------
    str

    Examples
    --------
    >>> numbers = {"effect": -0.11, "low": -0.15, "high": -0.07, "q": 0.001}
    >>> groups = {"mean_with": 0.41, "mean_without": 0.52, "images_with": 210}
    >>> row = {"metric": "cc", "attribute": "people", "kind": "yes/no", "images_without": 180}
    >>> print(effect_sentence({**row, **numbers, **groups, "claimed": True}, 1))
    Images with people agree less: mean cc 0.41 against 0.52, difference -0.11 [-0.15, -0.07], \
q = 0.001, 210 and 180 images.
    """
    name = plain_name(row["attribute"])
    if row["q"] is None or row["low"] is None:
        return f"Not tested for {row['metric']}: {name} ({row['reason']})."
    direction = "more" if row["effect"] * better > 0 else "less"
    if row["kind"] == "yes/no":
        claim, doubt = f"Images with {name} agree {direction}", f"Images with {name} may agree"
        facts = _groups(row)
    else:
        claim = f"Images with more {name} agree {direction}"
        doubt = f"Images with more {name} may agree"
        facts = _correlation(row)
    begin = claim if row["claimed"] else f"{doubt} more or less, this does not tell"
    return f"{begin}: {facts}."


def plain_name(attribute: str) -> str:
    """Name of an attribute in words.

    Examples
    --------
    >>> plain_name("has_text"), plain_name("edge_density")
    ('text', 'edge density')
    """
    return attribute.removeprefix("has_").replace("_", " ")


def interval(effect: float, low: float, high: float) -> str:
    """Write an effect with its interval, signed.

    Examples
    --------
    >>> interval(0.1, -0.05, 0.25)
    '+0.10 [-0.05, +0.25]'
    """
    return f"{_signed(effect)} [{_signed(low)}, {_signed(high)}]"


def chance(name: str, value: float) -> str:
    """Write a p or q value.

    Examples
    --------
    >>> chance("q", 0.0009), chance("q", 0.0312), chance("p", 0.5)
    ('q < 0.001', 'q = 0.031', 'p = 0.500')
    """
    return f"{name} < 0.001" if value < 0.001 else f"{name} = {value:.3f}"


def number(value: float) -> str:
    """Write a number with two decimals, or more where it takes them to be told from 0.

    Examples
    --------
    >>> number(0.414), number(0.0031), number(-1e-9), number(0.0)
    ('0.41', '0.0031', '-1e-09', '0.00')
    """
    return f"{value:.2f}" if abs(value) >= 0.01 or value == 0 else f"{value:.2g}"


def _signed(value: float) -> str:
    return ("+" if value > 0 else "") + number(value)


def _groups(row: Mapping[str, Any]) -> str:
    return (
        f"mean {row['metric']} {number(row['mean_with'])} against {number(row['mean_without'])}, "
        f"difference {interval(row['effect'], row['low'], row['high'])}, {chance('q', row['q'])}, "
        f"{row['images_with']} and {row['images_without']} images"
    )


def _correlation(row: Mapping[str, Any]) -> str:
    return (
        f"rank correlation with {row['metric']} "
        f"{interval(row['effect'], row['low'], row['high'])}, {chance('q', row['q'])}, "
        f"{row['images']} images"
    )
