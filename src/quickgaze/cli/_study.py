"""Commands that score maps: run, summary."""

# ruff: noqa: PLC0415 - PyTorch takes seconds to import, --help must not

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quickgaze.cli._messages import SHOWN, complain, complain_of, end_with, say, show
from quickgaze.cli._options import (
    AS_JSON,
    OPTION,
    PRESET,
    ROOT,
    RUN,
    dataset_options,
    read_config,
    takes_options,
)
from quickgaze.options import StudyOptions, keywords

if TYPE_CHECKING:
    from quickgaze.stimuli import Dataset
    from quickgaze.study import Run


@takes_options()
def run(
    dataset: Annotated[
        str, typer.Option(help="Data set to score on: a name that `quickgaze data list` shows.")
    ],
    out: Annotated[
        str, typer.Option(help="Run folder to write: a path, or a URL such as s3://bucket/run.")
    ],
    root: ROOT = None,
    *,
    given: StudyOptions,
    batch_size: Annotated[
        int,
        typer.Option(
            min=1, help="How many images of the same size go through the network together."
        ),
    ] = 4,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Score only the first N stimuli.")
    ] = None,
    engine: Annotated[str, typer.Option(help="Where to compute: local or ray.")] = "local",
    address: Annotated[
        str | None,
        typer.Option(help="Address of a Ray cluster; by default one is started on this machine."),
    ] = None,
    helpers: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="How many processes read images and score maps beside each device; 0 for threads.",
        ),
    ] = None,
    option: OPTION = None,
    preset: PRESET = None,  # noqa: ARG001 - its callback does the work
    config: Annotated[  # noqa: ARG001 - its callback does the work
        Path | None,
        typer.Option(
            is_eager=True,
            callback=read_config,
            metavar="FILE.toml",
            help="Take options from a TOML file; those given here count more.",
        ),
    ] = None,
) -> None:
    """Score a backbone's saliency maps against human gaze, into a run folder."""
    from quickgaze.backbones import keep_freed_memory
    from quickgaze.stimuli import load_dataset
    from quickgaze.study import Study

    keep_freed_memory()
    stimuli = load_dataset(dataset, root, **dataset_options(option))
    introduce(stimuli)
    scored = stimuli if limit is None else stimuli[:limit]
    study = Study(scored, **keywords(given))
    finished = study.run(out, engine, batch_size=batch_size, helpers=helpers, address=address)
    print_summary(finished)
    say(f"run folder: {finished.place}")
    end_with(finished.failures().height)


def summary(
    folder: RUN,
    as_json: AS_JSON = False,
) -> None:
    """Show mean scores per variant, with standard error and the number of images."""
    from quickgaze.study import open_run

    opened = open_run(folder)
    if not as_json:
        print_summary(opened)
        return
    from quickgaze import findings
    from quickgaze.report import bounds_data, summary_data

    points = opened.all_points()
    content = {
        "run": opened.place,
        "complete": opened.complete,
        "dataset": opened.plan.dataset.to_json(),
        "stimuli": len(opened.plan.stimuli),
        "failed": opened.failures().height,
        "points": {"recorded": points.total, "outside": points.outside, "cause": points.cause},
        "variants": summary_data(findings.summary(opened), findings.shares(opened)),
        "bounds": bounds_data(findings.bounds(opened)),
    }
    typer.echo(json.dumps(content, indent=2, allow_nan=False))


def metrics() -> None:
    """List the metrics, what they mean and whose definitions there are."""
    from quickgaze.metrics import CONVENTIONS
    from quickgaze.report import metrics_table

    show(metrics_table())
    for name, source in CONVENTIONS.items():
        say(f"{name}: {source}")


def introduce(dataset: Dataset) -> None:
    """Say what a data set is, and what is missing of it."""
    gaze = "no points" if dataset.gaze == "none" else dataset.gaze
    complain(f"{dataset.name}: {len(dataset):,} stimuli, {gaze} ({dataset.edition})")
    if dataset.missing:
        complain(
            f"{len(dataset.missing):,} stimuli of the data set have no image here and are left out"
        )
        # of many, a data set is only partly here; of few, some may be misspelt
        if len(dataset.missing) <= SHOWN:
            complain_of([f"left out: {line}" for line in dataset.left_out()])


def print_summary(run: Run) -> None:
    """Print the means of a run, and all that a reader of them must know."""
    from quickgaze import findings
    from quickgaze.report import shares_table, summary_table

    dataset = run.plan.dataset
    title = dataset.title
    if not run.complete:
        complain(f"{run.place} is not complete: the means are of what has been computed so far")
    table, shares = findings.summary(run), findings.shares(run)
    if table.height:
        show(summary_table(table, title, findings.bounds(run)))
    if shares.height:
        show(shares_table(shares))
    points = run.all_points()
    if points.total:
        complain(f"gaze: {points.in_words()}")
    for note in dataset.notes:
        complain(f"note: {note}")
    reasons = run.undefined().group_by("metric", "bound", "reason", maintain_order=True).len()
    for metric, bound, reason, count in reasons.rows():
        name = metric if bound is None else f"{metric} of {bound}"
        complain(f"undefined: {name} in {count} scores, because {reason}")
    failures = run.failures().iter_rows(named=True)
    complain_of(
        [f"failed: {each['stimulus']} ({each['stage']}): {each['message']}" for each in failures],
        f"; all stand in {run.place}",
    )
