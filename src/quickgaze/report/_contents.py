"""What a report is made of: chapters with figures and tables, before they are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypedDict

import altair as alt
import polars as pl

Chart: TypeAlias = alt.Chart | alt.LayerChart


class Bootstrap(TypedDict):
    """Options of the bootstrap, as the findings take them."""

    resamples: int
    seed: int


@dataclass(frozen=True, eq=False)
class Figure:
    """A plot as wide as the page; its name is that of its files, without ending."""

    name: str
    caption: str
    chart: Chart


@dataclass(frozen=True, eq=False)
class Table:
    """A table: the texts to read, whose first column names the rows, and the finding itself."""

    name: str  # of its files, without ending
    caption: str
    view: pl.DataFrame
    data: pl.DataFrame
    opens: str | None = None  # column of `view` with stimuli that the page can open

    def __post_init__(self) -> None:
        # A column of remarks is shown only if there is one.
        if "remark" in self.view.columns and not any(self.view["remark"]):
            object.__setattr__(self, "view", self.view.drop("remark"))


@dataclass(frozen=True, eq=False)
class Part:
    """Part of a chapter: readers choose it by its label; without one it is always shown."""

    label: str = ""
    figures: Sequence[Figure] = ()
    tables: Sequence[Table] = ()
    texts: Sequence[str] = ()


@dataclass(frozen=True)
class Sight:
    """One picture of a strip, by its path from the page, with what there is to say about it."""

    file: str | None
    label: str
    text: str
    best: bool = False  # whether it is highlighted


@dataclass(frozen=True)
class Strip:
    """Pictures of one stimulus side by side."""

    stimulus: str
    text: str
    sights: Sequence[Sight]


@dataclass(frozen=True, eq=False)
class Chapter:
    """A section of the report."""

    anchor: str  # its name in addresses
    title: str
    text: str  # what a reader sees and what would be good
    parts: Sequence[Part] = ()
    missing: str = ""  # what would fill the chapter; shown if it has no parts
    strips: Sequence[Strip] = ()
