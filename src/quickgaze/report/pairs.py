"""Two runs against each other, as tables for a terminal."""

from __future__ import annotations

import polars as pl
from rich.table import Table

from quickgaze.report.tables import arrow
from quickgaze.report.words import NOTHING, chance, count, number, percent, with_interval


def comparison_table(summary: pl.DataFrame) -> Table:
    """Show a comparison: a row per metric.

    Parameters
    ----------
    summary : polars.DataFrame
        ``summary`` of a `quickgaze.findings.Comparison`, with the ``q`` of its tests.

    Returns
    -------
    rich.table.Table

    Examples
    --------
    >>> row = {"metric": "cc", "first_mean": 0.5, "second_mean": 0.25, "difference": 0.25}
    >>> row |= {"low": 0.125, "high": 0.375, "win_rate": 0.75, "effect_size": 1.5}
    >>> row |= {"wilcoxon_p": 0.0001, "q": 0.0001, "images": 40, "better": "first"}
    >>> [list(column.cells)[0] for column in comparison_table(pl.DataFrame([row])).columns][:4]
    ['cc ↑', '0.500', '0.250', '0.250 [0.125, 0.375]']
    """
    table = Table(
        title="First less second, paired by stimulus (↑ higher is better, ↓ lower is)",
        caption="difference with its interval; win rate: share of the images on which the first "
        "agrees better; effect size d: positive where the first agrees better; p: Wilcoxon; q: "
        "rate of false discoveries over all rows",
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("metric", no_wrap=True)
    for heading in ("first", "second", "difference", "win rate", "d", "p", "q", "images"):
        table.add_column(heading, justify="right")
    table.add_column("better")
    for row in summary.iter_rows(named=True):
        table.add_row(
            f"{row['metric']} {arrow(row['metric'])}",
            number(row["first_mean"]),
            number(row["second_mean"]),
            with_interval(row["difference"], row["low"], row["high"]),
            percent(row["win_rate"]),
            number(row["effect_size"], 2),
            chance(row["wilcoxon_p"]),
            chance(row["q"]),
            count(row["images"]),
            row["better"] or NOTHING,
        )
    return table


def differing_table(stimuli: pl.DataFrame) -> Table:
    """Show the stimuli on which two runs differ most.

    Parameters
    ----------
    stimuli : polars.DataFrame
        ``stimuli`` of a `quickgaze.findings.Comparison`.

    Returns
    -------
    rich.table.Table
        A section per metric, a row per stimulus.

    Examples
    --------
    >>> row = {"metric": "kld", "stimulus": "a", "first": 1.0, "second": 2.0}
    >>> row |= {"difference": -1.0, "better": "first"}
    >>> differing_table(pl.DataFrame([row])).row_count
    1
    """
    table = Table(title="Stimuli that differ most", title_justify="left")
    table.add_column("metric", no_wrap=True)
    table.add_column("stimulus")
    for heading in ("first", "second", "difference"):
        table.add_column(heading, justify="right")
    table.add_column("better")
    for (metric,), rows in stimuli.group_by("metric", maintain_order=True):
        table.add_section()
        for row in rows.iter_rows(named=True):
            table.add_row(
                f"{metric} {arrow(str(metric))}",
                row["stimulus"],
                *(number(row[name]) for name in ("first", "second", "difference")),
                row["better"] or NOTHING,
            )
    return table
