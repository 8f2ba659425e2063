"""Findings as tables for a terminal, and as plain data for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
from rich.table import Table

from quickgaze.bounds import BOUNDS
from quickgaze.findings import VARIANT
from quickgaze.metrics import METRICS, Metric
from quickgaze.report._words import NOTHING, count, number, percent, probability, with_interval


def arrow(metric: str) -> str:
    """Show whether higher scores of a metric are better.

    Parameters
    ----------
    metric : str

    Returns
    -------
    str
        An arrow up if they are, down if not; empty for a metric that no catalogue holds.

    Examples
    --------
    >>> arrow("cc"), arrow("kld")
    ('↑', '↓')
    """
    higher = _higher_is_better(metric)
    return "" if higher is None else "↑" if higher else "↓"


def _higher_is_better(metric: str) -> bool | None:
    return METRICS[metric].higher_is_better if metric in METRICS.names() else None


def summary_table(summary: pl.DataFrame, title: str, bounds: pl.DataFrame | None = None) -> Table:
    """Show a summary: a row per variant, a column per metric; then the bounds.

    Parameters
    ----------
    summary : polars.DataFrame
        As `quickgaze.findings.summary` gives it.
    title : str
    bounds : polars.DataFrame, optional
        As `quickgaze.findings.bounds` gives it.

    Returns
    -------
    rich.table.Table
        Its columns name only what differs between the variants; the caption names the rest.

    Examples
    --------
    >>> import tempfile
    >>> import quickgaze as qg
    >>> from quickgaze.findings import summary
    >>> displays = qg.load_dataset("popout", n=3, size=(120, 160))
    >>> study = qg.Study(displays, metrics=["cc"], orientations=["activation"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = study.run(folder, progress=False)
    ...     table = summary_table(summary(run), "Pop-out displays")
    >>> table.row_count, [column.header for column in table.columns]
    (1, ['orientation', 'cc ↑'])
    """
    varying, fixed = _varying(summary)
    metrics = summary["metric"].unique(maintain_order=True).to_list()
    caption = f"mean ± standard error (images behind it); the same in all rows: {fixed}"
    table = _table(title, caption)
    for name in varying:
        table.add_column(name)
    for metric in metrics:
        table.add_column(f"{metric} {arrow(metric)}", justify="right", no_wrap=True)
    for variant, rows in summary.group_by(varying, maintain_order=True):
        table.add_row(*map(str, variant), *_cells(rows, metrics))
    if bounds is not None:
        _add_bounds(table, bounds, metrics, len(varying) - 1)
    return table


def shares_table(shares: pl.DataFrame) -> Table:
    """Show how far each variant is on the way from the centre bias to people.

    Parameters
    ----------
    shares : polars.DataFrame
        As `quickgaze.findings.shares` gives it.

    Returns
    -------
    rich.table.Table
        A row per variant, a column per metric, in per cent.

    Examples
    --------
    >>> rows = {"metric": ["cc", "nss"], "ceiling": ["split_half", "gold_standard"]}
    >>> shares = pl.DataFrame({**dict.fromkeys(VARIANT, "same"), **rows, "share": [0.29, 0.25]})
    >>> table = shares_table(shares)
    >>> [(column.header, *column.cells) for column in table.columns]
    [('orientation', 'same'), ('cc', '29%'), ('nss', '25%')]
    """
    varying, _ = _varying(shares)
    ceilings = shares.select("metric", "ceiling").unique(maintain_order=True).rows()
    people = "; ".join(
        f"{ceiling} for {', '.join(metric for metric, own in ceilings if own == ceiling)}"
        for ceiling in dict.fromkeys(own for _, own in ceilings)
    )
    table = _table(
        "Share of the way from the centre bias (0 %) to people (100 %)",
        f"people: {people}; means over the images that have all three",
    )
    for name in varying:
        table.add_column(name)
    for metric, _ceiling in ceilings:
        table.add_column(metric, justify="right", no_wrap=True)
    for variant, rows in shares.group_by(varying, maintain_order=True):
        by_metric = {row["metric"]: row["share"] for row in rows.iter_rows(named=True)}
        cells = (by_metric.get(metric) for metric, _ in ceilings)
        texts = ("undefined" if cell is None else f"{cell:.0%}" for cell in cells)
        table.add_row(*map(str, variant), *texts)
    return table


def _table(title: str, caption: str) -> Table:
    return Table(title=title, caption=caption, title_justify="left", caption_justify="left")


def _varying(table: pl.DataFrame) -> tuple[list[str], str]:
    """Names of the variant's keys that differ between rows, and the others in words."""
    varying = [name for name in VARIANT if table[name].n_unique() > 1] or ["orientation"]
    fixed = [f"{name} {table[name][0]}" for name in VARIANT if len(table) and name not in varying]
    return varying, ", ".join(fixed)


def _add_bounds(table: Table, bounds: pl.DataFrame, metrics: Sequence[str], empty: int) -> None:
    kind = None
    for (name,), rows in bounds.group_by("bound", maintain_order=True):
        if BOUNDS[str(name)].kind != kind:
            kind = BOUNDS[str(name)].kind
            table.add_section()
        table.add_row(f"{kind}: {name}", *[""] * empty, *_cells(rows, metrics))


def _cells(rows: pl.DataFrame, metrics: Sequence[str]) -> list[str]:
    by_metric = {row["metric"]: row for row in rows.iter_rows(named=True)}
    return [_cell(by_metric[metric]) for metric in metrics]


def _cell(row: dict[str, Any]) -> str:
    if row["mean"] is None:
        return f"undefined ({row['images']})"
    error = "" if row["standard_error"] is None else f" ± {row['standard_error']:.3f}"
    return f"{row['mean']:.3f}{error} ({row['images']})"


def summary_data(summary: pl.DataFrame, shares: pl.DataFrame | None = None) -> list[dict[str, Any]]:
    """Give a summary as plain data: a dictionary per variant, with one per metric in it.

    Parameters
    ----------
    summary : polars.DataFrame
        As `quickgaze.findings.summary` gives it.
    shares : polars.DataFrame, optional
        As `quickgaze.findings.shares` gives it.

    Returns
    -------
    list of dict
        The variant's keys and ``metrics``: by name ``mean``, ``standard_error``, ``images``,
        ``left_out``, ``higher_is_better`` and, if given, ``share``.

    Examples
    --------
    >>> import tempfile
    >>> import quickgaze as qg
    >>> from quickgaze.findings import summary
    >>> displays = qg.load_dataset("popout", n=3, size=(120, 160))
    >>> study = qg.Study(displays, metrics=["cc"], orientations=["activation"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = study.run(folder, progress=False)
    ...     data = summary_data(summary(run))
    >>> data[0]["orientation"], data[0]["metrics"]["cc"]["images"]
    ('activation', 3)
    """
    keys = [*VARIANT, "metric"]
    if shares is not None:
        of_way = shares.select(*keys, "share")
        summary = summary.join(of_way, on=keys, how="left", maintain_order="left")
    return [
        {**dict(zip(VARIANT, variant, strict=True)), "metrics": _by_metric(rows)}
        for variant, rows in summary.group_by(VARIANT, maintain_order=True)
    ]


def bounds_data(bounds: pl.DataFrame) -> list[dict[str, Any]]:
    """Give bounds as plain data: a dictionary per bound, with one per metric in it.

    Parameters
    ----------
    bounds : polars.DataFrame
        As `quickgaze.findings.bounds` gives it.

    Returns
    -------
    list of dict
        ``bound``, ``kind``, ``summary`` and ``metrics`` as in `summary_data`.

    Examples
    --------
    >>> import tempfile
    >>> import quickgaze as qg
    >>> from quickgaze.findings import bounds
    >>> displays = qg.load_dataset("popout", n=3, size=(120, 160))
    >>> study = qg.Study(displays, metrics=["cc"], orientations=["activation"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = study.run(folder, progress=False)
    ...     data = bounds_data(bounds(run))
    >>> [(each["bound"], each["kind"]) for each in data][0], list(data[0]["metrics"])
    (('uniform', 'baseline'), ['cc'])
    """
    return [
        {
            "bound": name,
            "kind": BOUNDS[str(name)].kind,
            "summary": BOUNDS[str(name)].summary,
            "metrics": _by_metric(rows),
        }
        for (name,), rows in bounds.group_by("bound", maintain_order=True)
    ]


def _by_metric(rows: pl.DataFrame) -> dict[str, dict[str, Any]]:
    numbers = ("mean", "standard_error", "images", "left_out", "share")
    return {
        row["metric"]: {
            **{name: row[name] for name in numbers if name in row},
            "higher_is_better": _higher_is_better(row["metric"]),
        }
        for row in rows.iter_rows(named=True)
    }


def metrics_table() -> Table:
    """Show all metrics: direction, range and unit, and what they compare a map with.

    Returns
    -------
    rich.table.Table

    Examples
    --------
    >>> table = metrics_table()
    >>> list(table.columns[0].cells)[:2]
    ['cc ↑', 'cc_union ↑']
    """
    rows = []
    for name, metric in METRICS.entries().items():
        low, high = metric.range
        rows.append(
            (
                f"{name} {arrow(name)}",
                metric.summary,
                f"{low:g} to {high:g} {metric.unit}".rstrip(),
                "\n".join(_compared(metric)),
                metric.reference,
            )
        )
    columns = ("name", "what it says", "range", "compares with (in convention)", "reference")
    return plain_table("Metrics (↑ higher is better, ↓ lower is)", columns, rows)


def _compared(metric: Metric) -> list[str]:
    """Say what a metric compares a map with, and in which conventions."""
    beside = {"others": " and those on other images", "baseline": " and a baseline density"}
    conventions: dict[str, list[str]] = {}
    for name, target in metric.compares.items():
        what = target + beside.get(metric.needs.get(name, ""), "")
        conventions.setdefault(what, []).append(name)
    return [f"{what} ({', '.join(names)})" for what, names in conventions.items()]


def plain_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """Make a table of texts.

    Parameters
    ----------
    title : str
    columns : sequence of str
        Headings.
    rows : sequence of sequence of str

    Returns
    -------
    rich.table.Table

    Examples
    --------
    >>> table = plain_table("Grids", ["name", "cells"], [["coarsest", "10x15"], ["s16", "19x29"]])
    >>> table.row_count
    2
    """
    table = Table(*columns, title=title, title_justify="left")
    for row in rows:
        table.add_row(*row)
    return table


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
    table = _table(
        "First minus second, paired by stimulus (↑ higher is better, ↓ lower is)",
        "difference with its interval; win rate: share of the images on which the first "
        "agrees better; effect size d: positive where the first agrees better; p: Wilcoxon; q: "
        "false discovery rate over all rows",
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
            probability(row["wilcoxon_p"]),
            probability(row["q"]),
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
