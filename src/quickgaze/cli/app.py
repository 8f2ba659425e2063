"""The application: its commands, and what happens when one cannot be carried out."""

from __future__ import annotations

import sys
import warnings
from typing import Annotated

import typer

import quickgaze
from quickgaze.cli import _calibrating as calibrating
from quickgaze.cli import _comparing as comparing
from quickgaze.cli import _data as data
from quickgaze.cli import _fitting as fitting
from quickgaze.cli import _reporting as reporting
from quickgaze.cli import _saliency as saliency
from quickgaze.cli import _study as study
from quickgaze.cli import _transfer as transfer
from quickgaze.cli._messages import INTERRUPTED, UNUSABLE, complain, say, show_warning
from quickgaze.errors import (
    DamagedRunWarning,
    ExtensionWarning,
    LeftOutWarning,
    QuickgazeError,
    RandomWeightsWarning,
    RunInterruptedError,
    SlowPrecisionWarning,
    UndefinedMapWarning,
)

_SHOWN = (
    DamagedRunWarning,
    ExtensionWarning,
    LeftOutWarning,
    RandomWeightsWarning,
    SlowPrecisionWarning,
    UndefinedMapWarning,
)

app = typer.Typer(
    name="quickgaze",
    help="Does a vision model look where people look, on which images, and why?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        say(f"quickgaze {quickgaze.__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_print_version, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Take the options that belong to no command."""


app.command("demo")(saliency.demo)
app.command("map")(saliency.map_images)
app.command("run")(study.run)
app.command("fit")(fitting.fit)
app.command("summary")(study.summary)
app.command("backbones")(saliency.backbones)
app.command("metrics")(study.metrics)
app.command("import")(transfer.import_results)
app.command("export")(transfer.export)
app.command("report")(reporting.report)
app.command("compare")(comparing.compare)
app.command("panels")(reporting.panels)
app.command("calibrate")(calibrating.calibrate)

data_app = typer.Typer(help="Data sets of human gaze.", no_args_is_help=True)
data_app.command("list")(data.list_data)
data_app.command("check")(data.check_data)
data_app.command("fetch")(data.fetch_data)
app.add_typer(data_app, name="data")


def main() -> None:
    """Run the command line.

    Exits with 0 when done, 1 when some stimuli failed, 2 for wrong usage or unusable input,
    130 after Ctrl-C.
    """
    with warnings.catch_warnings():
        for kind in _SHOWN:
            warnings.simplefilter("always", kind)
        warnings.showwarning = show_warning  # type: ignore[assignment]
        try:
            app()
        except RunInterruptedError as error:
            complain(str(error))
            sys.exit(INTERRUPTED)
        except QuickgazeError as error:
            complain(f"error: {error}")
            sys.exit(UNUSABLE)
