"""Findings in plain sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def effect_sentence(row: Mapping[str, Any], direction: int) -> str:
    """Say what a row of `attribute_effects` found; `direction` is -1 where lower is better."""
    metric, name = row["metric"], row["attribute"].removeprefix("has_").replace("_", " ")
    if row["q"] is None or row["low"] is None:
        return f"Not tested for {metric}: {name} ({row['reason']})."
    if row["kind"] == "yes/no":
        images = f"mages with {name} agree"
        compared = _compared_means(metric, row["mean_with"], row["mean_without"], row)
        facts = f"{compared}, {row['images_with']} and {row['images_without']} images"
    else:
        images = f"mages with more {name} agree"
        facts = f"rank correlation with {metric} {_effect(row)}, {row['images']} images"
    if not row["claimed"]:
        return f"Whether i{images} more or less is not decided: {facts}."
    return f"I{images} {'more' if row['effect'] * direction > 0 else 'less'}: {facts}."


def claim_sentence(row: Mapping[str, Any], metric: str) -> str:
    """Say what a row of `study_claims` found."""
    if row["q"] is None or row["low"] is None:
        return f"{row['statement']} Not decided: {row['reason']}."
    compared = _compared_means(metric, row["mean_with"], row["held_against"], row)
    return f"{row['statement']} {row['verdict'].capitalize()}: {compared}."


def probability(value: float) -> str:
    """Write a p or q value."""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _compared_means(metric: str, mean: float, other: float, row: Mapping[str, Any]) -> str:
    return f"mean {metric} {_number(mean)} against {_number(other)}, difference {_effect(row)}"


def _effect(row: Mapping[str, Any]) -> str:
    effect, low, high = (_signed(row[name]) for name in ("effect", "low", "high"))
    q = probability(row["q"])
    return f"{effect} [{low}, {high}], q {q if q.startswith('<') else f'= {q}'}"


def _signed(value: float) -> str:
    return ("+" if value > 0 else "") + _number(value)


def _number(value: float) -> str:
    """Two decimals, or more where it takes them to be told from 0."""
    return f"{value:.2f}" if abs(value) >= 0.01 or value == 0 else f"{value:.2g}"
