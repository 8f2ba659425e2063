"""What a report is about: runs, their variants and stimuli, each with a name for readers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

import polars as pl

from quickgaze.catalogue import unknown_name
from quickgaze.errors import OptionError
from quickgaze.findings import VARIANT, ranking
from quickgaze.findings.selection import Chosen, of_variants
from quickgaze.metrics import Metric
from quickgaze.study import Run
from quickgaze.study.variants import Sign, Variant, signs, spoken, variants_of, varying


@dataclass(frozen=True, eq=False)
class ShownVariant:
    """A variant of one of the runs: the run's position, what it is of, and its label."""

    run: int
    key: Variant
    label: str

    @property
    def keys(self) -> dict[str, Any]:
        """Its keys and their values, as findings take them."""
        return asdict(self.key)


@dataclass(frozen=True, eq=False)
class Subject:
    """The runs of a report. Made by `subject_of`."""

    runs: Sequence[Run]
    names: Sequence[str]
    variants: Sequence[ShownVariant]
    main: Sequence[int]  # for each run, its variant that single findings are about
    metrics: Sequence[str]
    metric: str  # the one that single findings are about
    scores: Sequence[pl.DataFrame] = field(repr=False)

    @cached_property
    def keys(self) -> list[tuple[str, str]]:
        """Data set and id of every stimulus, each once, in the order of the plans."""
        found: dict[tuple[str, str], None] = {}
        for run, scores in zip(self.runs, self.scores, strict=True):
            # A plan written by hand may not list all scored stimuli.
            stimuli = [*run.plan.stimuli, *scores["stimulus"]]
            found |= dict.fromkeys((run.plan.dataset.name, each) for each in stimuli)
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
        return self.runs[run].plan.dataset.name

    def number(self, run: int, stimulus: str) -> int:
        """Position of a stimulus of a run in `stimuli`."""
        return self.numbers[self.dataset(run), stimulus]

    def named(self, run: int, finding: pl.DataFrame) -> pl.DataFrame:
        """Put a run's stimuli under their names for readers."""
        names = [self.stimuli[self.number(run, each)] for each in finding["stimulus"]]
        return finding.with_columns(pl.Series("stimulus", names, pl.String))

    def of_run(self, run: int) -> list[ShownVariant]:
        """Variants of a run."""
        return [variant for variant in self.variants if variant.run == run]

    def main_of(self, run: int) -> ShownVariant:
        """Variant that single findings of a run are about."""
        return self.variants[self.main[run]]

    def least(self, run: int, count: int) -> list[str]:
        """Ids of a run's stimuli of least agreement, the worst first."""
        found = ranking(self.runs[run], self.metric, count, variant=self.main_of(run).keys)
        return found.filter(pl.col("group") == "least")["stimulus"].reverse().to_list()

    def scores_of(self, variant: ShownVariant) -> pl.DataFrame:
        """Rows of a variant's scores."""
        return variant.key.rows(self.scores[variant.run])

    def labelled(self, findings: Mapping[int, pl.DataFrame]) -> pl.DataFrame:
        """Put the findings of runs together, with the column ``variant`` before them."""
        return pl.concat(
            table.join(self._labels(run), on=list(VARIANT), maintain_order="left").select(
                "variant", *table.columns
            )
            for run, table in findings.items()
        )

    def _labels(self, run: int) -> pl.DataFrame:
        rows = [{**variant.keys, "variant": variant.label} for variant in self.of_run(run)]
        schema = self.scores[run].select(VARIANT).schema
        return pl.DataFrame(rows, {**schema, "variant": pl.String})

    def title(self, run: int) -> str:
        """Name of a run; empty if there is only one."""
        return self.names[run] if len(self.runs) > 1 else ""

    def suffix(self, run: int) -> str:
        """End of the names of a run's figures and tables; empty if there is only one run."""
        return f"-run{run + 1}" if len(self.runs) > 1 else ""

    def known_metric(self, metric: str) -> Metric:
        """Say what a metric of the runs is."""
        return self.runs[self.having(metric)[0]].plan.settings.metric(metric)

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
    return [
        f"{name} ({last[: place + 1].count(name)})" if last.count(name) > 1 else name
        for place, name in enumerate(last)
    ]


def _variants(scores: Sequence[pl.DataFrame], names: Sequence[str]) -> list[ShownVariant]:
    found = [(place, each) for place, table in enumerate(scores) for each in variants_of(table)]
    telling = varying([each for _, each in found]) or ["cam", "orientation"]
    return [
        ShownVariant(place, each, " · ".join(filter(None, [names[place], spoken(each, telling)])))
        for place, each in found
    ]


def _main(
    scores: pl.DataFrame, variants: Sequence[ShownVariant], run: int, chosen: Chosen | None
) -> int:
    """Position of the variant that single findings of a run are about."""
    fitting = of_variants(scores, chosen)
    first = fitting.filter(pl.col("orientation") == "activation").head(1)
    key = variants_of(first if first.height else fitting)[0]
    return [(each.run, each.key) for each in variants].index((run, key))


def signs_of(subject: Subject, maps: Sequence[pl.DataFrame]) -> list[dict[str, Sign]]:
    """Signs of the stored CAM by stimulus, for each variant, from `Run.maps` of each run."""
    found: list[dict[str, Sign]] = []
    for run, table in enumerate(maps):
        keys = [variant.key for variant in subject.of_run(run)]
        found += signs(table.drop("projection", strict=False), subject.scores[run], keys)
    return found
