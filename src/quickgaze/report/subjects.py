"""What a report is about: runs, their variants and stimuli, each with a name for readers."""

from __future__ import annotations

import math
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
"""Keys that identify a CAM in its run."""

KEPT, FLIPPED, UNKNOWN = "p", "n", "."
"""Sign of a stored CAM in a scored variant: as stored, flipped, or unknown."""

_EVIDENCE = "evidence_"
_WORDS = {"grid": "grid ", "component": "component ", "sigma": "sigma ", "convention": ""}
"""Words before the value of a key that does not explain itself."""


@dataclass(frozen=True, eq=False)
class Variant:
    """A variant of one of the runs: the run's position, its keys (`VARIANT`) and its label."""

    run: int
    keys: Mapping[str, Any]
    label: str

    @property
    def cam(self) -> tuple[Any, ...]:
        """The values of `CAM`."""
        return tuple(self.keys[key] for key in CAM)


@dataclass(frozen=True, eq=False)
class Subject:
    """The runs of a report. Made by `subject_of`."""

    runs: Sequence[Run]
    names: Sequence[str]
    variants: Sequence[Variant]
    main: Sequence[int]  # for each run, its variant that single findings are about
    metrics: Sequence[str]
    metric: str  # the one that single findings are about
    scores: Sequence[pl.DataFrame] = field(repr=False)

    @cached_property
    def keys(self) -> list[tuple[str, str]]:
        """Data set and id of every stimulus, each once, in the order of the plans."""
        found: dict[tuple[str, str], None] = {}
        for place, run in enumerate(self.runs):
            # A plan written by hand may not list all scored stimuli.
            scored = self.scores[place]["stimulus"].to_list()
            name = self.dataset(place)
            found |= dict.fromkeys((name, each) for each in [*run.plan["stimuli"], *scored])
        return list(found)

    @cached_property
    def stimuli(self) -> list[str]:
        """Names of the stimuli for readers: ids, with the data set's name if there are several."""
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
        """Name of a run's stimulus for readers."""
        return self.stimuli[self.number(run, stimulus)]

    def of_run(self, run: int) -> list[Variant]:
        """Variants of a run."""
        return [variant for variant in self.variants if variant.run == run]

    def main_of(self, run: int) -> Variant:
        """Variant that single findings of a run are about."""
        return self.variants[self.main[run]]

    def scores_of(self, variant: Variant) -> pl.DataFrame:
        """Rows of a variant's scores."""
        own = (pl.col(key) == value for key, value in variant.keys.items())
        return self.scores[variant.run].filter(*own)

    def labels(self, run: int) -> pl.DataFrame:
        """List a run's variants: their keys and the column ``variant``, the label."""
        rows = [{**variant.keys, "variant": variant.label} for variant in self.of_run(run)]
        schema = {name: self.scores[run].schema[name] for name in VARIANT}
        return pl.DataFrame(rows, {**schema, "variant": pl.String}, orient="row")

    def labelled(self, run: int, table: pl.DataFrame) -> pl.DataFrame:
        """Put the column ``variant`` before a run's finding."""
        together = table.join(self.labels(run), on=list(VARIANT), maintain_order="left")
        return together.select("variant", pl.exclude("variant"))

    def title(self, run: int) -> str:
        """Name of a run; empty if there is only one."""
        return self.names[run] if len(self.runs) > 1 else ""

    def suffix(self, run: int) -> str:
        """End of the names of a run's figures and tables; empty if there is only one run."""
        return f"-run{run + 1}" if len(self.runs) > 1 else ""

    def having(self, metric: str) -> list[int]:
        """Positions of the runs that have a metric."""
        return [place for place, run in enumerate(self.runs) if metric in run.metrics]


def subject_of(
    runs: Sequence[Run], metric: str | None = None, variant: Chosen | None = None
) -> Subject:
    """Gather what a report is about; fail if there is nothing, or no such metric or variant."""
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


def signs_of(subject: Subject, maps: Mapping[int, pl.DataFrame]) -> list[dict[str, str]]:
    """Signs of the stored CAM by stimulus, for each variant, from `Run.maps` of each run."""
    # The oracle depends on the blur, so its evidence is not in the table of maps.
    found = [
        {} if variant.keys["orientation"] == "oracle" else _by_rule(variant, maps[variant.run])
        for variant in subject.variants
    ]
    for place, variant in enumerate(subject.variants):
        if variant.keys["orientation"] == "oracle":
            found[place] = _by_scores(subject, place, found)
    return found


def _by_rule(variant: Variant, maps: pl.DataFrame) -> dict[str, str]:
    own = maps.filter(pl.all_horizontal(pl.col(key) == variant.keys[key] for key in CAM))
    rule = f"{_EVIDENCE}{variant.keys['orientation']}"
    evidence = [name for name in own.columns if name.startswith(_EVIDENCE)]
    found = {}
    for row in own.select("stimulus", *evidence).iter_rows(named=True):
        open_sign = any(row[name] is not None for name in evidence)
        sign = _sign(row.get(rule)) if open_sign else KEPT
        if sign is not None:
            found[row["stimulus"]] = sign
    return found


def _sign(evidence: float | None) -> str | None:
    if evidence is None or math.isnan(evidence):
        return None
    return FLIPPED if evidence < 0 else KEPT


def _by_scores(subject: Subject, place: int, found: list[dict[str, str]]) -> dict[str, str]:
    """Signs of the oracle: those of rules with the same scores."""
    oracle = subject.variants[place]
    scores = _scores(subject, oracle)
    signs: dict[str, str] = {}
    for other, variant in enumerate(subject.variants):
        if other == place or not _alike(variant, oracle):
            continue
        theirs = _scores(subject, variant)
        for stimulus, sign in found[other].items():
            if stimulus in scores and stimulus in theirs and stimulus not in signs:
                same = theirs[stimulus] == scores[stimulus]
                opposite = KEPT if sign == FLIPPED else FLIPPED
                signs[stimulus] = sign if same else opposite
    return signs


def _alike(one: Variant, other: Variant) -> bool:
    """Whether two variants can differ only in their sign."""
    keys = [name for name in one.keys if name != "orientation"]
    return one.run == other.run and all(one.keys[name] == other.keys[name] for name in keys)


def _scores(subject: Subject, variant: Variant) -> dict[str, tuple[Any, ...]]:
    own = subject.scores_of(variant)
    metrics = subject.runs[variant.run].metrics
    # NaN is not equal to itself, null is.
    rows = own.select("stimulus", pl.col(metrics).fill_nan(None)).iter_rows()
    return {row[0]: row[1:] for row in rows}
