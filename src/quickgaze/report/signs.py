"""Which sign of its CAM a scored variant has, so that its picture can be drawn again."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import polars as pl

from quickgaze.report.subjects import CAM, Subject, Variant

KEPT, FLIPPED, UNKNOWN = "p", "n", "."
"""The sign of the stored CAM, the other one, and none that can be told."""

_EVIDENCE = "evidence_"


def signs_of(subject: Subject, maps: Mapping[int, pl.DataFrame]) -> list[dict[str, str]]:
    """Tell for every variant and stimulus whether the stored CAM was flipped.

    Parameters
    ----------
    subject : Subject
    maps : mapping of int to polars.DataFrame
        `Run.maps` by the run's position, without the column ``projection``.

    Returns
    -------
    list of dict of str to str
        For each of the subject's variants, by stimulus: ``"p"`` where the sign was kept,
        ``"n"`` where it was flipped. What cannot be told is left out.

    Notes
    -----
    A rule's evidence is in the table of maps. The oracle's is not, as it belongs to a blur: its
    sign is that of any rule with the same scores, and the other one where scores differ.
    """
    found = [
        {} if variant.keys["orientation"] == "oracle" else _by_rule(variant, maps[variant.run])
        for variant in subject.variants
    ]
    for place, variant in enumerate(subject.variants):
        if variant.keys["orientation"] == "oracle":
            found[place] = _by_scores(subject, place, found)
    return found


def _by_rule(variant: Variant, maps: pl.DataFrame) -> dict[str, str]:
    own = maps.filter(pl.all_horizontal(pl.col(key) == variant.keys[key] for key in CAM))
    rule = f"{_EVIDENCE}{variant.keys['orientation']}"
    evidence = [name for name in own.columns if name.startswith(_EVIDENCE)]
    found = {}
    for row in own.select("stimulus", *evidence).iter_rows(named=True):
        open_sign = any(row[name] is not None for name in evidence)
        sign = _sign(row.get(rule)) if open_sign else KEPT
        if sign is not None:
            found[row["stimulus"]] = sign
    return found


def _sign(evidence: float | None) -> str | None:
    if evidence is None or math.isnan(evidence):
        return None
    return FLIPPED if evidence < 0 else KEPT


def _by_scores(subject: Subject, place: int, found: list[dict[str, str]]) -> dict[str, str]:
    """Sign of the oracle: that of rules with the same scores."""
    oracle = subject.variants[place]
    scores = _scores(subject, oracle)
    signs: dict[str, str] = {}
    for other, variant in enumerate(subject.variants):
        if other == place or not _alike(variant, oracle):
            continue
        theirs = _scores(subject, variant)
        for stimulus, sign in found[other].items():
            if stimulus in scores and stimulus in theirs and stimulus not in signs:
                same = theirs[stimulus] == scores[stimulus]
                opposite = KEPT if sign == FLIPPED else FLIPPED
                signs[stimulus] = sign if same else opposite
    return signs


def _alike(one: Variant, other: Variant) -> bool:
    """Whether two variants can differ in their sign alone."""
    keys = [name for name in one.keys if name != "orientation"]
    return one.run == other.run and all(one.keys[name] == other.keys[name] for name in keys)


def _scores(subject: Subject, variant: Variant) -> dict[str, tuple[Any, ...]]:
    own = subject.scores_of(variant)
    metrics = subject.runs[variant.run].metrics
    # NaN is not equal to itself, null is.
    rows = own.select("stimulus", pl.col(metrics).fill_nan(None)).iter_rows()
    return {row[0]: row[1:] for row in rows}
