"""Attributes of stimuli in the form in which they are tested: yes or no, or a number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from quickgaze.errors import OptionError, QuickgazeError
from quickgaze.findings._bootstrap import FEWEST_IMAGES, Floats
from quickgaze.stimuli.files import IMAGE_SUFFIXES

TEXTS = (pl.String, pl.Categorical, pl.Enum)
"""Types of columns that hold texts."""

_MOST_TEXTS = 20  # a column with more different texts holds names, not kinds


@dataclass(frozen=True, eq=False)
class Trait:
    """One attribute of every image: 1 for yes, 0 for no, or a number; NaN where not known."""

    name: str
    kind: Literal["yes/no", "numeric", "none"]
    values: Floats
    reason: str | None = None


def check_stimulus_column(
    table: pl.DataFrame, what: str, error: type[QuickgazeError] = OptionError
) -> None:
    """Refuse a table, `what`, without the column that says what its rows are about."""
    if "stimulus" not in table.columns:
        raise error(
            f"{what} has no column called stimulus, which says what each row is about; it has "
            f"{', '.join(table.columns) or 'none'}"
        )


def matched(stimuli: Sequence[str], attributes: pl.DataFrame) -> pl.DataFrame:
    """Bring attributes of ids, or of file names, into the order of a run's stimuli; else null."""
    check_stimulus_column(attributes, "the table of attributes")
    names = [name for name in attributes.columns if name not in ("stimulus", "reason")]
    if not names:
        raise OptionError("the attributes have no column beside stimulus; add what is to be tested")
    called = attributes["stimulus"].cast(pl.String).to_list()
    known = set(stimuli)
    identifiers = [name if name in known else _without_ending(name) for name in called]
    found = attributes.with_columns(pl.Series("stimulus", identifiers, pl.String))
    found = found.filter(pl.col("stimulus").is_in(list(known)))
    if found.is_empty():
        theirs = repr(called[0]) if called else "nothing"
        ours = repr(stimuli[0]) if stimuli else "nothing"
        raise OptionError(
            "no row of the attributes is about a stimulus of the run: they name "
            f"{theirs}, the run has {ours}; use the same names"
        )
    repeated = found.filter(pl.col("stimulus").is_duplicated())
    if repeated.height:
        raise OptionError(
            f"the attributes have several rows for {repeated['stimulus'][0]!r}; there must be one "
            "per stimulus (tables with a row per object are read with per='object')"
        )
    order = pl.DataFrame({"stimulus": stimuli}, {"stimulus": pl.String})
    return order.join(found, on="stimulus", how="left", maintain_order="left").select(names)


def _without_ending(name: str | None) -> str | None:
    head, _, ending = (name or "").rpartition(".")
    return head if head and f".{ending.lower()}" in IMAGE_SUFFIXES else name


def traits_of(attributes: pl.DataFrame) -> list[Trait]:
    """Turn every column into traits; each frequent text of a column is a yes or no of its own."""
    return [trait for column in attributes for trait in _traits(column)]


def _traits(column: pl.Series) -> list[Trait]:
    kind = column.dtype
    if kind in TEXTS:
        return _text_traits(column.cast(pl.String))
    if not (kind == pl.Boolean or kind.is_numeric() or kind == pl.Null):
        return _none(column, f"a column of {kind} is neither numbers, yes or no, nor texts")
    values = _numbers(column)
    values = np.where(np.isfinite(values), values, np.nan)
    known = values[~np.isnan(values)]
    binary = kind == pl.Boolean or (len(known) > 0 and bool(np.isin(known, (0, 1)).all()))
    return [Trait(column.name, "yes/no" if binary else "numeric", values)]


def _text_traits(column: pl.Series) -> list[Trait]:
    counts = column.drop_nulls().value_counts(name="images")
    if counts.height > _MOST_TEXTS:
        number = f"{counts.height} different texts are more than {_MOST_TEXTS}"
        return _none(column, f"{number}: names, not kinds")
    frequent = counts.filter(pl.col("images") >= FEWEST_IMAGES)[column.name].sort()
    if frequent.is_empty():
        return _none(column, f"no text stands for {FEWEST_IMAGES} images")
    name = column.name
    return [Trait(f"{name} = {text}", "yes/no", _numbers(column == text)) for text in frequent]


def _numbers(column: pl.Series) -> Floats:
    return column.cast(pl.Float64).fill_null(np.nan).to_numpy()


def _none(column: pl.Series, reason: str) -> list[Trait]:
    return [Trait(column.name, "none", np.full(len(column), np.nan), reason)]
