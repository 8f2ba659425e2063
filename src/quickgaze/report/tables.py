"""Findings as tables for a terminal, and as plain data for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
from rich.table import Table

from quickgaze.findings import VARIANT
from quickgaze.metrics import METRICS


def arrow(metric: str) -> str:
    """Show whether higher scores of a metric are better.

    Parameters
    ----------
    metric : str
        Name of a metric.

    Returns
    -------
    str
        An arrow that points up where they are, down where they are not.

    Examples
    --------
    >>> arrow("cc"), arrow("kld")
    ('↑', '↓')
    """
    return "↑" if METRICS[metric].higher_is_better else "↓"


def summary_table(summary: pl.DataFrame, title: str) -> Table:
    """Show a summary: a row per variant, a column per metric.

    Parameters
    ----------
    summary : polars.DataFrame
        As `quickgaze.findings.summary` gives it.
    title : str

    Returns
    -------
    rich.table.Table
        Only the parts of a variant that differ between rows have a column of their own; the
        others stand in the caption.
    """
    varying = [name for name in VARIANT if summary[name].n_unique() > 1] or ["orientation"]
    fixed = [f"{name} {summary[name][0]}" for name in VARIANT if name not in varying]
    metrics = summary["metric"].unique(maintain_order=True).to_list()
    caption = "mean ± standard error (images behind it); the same in all rows: " + ", ".join(fixed)
    table = Table(title=title, caption=caption, title_justify="left", caption_justify="left")
    for name in varying:
        table.add_column(name)
    for metric in metrics:
        table.add_column(f"{metric} {arrow(metric)}", justify="right", no_wrap=True)
    for variant, rows in summary.group_by(varying, maintain_order=True):
        by_metric = {row["metric"]: row for row in rows.iter_rows(named=True)}
        table.add_row(*map(str, variant), *(_cell(by_metric[metric]) for metric in metrics))
    return table


def _cell(row: dict[str, Any]) -> str:
    if row["mean"] is None:
        return f"undefined ({row['images']})"
    error = "" if row["standard_error"] is None else f" ± {row['standard_error']:.3f}"
    return f"{row['mean']:.3f}{error} ({row['images']})"


def summary_data(summary: pl.DataFrame) -> list[dict[str, Any]]:
    """Give a summary as plain data: a dictionary per variant, with one per metric in it.

    Parameters
    ----------
    summary : polars.DataFrame
        As `quickgaze.findings.summary` gives it.

    Returns
    -------
    list of dict
        The variant's keys and ``metrics``: by name ``mean``, ``standard_error``, ``images``,
        ``left_out`` and ``higher_is_better``.
    """
    variants = []
    for keys, rows in summary.group_by(VARIANT, maintain_order=True):
        metrics = {
            row["metric"]: {
                **{name: row[name] for name in ("mean", "standard_error", "images", "left_out")},
                "higher_is_better": METRICS[row["metric"]].higher_is_better,
            }
            for row in rows.iter_rows(named=True)
        }
        variants.append({**dict(zip(VARIANT, keys, strict=True)), "metrics": metrics})
    return variants


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
    """
    table = Table(*columns, title=title, title_justify="left")
    for row in rows:
        table.add_row(*row)
    return table
