"""The tables of a run: their columns, and how a shard of them is written and read."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl

from quickgaze.errors import RunError
from quickgaze.places import Storage
from quickgaze.study.stored import maps_schema
from quickgaze.study.variants import VARIANT_KEYS, Column

Row = dict[str, Any]

_RECEIPT = re.compile(r"shards/part-(\d+)\.json")


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

    def extend(self, more: ShardTables) -> None:
        """Add the rows of more stimuli."""
        for table in TABLES:
            getattr(self, table).extend(getattr(more, table))


TABLES = ("maps", "failures", "undefined", "bounds", "scores")
"""The tables of a run, in the order in which a shard's parts are written."""


class TableStore:
    """The Parquet tables of a run folder, a part per shard.

    A shard is there once its receipt is: a small file, written last, that holds size and checksum
    of each of its parts.
    """

    def __init__(self, storage: Storage | Path, metrics: Sequence[str]) -> None:
        self._storage = Storage(storage) if isinstance(storage, Path) else storage
        self._schemas = {
            "maps": maps_schema(),
            "failures": failures_schema(),
            "undefined": undefined_schema(),
            "bounds": bounds_schema(metrics),
            "scores": scores_schema(metrics),
        }

    def write(self, shard: int, tables: ShardTables) -> None:
        """Write a shard, whole or not at all."""
        self._storage.remove(_receipt(shard))
        parts = {}
        for table in TABLES:
            frame = pl.DataFrame(getattr(tables, table), schema=self._schemas[table], orient="row")
            buffer = BytesIO()
            frame.write_parquet(buffer)
            content = buffer.getvalue()
            self._storage.write(_part(table, shard), content)
            parts[table] = {"rows": frame.height, **_stamp(content)}
        self._storage.write(_receipt(shard), json.dumps(parts, indent=2).encode())

    def written(self) -> set[int]:
        """Numbers of the shards that have been written."""
        found = map(_RECEIPT.fullmatch, self._storage.names("shards"))
        return {int(match[1]) for match in found if match}

    def damage(self, shard: int) -> str | None:
        """Say what is wrong with a shard that has been written."""
        try:
            parts = json.loads(self._storage.read(_receipt(shard)))
            for table in TABLES:
                name = _part(table, shard)
                stamp = _stamp(self._storage.read(name))
                if stamp != {key: parts[table][key] for key in stamp}:
                    return f"{self._storage.place}/{name} is not what was written"
        except FileNotFoundError:
            return f"{self._storage.place}: a file of shard {shard} is gone"
        except (KeyError, TypeError, ValueError):
            return f"{self._storage.place}/{_receipt(shard)} cannot be read"
        except OSError as error:
            return f"{self._storage.place}: shard {shard} cannot be read: {error}"
        return None

    def read(self, table: str) -> pl.DataFrame:
        """Read all parts of a table that are there."""
        names = [_part(table, shard) for shard in sorted(self.written())]
        if not names:
            return pl.DataFrame(schema=self._schemas[table])
        try:
            return pl.concat(self._read_part(name) for name in names)
        except pl.exceptions.PolarsError as error:
            raise RunError(
                f"the tables of {self._storage.place} do not fit together: {error}"
            ) from error

    def _read_part(self, name: str) -> pl.DataFrame:
        try:
            return pl.read_parquet(BytesIO(self._storage.read(name)))
        except (OSError, pl.exceptions.PolarsError) as error:
            raise RunError(
                f"{self._storage.place}/{name} is damaged or gone ({type(error).__name__}); run "
                "the same command again to compute its shard anew"
            ) from error


def _part(table: str, shard: int) -> str:
    return f"{table}/part-{shard:05d}.parquet"


def _receipt(shard: int) -> str:
    return f"shards/part-{shard:05d}.json"


def _stamp(content: bytes) -> dict[str, Any]:
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def write_json(storage: Storage | Path, name: str, content: Mapping[str, Any]) -> None:
    """Write a JSON file, whole or not at all."""
    storage = Storage(storage) if isinstance(storage, Path) else storage
    text = json.dumps(content, indent=2, allow_nan=False) + "\n"
    storage.write(name, text.encode("utf-8", "surrogateescape"))
