"""How scores spread over the images: histograms, quantiles, deciles; and the ranking."""

from __future__ import annotations

import polars as pl

from quickgaze.findings import deciles, distribution, ranking
from quickgaze.report._charts import MOST_VARIANTS, deciles_chart, distribution_chart
from quickgaze.report._contents import Chapter, Figure, Part, Table
from quickgaze.report._subjects import Subject
from quickgaze.report._words import heading, texts
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
_GROUPS = {"most": "Most agreement", "middle": "Middling agreement", "least": "Least agreement"}


def spread_chapter(subject: Subject) -> Chapter:
    """Write how scores spread."""
    parts = [_spread(subject, metric) for metric in ordered(subject)]
    return Chapter("distributions", "Distributions and deciles", _SPREAD_TEXT, parts)


def _spread(subject: Subject, metric: str) -> Part:
    runs = {place: subject.runs[place] for place in subject.having(metric)}
    found = {place: distribution(run, metric) for place, run in runs.items()}
    tenths = subject.labelled({place: deciles(run, metric) for place, run in runs.items()})
    histogram = subject.labelled({place: each.histogram for place, each in found.items()})
    quantiles = subject.labelled({place: each.quantiles for place, each in found.items()})
    labels = histogram["variant"].unique(maintain_order=True).to_list()
    shown = labels[:MOST_VARIANTS]
    few = "" if len(labels) == len(shown) else f" The first {len(shown)} of {len(labels)} variants."
    of_shown = pl.col("variant").is_in(shown)
    figures = [
        Figure(
            f"distribution-{metric}",
            f"Images by their {metric}.{few}",
            distribution_chart(histogram.filter(of_shown), metric, shown),
        ),
        Figure(
            f"deciles-{metric}",
            f"Mean {metric} of each tenth of the images, and from its lowest to its highest "
            f"score.{few}",
            deciles_chart(tenths.filter(of_shown, pl.col("images") > 0), metric, shown),
        ),
    ]
    tables = [
        Table(
            f"quantiles-{metric}",
            f"Quantiles of {metric}: the score at or below which so many of the images lie.",
            _quantiles(quantiles),
            quantiles,
        ),
        Table(
            f"deciles-{metric}",
            f"Deciles of {metric}; the first holds the lowest scores.",
            texts(tenths, "variant", "decile", "mean", "lowest", "highest", "images"),
            tenths,
        ),
    ]
    return Part(metric, figures, tables)


def _quantiles(quantiles: pl.DataFrame) -> pl.DataFrame:
    shares = pl.col("share").map_elements(_quantile, return_dtype=pl.String)
    view = texts(quantiles.with_columns(quantile=shares), "variant", "quantile", "score")
    return view.pivot("quantile", index="variant", values="score")


def _quantile(share: float) -> str:
    return {0.0: "lowest", 0.5: "median", 1.0: "highest"}.get(share, f"{share:.0%}")


def ranking_chapter(subject: Subject) -> Chapter:
    """Write which stimuli agree most, middling and least."""
    parts = [
        _ranking(subject, place, metric)
        for metric in ordered(subject)
        for place in subject.having(metric)
    ]
    return Chapter("ranking", "Ranking", _RANKING_TEXT, parts)


def _ranking(subject: Subject, run: int, metric: str) -> Part:
    variant, title = subject.main_of(run), subject.title(run)
    found = ranking(subject.runs[run], metric, _RANKED, variant=variant.keys)
    tables = []
    for group, agreement in _GROUPS.items():
        own = found.filter(pl.col("group") == group)
        shown = subject.named(run, own)
        view = texts(shown, "stimulus", "score", "rank", score=heading(metric))
        name = f"ranking-{metric}-{group}{subject.suffix(run)}"
        tables.append(Table(name, f"{agreement}, {metric}.", view, own, opens="stimulus"))
    label = f"{metric} · {title}" if title else metric
    return Part(label, tables=tables, texts=[f"Variant: {variant.label}."])
