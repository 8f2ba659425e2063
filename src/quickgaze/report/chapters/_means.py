"""The summary: means with intervals, beside baselines and ceilings."""

from __future__ import annotations

import polars as pl

from quickgaze.bounds import BOUNDS
from quickgaze.findings import bounds, means
from quickgaze.report._charts import means_chart
from quickgaze.report._contents import Bootstrap, Chapter, Figure, Part, Table
from quickgaze.report._subjects import Subject
from quickgaze.report._tables import arrow
from quickgaze.report._words import count, percent, with_interval

_TEXT = (
    "How well each map predicts where people look, on average over the images. Brackets hold the "
    "95 % interval: how far the mean would move with other images of the same kind. A good model "
    "is clearly better than the baselines, which know nothing about the image, and close to the "
    "ceilings, which are people predicting people."
)


def means_chapter(subject: Subject, bootstrap: Bootstrap) -> Chapter:
    """Write the summary."""
    runs = list(enumerate(subject.runs))
    averages = pl.concat(
        subject.labelled(place, means(run, **bootstrap)).with_columns(run=pl.lit(place))
        for place, run in runs
    )
    held = pl.concat(
        (bounds(run).with_columns(run=pl.lit(place)) for place, run in runs), how="diagonal"
    )
    overall = Part(tables=[_overview(subject, averages, held)], texts=_notes(subject))
    by_metric = [_part(subject, averages, held, metric) for metric in ordered(subject)]
    return Chapter("summary", "Summary", _TEXT, [overall, *by_metric])


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
    return list(notes)


def _overview(subject: Subject, averages: pl.DataFrame, held: pl.DataFrame) -> Table:
    """Variants by metrics, with the bounds below."""
    rows: list[dict[str, str]] = []
    names = ordered(subject)
    titles = {name: f"{name} {arrow(name)}" for name in names}
    for (variant,), group in averages.group_by("variant", maintain_order=True):
        by_metric = {row["metric"]: row for row in group.iter_rows(named=True)}
        cells = {titles[name]: _cell(by_metric.get(name)) for name in names}
        rows.append({"what": str(variant), **cells})
    several = len(subject.runs) > 1
    for (run, bound), group in held.group_by("run", "bound", maintain_order=True):
        by_metric = {row["metric"]: row for row in group.iter_rows(named=True)}
        kind = BOUNDS[str(bound)].kind
        prefix = f"{subject.names[int(str(run))]} · " if several else ""
        cells = {titles[name]: _cell(by_metric.get(name)) for name in names}
        rows.append({"what": f"{prefix}{kind}: {bound}", **cells})
    caption = (
        "Mean scores; arrows point to better ones. Variants have 95 % bootstrap intervals, "
        "baselines and ceilings do not."
    )
    return Table("summary", caption, pl.DataFrame(rows), averages)


def _cell(row: dict[str, object] | None) -> str:
    if row is None:
        return "—"
    return with_interval(row["mean"], row.get("low"), row.get("high"))  # type: ignore[arg-type]


def _part(subject: Subject, averages: pl.DataFrame, held: pl.DataFrame, metric: str) -> Part:
    own = averages.filter(pl.col("metric") == metric)
    held = held.filter(pl.col("metric") == metric)
    several = len(subject.runs) > 1
    models = own.select(
        name="variant", kind=pl.lit("model"), mean="mean", low="low", high="high", images="images"
    )
    names = [
        f"{subject.names[row['run']]} · {row['bound']}" if several else row["bound"]
        for row in held.iter_rows(named=True)
    ]
    others = held.select(
        pl.Series("name", names, pl.String),
        pl.Series("kind", [BOUNDS[name].kind for name in held["bound"]], pl.String),
        "mean",
        "images",
        low="mean",
        high="mean",
    )
    shown = pl.concat([models, others.select(models.columns)]).filter(pl.col("mean").is_not_null())
    figures = []
    if shown.height:
        caption = f"Mean {metric} with 95 % intervals, beside baselines and ceilings."
        figures.append(Figure(f"means-{metric}", caption, means_chart(shown, metric)))
    return Part(metric, figures, [_details(own, metric)])


def _details(own: pl.DataFrame, metric: str) -> Table:
    view = [
        {
            "variant": row["variant"],
            f"{metric} {arrow(metric)}": with_interval(row["mean"], row["low"], row["high"]),
            "images": count(row["images"]),
            "undefined": count(row["left_out"]),
            "way from centre bias to people": _share(row),
            "remark": row["reason"] or "",
        }
        for row in own.iter_rows(named=True)
    ]
    caption = (
        f"Mean {metric}, the images behind it, and the share of the way from the centre bias (0 %) "
        "to people (100 %), over the images that have all three."
    )
    return Table(f"means-{metric}", caption, pl.DataFrame(view), own)


def _share(row: dict[str, float | None]) -> str:
    if row["share"] is None or row["share_low"] is None:
        return percent(row["share"])
    return f"{percent(row['share'])} [{percent(row['share_low'])}, {percent(row['share_high'])}]"
