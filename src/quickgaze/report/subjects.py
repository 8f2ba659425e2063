"""What a report is about: runs, their variants and their stimuli, each with a name to read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import polars as pl

from quickgaze.catalogue import unknown_name
from quickgaze.errors import OptionError
from quickgaze.findings import VARIANT
from quickgaze.findings.selection import Chosen, of_variants
from quickgaze.study import CAM_KEYS, Run

CAM = tuple(name for name in CAM_KEYS if name != "stimulus")
"""Keys that tell a CAM from others of its run."""

_WORDS = {"grid": "grid ", "component": "component ", "sigma": "sigma ", "convention": ""}
"""What stands before the value of a key that would not explain itself."""


@dataclass(frozen=True, eq=False)
class Variant:
    """A variant of one of the runs.

    Parameters
    ----------
    run : int
        Position of its run.
    keys : mapping
        Its keys and their values, by the names in `quickgaze.findings.VARIANT`.
    label : str
        What tells it from the report's other variants.
    """

    run: int
    keys: Mapping[str, Any]
    label: str

    @property
    def cam(self) -> tuple[Any, ...]:
        """What tells its CAM from others of its run: the values of `CAM`."""
        return tuple(self.keys[key] for key in CAM)


@dataclass(frozen=True, eq=False)
class Subject:
    """The runs of a report. Made by `subject_of`.

    Parameters
    ----------
    runs : sequence of Run
    names : sequence of str
        Of the runs, each once.
    variants : sequence of Variant
        Of all runs, in the order in which they were computed.
    main : sequence of int
        For each run, the position in `variants` of the one that single findings are about.
    metrics : sequence of str
        Those that any run has.
    metric : str
        The one that single findings are about.
    scores : sequence of polars.DataFrame
        Of the runs.
    """

    runs: Sequence[Run]
    names: Sequence[str]
    variants: Sequence[Variant]
    main: Sequence[int]
    metrics: Sequence[str]
    metric: str
    scores: Sequence[pl.DataFrame] = field(repr=False)

    @cached_property
    def keys(self) -> list[tuple[str, str]]:
        """Data set and id of every stimulus, each once, in the order of the plans."""
        found: dict[tuple[str, str], None] = {}
        for place, run in enumerate(self.runs):
            # Tables may tell of stimuli that a plan written by hand does not list.
            scored = self.scores[place]["stimulus"].to_list()
            name = self.dataset(place)
            found |= dict.fromkeys((name, each) for each in [*run.plan["stimuli"], *scored])
        return list(found)

    @cached_property
    def stimuli(self) -> list[str]:
        """Names of the stimuli to read: their ids, with the data set's where there are several."""
        several = len({name for name, _ in self.keys}) > 1
        return [f"{name}/{each}" if several else each for name, each in self.keys]

    @cached_property
    def numbers(self) -> dict[tuple[str, str], int]:
        """Position of every stimulus in `stimuli`."""
        return {key: place for place, key in enumerate(self.keys)}

    def dataset(self, run: int) -> str:
        """Name of a run's data set."""
        return str(self.runs[run].plan["dataset"]["name"])

    def number(self, run: int, stimulus: str) -> int:
        """Position of a stimulus of a run in `stimuli`."""
        return self.numbers[self.dataset(run), stimulus]

    def shown(self, run: int, stimulus: str) -> str:
        """Name to read of a stimulus of a run."""
        return self.stimuli[self.number(run, stimulus)]

    def of_run(self, run: int) -> list[Variant]:
        """Variants of a run."""
        return [variant for variant in self.variants if variant.run == run]

    def main_of(self, run: int) -> Variant:
        """Give the variant that single findings of a run are about."""
        return self.variants[self.main[run]]

    def scores_of(self, variant: Variant) -> pl.DataFrame:
        """Rows of a variant's scores."""
        own = (pl.col(key) == value for key, value in variant.keys.items())
        return self.scores[variant.run].filter(*own)

    def labels(self, run: int) -> pl.DataFrame:
        """Table of a run's variants: their keys and ``variant``, what they are called."""
        rows = [{**variant.keys, "variant": variant.label} for variant in self.of_run(run)]
        schema = {name: self.scores[run].schema[name] for name in VARIANT}
        return pl.DataFrame(rows, {**schema, "variant": pl.String}, orient="row")

    def labelled(self, run: int, table: pl.DataFrame) -> pl.DataFrame:
        """Give a finding of a run the column ``variant``, before all others."""
        together = table.join(self.labels(run), on=list(VARIANT), maintain_order="left")
        return together.select("variant", pl.exclude("variant"))

    def title(self, run: int) -> str:
        """Name of a run, where there are several."""
        return self.names[run] if len(self.runs) > 1 else ""

    def suffix(self, run: int) -> str:
        """End of the names of a run's figures and tables, where there are several runs."""
        return f"-run{run + 1}" if len(self.runs) > 1 else ""

    def having(self, metric: str) -> list[int]:
        """Positions of the runs that have a metric."""
        return [place for place, run in enumerate(self.runs) if metric in run.metrics]


def subject_of(
    runs: Sequence[Run], metric: str | None = None, variant: Chosen | None = None
) -> Subject:
    """Gather what a report is about.

    Parameters
    ----------
    runs : sequence of Run
        At least one, with scores.
    metric : str, optional
        That single findings are about; by default cc, or else the first.
    variant : mapping, optional
        Keys of the variant that single findings are about; by default the first with the
        orientation ``activation``, or else the first.

    Returns
    -------
    Subject

    Raises
    ------
    OptionError
        If there is no run, or one has no scores.
    UnknownNameError
        If no run has the metric, or one has no such variant.
    """
    if not runs:
        raise OptionError("there is no run to report on; name at least one run folder")
    scores = [run.scores() for run in runs]
    for run, table in zip(runs, scores, strict=True):
        if table.is_empty():
            raise OptionError(f"{run.place} holds no scores, so there is nothing to report")
    metrics = list(dict.fromkeys(name for run in runs for name in run.metrics))
    if metric is not None and metric not in metrics:
        raise unknown_name("metric of the runs", metric, metrics)
    names = _run_names(runs)
    variants = _variants(scores, names if len(runs) > 1 else [""])
    main = [_main(table, variants, place, variant) for place, table in enumerate(scores)]
    chosen = metric or ("cc" if "cc" in metrics else metrics[0])
    return Subject(runs, names, variants, main, metrics, chosen, scores)


def _run_names(runs: Sequence[Run]) -> list[str]:
    """Last part of each run's place, numbered where two are the same."""
    last = [run.place.rstrip("/").replace("\\", "/").rpartition("/")[2] for run in runs]
    counts, seen = Counter(last), Counter[str]()
    names = []
    for name in last:
        seen[name] += 1
        names.append(f"{name} ({seen[name]})" if counts[name] > 1 else name)
    return names


def _variants(scores: Sequence[pl.DataFrame], names: Sequence[str]) -> list[Variant]:
    found = [
        (place, keys)
        for place, table in enumerate(scores)
        for keys in table.select(VARIANT).unique(maintain_order=True).iter_rows(named=True)
    ]
    varying = [key for key in VARIANT if len({keys[key] for _, keys in found}) > 1]
    telling = varying or ["cam", "orientation"]
    return [
        Variant(
            place,
            keys,
            " · ".join(
                [*filter(None, [names[place]]), *(_worded(key, keys[key]) for key in telling)]
            ),
        )
        for place, keys in found
    ]


def _worded(key: str, value: object) -> str:
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return _WORDS.get(key, "") + text


def _main(
    scores: pl.DataFrame, variants: Sequence[Variant], run: int, chosen: Chosen | None
) -> int:
    """Position of the variant that single findings of a run are about."""
    fitting = of_variants(scores, chosen)
    first = fitting.filter(pl.col("orientation") == "activation").head(1)
    keys = (first if first.height else fitting.head(1)).select(VARIANT).row(0, named=True)
    places = (
        place
        for place, variant in enumerate(variants)
        if variant.run == run and dict(variant.keys) == keys
    )
    return next(places)
