"""Holding the rate of false discoveries over everything that was tested."""

from __future__ import annotations

import polars as pl
from scipy import stats

from quickgaze.errors import OptionError


def check_level(level: float) -> None:
    """Refuse a rate that is none.

    Raises
    ------
    OptionError
        If it does not lie between 0 and 1.
    """
    if not 0 < level < 1:
        raise OptionError(f"level is {level}; give the false discovery rate to hold, as 0.05")


def claimed(level: float) -> pl.Expr:
    """Whether an effect is more than chance, taken with everything else that was tested.

    Parameters
    ----------
    level : float
        False discovery rate that is held.

    Returns
    -------
    polars.Expr
        Of the columns ``q``, ``low`` and ``high``: whether q is at most `level` and the interval
        excludes 0. False where one of them is null.

    Examples
    --------
    >>> rows = {"q": [0.01, 0.2, None], "low": [0.1, 0.1, None], "high": [0.3, 0.3, None]}
    >>> pl.DataFrame(rows).select(claimed(0.05)).to_series().to_list()
    [True, False, False]
    """
    excludes_0 = (pl.col("low") > 0) | (pl.col("high") < 0)
    return ((pl.col("q") <= level) & excludes_0).fill_null(value=False).alias("claimed")


def adjusted(table: pl.DataFrame, column: str = "p") -> pl.DataFrame:
    """Add what p values become when many things are tested at once.

    Parameters
    ----------
    table : polars.DataFrame
        A row per test; null in `column` where nothing was tested.
    column : str
        Holds the p values.

    Returns
    -------
    polars.DataFrame
        With ``q`` (Benjamini-Hochberg) and ``tests``: how many p values there are.

    References
    ----------
    .. [1] Y. Benjamini, Y. Hochberg, "Controlling the false discovery rate", Journal of the
       Royal Statistical Society B 57(1), 1995.

    Examples
    --------
    >>> adjusted(pl.DataFrame({"p": [0.01, None, 0.04]})).rows()
    [(0.01, 0.02, 2), (None, None, 2), (0.04, 0.04, 2)]
    """
    tested = table[column].is_not_null()
    known = table[column].drop_nulls().to_numpy()
    corrected = iter(stats.false_discovery_control(known).tolist() if len(known) else [])
    values = [next(corrected) if each else None for each in tested]
    return table.with_columns(
        pl.Series("q", values, pl.Float64), pl.lit(len(known), pl.Int64).alias("tests")
    )
