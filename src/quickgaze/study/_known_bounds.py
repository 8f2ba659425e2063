"""Scores of bounds that another run of the same gaze holds, so that they are not computed again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from quickgaze.study._run import Run
from quickgaze.study._tables import Row, ShardTables


@dataclass(frozen=True, eq=False)
class KnownBounds:
    """The rows of a run's bounds and why some are undefined, by stimulus; `metrics` are its own."""

    metrics: frozenset[str]
    rows: Mapping[str, Sequence[Row]]
    undefined: Mapping[str, Sequence[Row]]

    @classmethod
    def of(cls, run: Run) -> KnownBounds:
        """Read the bounds of a run."""
        rows: dict[str, list[Row]] = defaultdict(list)
        for row in run.bounds().iter_rows(named=True):
            rows[row["stimulus"]].append(row)
        undefined: dict[str, list[Row]] = defaultdict(list)
        for row in run.undefined().drop_nulls("bound").iter_rows(named=True):
            undefined[row["stimulus"]].append(row)
        return cls(frozenset(run.metrics), rows, undefined)

    def has(self, stimulus: str, bounds: Sequence[str]) -> bool:
        """Whether it holds these bounds of a stimulus, and no others."""
        return [row["bound"] for row in self.rows.get(stimulus, ())] == list(bounds)

    def beside(self, stimulus: str, found: ShardTables, metrics: Sequence[str]) -> ShardTables:
        """Put the rows of a stimulus together with those that were `found` of further metrics."""
        further = {row["bound"]: row for row in found.bounds}
        told = ("stimulus", "bound", "convention", "trials")
        kept = {*told, *metrics}
        rows = [
            {name: value for name, value in row.items() if name in kept}
            | further.get(row["bound"], {})
            for row in self.rows[stimulus]
        ]
        undefined = [row for row in self.undefined.get(stimulus, ()) if row["metric"] in metrics]
        return ShardTables(bounds=rows, undefined=[*undefined, *found.undefined])
