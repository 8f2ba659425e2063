"""What tells the maps and scores of a run apart: keys, names for people, and signs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

import polars as pl

from quickgaze.cams import ORIENTATIONS

Column = pl.DataType | type[pl.DataType]

Sign = Literal["p", "n", "."]
"""The sign of the stored map kept, flipped, or not known."""

KEPT: Sign = "p"
FLIPPED: Sign = "n"
UNKNOWN: Sign = "."

NO_RULE = "none"
"""The orientation of maps whose sign is not open."""

NO_BACKBONE = "none"
"""The backbone of maps in which none takes part."""

OWN_GRID = "own"
"""The grid of maps that follow none."""

CALIBRATED = "_calibrated"
"""What the name of a CAM ends with whose maps have been calibrated."""


@dataclass(frozen=True)
class CamKey:
    """What tells a CAM from others of its run."""

    backbone: str
    cam: str
    grid: str
    component: int

    def rows(self, table: pl.DataFrame) -> pl.DataFrame:
        """Keep its own rows of a run's table; keys that the table does not have do not count."""
        keys = (each.name for each in fields(self) if each.name in table.columns)
        return table.filter(pl.col(key) == getattr(self, key) for key in keys)


@dataclass(frozen=True)
class MapVariant(CamKey):
    """One saliency map for each stimulus of a run. Made by `choose_variant`.

    Parameters
    ----------
    backbone, cam, grid : str
        As in the run.
    component : int
        From 0.
    orientation : str
        Rule that fixes the sign; ``"none"`` where the CAM's sign is not open.
    sigma : float
        Blur in pixels; 0 is none.

    Examples
    --------
    >>> from quickgaze.exports import MapVariant
    >>> variant = MapVariant("efficientnet_lite0", "eigen", "coarsest", 0, "activation", 19.0)
    >>> variant.orientation, variant.sigma
    ('activation', 19.0)
    """

    orientation: str
    sigma: float


@dataclass(frozen=True)
class Variant(MapVariant):
    """What tells a score from others of its run, beside its stimulus and metric."""

    convention: str

    @property
    def cam_key(self) -> CamKey:
        """The CAM that it is a variant of."""
        return CamKey(self.backbone, self.cam, self.grid, self.component)


_KINDS: Mapping[str, Column] = {"str": pl.String, "int": pl.Int32, "float": pl.Float64}


def _columns(key: type[CamKey]) -> dict[str, Column]:
    return {each.name: _KINDS[str(each.type)] for each in fields(key)}


CAM = tuple(_columns(CamKey))
VARIANT = tuple(_columns(Variant))
VARIANT_SCHEMA: Mapping[str, Column] = _columns(Variant)
CAM_KEYS: Mapping[str, Column] = {"stimulus": pl.String, **_columns(CamKey)}
VARIANT_KEYS: Mapping[str, Column] = {"stimulus": pl.String, **_columns(Variant)}

EVIDENCE = "evidence_"
"""What the columns of evidence for a sign begin with."""


def variants_of(scores: pl.DataFrame) -> list[Variant]:
    """Give the variants of a table of scores, in their order."""
    rows = scores.select(VARIANT).unique(maintain_order=True).iter_rows(named=True)
    return [Variant(**row) for row in rows]


def varying(variants: Sequence[Variant]) -> list[str]:
    """Keys in which variants differ."""
    return [key for key in VARIANT if len({getattr(each, key) for each in variants}) > 1]


_SPOKEN = {"grid": "grid ", "component": "component ", "sigma": "sigma "}
"""What stands before the value of a key that would not explain itself."""


def spoken(variant: Variant, keys: Iterable[str]) -> str:
    """Name a variant for people, by the keys that tell it from others."""
    told = [key for key in keys if key != "backbone" or variant.backbone != NO_BACKBONE]
    values = ((key, getattr(variant, key)) for key in told or ["cam"])
    return " · ".join(
        _SPOKEN.get(key, "") + (f"{value:g}" if isinstance(value, float) else str(value))
        for key, value in values
    )


def evidence_of(row: Mapping[str, Any]) -> dict[str, float]:
    """Evidence for the sign in a row of the table of maps, by rule; empty if it is not open."""
    return {
        name.removeprefix(EVIDENCE): value
        for name, value in row.items()
        if name.startswith(EVIDENCE) and value is not None
    }


def sign_of(evidence: Mapping[str, float], orientation: str) -> Sign:
    """Sign that a rule which the features decide gives to a map with this evidence."""
    if not evidence:
        return KEPT
    value = evidence.get(orientation, math.nan)
    return UNKNOWN if math.isnan(value) else FLIPPED if value < 0 else KEPT


def signs(
    maps: pl.DataFrame, scores: pl.DataFrame, variants: Sequence[Variant]
) -> list[dict[str, Sign]]:
    """Sign of the stored map by stimulus, for each variant of a run; unknown ones are left out.

    A rule's evidence stands in the table of maps. The oracle's does not, as it belongs to a
    blur: its sign is that of any rule with the same scores, and the other where scores differ.
    """
    by_rule = [{} if _by_density(each) else dict(_known_signs(maps, each)) for each in variants]
    return [
        _by_scores(scores, each, variants, by_rule) if _by_density(each) else found
        for each, found in zip(variants, by_rule, strict=True)
    ]


def _by_density(variant: Variant) -> bool:
    known = ORIENTATIONS.entries().get(variant.orientation)
    return known is not None and known.needs_density


def _known_signs(maps: pl.DataFrame, variant: Variant) -> Iterator[tuple[str, Sign]]:
    evidence = [name for name in maps.columns if name.startswith(EVIDENCE)]
    for row in variant.rows(maps).select("stimulus", *evidence).iter_rows(named=True):
        sign = sign_of(evidence_of(row), variant.orientation)
        if sign != UNKNOWN:
            yield row["stimulus"], sign


def _by_scores(
    scores: pl.DataFrame,
    oracle: Variant,
    variants: Sequence[Variant],
    by_rule: Sequence[Mapping[str, Sign]],
) -> dict[str, Sign]:
    ours = _by_stimulus(scores, oracle)
    found: dict[str, Sign] = {}
    for other, known in zip(variants, by_rule, strict=True):
        if other == oracle or set(varying([other, oracle])) != {"orientation"}:
            continue
        theirs = _by_stimulus(scores, other)
        for stimulus, sign in known.items():
            if stimulus in ours and stimulus in theirs and stimulus not in found:
                opposite = KEPT if sign == FLIPPED else FLIPPED
                found[stimulus] = sign if theirs[stimulus] == ours[stimulus] else opposite
    return found


def _by_stimulus(scores: pl.DataFrame, variant: Variant) -> dict[str, tuple[Any, ...]]:
    metrics = pl.all().exclude(*VARIANT_KEYS, "explained_variance", "orientation_margin")
    # NaN is not equal to itself, null is.
    rows = variant.rows(scores).select("stimulus", metrics.fill_nan(None)).iter_rows()
    return {row[0]: row[1:] for row in rows}
