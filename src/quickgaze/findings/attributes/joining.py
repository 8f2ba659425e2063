"""Tables of attributes side by side."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from quickgaze.errors import OptionError


def join_attributes(*tables: pl.DataFrame) -> pl.DataFrame:
    """Put tables of attributes side by side.

    Parameters
    ----------
    *tables : polars.DataFrame
        Each with a column ``stimulus`` in which nothing stands twice, and a column per
        attribute.

    Returns
    -------
    polars.DataFrame
        A row for every stimulus of any table, in the order in which they come up; null where a
        table does not have it. Columns called ``reason`` become one.

    Raises
    ------
    OptionError
        If there is no table, one has no column ``stimulus`` or repeats one, or two have an
        attribute of the same name.

    Examples
    --------
    >>> people = pl.DataFrame({"stimulus": ["a", "b"], "people": [True, False]})
    >>> text = pl.DataFrame({"stimulus": ["b", "c"], "has_text": [True, True]})
    >>> join_attributes(people, text).rows()
    [('a', True, None), ('b', False, True), ('c', None, True)]
    """
    if not tables:
        raise OptionError("there is no table to join; give at least one")
    _check(tables)
    order = pl.concat(table.select(pl.col("stimulus").cast(pl.String)) for table in tables)
    joined = order.unique(maintain_order=True)
    reasons = []
    for number, table in enumerate(tables):
        column = f"reason {number}"
        renamed = table.with_columns(pl.col("stimulus").cast(pl.String))
        if "reason" in table.columns:
            renamed = renamed.rename({"reason": column})
            reasons.append(column)
        joined = joined.join(renamed, on="stimulus", how="left", maintain_order="left")
    if reasons:
        together = pl.concat_str(reasons, separator="; ", ignore_nulls=True).replace("", None)
        joined = joined.with_columns(together.alias("reason")).drop(reasons)
    return joined


def _check(tables: Sequence[pl.DataFrame]) -> None:
    seen: set[str] = set()
    for number, table in enumerate(tables, 1):
        if "stimulus" not in table.columns:
            raise OptionError(
                f"table {number} has no column called stimulus, which says what each row is "
                f"about; it has {', '.join(table.columns)}"
            )
        if table["stimulus"].is_duplicated().any():
            repeated = table.filter(pl.col("stimulus").is_duplicated())["stimulus"][0]
            raise OptionError(
                f"table {number} has several rows for {repeated!r}; there must be one per stimulus"
            )
        names = set(table.columns) - {"stimulus", "reason"}
        if names & seen:
            raise OptionError(
                f"{min(names & seen)!r} stands in several tables; rename it in one of them"
            )
        seen |= names
