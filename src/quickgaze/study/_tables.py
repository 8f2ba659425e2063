"""The tables of a run: their columns, and how a shard of them is written and read."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from io import BytesIO
from typing import Any

import polars as pl

from quickgaze.errors import RunError
from quickgaze.places import Storage
from quickgaze.stimuli.points import Points
from quickgaze.study.stored import maps_schema
from quickgaze.study.variants import VARIANT_KEYS, Column

Row = dict[str, Any]

_RECEIPT = re.compile(r"shards/part-(\d+)\.json")


def schemas(metrics: Sequence[str]) -> dict[str, pl.Schema]:
    """Columns of each table."""
    scores: dict[str, Column] = dict.fromkeys(metrics, pl.Float64)
    columns: dict[str, Mapping[str, Column]] = {
        "maps": maps_schema(),
        # one row per stimulus that could not be scored
        "failures": dict.fromkeys(("stimulus", "stage", "error", "message"), pl.String),
        # one row per stimulus with points
        "points": {"stimulus": pl.String}
        | {each.name: pl.Float64 if each.type == "float" else pl.Int64 for each in fields(Points)},
        # one row per score that is NaN
        "undefined": {**VARIANT_KEYS, **dict.fromkeys(("bound", "metric", "reason"), pl.String)},
        # one row per stimulus and bound
        "bounds": {
            **dict.fromkeys(("stimulus", "bound", "convention"), pl.String),
            **scores,
            "trials": pl.Int32,
        },
        # one row per stimulus and variant
        "scores": {
            **VARIANT_KEYS,
            **scores,
            **dict.fromkeys(("explained_variance", "orientation_margin"), pl.Float32),
        },
    }
    return {table: pl.Schema(each) for table, each in columns.items()}


@dataclass(frozen=True)
class ShardTables:
    """What the computation of one shard gives: the rows of each table."""

    maps: list[Row] = field(default_factory=list)
    scores: list[Row] = field(default_factory=list)
    failures: list[Row] = field(default_factory=list)
    points: list[Row] = field(default_factory=list)
    undefined: list[Row] = field(default_factory=list)
    bounds: list[Row] = field(default_factory=list)

    def extend(self, more: ShardTables) -> None:
        """Add the rows of more stimuli."""
        for table in TABLES:
            getattr(self, table).extend(getattr(more, table))


TABLES = ("maps", "failures", "points", "undefined", "bounds", "scores")
"""The tables of a run, in the order in which a shard's parts are written."""


class TableStore:
    """The Parquet tables of a run folder, a part per shard.

    A shard is there once its receipt is: a small file, written last, that holds size and checksum
    of each of its parts.
    """

    def __init__(self, storage: Storage, metrics: Sequence[str]) -> None:
        self._storage = storage
        self._schemas = schemas(metrics)

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


def write_json(storage: Storage, name: str, content: Mapping[str, Any]) -> None:
    """Write a JSON file, whole or not at all."""
    text = json.dumps(content, indent=2, allow_nan=False) + "\n"
    storage.write(name, text.encode("utf-8", "surrogateescape"))
