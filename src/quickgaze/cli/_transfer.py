"""Commands that bring results in and out: import, export."""

# ruff: noqa: PLC0415 - PyTorch takes seconds to import, --help must not

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from quickgaze.catalogue import check_known
from quickgaze.cli._messages import complain, end_with, finish, say
from quickgaze.cli._options import RUN, takes_options
from quickgaze.cli._study import summary
from quickgaze.errors import OptionError, RunError
from quickgaze.options import keywords, option

IMPORTS = ("cap6415",)

_VARIANT = frozenset({"backbone", "cam", "grid", "component", "orientation", "sigma"})
FORMATS: Mapping[str, frozenset[str]] = {
    "maps": _VARIANT | {"bits"},
    "hdf5": _VARIANT | {"suffix"},
    "csv": frozenset({"table", "projections"}),
    "parquet": frozenset({"table"}),
}
"""What a run is exported to, and the options of each."""


def import_results(
    what: Annotated[
        str, typer.Argument(metavar="WHAT", help="Study whose results are imported: cap6415.")
    ],
    file: Annotated[Path, typer.Argument(help="The study's results, such as backup.npy.")],
    out: Annotated[str, typer.Option(help="Run folder to write: a path, or a URL.")],
    images: Annotated[
        Path | None, typer.Option(help="Folder of the images that the study scored.")
    ] = None,
    maps: Annotated[Path | None, typer.Option(help="Folder of the human density maps.")] = None,
) -> None:
    """Turn a study's published results into a run folder. Nothing in the file is executed."""
    from quickgaze.study.cap6415 import import_cap6415

    check_known("results", what, IMPORTS)
    before = _is_complete(out)
    run = import_cap6415(file, out, images=images, maps=maps)
    summary(run.place, as_json=False)
    if before:
        say(f"{run.place} holds this import already; nothing was written")
    else:
        say(f"run folder: {run.place}")
    end_with(run.failures().height)


def _is_complete(folder: str) -> bool:
    from quickgaze.study import open_run

    try:
        return open_run(folder).complete
    except RunError:
        return False


@dataclass(frozen=True)
class ExportOptions:
    """What is exported of a run, where there is a choice; None where nothing was chosen."""

    backbone: str | None = option(None, "Backbone of the maps, where the run has several.", str)
    cam: str | None = option(None, "CAM of the maps, where the run has several.", str)
    grid: str | None = option(None, "Grid of the maps, where the run has several.", str)
    component: int | None = option(
        None, "Component of the maps, where the run has several.", int, minimum=0
    )
    orientation: str | None = option(
        None, "Rule that fixes the sign of the maps: any that needs no density.", str
    )
    sigma: float | None = option(None, "Blur of the maps in pixels; 0 is none.", float, minimum=0)
    bits: int | None = option(None, "Bits of a pixel in a PNG: 8 (default) or 16.", int)
    suffix: str | None = option(
        None, "Ending of the stimuli's file names, such as .png, for hdf5.", str
    )
    table: str | None = option(
        None, "Table to write: scores (default), maps, bounds, failures or undefined.", str
    )
    projections: bool | None = option(
        None, "Write the signed maps too, in a CSV of the table maps.", bool
    )


@takes_options()
def export(
    folder: RUN,
    to: Annotated[str, typer.Option(help="Format: maps (PNG), hdf5, csv or parquet.")],
    out: Annotated[
        Path, typer.Option(help="File to write; for maps a folder, or a file that ends in .zip.")
    ],
    *,
    given: ExportOptions,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace what is there already.")
    ] = False,
) -> None:
    """Write a run's maps (PNG, HDF5) or tables (CSV, Parquet) for other tools."""
    options = _options_of(to, keywords(given))
    from quickgaze.exports import choose_variant, export_hdf5, export_maps, export_table
    from quickgaze.study import open_run

    run = open_run(folder)
    if not run.complete:
        complain(f"{run.place} is not complete: what has been computed so far is exported")
    if to in ("csv", "parquet"):
        written = export_table(run, out, to=to, overwrite=overwrite, **options)  # type: ignore[arg-type]
        say(f"{to}: {written}")
        return
    keys = {name: options.pop(name) for name in _VARIANT & options.keys()}
    write = export_maps if to == "maps" else export_hdf5
    exported = write(run, out, choose_variant(run, **keys), overwrite=overwrite, **options)
    finish(f"{exported.count} maps in {exported.path}", "left out", exported.failures)


def _options_of(to: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Keep the options that were given, and refuse those of another format."""
    check_known("format", to, FORMATS)
    options = {name: value for name, value in given.items() if value is not None}
    for name in options:
        if name not in FORMATS[to]:
            fitting = ", ".join(other for other, own in FORMATS.items() if name in own)
            raise OptionError(f"--{name} is not an option of --to {to}, only of: {fitting}")
    return options
