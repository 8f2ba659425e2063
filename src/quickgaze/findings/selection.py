"""Choice of the variants and metrics of a run, and which scores are better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import distributions
from operator import attrgetter

import polars as pl

from quickgaze.catalogue import check_known, unknown_name
from quickgaze.errors import OptionError, UnknownNameError
from quickgaze.findings._summary import VARIANT
from quickgaze.metrics import METRICS
from quickgaze.study import Run

# what the plans of two runs must agree in, and what is wrong where they do not
_ALIKE = {
    "settings.convention": "score in different conventions",
    "dataset.name": "are of different data sets",
    "dataset.edition": "are of different editions of the data set",
    "settings.density_sigma": "blur the fixations differently",
}

Chosen = Mapping[str, str | float]
"""Keys of variants and the value that each must have; other keys may have any."""


def check_metric(run: Run, metric: str) -> None:
    """Refuse a metric that a run does not have."""
    check_known("metric of the run", metric, run.metrics)


def metrics_of(run: Run, metrics: str | Sequence[str] | None) -> list[str]:
    """Names of the metrics that were asked for; all of the run's by default."""
    if metrics is None:
        return run.metrics
    names = [metrics] if isinstance(metrics, str) else list(dict.fromkeys(metrics))
    for name in names:
        check_metric(run, name)
    return names


def check_installed(run: Run, metrics: Sequence[str]) -> None:
    """Refuse metrics of a run that came from a package which is no longer installed."""
    known = {*METRICS.names(), *run.plan.settings.own_metrics}
    lost = next((metric for metric in metrics if metric not in known), None)
    if lost is not None:
        versions = run.manifest.versions if run.complete else {}
        gone = [
            f"{name} {release}"
            for name, release in versions.items()
            if name != "python" and not any(distributions(name=name))
        ]
        remedy = (
            f"install what the run was computed with: {', '.join(gone)}"
            if gone
            else "install the package that adds it, which the run does not name"
        )
        raise UnknownNameError(
            f"unknown metric {lost!r}: {run.place} has scores of it, but no installed package adds "
            f"it; {remedy} (`quickgaze export` can write the scores without it)"
        )


def direction(run: Run, metric: str) -> int:
    """1 if higher scores of a metric are better, -1 if lower ones are."""
    return 1 if run.plan.settings.metric(metric).higher_is_better else -1


def of_variants(scores: pl.DataFrame, variant: Chosen | None) -> pl.DataFrame:
    """Keep the rows of the variants that were asked for; all by default."""
    for key, value in (variant or {}).items():
        check_known("key of a variant", key, VARIANT)
        comparable = isinstance(value, str) == (scores[key].dtype == pl.String)
        kept = scores.filter(pl.col(key) == value) if comparable else None
        if kept is None or (kept.is_empty() and not scores.is_empty()):
            known = [str(each) for each in scores[key].unique(maintain_order=True)]
            raise unknown_name(f"{key} of the run", str(value), known)
        scores = kept
    return scores


def of_one_variant(
    scores: pl.DataFrame, variant: Chosen | None, open_keys: Sequence[str] = ()
) -> pl.DataFrame:
    """Keep the rows of one variant; refuse several, unless they differ in `open_keys` only."""
    kept = of_variants(scores, variant)
    closed = [key for key in VARIANT if key not in open_keys]
    values = {key: kept[key].unique(maintain_order=True).to_list() for key in closed}
    if several := {key: known for key, known in values.items() if len(known) > 1}:
        choices = "; ".join(f"{key}: {', '.join(map(str, each))}" for key, each in several.items())
        example = {key: known[0] for key, known in several.items()}
        raise OptionError(
            f"several variants of the run fit; choose one, as with variant={example}. {choices}"
        )
    return kept


def comparable(runs: Sequence[Run]) -> list[list[int]]:
    """Positions of the runs whose scores mean the same, together."""
    groups: dict[tuple[object, ...], list[int]] = {}
    for place, run in enumerate(runs):
        groups.setdefault(attrgetter(*_ALIKE)(run.plan), []).append(place)
    return list(groups.values())


def check_comparable(first: Run, second: Run) -> None:
    """Refuse runs whose scores do not mean the same."""
    for name, problem in _ALIKE.items():
        here, there = (attrgetter(name)(run.plan) for run in (first, second))
        if here != there:
            raise OptionError(
                f"{first.place} and {second.place} {problem} ({here} and {there}), so that their "
                "scores cannot be compared; run one of them again"
            )
