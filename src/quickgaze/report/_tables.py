"""Findings as tables for a terminal, and as plain data for programs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import polars as pl
from rich.table import Table

from quickgaze.bounds import BOUNDS
from quickgaze.findings import VARIANT
from quickgaze.metrics import METRICS, Metric
from quickgaze.report._words import heading, texts


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
    headings = {name: heading(name) for name in summary["metric"].unique(maintain_order=True)}
    caption = f"mean ± standard error (images behind it); the same in all rows: {fixed}"
    table = _by_variant(summary, title, caption, headings, _mean)
    kind = None
    for (name,), rows in () if bounds is None else bounds.group_by("bound", maintain_order=True):
        if BOUNDS[str(name)].kind != kind:
            kind = BOUNDS[str(name)].kind
            table.add_section()
        empty = [""] * (len(varying) - 1)
        table.add_row(f"{kind}: {name}", *empty, *_cells(rows, headings, _mean))
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
    ceilings = dict(shares.select("metric", "ceiling").unique(maintain_order=True).iter_rows())
    people = "; ".join(
        f"{ceiling} for {', '.join(metric for metric, own in ceilings.items() if own == ceiling)}"
        for ceiling in dict.fromkeys(ceilings.values())
    )
    title = "Share of the way from the centre bias (0 %) to people (100 %)"
    caption = f"people: {people}; means over the images that have all three"
    headings = {metric: metric for metric in ceilings}
    return _by_variant(shares, title, caption, headings, _share)


def _table(title: str, caption: str | None = None) -> Table:
    return Table(title=title, caption=caption, title_justify="left", caption_justify="left")


def _by_variant(
    scores: pl.DataFrame,
    title: str,
    caption: str,
    headings: Mapping[str, str],
    write: Callable[[Mapping[str, Any]], str],
) -> Table:
    """Table with a row per variant and a column per metric."""
    table = _table(title, caption)
    varying, _ = _varying(scores)
    for name in varying:
        table.add_column(name)
    for name in headings.values():
        table.add_column(name, justify="right", no_wrap=True)
    for variant, rows in scores.group_by(varying, maintain_order=True):
        table.add_row(*map(str, variant), *_cells(rows, headings, write))
    return table


def _varying(table: pl.DataFrame) -> tuple[list[str], str]:
    """Names of the variant's keys that differ between rows, and the others in words."""
    varying = [name for name in VARIANT if table[name].n_unique() > 1] or ["orientation"]
    fixed = [f"{name} {table[name][0]}" for name in VARIANT if len(table) and name not in varying]
    return varying, ", ".join(fixed)


def _cells(
    rows: pl.DataFrame, metrics: Iterable[str], write: Callable[[Mapping[str, Any]], str]
) -> list[str]:
    by_metric = {row["metric"]: write(row) for row in rows.iter_rows(named=True)}
    return [by_metric.get(metric, "undefined") for metric in metrics]


def _mean(row: Mapping[str, Any]) -> str:
    if row["mean"] is None:
        return f"undefined ({row['images']})"
    error = "" if row["standard_error"] is None else f" ± {row['standard_error']:.3f}"
    return f"{row['mean']:.3f}{error} ({row['images']})"


def _share(row: Mapping[str, Any]) -> str:
    return "undefined" if row["share"] is None else f"{row['share']:.0%}"


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
    known = METRICS.entries()
    return {
        row["metric"]: {
            **{name: row[name] for name in numbers if name in row},
            "higher_is_better": getattr(known.get(row["metric"]), "higher_is_better", None),
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
    rows = [
        (
            heading(name),
            metric.summary,
            f"{metric.range[0]:g} to {metric.range[1]:g} {metric.unit}".rstrip(),
            "\n".join(_compared(metric)),
            metric.reference,
        )
        for name, metric in METRICS.entries().items()
    ]
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
    numbers = ("first_mean", "second_mean", "difference", "win_rate", "effect_size", "wilcoxon_p")
    short = {"first_mean": "first", "second_mean": "second", "effect_size": "d", "wilcoxon_p": "p"}
    return _rows(
        texts(summary, "metric", *numbers, "q", "images", "better", **short),
        "First minus second, paired by stimulus (↑ higher is better, ↓ lower is)",
        "difference with its interval; win rate: share of the images on which the first "
        "agrees better; effect size d: positive where the first agrees better; p: Wilcoxon; q: "
        "false discovery rate over all rows",
    )


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
    view = texts(stimuli, "metric", "stimulus", "first", "second", "difference", "better")
    table = _rows(view, "Stimuli that differ most")
    for end in stimuli["metric"].rle().struct.field("len").cum_sum():
        table.rows[end - 1].end_section = True
    return table


def _rows(view: pl.DataFrame, title: str, caption: str | None = None) -> Table:
    """Table of texts as they are, with numbers to the right."""
    table = _table(title, caption)
    for name in view.columns:
        left = name in ("metric", "stimulus", "better")
        table.add_column(name, justify="left" if left else "right", no_wrap=name == "metric")
    for row in view.iter_rows():
        table.add_row(*row)
    return table
