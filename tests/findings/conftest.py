"""What the tests of findings share: runs that are nothing but tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from quickgaze.study import VARIANT_KEYS
from quickgaze.study.plan import Plan

KEYS = {
    "backbone": "net",
    "cam": "eigen",
    "grid": "coarsest",
    "component": 0,
    "orientation": "activation",
    "sigma": 19.0,
    "convention": "tuebingen",
}


@dataclass
class TableRun:
    """What findings ask of a run, without a folder."""

    table: pl.DataFrame
    metrics: list[str]
    plan: Plan
    bound_table: pl.DataFrame
    failed: pl.DataFrame
    path: Path = field(default_factory=lambda: Path("RUN"))
    place: str = "RUN"
    complete: bool = False

    def scores(self) -> pl.DataFrame:
        return self.table

    def bounds(self) -> pl.DataFrame:
        return self.bound_table

    def failures(self) -> pl.DataFrame:
        return self.failed


MakeRun = Callable[..., TableRun]


@pytest.fixture(scope="session")
def table_run() -> MakeRun:
    """Make a run from its scores.

    ``scores`` is a list of variants: what differs from the usual keys, and the scores of each
    metric in the order of the stimuli ``s000``, ``s001``, ... ``bounds`` gives the same by bound.
    """

    def make(
        *variants: tuple[Mapping[str, Any], Mapping[str, Sequence[float]]],
        bounds: Mapping[str, Mapping[str, Sequence[float]]] | None = None,
        failed: Mapping[str, str] | None = None,
        dataset: Mapping[str, Any] | None = None,
        settings: Mapping[str, Any] | None = None,
        plan: Mapping[str, Any] | None = None,
        place: str = "RUN",
    ) -> TableRun:
        metrics = list(variants[0][1])
        rows: list[dict[str, Any]] = []
        for keys, columns in variants:
            for number, values in enumerate(zip(*columns.values(), strict=True)):
                scores = dict(zip(metrics, values, strict=True))
                rows.append({"stimulus": f"s{number:03d}", **KEYS, **keys, **scores})
        schema = {**VARIANT_KEYS, **dict.fromkeys(metrics, pl.Float64)}
        table = pl.DataFrame(rows, schema, orient="row")
        held = [
            {"stimulus": f"s{number:03d}", "bound": bound, "convention": "tuebingen"}
            | dict(zip(metrics, values, strict=True))
            for bound, columns in (bounds or {}).items()
            for number, values in enumerate(zip(*columns.values(), strict=True))
        ]
        bound_schema = dict.fromkeys(("stimulus", "bound", "convention"), pl.String)
        failures = [
            {"stimulus": name, "stage": "image", "error": "StimulusError", "message": message}
            for name, message in (failed or {}).items()
        ]
        names = dict.fromkeys(("stimulus", "stage", "error", "message"), pl.String)
        stimuli = table["stimulus"].unique(maintain_order=True).to_list() + list(failed or {})
        return TableRun(
            table,
            metrics,
            Plan.from_json(
                {
                    "stimuli": stimuli,
                    "settings": {"convention": "tuebingen", "metrics": metrics, **(settings or {})},
                    "dataset": {"name": "folder", "edition": "images", **(dataset or {})},
                    **(plan or {}),
                }
            ),
            pl.DataFrame(
                held, {**bound_schema, **dict.fromkeys(metrics, pl.Float64)}, orient="row"
            ),
            pl.DataFrame(failures, names, orient="row"),
            place=place,
        )

    return make
