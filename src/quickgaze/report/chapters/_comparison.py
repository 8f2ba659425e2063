"""Comparisons of variants and of runs, image by image."""

from __future__ import annotations

import itertools

import polars as pl

from quickgaze.errors import OptionError
from quickgaze.findings import compare, compare_variants
from quickgaze.report._charts import effects_chart
from quickgaze.report._contents import Bootstrap, Chapter, Figure, Part, Table
from quickgaze.report._subjects import Subject
from quickgaze.report._words import heading, texts

_TEXT = (
    "Which of two runs or variants agrees better with people, on the same images. The difference "
    "is first minus second, with its 95 % interval; the win rate is the share of images on which "
    "the first is better. If the interval excludes 0, the choice of images does not explain the "
    "difference."
)
_MISSING = "There is only one variant: give several runs, or a run with several variants."
_DIFFERING = 10
_COLUMNS = (
    *("first_mean", "second_mean", "difference", "win_rate", "effect_size", "wilcoxon_p"),
    *("images", "better"),
)


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
    return Chapter("comparison", "Comparison", _TEXT, parts, _MISSING)


def _runs(subject: Subject, first: int, second: int, bootstrap: Bootstrap) -> Part:
    names = f"{subject.names[first]} and {subject.names[second]}"
    ours, theirs = (subject.main_of(run) for run in (first, second))
    try:
        found = compare(
            subject.runs[first],
            subject.runs[second],
            variant=ours.keys,
            second_variant=theirs.keys,
            n=_DIFFERING,
            **bootstrap,
        )
    except OptionError as error:
        return Part(names, texts=[f"They cannot be compared: {error}."])
    stem = f"comparison-run{first + 1}-run{second + 1}"
    differing = ("stimulus", "metric", "first", "second", "difference", "better")
    tables = [
        Table(
            stem,
            "Means, differences and win rates, paired by stimulus.",
            texts(found.summary, "metric", *_COLUMNS, "reason"),
            found.summary,
        ),
        Table(
            f"{stem}-stimuli",
            f"The {_DIFFERING} stimuli on which they differ most, by metric.",
            texts(subject.named(first, found.stimuli), *differing),
            found.stimuli,
            opens="stimulus",
        ),
    ]
    return Part(names, tables=tables, texts=[f"First: {ours.label}. Second: {theirs.label}."])


def _variants(subject: Subject, run: int, bootstrap: Bootstrap) -> Part:
    metric, keys = subject.metric, subject.main_of(run).keys
    found = compare_variants(subject.runs[run], metric, reference=keys, **bootstrap)
    shown = found.filter(pl.col("low").is_not_null()).with_columns(
        name="first",
        effect="difference",
        claimed=pl.col("better").is_not_null(),
        sentence=pl.format("{} against {}", "first", "second"),
    )
    name = f"comparison-{metric}{subject.suffix(run)}"
    title = f"difference of mean {metric}"
    caption = f"Difference of mean {metric} of each variant from {found['second'][0]}."
    figures = [Figure(name, caption, effects_chart(shown, title))] if shown.height else []
    table = Table(
        name,
        f"All variants against {found['second'][0]}, the second, in {heading(metric)}, "
        "paired by stimulus; q is the false discovery rate.",
        texts(found, "first", *_COLUMNS, "q", "reason"),
        found,
    )
    label = subject.title(run)
    return Part(f"variants of {label}" if label else "", figures, [table])
