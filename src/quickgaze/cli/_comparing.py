"""The command that holds two runs against each other: compare."""

# ruff: noqa: PLC0415 - PyTorch takes seconds to import, --help must not

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quickgaze.cli._messages import complain, say, show
from quickgaze.cli._options import AS_JSON, separated, takes_options
from quickgaze.cli._reporting import chosen_variant
from quickgaze.errors import OptionError
from quickgaze.options import keywords, option

if TYPE_CHECKING:
    import polars as pl

    from quickgaze.findings import Comparison
    from quickgaze.study import Run


@dataclass(frozen=True)
class CompareOptions:
    """How the scores of two runs are compared."""

    n: int = option(
        5,
        "How many of the stimuli that differ most to list for each metric.",
        minimum=0,
        flag="stimuli",
    )
    confidence: float = option(0.95, "Share of intervals that hold the true value, such as 0.95.")
    level: float = option(0.05, "False discovery rate over all metrics, such as 0.05.")
    resamples: int = option(2000, "How many draws the bootstrap makes.", minimum=1)
    seed: int = option(0, "Seed of the bootstrap.", minimum=0)


@takes_options()
def compare(
    first: Annotated[str, typer.Argument(metavar="RUN_A", help="A run folder: a path, or a URL.")],
    second: Annotated[
        str,
        typer.Argument(
            metavar="RUN_B", help="Another run folder; or the same, to compare its variants."
        ),
    ],
    metric: Annotated[
        list[str] | None,
        typer.Option(
            help="Metrics, separated by commas; by default all that both runs have. Repeatable."
        ),
    ] = None,
    variant: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE",
            help="Key of the variant of RUN_A, such as orientation=skew. Repeatable.",
        ),
    ] = None,
    second_variant: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE",
            help="Key of the variant of RUN_B; by default as --variant. Repeatable.",
        ),
    ] = None,
    *,
    given: CompareOptions,
    as_json: AS_JSON = False,
) -> None:
    """Compare two runs on the stimuli that both scored: which agrees better with people.

    The difference is RUN_A less RUN_B, image by image, with an interval (BCa bootstrap).
    One of them is called better where the interval excludes 0
    and q, the false discovery rate over all metrics here, is at most --level.
    """
    from quickgaze import findings
    from quickgaze.findings.discoveries import check_level, keep_discoveries
    from quickgaze.study import open_run

    check_level(given.level)
    runs = open_run(first), open_run(second)
    chosen = chosen_variant("--variant", variant)
    theirs = chosen_variant("--second-variant", second_variant) or chosen
    keys = [
        _only_variant(runs[0], "--variant", chosen),
        _only_variant(runs[1], "--second-variant", theirs),
    ]
    options = keywords(given)
    level = options.pop("level")
    found = findings.compare(
        *runs,
        None if metric is None else separated(metric),
        variant=chosen,
        second_variant=theirs,
        **options,
    )
    summary = keep_discoveries(found.summary, level)
    for run in runs:
        if not run.complete:
            complain(f"{run.place} is not complete: what has been computed so far is compared")
    if as_json:
        content = {
            "first": _described(runs[0], keys[0]),
            "second": _described(runs[1], keys[1]),
            "confidence": given.confidence,
            "level": level,
            "metrics": _as_data(runs[0], summary),
            "stimuli": found.stimuli.to_dicts(),
        }
        say(json.dumps(content, indent=2, allow_nan=False))
        return
    _print(runs, keys, summary, found)


def _only_variant(run: Run, name: str, chosen: Mapping[str, Any] | None) -> dict[str, Any]:
    """Keys of the one variant of a run that was chosen; the error says which run it is about."""
    from quickgaze.findings import VARIANT
    from quickgaze.findings.selection import of_one_variant

    scores = run.scores()
    if scores.is_empty():
        raise OptionError(f"{run.place} has no scores; `quickgaze summary` says what failed")
    try:
        kept = of_one_variant(scores, chosen)
    except OptionError as error:
        raise OptionError(f"{run.place}: {error} (option {name} KEY=VALUE)") from error
    return kept.select(VARIANT).row(0, named=True)


def _described(run: Run, keys: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "run": run.place,
        "complete": run.complete,
        "dataset": run.plan.dataset.to_json(),
        "variant": dict(keys),
    }


def _as_data(run: Run, summary: pl.DataFrame) -> list[dict[str, Any]]:
    return [
        {**row, "higher_is_better": run.plan.settings.metric(row["metric"]).higher_is_better}
        for row in summary.iter_rows(named=True)
    ]


def _print(
    runs: tuple[Run, Run],
    keys: list[dict[str, Any]],
    summary: pl.DataFrame,
    found: Comparison,
) -> None:
    from quickgaze.report import comparison_table, differing_table

    show(comparison_table(summary))
    differing = found.stimuli.filter(found.stimuli["difference"] != 0)
    if differing.height:
        show(differing_table(differing))
    for name, run, own in zip(("first", "second"), runs, keys, strict=True):
        words = ", ".join(f"{key} {value}" for key, value in own.items())
        say(f"{name}: {run.place} ({words})")
    for row in summary.filter(summary["reason"].is_not_null()).iter_rows(named=True):
        complain(f"note: {row['metric']}: {row['reason']}")
    for row in summary.filter(summary["left_out"] > 0).iter_rows(named=True):
        complain(f"note: {row['metric']}: {row['left_out']} stimuli lack a score of the two")
