"""Control of the false discovery rate over everything that was tested."""

from __future__ import annotations

import numpy as np
import polars as pl
from scipy import stats

from quickgaze.errors import OptionError


def check_level(level: float) -> None:
    """Refuse a false discovery rate outside (0, 1)."""
    if not 0 < level < 1:
        raise OptionError(f"level is {level}; give a false discovery rate between 0 and 1, as 0.05")


def claimed(level: float) -> pl.Expr:
    """Whether ``q`` is at most `level` and the interval ``low`` to ``high`` excludes 0."""
    excludes_0 = (pl.col("low") > 0) | (pl.col("high") < 0)
    return ((pl.col("q") <= level) & excludes_0).fill_null(value=False).alias("claimed")


def with_q_values(table: pl.DataFrame, column: str = "p") -> pl.DataFrame:
    """Add ``q`` (Benjamini-Hochberg) and ``tests``, the number of p values that are not null."""
    tested = table[column].is_not_null()
    known = table[column].drop_nulls().to_numpy()
    q_values = np.full(len(table), np.nan)
    q_values[tested] = stats.false_discovery_control(known) if len(known) else known
    return table.with_columns(
        q=pl.Series(q_values).fill_nan(None), tests=pl.lit(len(known), pl.Int64)
    )


def keep_discoveries(compared: pl.DataFrame, level: float) -> pl.DataFrame:
    """Add ``q`` and ``tests`` to a comparison; keep ``better`` only where q is at most `level`."""
    discovered = pl.when(pl.col("q") <= level).then("better")
    return with_q_values(compared, "wilcoxon_p").with_columns(better=discovered)
