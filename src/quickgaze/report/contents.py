"""What a report is made of: chapters with figures and tables, before they are drawn or written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import altair as alt
import polars as pl

Chart: TypeAlias = alt.Chart | alt.LayerChart


@dataclass(frozen=True, eq=False)
class Figure:
    """A plot.

    Parameters
    ----------
    name : str
        File name without ending; letters, digits, dashes and underscores.
    caption : str
        What is shown, in a sentence.
    chart : altair.Chart or altair.LayerChart
        As wide as the page; papers get a fixed width.
    """

    name: str
    caption: str
    chart: Chart


@dataclass(frozen=True, eq=False)
class Table:
    """A table as it is read on a page and in a paper, and with all its numbers.

    Parameters
    ----------
    name : str
        File name without ending; letters, digits, dashes and underscores.
    caption : str
        What is shown, in a sentence.
    view : polars.DataFrame
        Of texts, as they are to be read; the first column names the rows.
    data : polars.DataFrame
        The finding itself.
    opens : str, optional
        The column of `view` whose texts are stimuli that the page can show at large.
    """

    name: str
    caption: str
    view: pl.DataFrame
    data: pl.DataFrame
    opens: str | None = None

    def __post_init__(self) -> None:
        # A column of remarks is worth its place only where there is one.
        if "remark" in self.view.columns and not any(self.view["remark"]):
            object.__setattr__(self, "view", self.view.drop("remark"))


@dataclass(frozen=True, eq=False)
class Part:
    """What belongs together in a chapter.

    Parameters
    ----------
    label : str
        What readers choose it by, among the chapter's other parts; empty if it always shows.
    figures : sequence of Figure
    tables : sequence of Table
    texts : sequence of str
        Sentences above them.
    """

    label: str = ""
    figures: Sequence[Figure] = ()
    tables: Sequence[Table] = ()
    texts: Sequence[str] = ()


@dataclass(frozen=True)
class Sight:
    """One picture of a strip, with what is to be said of it.

    Parameters
    ----------
    file : str or None
        Relative to the page; None where there is no picture.
    label : str
    text : str
    best : bool
        Whether it is to stand out.
    """

    file: str | None
    label: str
    text: str
    best: bool = False


@dataclass(frozen=True)
class Strip:
    """Pictures of one stimulus side by side.

    Parameters
    ----------
    stimulus : str
    text : str
    sights : sequence of Sight
    """

    stimulus: str
    text: str
    sights: Sequence[Sight]


@dataclass(frozen=True, eq=False)
class Chapter:
    """A section of the report.

    Parameters
    ----------
    anchor : str
        Its name in addresses.
    title : str
    text : str
        What a reader sees and what would be good, in plain words.
    parts : sequence of Part
    missing : str
        What would fill the chapter, where there is nothing to show.
    strips : sequence of Strip
        Pictures below the parts.
    """

    anchor: str
    title: str
    text: str
    parts: Sequence[Part] = ()
    missing: str = ""
    strips: Sequence[Strip] = ()

    @property
    def figures(self) -> list[Figure]:
        """The figures of all parts."""
        return [figure for part in self.parts for figure in part.figures]

    @property
    def tables(self) -> list[Table]:
        """The tables of all parts."""
        return [table for part in self.parts for table in part.tables]
