"""Attributes of stimuli in the form in which they are tested: yes or no, or a number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from quickgaze.errors import OptionError
from quickgaze.findings.bootstrap import FEWEST, Floats
from quickgaze.stimuli.files import IMAGE_SUFFIXES

MOST_TEXTS = 20
"""Different texts of a column above which it is taken for names, not for kinds."""

TEXTS = (pl.String, pl.Categorical, pl.Enum)
"""Types of columns that hold texts."""

NOT_ATTRIBUTES = ("stimulus", "reason")
"""Columns of a table of attributes that are none."""


@dataclass(frozen=True, eq=False)
class Trait:
    """One thing that can be said of every image.

    Parameters
    ----------
    name : str
        The attribute's column; for a text, with what it says: ``"scene = street"``.
    kind : {"yes/no", "numeric", "none"}
        ``"none"`` cannot be tested.
    values : ndarray, shape (images,), float64
        1 for yes and 0 for no, or the number; NaN where it is not known.
    reason : str, optional
        Why it cannot be tested.
    """

    name: str
    kind: Literal["yes/no", "numeric", "none"]
    values: Floats
    reason: str | None = None


def matched(stimuli: Sequence[str], attributes: pl.DataFrame) -> pl.DataFrame:
    """Bring attributes into the order of a run's stimuli.

    Parameters
    ----------
    stimuli : sequence of str
        Ids of the run.
    attributes : polars.DataFrame
        A column ``stimulus``: ids, or file names of images; and a column per attribute.

    Returns
    -------
    polars.DataFrame
        A row per stimulus and a column per attribute; null where a stimulus has none.

    Raises
    ------
    OptionError
        If there is no such column, no attribute or no stimulus of the run, or if a stimulus
        stands in several rows.
    """
    if "stimulus" not in attributes.columns:
        raise OptionError(
            "the attributes have no column called stimulus, which says what each row is about; "
            f"they have {', '.join(attributes.columns)}"
        )
    names = [name for name in attributes.columns if name not in NOT_ATTRIBUTES]
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
            f"the attributes tell of no stimulus of the run: they name {theirs}, the run has "
            f"{ours}; use the same names"
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
    """Turn every column into what can be tested.

    Parameters
    ----------
    attributes : polars.DataFrame
        A column per attribute: numbers, yes or no, or texts.

    Returns
    -------
    list of Trait
        Numbers that are all 0 or 1 count as no and yes; a text gives one trait for each thing
        that it says of at least ten images. What cannot be tested is there with the reason.

    Examples
    --------
    >>> table = pl.DataFrame({"people": [True, None], "size": [2, 3], "day": [[1], [2]]})
    >>> [(trait.name, trait.kind) for trait in traits_of(table)]
    [('people', 'yes/no'), ('size', 'numeric'), ('day', 'none')]
    """
    return [trait for column in attributes for trait in _traits(column)]


def _traits(column: pl.Series) -> list[Trait]:
    kind = column.dtype
    if kind == pl.Boolean or kind.is_numeric() or kind == pl.Null:
        values = column.cast(pl.Float64).fill_null(np.nan).to_numpy()
        values = np.where(np.isfinite(values), values, np.nan)
        known = values[~np.isnan(values)]
        binary = kind == pl.Boolean or (len(known) > 0 and bool(np.isin(known, (0, 1)).all()))
        return [Trait(column.name, "yes/no" if binary else "numeric", values)]
    if kind in TEXTS:
        return _text_traits(column.cast(pl.String))
    unknown = np.full(len(column), np.nan)
    reason = f"a column of {kind} is neither numbers, yes or no, nor texts"
    return [Trait(column.name, "none", unknown, reason)]


def _text_traits(column: pl.Series) -> list[Trait]:
    counts = column.drop_nulls().value_counts(sort=True, name="images")
    kept = counts.filter(pl.col("images") >= FEWEST)[column.name].to_list()
    unknown = np.full(len(column), np.nan)
    if counts.height > MOST_TEXTS:
        reason = f"{counts.height} different texts are more than {MOST_TEXTS}: names, not kinds"
        return [Trait(column.name, "none", unknown, reason)]
    if not kept:
        reason = f"no text stands for {FEWEST} images"
        return [Trait(column.name, "none", unknown, reason)]
    return [
        Trait(
            f"{column.name} = {text}",
            "yes/no",
            (column == text).cast(pl.Float64).fill_null(np.nan).to_numpy(),
        )
        for text in sorted(kept)
    ]
