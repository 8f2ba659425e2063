"""How scores spread over the images: histograms, quantiles, deciles; and the ranking."""

from __future__ import annotations

import polars as pl

from quickgaze.findings import Distribution, deciles, distribution, ranking
from quickgaze.report._charts import MOST_VARIANTS, deciles_chart, distribution_chart
from quickgaze.report._contents import Chapter, Figure, Part, Table
from quickgaze.report._subjects import Subject
from quickgaze.report._tables import arrow
from quickgaze.report._words import count, number
from quickgaze.report.chapters._means import ordered

_SPREAD_TEXT = (
    "A mean hides how images differ. The first plot counts the images by their score; the second "
    "divides them into ten equal groups, from the lowest scores to the highest. A good model has "
    "one narrow peak at the better end; a second peak at the other end suggests inverted maps."
)
_RANKING_TEXT = (
    "The stimuli with the most, middling and least agreement between map and people: they show "
    "what the model sees and what it misses. Click a name to enlarge its stimulus."
)
_RANKED = 25


def spread_chapter(subject: Subject) -> Chapter:
    """Write how scores spread."""
    parts = [_spread(subject, metric) for metric in ordered(subject)]
    return Chapter("distributions", "Distributions and deciles", _SPREAD_TEXT, parts)


def _spread(subject: Subject, metric: str) -> Part:
    runs = subject.having(metric)
    found = [distribution(subject.runs[place], metric) for place in runs]
    tenths = pl.concat(
        subject.labelled(place, deciles(subject.runs[place], metric)) for place in runs
    )
    histogram = pl.concat(
        subject.labelled(place, each.histogram) for place, each in zip(runs, found, strict=True)
    )
    labels = histogram["variant"].unique(maintain_order=True).to_list()
    shown = labels[:MOST_VARIANTS]
    few = "" if len(labels) == len(shown) else f" The first {len(shown)} of {len(labels)} variants."
    of_shown = pl.col("variant").is_in(shown)
    figures = [
        Figure(
            f"distribution-{metric}",
            f"Images by their {metric}.{few}",
            distribution_chart(
                histogram.filter(of_shown).select("variant", "low", "high", "images"), metric, shown
            ),
        ),
        Figure(
            f"deciles-{metric}",
            f"Mean {metric} of each tenth of the images, and from its lowest to its highest "
            f"score.{few}",
            deciles_chart(
                tenths.filter(of_shown, pl.col("images") > 0).select(
                    "variant", "decile", "images", "lowest", "highest", "mean"
                ),
                metric,
                shown,
            ),
        ),
    ]
    return Part(
        metric, figures, [_quantiles(subject, runs, found, metric), _tenths(tenths, metric)]
    )


def _quantiles(subject: Subject, runs: list[int], found: list[Distribution], metric: str) -> Table:
    long = pl.concat(
        subject.labelled(place, each.quantiles) for place, each in zip(runs, found, strict=True)
    )
    rows = []
    for (variant,), group in long.group_by("variant", maintain_order=True):
        cells = {_quantile(row["share"]): number(row["score"]) for row in group.to_dicts()}
        rows.append({"variant": str(variant), **cells})
    caption = f"Quantiles of {metric}: the score at or below which so many of the images lie."
    return Table(f"quantiles-{metric}", caption, pl.DataFrame(rows), long)


def _quantile(share: float) -> str:
    return {0.0: "lowest", 0.5: "median", 1.0: "highest"}.get(share, f"{share:.0%}")


def _tenths(tenths: pl.DataFrame, metric: str) -> Table:
    rows = [
        {
            "variant": row["variant"],
            "decile": str(row["decile"]),
            "mean": number(row["mean"]),
            "lowest": number(row["lowest"]),
            "highest": number(row["highest"]),
            "images": count(row["images"]),
        }
        for row in tenths.iter_rows(named=True)
    ]
    caption = f"Deciles of {metric}; the first holds the lowest scores."
    return Table(f"deciles-{metric}", caption, pl.DataFrame(rows), tenths)


def ranking_chapter(subject: Subject) -> Chapter:
    """Write which stimuli agree most, middling and least."""
    parts = [
        _ranking(subject, place, metric)
        for metric in ordered(subject)
        for place in subject.having(metric)
    ]
    return Chapter("ranking", "Ranking", _RANKING_TEXT, parts)


def _ranking(subject: Subject, run: int, metric: str) -> Part:
    variant = subject.main_of(run)
    found = ranking(subject.runs[run], metric, _RANKED, variant=dict(variant.keys))
    heading = f"{metric} {arrow(metric)}"
    tables = []
    for group in ("most", "middle", "least"):
        own = found.filter(pl.col("group") == group)
        rows = [
            {
                "stimulus": subject.shown(run, row["stimulus"]),
                heading: number(row["score"]),
                "rank": count(row["rank"]),
            }
            for row in own.iter_rows(named=True)
        ]
        view = pl.DataFrame(rows, dict.fromkeys(("stimulus", heading, "rank"), pl.String))
        caption = f"{_GROUPS[group]}, {metric}."
        name = f"ranking-{metric}-{group}{subject.suffix(run)}"
        tables.append(Table(name, caption, view, own, opens="stimulus"))
    title = subject.title(run)
    label = f"{metric} · {title}" if title else metric
    return Part(label, tables=tables, texts=[f"Variant: {variant.label}."])


_GROUPS = {"most": "Most agreement", "middle": "Middling agreement", "least": "Least agreement"}
