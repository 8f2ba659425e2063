"""The plots of a report: from findings to Altair charts, without colours of a theme."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import polars as pl

from quickgaze.report.contents import Chart
from quickgaze.report.tables import arrow

PALETTE = ("#4477aa", "#ee6677", "#228833", "#b8860b", "#2aa5c9", "#aa3377", "#888888", "#d95f02")
"""Colours that stay apart for colour-blind readers, on white and on black (after P. Tol)."""

MOST_VARIANTS = len(PALETTE)
"""How many variants a chart shows; tables show all."""

ROW = 22
"""Height in pixels of a row of a chart that lists things."""


_UNPRINTABLE = r"[\p{C}\p{Zl}\p{Zp}]"


def printable(table: pl.DataFrame) -> pl.DataFrame:
    r"""Put a space for what cannot be printed in a table's texts.

    Vega-Lite writes texts into expressions, in which line ends of any kind are errors.

    Parameters
    ----------
    table : polars.DataFrame

    Returns
    -------
    polars.DataFrame

    Examples
    --------
    >>> printable(pl.DataFrame({"name": ["one\u2028two"]})).item()
    'one two'
    """
    return table.with_columns(pl.col(pl.String).str.replace_all(_UNPRINTABLE, " "))


def _printable(texts: Sequence[str]) -> list[str]:
    names: list[str] = printable(pl.DataFrame({"text": list(texts)}, {"text": pl.String}))[
        "text"
    ].to_list()
    return names


def variant_colour(labels: Sequence[str], legend: bool = True) -> alt.Color:
    """Colour of a variant, the same in all charts.

    Parameters
    ----------
    labels : sequence of str
        All variants, in order.
    legend : bool
        Whether to explain the colours.

    Returns
    -------
    altair.Color
    """
    scale = alt.Scale(domain=list(labels), range=list(PALETTE[: len(labels)]))
    shown = alt.Legend(title=None, orient="top", columns=4, labelLimit=300, symbolOpacity=1)
    return alt.Color("variant:N", scale=scale, legend=shown if legend else None)


def means_chart(rows: pl.DataFrame, metric: str) -> Chart:
    """Means with intervals, above one another; baselines and ceilings among them.

    Parameters
    ----------
    rows : polars.DataFrame
        ``name, kind`` (model, baseline or ceiling), ``mean, low, high, images``.
    metric : str

    Returns
    -------
    altair.LayerChart
    """
    rows = printable(rows)
    order = rows["name"].to_list()
    base = alt.Chart(rows).encode(y=alt.Y("name:N", sort=order, title=None, axis=_names_axis()))
    kinds = alt.Scale(
        domain=["model", "baseline", "ceiling"], range=[PALETTE[0], PALETTE[6], PALETTE[2]]
    )
    colour = alt.Color("kind:N", scale=kinds, legend=alt.Legend(title=None, orient="top"))
    tooltip = [
        alt.Tooltip("name:N", title="what"),
        alt.Tooltip("mean:Q", format=".3f"),
        alt.Tooltip("low:Q", title="from", format=".3f"),
        alt.Tooltip("high:Q", title="to", format=".3f"),
        alt.Tooltip("images:Q", format=","),
    ]
    spans = base.mark_rule(strokeWidth=2).encode(
        x=alt.X(
            "low:Q",
            title=f"mean {metric} {arrow(metric)}",
            scale=alt.Scale(zero=False),
            axis=alt.Axis(tickCount=8),
        ),
        x2="high:Q",
        color=colour,
        tooltip=tooltip,
    )
    points = base.mark_point(filled=True, size=70, opacity=1).encode(
        x="mean:Q", color=colour, shape=alt.Shape("kind:N", legend=None), tooltip=tooltip
    )
    return _sized(spans + points, rows.height)


def distribution_chart(histogram: pl.DataFrame, metric: str, labels: Sequence[str]) -> Chart:
    """Histograms of scores over one another.

    Parameters
    ----------
    histogram : polars.DataFrame
        ``variant, low, high, images``.
    metric : str
    labels : sequence of str
        Of the variants, in order.

    Returns
    -------
    altair.Chart
    """
    labels = _printable(labels)
    middle = printable(_closed(histogram)).with_columns(
        ((pl.col("low") + pl.col("high")) / 2).alias("middle")
    )
    chart = (
        alt.Chart(middle)
        .mark_area(interpolate="step", fillOpacity=0.12, line={"strokeWidth": 2})
        .encode(
            x=alt.X(
                "middle:Q",
                title=f"{metric} {arrow(metric)}",
                scale=alt.Scale(zero=False, nice=False),
                axis=alt.Axis(tickCount=8),
            ),
            y=alt.Y(
                "images:Q", title="images", stack=None, axis=alt.Axis(tickMinStep=1, format=",d")
            ),
            color=variant_colour(labels),
            tooltip=[
                alt.Tooltip("variant:N"),
                alt.Tooltip("low:Q", title="from", format=".3f"),
                alt.Tooltip("high:Q", title="to", format=".3f"),
                alt.Tooltip("images:Q", format=","),
            ],
        )
    )
    sized: Chart = chart.properties(width="container", height=260)
    return sized


def _closed(histogram: pl.DataFrame) -> pl.DataFrame:
    """Add an empty bin at either end, so that the outline of a histogram comes down to 0."""
    ends = []
    for _, rows in histogram.group_by("variant", maintain_order=True):
        for row, side in ((rows.head(1), -1), (rows.tail(1), 1)):
            width = (pl.col("high") - pl.col("low")) * side
            ends.append(
                row.with_columns(
                    pl.col("low") + width,
                    pl.col("high") + width,
                    pl.lit(0, pl.Int64).alias("images"),
                )
            )
    closed = pl.concat([histogram, *ends])
    order = histogram["variant"].unique(maintain_order=True).to_list()
    rank = pl.col("variant").replace_strict({name: place for place, name in enumerate(order)})
    return closed.sort(rank, "low")


def deciles_chart(deciles: pl.DataFrame, metric: str, labels: Sequence[str]) -> Chart:
    """Mean and range of the scores in each tenth of the images.

    Parameters
    ----------
    deciles : polars.DataFrame
        ``variant, decile, images, lowest, highest, mean``.
    metric : str
    labels : sequence of str
        Of the variants, in order.

    Returns
    -------
    altair.LayerChart
    """
    deciles, labels = printable(deciles), _printable(labels)
    tooltip = [
        alt.Tooltip("variant:N"),
        alt.Tooltip("decile:O"),
        alt.Tooltip("mean:Q", format=".3f"),
        alt.Tooltip("lowest:Q", format=".3f"),
        alt.Tooltip("highest:Q", format=".3f"),
        alt.Tooltip("images:Q", format=","),
    ]
    base = alt.Chart(deciles).encode(
        x=alt.X("decile:O", title="tenth of the images, lowest scores first", axis=_level_axis()),
        xOffset=alt.XOffset("variant:N", sort=list(labels)),
        color=variant_colour(labels),
        tooltip=tooltip,
    )
    spans = base.mark_rule(strokeWidth=5, opacity=0.45).encode(
        y=alt.Y("lowest:Q", title=f"{metric} {arrow(metric)}"), y2="highest:Q"
    )
    points = base.mark_point(filled=True, size=36, opacity=1).encode(y="mean:Q")
    sized: Chart = (spans + points).properties(width="container", height=260)
    return sized


def audit_chart(audit: pl.DataFrame) -> Chart:
    """Share of maps that each rule turns the wrong way round.

    Parameters
    ----------
    audit : polars.DataFrame
        ``rest`` (the variant without its rule), ``orientation, inverted, cc, lost, images``.

    Returns
    -------
    altair.Chart
    """
    audit = printable(audit)
    rules = audit["orientation"].unique(maintain_order=True).to_list()
    rest = audit["rest"].unique(maintain_order=True).to_list()
    colours = alt.Scale(
        domain=rest, range=[PALETTE[place % len(PALETTE)] for place in range(len(rest))]
    )
    legend = (
        None if len(rest) == 1 else alt.Legend(title=None, orient="top", labelLimit=320, columns=1)
    )
    chart = (
        alt.Chart(audit)
        .mark_bar()
        .encode(
            y=alt.Y("orientation:N", sort=rules, title=None, axis=_names_axis()),
            yOffset=alt.YOffset("rest:N", sort=rest),
            x=alt.X(
                "inverted:Q",
                title="share of maps that are inverted ↓",
                axis=alt.Axis(format="%", tickCount=6),
                scale=alt.Scale(domain=[0, 1]),
            ),
            color=alt.Color("rest:N", scale=colours, legend=legend),
            tooltip=[
                alt.Tooltip("rest:N", title="variant"),
                alt.Tooltip("orientation:N"),
                alt.Tooltip("inverted:Q", format=".1%"),
                alt.Tooltip("cc:Q", format=".3f"),
                alt.Tooltip("lost:Q", format=".3f"),
                alt.Tooltip("images:Q"),
            ],
        )
    )
    return _sized(chart, len(rules) * max(1, 0.5 * len(rest)))


def dive_chart(sides: pl.DataFrame, metric: str) -> Chart:
    """Scores of chosen stimuli at every grid, with either sign.

    Parameters
    ----------
    sides : polars.DataFrame
        ``stimulus, grid, sign, score``.
    metric : str

    Returns
    -------
    altair.LayerChart
    """
    sides = printable(sides)
    order = sides["stimulus"].unique(maintain_order=True).to_list()
    grids = sides["grid"].unique(maintain_order=True).to_list()
    base = alt.Chart(sides).encode(
        y=alt.Y("stimulus:N", sort=order, title=None, axis=_names_axis())
    )
    spans = base.mark_rule(opacity=0.35).encode(x="min(score):Q", x2="max(score):Q")
    colours = alt.Scale(
        domain=grids, range=[PALETTE[each % len(PALETTE)] for each in range(len(grids))]
    )
    points = base.mark_point(size=60, strokeWidth=2).encode(
        x=alt.X(
            "score:Q",
            title=f"{metric} {arrow(metric)}",
            scale=alt.Scale(zero=False),
            axis=alt.Axis(tickCount=8),
        ),
        color=alt.Color("grid:N", scale=colours, legend=alt.Legend(orient="top", title="grid")),
        shape=alt.Shape(
            "sign:N",
            scale=alt.Scale(domain=["rule", "flipped"], range=["circle", "cross"]),
            legend=alt.Legend(orient="top", title="sign"),
        ),
        tooltip=[
            *(alt.Tooltip(f"{name}:N") for name in ("stimulus", "grid", "sign")),
            alt.Tooltip("score:Q", format=".3f"),
        ],
    )
    return _sized(spans + points, len(order))


def effects_chart(effects: pl.DataFrame, title: str) -> Chart:
    """Effects with intervals, above one another, around 0.

    Parameters
    ----------
    effects : polars.DataFrame
        ``name, effect, low, high, claimed, sentence``.
    title : str
        Of the axis.

    Returns
    -------
    altair.LayerChart
    """
    effects = printable(effects)
    order = effects["name"].to_list()
    base = alt.Chart(effects).encode(
        y=alt.Y("name:N", sort=order, title=None, axis=_names_axis()),
        color=alt.Color(
            "claimed:N",
            scale=alt.Scale(domain=[True, False], range=[PALETTE[0], PALETTE[6]]),
            legend=None,
        ),
        tooltip=[alt.Tooltip("sentence:N", title="in words")],
    )
    zero = alt.Chart(pl.DataFrame({"zero": [0.0]})).mark_rule(strokeDash=[4, 4]).encode(x="zero:Q")
    spans = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("low:Q", title=title, axis=alt.Axis(tickCount=8)), x2="high:Q"
    )
    points = base.mark_point(filled=True, size=60, opacity=1).encode(x="effect:Q")
    return _sized(zero + spans + points, len(order))


def _names_axis(limit: int = 260) -> alt.Axis:
    return alt.Axis(labelLimit=limit, labelPadding=8, ticks=False, domain=False)


def _level_axis() -> alt.Axis:
    return alt.Axis(labelAngle=0)


def _sized(chart: Chart, rows: float) -> Chart:
    return chart.properties(width="container", height=max(60, round(ROW * rows)))
