"""The summary: means with intervals, beside baselines and ceilings."""

from __future__ import annotations

import polars as pl

from quickgaze.bounds import BOUNDS
from quickgaze.findings import bounds, means
from quickgaze.report._charts import means_chart
from quickgaze.report._contents import Bootstrap, Chapter, Figure, Part, Table
from quickgaze.report._subjects import Subject
from quickgaze.report._words import NOTHING, heading, texts

_TEXT = (
    "How well each map predicts where people look, on average over the images. Brackets hold the "
    "95 % interval: how far the mean would move with other images of the same kind. A good model "
    "is clearly better than the baselines, which know nothing about the image, and close to the "
    "ceilings, which are people predicting people."
)


def means_chapter(subject: Subject, bootstrap: Bootstrap) -> Chapter:
    """Write the summary."""
    averages = subject.labelled(
        {
            place: means(run, **bootstrap).with_columns(run=pl.lit(place))
            for place, run in enumerate(subject.runs)
        }
    )
    bars = _bars(subject, averages)
    overall = Part(tables=[_overview(subject, averages, bars)], texts=_notes(subject))
    by_metric = [_part(averages, bars, metric) for metric in ordered(subject)]
    return Chapter("summary", "Summary", _TEXT, [overall, *by_metric])


def _bars(subject: Subject, averages: pl.DataFrame) -> pl.DataFrame:
    """Means of the variants, then those of the bounds, which have no interval."""
    columns = ("metric", "mean", "images")
    tables = [
        averages.select(
            *columns, "low", "high", name="variant", what="variant", kind=pl.lit("model")
        )
    ]
    for place, run in enumerate(subject.runs):
        held = bounds(run)
        kinds = pl.Series("kind", [BOUNDS[name].kind for name in held["bound"]], pl.String)
        prefix = f"{title} · " if (title := subject.title(place)) else ""
        tables.append(
            held.select(
                *columns,
                name=pl.format("{}{}", pl.lit(prefix), "bound"),
                what=pl.format("{}{}: {}", pl.lit(prefix), kinds, "bound"),
                kind=kinds,
            )
        )
    return pl.concat(tables, how="diagonal")


def ordered(subject: Subject) -> list[str]:
    """Metrics of a report; the one that single findings are about comes first."""
    return [subject.metric, *(name for name in subject.metrics if name != subject.metric)]


def _notes(subject: Subject) -> list[str]:
    notes: dict[str, None] = {}
    for place, run in enumerate(subject.runs):
        if not run.complete:
            name = subject.names[place]
            notes[f"{name} is not complete: means cover what has been computed so far."] = None
        notes |= dict.fromkeys(run.plan.dataset.notes)
        points = run.all_points()
        if points.outside or points.cause:
            notes[f"{run.plan.dataset.name}: {points.in_words()}."] = None
    return list(notes)


def _overview(subject: Subject, averages: pl.DataFrame, bars: pl.DataFrame) -> Table:
    """Variants by metrics, with the bounds below."""
    cells = texts(bars, "what", "metric", "mean")
    view = cells.pivot("metric", index="what", values="mean")
    titles = map(heading, ordered(subject))
    caption = (
        "Mean scores; arrows point to better ones. Variants have 95 % bootstrap intervals, "
        "baselines and ceilings do not."
    )
    return Table("summary", caption, view.select("what", *titles).fill_null(NOTHING), averages)


def _part(averages: pl.DataFrame, bars: pl.DataFrame, metric: str) -> Part:
    own = averages.filter(pl.col("metric") == metric)
    shown = bars.filter(pl.col("metric") == metric, pl.col("mean").is_not_null())
    name = f"means-{metric}"
    caption = f"Mean {metric} with 95 % intervals, beside baselines and ceilings."
    figures = [Figure(name, caption, means_chart(shown, metric))] if shown.height else []
    columns = ("variant", "mean", "images", "left_out", "share", "reason")
    view = texts(own, *columns, mean=heading(metric))
    caption = (
        f"Mean {metric}, the images behind it, and the share of the way from the centre bias (0 %) "
        "to people (100 %), over the images that have all three."
    )
    return Part(metric, figures, [Table(name, caption, view, own)])
