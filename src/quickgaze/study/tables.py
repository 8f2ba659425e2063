"""The tables of a run: their columns, and how a shard of them is written and read."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from quickgaze.cams import ORIENTATIONS

Column = pl.DataType | type[pl.DataType]

CAM_KEYS: Mapping[str, Column] = {
    "stimulus": pl.String,
    "backbone": pl.String,
    "cam": pl.String,
    "grid": pl.String,
    "component": pl.Int32,
}
VARIANT_KEYS: Mapping[str, Column] = {
    **CAM_KEYS,
    "orientation": pl.String,
    "sigma": pl.Float64,
    "convention": pl.String,
}

Row = dict[str, Any]


def maps_schema() -> pl.Schema:
    """Columns of `maps`: one row per stimulus and CAM."""
    rules = [rule for rule in ORIENTATIONS.names() if not ORIENTATIONS[rule].needs_density]
    columns: dict[str, Column] = {
        **CAM_KEYS,
        "image_height": pl.Int32,
        "image_width": pl.Int32,
        "height": pl.Int32,
        "width": pl.Int32,
        "projection": pl.List(pl.Float32),
        "explained_variance": pl.Float32,
        **{f"evidence_{rule}": pl.Float32 for rule in rules},
    }
    return pl.Schema(columns)


def scores_schema(metrics: Sequence[str]) -> pl.Schema:
    """Columns of `scores`: one row per stimulus and variant, one column a metric."""
    columns: dict[str, Column] = {
        **VARIANT_KEYS,
        **dict.fromkeys(metrics, pl.Float64),
        "explained_variance": pl.Float32,
        "orientation_margin": pl.Float32,
    }
    return pl.Schema(columns)


def failures_schema() -> pl.Schema:
    """Columns of `failures`: one row per stimulus that could not be scored."""
    return pl.Schema(
        {"stimulus": pl.String, "stage": pl.String, "error": pl.String, "message": pl.String}
    )


def bounds_schema(metrics: Sequence[str]) -> pl.Schema:
    """Columns of `bounds`: one row per stimulus and bound, one column a metric."""
    columns: dict[str, Column] = {
        "stimulus": pl.String,
        "bound": pl.String,
        "convention": pl.String,
        **dict.fromkeys(metrics, pl.Float64),
        "trials": pl.Int32,
    }
    return pl.Schema(columns)


def undefined_schema() -> pl.Schema:
    """Columns of `undefined`: one row per score that is NaN, with the reason."""
    columns: dict[str, Column] = {
        **VARIANT_KEYS,
        "bound": pl.String,
        "metric": pl.String,
        "reason": pl.String,
    }
    return pl.Schema(columns)


@dataclass(frozen=True)
class ShardTables:
    """What the computation of one shard gives: the rows of each table."""

    maps: list[Row]
    scores: list[Row]
    failures: list[Row]
    undefined: list[Row]
    bounds: list[Row] = field(default_factory=list)


class TableStore:
    """The Parquet tables of a run folder, a part per shard.

    Parameters
    ----------
    folder : Path
        The run folder.
    metrics : sequence of str
        Names of the metrics, in the order of their columns.
    """

    def __init__(self, folder: Path, metrics: Sequence[str]) -> None:
        self._folder = folder
        # Scores come last: a shard that has its scores has everything.
        self._schemas = {
            "maps": maps_schema(),
            "failures": failures_schema(),
            "undefined": undefined_schema(),
            "bounds": bounds_schema(metrics),
            "scores": scores_schema(metrics),
        }

    def write(self, shard: int, tables: ShardTables) -> None:
        """Write a shard, whole or not at all.

        Parameters
        ----------
        shard : int
            Its number.
        tables : ShardTables
            Its rows.
        """
        for table, schema in self._schemas.items():
            frame = pl.DataFrame(getattr(tables, table), schema=schema, orient="row")
            path = self._part(table, shard)
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = path.with_name(f".{path.name}.tmp")
            frame.write_parquet(temporary)
            replace_durably(temporary, path)

    def has(self, shard: int) -> bool:
        """Whether a shard has been written."""
        return self._part("scores", shard).is_file()

    def has_all(self, shards: Sequence[object]) -> bool:
        """Whether every one of the plan's shards has been written."""
        return all(self.has(number) for number in range(len(shards)))

    def read(self, table: str) -> pl.DataFrame:
        """Read all parts of a table that are there.

        Parameters
        ----------
        table : str
            ``"maps"``, ``"scores"``, ``"bounds"``, ``"failures"`` or ``"undefined"``.

        Returns
        -------
        polars.DataFrame
            In the order of the shards; empty, with its columns, if there is no part.
        """
        parts = sorted((self._folder / table).glob("part-*.parquet"))
        if not parts:
            return pl.DataFrame(schema=self._schemas[table])
        return pl.read_parquet(parts)

    def _part(self, table: str, shard: int) -> Path:
        return self._folder / table / f"part-{shard:05d}.parquet"


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file, whole or not at all.

    Parameters
    ----------
    path : Path
    content : mapping
        Of plain lists, dictionaries, strings and numbers.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    text = json.dumps(content, indent=2, allow_nan=False)
    temporary.write_text(text + "\n", encoding="utf-8", errors="surrogateescape")
    replace_durably(temporary, path)


def replace_durably(temporary: Path, path: Path) -> None:
    """Flush a file to disk and give it its name.

    Parameters
    ----------
    temporary : Path
        A complete file, in the folder of `path`.
    path : Path
        Its name from now on.
    """
    with temporary.open("rb+") as file:
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
