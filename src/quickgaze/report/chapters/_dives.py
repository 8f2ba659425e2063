"""The deep dive: stimuli of least agreement at every grid and with the other sign."""

from __future__ import annotations

import polars as pl

from quickgaze.findings import DeepDive, deep_dive
from quickgaze.report._album import Album
from quickgaze.report._charts import dive_chart
from quickgaze.report._contents import Chapter, Figure, Part, Sight, Strip, Table
from quickgaze.report._subjects import Subject
from quickgaze.report._words import heading, number, shortened, texts

_TEXT = (
    "The stimuli of least agreement, at every grid of the run and with either sign. Where another "
    "grid or the other sign is much better, the model does see what people look at, but the map "
    "has the wrong scale or the wrong sign; where nothing helps, the model looks elsewhere."
)
_MISSING = (
    "It needs a run with several grids or several orientations: give --grid several times, as in "
    "--grid coarsest --grid s16, or leave --orientation out."
)


def dive_chapter(subject: Subject, album: Album, stimuli: int) -> Chapter:
    """Write the deep dive of all runs that have several grids or both signs."""
    parts, strips = [], []
    for run in subject.having(subject.metric):
        found = _dive(subject, run, stimuli)
        if found is None:
            continue
        parts.append(_part(subject, run, found))
        strips += _strips(subject, run, found, album)
    return Chapter("deep-dive", "Deep dive", _TEXT, parts, _MISSING, strips)


def _dive(subject: Subject, run: int, stimuli: int) -> DeepDive | None:
    keys = subject.main_of(run).keys
    names = subject.least(run, max(stimuli, 1))[:stimuli]
    if not names:
        return None
    found = deep_dive(subject.runs[run], names, subject.metric, variant=keys)
    several = found.grids["grid"].n_unique() > 1 or found.grids["flipped"].count() > 0
    return found if several else None


def _part(subject: Subject, run: int, found: DeepDive) -> Part:
    metric, variant = subject.metric, subject.main_of(run)
    name = f"deep-dive-{metric}{subject.suffix(run)}"
    best, grids = subject.named(run, found.best), subject.named(run, found.grids)
    sides = grids.rename({"score": "rule"}).unpivot(
        on=["rule", "flipped"], index=["stimulus", "grid"], variable_name="sign", value_name="score"
    )
    ordered = best.select("stimulus").join(
        sides.filter(pl.col("score").is_not_null()), on="stimulus", maintain_order="left_right"
    )
    drawn = ordered.with_columns(pl.col("stimulus").map_elements(shortened, pl.String))
    if drawn["stimulus"].n_unique() < ordered["stimulus"].n_unique():
        # Two ids that are alike when shortened would share a row.
        drawn = ordered
    caption = f"{metric} of each stimulus at every grid, with the sign of the rule and flipped."
    figures = [Figure(name, caption, dive_chart(drawn, metric))] if drawn.height else []
    columns = ("stimulus", "score", "best_grid", "best_sign", "best_score", "gain", "reason")
    view = texts(best, *columns, score=heading(metric))
    caption = f"The best of all grids and signs, and how much it gains in {metric}."
    tables = [
        Table(name, caption, view, found.best, opens="stimulus"),
        _grids(grids, metric, name, found.grids),
    ]
    return Part(subject.title(run), figures, tables, [f"Variant: {variant.label}."])


def _grids(shown: pl.DataFrame, metric: str, name: str, data: pl.DataFrame) -> Table:
    rows: dict[str, dict[str, str]] = {}
    for row in shown.iter_rows(named=True):
        cells = rows.setdefault(row["stimulus"], {"stimulus": row["stimulus"]})
        cells[row["grid"]] = number(row["score"])
        cells[f"{row['grid']}, flipped"] = number(row["flipped"])
    caption = f"{metric} at every grid, with the sign of the rule and flipped."
    view = pl.DataFrame(list(rows.values()), infer_schema_length=None)
    return Table(f"{name}-grids", caption, view, data, opens="stimulus")


def _strips(subject: Subject, run: int, found: DeepDive, album: Album) -> list[Strip]:
    if album.empty:
        return []
    main = subject.main_of(run)
    by_grid = {
        variant.key.grid: place
        for place, variant in enumerate(subject.variants)
        if variant.run == run and {**variant.keys, "grid": None} == {**main.keys, "grid": None}
    }
    gains = dict(found.best.select("stimulus", "gain").iter_rows())
    strips = []
    for (stimulus,), group in found.grids.group_by("stimulus", maintain_order=True):
        place = subject.number(run, str(stimulus))
        originals = {"image": album.image_file(place), "people": album.density_file(place)}
        sights = [Sight(file, label, "") for label, file in originals.items() if file]
        for row in group.iter_rows(named=True):
            flipped = "" if row["flipped"] is None else f", flipped {number(row['flipped'], 2)}"
            file = album.map_file(by_grid[row["grid"]], place)
            best = bool(row["best"]) and group.height > 1
            text = f"{number(row['score'], 2)}{flipped}"
            sights.append(Sight(file, f"grid {row['grid']}", text, best))
        text = f"could gain {number(gain, 2)}" if (gain := gains[stimulus]) else ""
        strips.append(Strip(subject.stimuli[place], text, sights))
    return strips
