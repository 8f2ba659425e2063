"""Shown and known: what maps show without training beside what readouts know."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from quickgaze.errors import OptionError
from quickgaze.findings import shown_and_known
from quickgaze.findings.kinds import any_fitted
from quickgaze.findings.selection import comparable
from quickgaze.report._charts import MEASURES, known_chart
from quickgaze.report._contents import Bootstrap, Chapter, Figure, Part, Table
from quickgaze.report._subjects import Subject
from quickgaze.report._words import NOTHING, heading, percent, texts
from quickgaze.study import Run

_TEXT = (
    "What a network shows of where people look, and what it knows of it. Shown: what a map without "
    "training takes from the features. Known: what a readout fitted to gaze takes from the same "
    "features, out of fold: each image is predicted by a readout that was fitted without it. "
    "Calibrated maps have had a blur, a curve of brightness and a weight of the centre bias "
    "fitted, out of fold too. What is known but not shown is in the network, not in the map; what "
    "a readout of random weights knows, the architecture alone knows."
)
_GAIN = "information_gain"

_SEEN = {
    "all": "it was fitted on these images: not out of fold",
    "perhaps": "it may have been fitted on some of these images: not out of fold",
}


def known_chapters(subject: Subject, bootstrap: Bootstrap) -> list[Chapter]:
    """Write the chapter; there is none without readouts and calibrated maps."""
    groups = [
        group
        for group in comparable(subject.runs)
        if any_fitted([subject.runs[place] for place in group])
    ]
    if not groups:
        return []
    several = len(groups) > 1
    parts = [
        part
        for number, group in enumerate(groups, 1)
        for part in _parts(subject, group, f"-{number}" if several else "", bootstrap)
    ]
    return [Chapter("known", "Shown and known", _TEXT, parts)]


def _parts(subject: Subject, group: Sequence[int], suffix: str, bootstrap: Bootstrap) -> list[Part]:
    runs = [subject.runs[place] for place in group]
    dataset = runs[0].plan.dataset.title if suffix else ""
    try:
        found = shown_and_known(runs, **bootstrap)
    except OptionError as error:
        return [Part(dataset, texts=[f"There is nothing to compare: {error}."])]
    found = found.with_columns(name=_names(found))
    metrics = found["metric"].unique(maintain_order=True).to_list()
    overall = Part(dataset, tables=[_table(found, metrics, suffix)], texts=_notes(found, runs))
    return [overall, *(_of_metric(found, metric, dataset, suffix) for metric in metrics)]


def _names(found: pl.DataFrame) -> pl.Expr:
    """Names of the rows: with the backbone and the levels where there are several."""
    sets = found.drop_nulls("levels").group_by("backbone").agg(pl.col("levels").n_unique())
    backbone = ["backbone"] if found["backbone"].n_unique() > 1 else []
    levels = ["levels"] if (sets["levels"] > 1).any() else []
    return pl.concat_str([*backbone, "what", *levels], separator=" · ", ignore_nulls=True)


def _notes(found: pl.DataFrame, runs: Sequence[Run]) -> list[str]:
    images, left_out = (max(found[name].drop_nulls()) for name in ("images", "left_out"))
    scored = " that all runs have scored" if len(runs) > 1 else ""
    notes = [f"Compared on {images:,} images{scored}: all means of a metric are of the same ones."]
    if left_out:
        notes.append(f"Up to {left_out:,} more are left out, for lack of a score of some map.")
    if len({frozenset(run.plan.stimuli) for run in runs}) > 1 and _GAIN in found["metric"]:
        notes.append(
            f"The runs are not of the same images: {_GAIN} is over each one's own centre bias."
        )
    return notes


def _table(found: pl.DataFrame, metrics: Sequence[str], suffix: str) -> Table:
    """Rows by metrics, with the share of the way from the centre bias to people."""
    written = texts(found, "backbone", "name", "kind", "metric", "mean")
    rows = ["backbone", "name", "kind"]
    cells = written.pivot("metric", index=rows, values="mean", maintain_order=True)
    share = found.with_columns(
        pl.format("way, {}", "metric").alias("of"),
        way=pl.col("share").map_elements(percent, pl.String, skip_nulls=False),
    ).pivot("of", index=["backbone", "name", "kind"], values="way", maintain_order=True)
    remarks = found.group_by(*rows, maintain_order=True).agg(
        pl.col("seen").first().replace_strict(_SEEN, default="").alias("remark")
    )
    view = cells.hstack(share.drop(rows)).hstack(remarks.select(pl.col("remark").fill_null("")))
    titles = [*map(heading, metrics), *(f"way, {metric}" for metric in metrics)]
    caption = (
        "Mean scores with 95 % intervals, and how far they are on the way from the centre bias "
        "(0 %) to people (100 %), by metric."
    )
    view = view.select(pl.col("name").alias("what"), "kind", *titles, "remark")
    return Table(f"known{suffix}", caption, view.fill_null(NOTHING), found.drop("name"))


def _of_metric(found: pl.DataFrame, metric: str, dataset: str, suffix: str) -> Part:
    own = found.filter(pl.col("metric") == metric, pl.col("mean").is_not_null())
    label = " · ".join(filter(None, [dataset, metric]))
    if own.is_empty():
        return Part(label, texts=[f"{metric} is not defined on any image."])
    caption = (
        f"Mean {metric} with 95 % intervals, on the same images. Lines: {', '.join(MEASURES)}, "
        "where these are not below the centre bias."
    )
    return Part(label, [Figure(f"known-{metric}{suffix}", caption, known_chart(own, metric))])
