"""The plots of a report: from findings to Altair charts, without the colours of a theme."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import polars as pl

from quickgaze.report._contents import Chart
from quickgaze.report._words import heading

# They stay apart for colour-blind readers, on white and on black (after P. Tol).
_PALETTE = ("#4477aa", "#ee6677", "#228833", "#b8860b", "#2aa5c9", "#aa3377", "#888888", "#d95f02")

MOST_VARIANTS = len(_PALETTE)
"""How many variants a chart shows; tables show all."""

_ROW = 22  # height in pixels of a row of a chart that lists things
_TALL = 260 / _ROW  # rows of other charts
_UNPRINTABLE = r"[\p{C}\p{Zl}\p{Zp}]"
_FROM = alt.Tooltip("low:Q", title="from", format=".3f")
_TO = alt.Tooltip("high:Q", title="to", format=".3f")
_MEAN = alt.Tooltip("mean:Q", format=".3f")
_IMAGES = alt.Tooltip("images:Q", format=",")
_NAMES = alt.Axis(labelLimit=260, labelPadding=8, ticks=False, domain=False)
_TICKS = alt.Axis(tickCount=8)


def printable(table: pl.DataFrame) -> pl.DataFrame:
    """Replace what cannot be printed: line ends break the expressions that Vega-Lite writes."""
    return table.with_columns(pl.col(pl.String).str.replace_all(_UNPRINTABLE, " "))


def means_chart(rows: pl.DataFrame, metric: str) -> Chart:
    """Means with intervals, one above the other, among baselines and ceilings."""
    bound = pl.col("kind") != "model"
    rows = printable(
        rows.select(
            "name",
            "kind",
            "mean",
            *(pl.when(bound).then("mean").otherwise(end).alias(end) for end in ("low", "high")),
            "images",
        )
    )
    kinds = alt.Scale(
        domain=["model", "baseline", "ceiling"], range=[_PALETTE[0], _PALETTE[6], _PALETTE[2]]
    )
    base = _listed(rows, "name").encode(
        color=alt.Color("kind:N", scale=kinds, legend=alt.Legend(title=None, orient="top")),
        tooltip=[alt.Tooltip("name:N", title="what"), _MEAN, _FROM, _TO, _IMAGES],
    )
    x = _axis("low", f"mean {heading(metric)}", alt.Scale(zero=False))
    spans = base.mark_rule(strokeWidth=2).encode(x=x, x2="high:Q")
    points = base.mark_point(filled=True, size=70, opacity=1).encode(
        x="mean:Q", shape=alt.Shape("kind:N", legend=None)
    )
    return _sized(spans + points, rows.height)


MEASURES = ("centre bias", "one observer", "people")
"""What the lines of a chart of what is shown and known stand for."""

_GROUPS = {
    "baseline": _PALETTE[6],
    "shown": _PALETTE[0],
    "shown, calibrated": _PALETTE[4],
    "known": _PALETTE[1],
    "not out of fold": _PALETTE[5],
    "other": _PALETTE[3],
}
_LINES = {"centre bias": [2, 3], "one observer": [8, 4], "people": [1, 0]}


def known_chart(rows: pl.DataFrame, metric: str) -> Chart:
    """Means with intervals of `shown_and_known`, with the centre bias and people as lines."""
    kind = pl.col("kind").replace({"applied": "not out of fold"})
    calibrated = (pl.col("kind") == "shown") & pl.col("calibrated")
    rows = printable(
        rows.select(
            "name",
            "mean",
            "low",
            "high",
            "images",
            "share",
            group=pl.when(calibrated).then(pl.lit("shown, calibrated")).otherwise(kind),
            measure=pl.when(pl.col("what").is_in(MEASURES)).then("what"),
        )
    )
    # one observer's map is no density: below the centre bias it would only push the dots together
    measured = pl.col("measure").is_not_null() & (pl.col("share").fill_null(0) >= 0)
    lines = rows.filter(measured).unique("measure", maintain_order=True)
    maps = rows.filter(pl.col("measure").is_null())
    there = [name for name in _GROUPS if name in maps["group"]]
    scale = alt.Scale(domain=there, range=[_GROUPS[name] for name in there])
    base = _listed(maps, "name").encode(
        color=alt.Color("group:N", scale=scale, legend=alt.Legend(title=None, orient="top")),
        tooltip=[alt.Tooltip("name:N", title="what"), _MEAN, _FROM, _TO, _IMAGES],
    )
    x = _axis("mean", f"mean {heading(metric)}", alt.Scale(zero=False))
    spans = base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q"), x2="high:Q")
    points = base.mark_point(filled=True, size=70, opacity=1).encode(x=x)
    shown = [name for name in MEASURES if name in lines["measure"]]
    dashes = alt.Scale(domain=shown, range=[_LINES[name] for name in shown])
    ruled = (
        alt.Chart(lines)
        .mark_rule(strokeWidth=1.5, color=_PALETTE[2])
        .encode(
            x="mean:Q",
            strokeDash=alt.StrokeDash(
                "measure:N", scale=dashes, legend=alt.Legend(title=None, orient="top")
            ),
            tooltip=[alt.Tooltip("measure:N", title="what"), _MEAN, _FROM, _TO, _IMAGES],
        )
    )
    return _sized(ruled + spans + points, maps.height)


def distribution_chart(histogram: pl.DataFrame, metric: str, labels: Sequence[str]) -> Chart:
    """Histograms of scores, one over the other."""
    labels = _printable(labels)
    bins = histogram.select("variant", "low", "high", "images")
    middle = printable(_closed(bins)).with_columns(middle=(pl.col("low") + pl.col("high")) / 2)
    counts = alt.Axis(tickMinStep=1, format=",d")
    chart = (
        alt.Chart(middle)
        .mark_area(interpolate="step", fillOpacity=0.12, line={"strokeWidth": 2})
        .encode(
            x=_axis("middle", heading(metric), alt.Scale(zero=False, nice=False)),
            y=alt.Y("images:Q", title="images", stack=None, axis=counts),
            color=_variant_colour(labels),
            tooltip=["variant:N", _FROM, _TO, _IMAGES],
        )
    )
    return _sized(chart, _TALL)


def _closed(histogram: pl.DataFrame) -> pl.DataFrame:
    """Add an empty bin at either end, so that the outline of a histogram comes down to 0."""
    width = pl.col("high") - pl.col("low")
    closed = []
    for _, bins in histogram.group_by("variant", maintain_order=True):
        first, last = (
            end.with_columns(pl.col("low", "high") + shift, pl.lit(0, pl.Int64).alias("images"))
            for end, shift in ((bins.head(1), -width), (bins.tail(1), width))
        )
        closed += [first, bins, last]
    return pl.concat(closed)


def deciles_chart(deciles: pl.DataFrame, metric: str, labels: Sequence[str]) -> Chart:
    """Mean and range of the scores in each tenth of the images."""
    shown = deciles.select("variant", "decile", "images", "lowest", "highest", "mean")
    deciles, labels = printable(shown), _printable(labels)
    scores = (alt.Tooltip(f"{name}:Q", format=".3f") for name in ("mean", "lowest", "highest"))
    base = alt.Chart(deciles).encode(
        x=alt.X(
            "decile:O",
            title="tenth of the images, lowest scores first",
            axis=alt.Axis(labelAngle=0),
        ),
        xOffset=alt.XOffset("variant:N", sort=list(labels)),
        color=_variant_colour(labels),
        tooltip=["variant:N", "decile:O", *scores, _IMAGES],
    )
    spans = base.mark_rule(strokeWidth=5, opacity=0.45).encode(
        y=alt.Y("lowest:Q", title=heading(metric)), y2="highest:Q"
    )
    points = base.mark_point(filled=True, size=36, opacity=1).encode(y="mean:Q")
    return _sized(spans + points, _TALL)


def audit_chart(audit: pl.DataFrame) -> Chart:
    """Share of maps that each rule inverts; ``rest`` is the variant without its rule."""
    audit = printable(audit.select("rest", "orientation", "inverted", "cc", "lost", "images"))
    rest = audit["rest"].unique(maintain_order=True).to_list()
    legend = alt.Legend(title=None, orient="top", labelLimit=320, columns=1)
    chart = (
        _listed(audit, "orientation")
        .mark_bar()
        .encode(
            yOffset=alt.YOffset("rest:N", sort=rest),
            x=alt.X(
                "inverted:Q",
                title="share of maps that are inverted ↓",
                axis=alt.Axis(format="%", tickCount=6),
                scale=alt.Scale(domain=[0, 1]),
            ),
            color=_colour("rest", rest, legend if len(rest) > 1 else None),
            tooltip=[
                alt.Tooltip("rest:N", title="variant"),
                alt.Tooltip("orientation:N"),
                alt.Tooltip("inverted:Q", format=".1%"),
                alt.Tooltip("cc:Q", format=".3f"),
                alt.Tooltip("lost:Q", format=".3f"),
                _IMAGES,
            ],
        )
    )
    return _sized(chart, audit["orientation"].n_unique() * max(1, 0.5 * len(rest)))


def dive_chart(sides: pl.DataFrame, metric: str) -> Chart:
    """Scores of chosen stimuli at every grid, with either sign."""
    sides = printable(sides)
    grids = sides["grid"].unique(maintain_order=True).to_list()
    base = _listed(sides, "stimulus")
    spans = base.mark_rule(opacity=0.35).encode(x="min(score):Q", x2="max(score):Q")
    points = base.mark_point(size=60, strokeWidth=2).encode(
        x=_axis("score", heading(metric), alt.Scale(zero=False)),
        color=_colour("grid", grids, alt.Legend(orient="top", title="grid")),
        shape=alt.Shape(
            "sign:N",
            scale=alt.Scale(domain=["rule", "flipped"], range=["circle", "cross"]),
            legend=alt.Legend(orient="top", title="sign"),
        ),
        tooltip=["stimulus:N", "grid:N", "sign:N", alt.Tooltip("score:Q", format=".3f")],
    )
    return _sized(spans + points, sides["stimulus"].n_unique())


def effects_chart(effects: pl.DataFrame, title: str) -> Chart:
    """Effects with intervals, one above the other, around 0."""
    effects = printable(effects.select("name", "effect", "low", "high", "claimed", "sentence"))
    claimed = alt.Scale(domain=[True, False], range=[_PALETTE[0], _PALETTE[6]])
    base = _listed(effects, "name").encode(
        color=alt.Color("claimed:N", scale=claimed, legend=None),
        tooltip=[alt.Tooltip("sentence:N", title="in words")],
    )
    zero = alt.Chart(pl.DataFrame({"zero": [0.0]})).mark_rule(strokeDash=[4, 4]).encode(x="zero:Q")
    spans = base.mark_rule(strokeWidth=2).encode(x=_axis("low", title), x2="high:Q")
    points = base.mark_point(filled=True, size=60, opacity=1).encode(x="effect:Q")
    return _sized(zero + spans + points, effects.height)


def _printable(texts: Sequence[str]) -> list[str]:
    return pl.Series(texts, dtype=pl.String).str.replace_all(_UNPRINTABLE, " ").to_list()


def _listed(table: pl.DataFrame, column: str) -> alt.Chart:
    """Chart whose rows are the values of a column, in their order."""
    order = table[column].unique(maintain_order=True).to_list()
    return alt.Chart(table).encode(y=alt.Y(f"{column}:N", sort=order, title=None, axis=_NAMES))


def _axis(column: str, title: str, scale: alt.Scale | alt.UndefinedType = alt.Undefined) -> alt.X:
    return alt.X(f"{column}:Q", title=title, axis=_TICKS, scale=scale)


def _colour(column: str, names: Sequence[str], legend: alt.Legend | None) -> alt.Color:
    colours = [_PALETTE[place % len(_PALETTE)] for place in range(len(names))]
    scale = alt.Scale(domain=list(names), range=colours)
    return alt.Color(f"{column}:N", scale=scale, legend=legend)


def _variant_colour(labels: Sequence[str]) -> alt.Color:
    """Colour of a variant, the same in all charts."""
    legend = alt.Legend(title=None, orient="top", columns=4, labelLimit=300, symbolOpacity=1)
    return _colour("variant", labels, legend)


def _sized(chart: Chart, rows: float) -> Chart:
    return chart.properties(width="container", height=max(60, round(_ROW * rows)))
