"""Comparisons of variants and of runs, image by image."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import polars as pl

from quickgaze.errors import OptionError
from quickgaze.findings import compare, compare_variants
from quickgaze.report._charts import effects_chart
from quickgaze.report._contents import Bootstrap, Chapter, Figure, Part, Table
from quickgaze.report._subjects import Subject
from quickgaze.report._tables import arrow
from quickgaze.report._words import count, number, percent, probability, with_interval

_TEXT = (
    "Which of two runs or variants agrees better with people, on the same images. The difference "
    "is first minus second, with its 95 % interval; the win rate is the share of images on which "
    "the first is better. If the interval excludes 0, the choice of images does not explain the "
    "difference."
)
_MISSING = "There is only one variant: give several runs, or a run with several variants."
_DIFFERING = 10


def comparison_chapter(subject: Subject, bootstrap: Bootstrap) -> Chapter:
    """Write the comparisons: first of the runs, then of each run's variants."""
    parts = [
        _runs(subject, first, second, bootstrap)
        for first, second in itertools.combinations(range(len(subject.runs)), 2)
    ]
    parts += [
        _variants(subject, run, bootstrap)
        for run in subject.having(subject.metric)
        if len(subject.of_run(run)) > 1
    ]
    return Chapter("comparison", "Comparison", _TEXT, parts, "" if parts else _MISSING)


def _runs(subject: Subject, first: int, second: int, bootstrap: Bootstrap) -> Part:
    names = f"{subject.names[first]} and {subject.names[second]}"
    ours, theirs = (subject.main_of(run) for run in (first, second))
    try:
        found = compare(
            subject.runs[first],
            subject.runs[second],
            variant=dict(ours.keys),
            second_variant=dict(theirs.keys),
            n=_DIFFERING,
            **bootstrap,
        )
    except OptionError as error:
        return Part(names, texts=[f"They cannot be compared: {error}."])
    rows = [
        {"metric": f"{row['metric']} {arrow(row['metric'])}", **_cells(row)}
        for row in found.summary.iter_rows(named=True)
    ]
    stem = f"comparison-run{first + 1}-run{second + 1}"
    tables = [
        Table(
            stem,
            "Means, differences and win rates, paired by stimulus.",
            pl.DataFrame(rows),
            found.summary,
        ),
        _differing(subject, first, found.stimuli, f"{stem}-stimuli"),
    ]
    return Part(names, tables=tables, texts=[f"First: {ours.label}. Second: {theirs.label}."])


def _differing(subject: Subject, run: int, stimuli: pl.DataFrame, name: str) -> Table:
    view = [
        {
            "stimulus": subject.shown(run, row["stimulus"]),
            "metric": f"{row['metric']} {arrow(row['metric'])}",
            "first": number(row["first"]),
            "second": number(row["second"]),
            "difference": number(row["difference"]),
            "better": row["better"] or "—",
        }
        for row in stimuli.iter_rows(named=True)
    ]
    columns = ("stimulus", "metric", "first", "second", "difference", "better")
    caption = f"The {_DIFFERING} stimuli on which they differ most, by metric."
    frame = pl.DataFrame(view, dict.fromkeys(columns, pl.String))
    return Table(name, caption, frame, stimuli, opens="stimulus")


def _variants(subject: Subject, run: int, bootstrap: Bootstrap) -> Part:
    metric, main = subject.metric, subject.main_of(run)
    found = compare_variants(subject.runs[run], metric, reference=dict(main.keys), **bootstrap)
    rows = [
        {"first": row["first"], **_cells(row), "q": probability(row["q"])}
        for row in found.iter_rows(named=True)
    ]
    shown = found.filter(pl.col("low").is_not_null()).select(
        pl.col("first").alias("name"),
        pl.col("difference").alias("effect"),
        "low",
        "high",
        pl.col("better").is_not_null().alias("claimed"),
        pl.format("{} against {}", "first", "second").alias("sentence"),
    )
    title = f"difference of mean {metric}"
    caption = f"Difference of mean {metric} of each variant from {found['second'][0]}."
    figures = (
        [Figure(f"comparison-{metric}{subject.suffix(run)}", caption, effects_chart(shown, title))]
        if shown.height
        else []
    )
    table = Table(
        f"comparison-{metric}{subject.suffix(run)}",
        f"All variants against {found['second'][0]}, the second, in {metric} {arrow(metric)}, "
        "paired by stimulus; q is the false discovery rate.",
        pl.DataFrame(rows).select(pl.exclude("remark"), "remark"),
        found,
    )
    label = subject.title(run)
    return Part(f"variants of {label}" if label else "", figures, [table])


def _cells(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        "first mean": number(row["first_mean"]),
        "second mean": number(row["second_mean"]),
        "difference": with_interval(row["difference"], row["low"], row["high"]),
        "win rate": percent(row["win_rate"]),
        "effect size d": number(row["effect_size"], 2),
        "p (Wilcoxon)": probability(row["wilcoxon_p"]),
        "images": count(row["images"]),
        "better": row["better"] or "—",
        "remark": row["reason"] or "",
    }
