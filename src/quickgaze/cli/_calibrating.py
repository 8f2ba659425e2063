"""The command that makes densities of a run's maps: calibrate."""

# ruff: noqa: PLC0415 - PyTorch takes seconds to import, --help must not

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quickgaze.cli._messages import complain_of, end_with, say, show
from quickgaze.cli._options import (
    AS_JSON,
    OPTION,
    ROOT,
    RUN,
    dataset_options,
    separated,
    takes_options,
)
from quickgaze.cli._reporting import chosen_variant
from quickgaze.options import keywords, option

if TYPE_CHECKING:
    import polars as pl
    from rich.table import Table

    from quickgaze.readouts import Calibration


@dataclass(frozen=True)
class CalibrationOptions:
    """How maps are calibrated."""

    folds: int = option(
        10, "How many parts the images are split into: each is tested on once.", minimum=2
    )
    seed: int = option(0, "Seed of the split into parts.", minimum=0)


@takes_options()
def calibrate(
    folder: RUN,
    dataset: Annotated[str, typer.Option(help="Data set that the run was computed on.")],
    root: ROOT = None,
    option: OPTION = None,
    out: Annotated[
        str | None,
        typer.Option(help="Run folder to write, with the maps before and after; none by default."),
    ] = None,
    cam: Annotated[
        list[str] | None,
        typer.Option(help="CAMs to calibrate, separated by commas; all by default. Repeatable."),
    ] = None,
    variant: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE",
            help="Another key of the maps to calibrate, such as orientation=skew. Repeatable.",
        ),
    ] = None,
    *,
    given: CalibrationOptions,
    as_json: AS_JSON = False,
) -> None:
    """Turn a run's maps into densities that are held to gaze fairly, without a network.

    A blur, a monotone nonlinearity and a weight of the centre bias are fitted to the gaze on
    other images. Shows means before and after, beside people's.
    """
    from quickgaze.readouts import calibrate as fit
    from quickgaze.stimuli import load_dataset
    from quickgaze.study import open_run

    chosen: dict[str, Any] = chosen_variant("--variant", variant) or {}
    if cam is not None:
        chosen["cam"] = separated(cam)
    stimuli = load_dataset(dataset, root, **dataset_options(option))
    found = fit(open_run(folder), stimuli, variant=chosen, out=out, **keywords(given))
    if as_json:
        say(json.dumps(_as_data(found), indent=2, allow_nan=False))
    else:
        show(_table(found.summary))
        if found.run is not None:
            say(f"run folder: {found.run.place}")
    complain_of([f"left out: {name}: {why}" for name, why in found.left_out.items()])
    end_with(found.left_out)


def _table(summary: pl.DataFrame) -> Table:
    """Show means before and after; the map is named by its keys that differ."""
    from quickgaze.report import plain_table

    keys = summary.columns[: summary.columns.index("metric")]
    told = [name for name in keys if name == "cam" or summary[name].n_unique() > 1]
    columns = (
        *told,
        "metric",
        "own",
        "calibrated",
        "people",
        "images",
        "explained before",
        "after",
    )
    rows = [
        (
            *(str(row[name]) for name in told),
            row["metric"],
            *(_number(row[name]) for name in ("own", "calibrated", "people")),
            f"{row['images']:,}",
            *(_share(row[name]) for name in ("explained_own", "explained")),
        )
        for row in summary.iter_rows(named=True)
    ]
    return plain_table("Maps as they were and calibrated, out of fold", columns, rows)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.0%}"


def _as_data(found: Calibration) -> dict[str, Any]:
    return {
        "run": None if found.run is None else found.run.place,
        "summary": found.summary.to_dicts(),
        "folds": found.folds.to_dicts(),
        "left_out": dict(found.left_out),
    }
