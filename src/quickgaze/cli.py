"""The command line: parses, calls, prints."""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from quickgaze.cli_options import apply_preset, dataset_options, named_maps, read_config
from quickgaze.errors import QuickgazeError, RandomWeightsWarning

if TYPE_CHECKING:
    from quickgaze.stimuli import Dataset
    from quickgaze.study import Run

FAILED = 1
UNUSABLE = 2

app = typer.Typer(
    name="quickgaze",
    help="Does a vision model look where people look, on which images, and why?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
data = typer.Typer(help="Data sets of human gaze.", no_args_is_help=True)
app.add_typer(data, name="data")

# Commands import what they need when they are called: PyTorch takes seconds, --help must not.
# ruff: noqa: PLC0415

BACKBONE = Annotated[str, typer.Option(help="See `quickgaze backbones`, or timm/MODEL.")]
GEOMETRY = Annotated[
    str,
    typer.Option(help="How images are resized: default, native, detector, or short:480."),
]
WEIGHTS = Annotated[str, typer.Option(help="default, none (random) or a file.")]
DEVICE = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")]
PRECISION = Annotated[str, typer.Option(help="auto, fp32 or bf16.")]
LEVELS = Annotated[
    list[str] | None, typer.Option("--level", help="A level to use; repeatable. All by default.")
]
LEVEL_SCALE = Annotated[str, typer.Option(help="none, or std: each level by its deviation.")]
FUSION = Annotated[str, typer.Option(help="concatenate levels, or mean: average their maps.")]
RECTIFY = Annotated[bool, typer.Option(help="Set the negative part of a CAM to 0.")]
BATCH_SIZE = Annotated[int, typer.Option(min=1, help="Images that go through together.")]
GRID_HELP = "coarsest, finest, a level's name, a stride (s32) or height x width (30x40)."


PRESET = Annotated[
    str | None,
    typer.Option(
        is_eager=True,
        callback=apply_preset,
        help="Settings of a study: cap6415. Options given besides count more.",
    ),
]


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("demo"),
) -> None:
    """Show what quickgaze does, on generated displays and photographs, in about a minute."""
    from quickgaze.demo import demonstrate
    from quickgaze.report import summary_table

    shown = demonstrate(out)
    _print(summary_table(shown.summary, "Orientation rules on pop-out displays"))
    _say(f"run folder: {shown.run.path}")
    _say(f"overview, to open in a browser: {shown.page}")


@app.command("map")
def map_images(
    images: Annotated[list[Path], typer.Argument(help="Images, or folders of images.")],
    out: Annotated[Path, typer.Option(help="Folder for maps, overlays and the overview.")],
    backbone: BACKBONE = "efficientnet_lite0",
    cam: Annotated[str, typer.Option(help="How features become a map.")] = "eigen",
    grid: Annotated[str, typer.Option(help=GRID_HELP)] = "coarsest",
    component: Annotated[int, typer.Option(min=0, help="Principal component, from 0.")] = 0,
    orientation: Annotated[str, typer.Option(help="Rule that fixes the sign.")] = "activation",
    sigma: Annotated[float, typer.Option(min=0, help="Blur in pixels; 0 is none.")] = 19.0,
    level: LEVELS = None,
    level_scale: LEVEL_SCALE = "none",
    fusion: FUSION = "concatenate",
    rectify: RECTIFY = True,
    weights: WEIGHTS = "default",
    device: DEVICE = "auto",
    precision: PRECISION = "auto",
    geometry: GEOMETRY = "default",
    npy: Annotated[bool, typer.Option(help="Write the maps as NumPy files too.")] = False,
    preset: PRESET = None,  # noqa: ARG001 - its callback does the work
) -> None:
    """Map your own images: PNG maps and overlays at full size, and a page to look at them."""
    from quickgaze.report import map_files
    from quickgaze.saliency import SaliencyModel

    model = SaliencyModel(
        backbone,
        cam=cam,
        grid=grid,
        component=component,
        orientation=orientation,
        sigma=sigma,
        levels=level,
        level_scale=level_scale,
        fusion=fusion,
        rectify=rectify,
        weights=weights,
        device=device,
        precision=precision,
        geometry=geometry,
    )
    mapped = map_files(model, images, out, arrays=npy)
    for file, reason in mapped.failures:
        _complain(f"{file}: {reason}")
    _say(f"{mapped.count} maps and overlays in {out}")
    _say(f"overview, to open in a browser: {mapped.page}")
    if mapped.failures:
        raise typer.Exit(FAILED)


@app.command()
def run(
    dataset: Annotated[str, typer.Option(help="See `quickgaze data list`.")],
    out: Annotated[Path, typer.Option(help="The run folder.")],
    root: Annotated[Path | None, typer.Option(help="Where the data set lies.")] = None,
    backbone: Annotated[
        list[str] | None,
        typer.Option(help="See `quickgaze backbones`, or timm/MODEL; repeatable."),
    ] = None,
    cam: Annotated[list[str] | None, typer.Option(help="Repeatable.")] = None,
    grid: Annotated[list[str] | None, typer.Option(help=GRID_HELP + " Repeatable.")] = None,
    component: Annotated[
        list[int] | None, typer.Option(min=0, help="Principal component, from 0; repeatable.")
    ] = None,
    orientation: Annotated[
        list[str] | None,
        typer.Option(help="Rule that fixes the sign; repeatable. All by default."),
    ] = None,
    sigma: Annotated[
        list[float] | None, typer.Option(min=0, help="Blur of the map in pixels; repeatable.")
    ] = None,
    metrics: Annotated[
        list[str] | None, typer.Option(help="Names, separated by commas; repeatable.")
    ] = None,
    convention: Annotated[str, typer.Option(help="tuebingen or cap6415.")] = "tuebingen",
    density_sigma: Annotated[
        float | None,
        typer.Option(min=0, help="Blur of fixations in pixels; by default the data set's own."),
    ] = None,
    level: LEVELS = None,
    level_scale: LEVEL_SCALE = "none",
    fusion: FUSION = "concatenate",
    rectify: RECTIFY = True,
    weights: WEIGHTS = "default",
    device: DEVICE = "auto",
    precision: PRECISION = "auto",
    geometry: GEOMETRY = "default",
    batch_size: BATCH_SIZE = 4,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N stimuli.")] = None,
    engine: Annotated[str, typer.Option(help="Where to compute: local.")] = "local",
    option: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="An option of the data set; repeatable."),
    ] = None,
    maps: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=PATH",
            help="Score another model's maps too: a folder or an HDF5 file; repeatable.",
        ),
    ] = None,
    preset: PRESET = None,  # noqa: ARG001 - its callback does the work
    config: Annotated[  # noqa: ARG001 - its callback does the work
        Path | None,
        typer.Option(
            is_eager=True,
            callback=read_config,
            metavar="FILE.toml",
            help="Take options from a file; those given here count more.",
        ),
    ] = None,
) -> None:
    """Score a backbone's saliency maps against human gaze, into a run folder."""
    from quickgaze.stimuli import load_dataset
    from quickgaze.study import Study

    stimuli = load_dataset(dataset, root, **dataset_options(option or []))
    _introduce(stimuli)
    study = Study(
        stimuli if limit is None else stimuli[:limit],
        backbone or None,
        cam or None,
        grid or ["coarsest"],
        orientation,
        sigma or [19.0],
        None if metrics is None else [name for names in metrics for name in names.split(",")],
        components=component or [0],
        convention=convention,
        density_sigma=density_sigma,
        levels=level,
        level_scale=level_scale,
        fusion=fusion,
        rectify=rectify,
        weights=weights,
        device=device,
        precision=precision,
        geometry=geometry,
        maps=named_maps(maps or []),
    )
    finished = study.run(out, engine, batch_size=batch_size)
    _summarise(finished)
    _say(f"run folder: {finished.path}")
    if finished.failures().height:
        raise typer.Exit(FAILED)


@app.command()
def summary(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")],
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show mean scores per variant, with standard error and the number of images."""
    from quickgaze.study import open_run

    opened = open_run(folder)
    if not as_json:
        _summarise(opened)
        return
    from quickgaze.findings import summary as summarise
    from quickgaze.report import summary_data

    content = {
        "run": str(folder),
        "complete": opened.complete,
        "dataset": opened.plan["dataset"],
        "stimuli": len(opened.plan["stimuli"]),
        "failed": opened.failures().height,
        "variants": summary_data(summarise(opened)),
    }
    typer.echo(json.dumps(content, indent=2, allow_nan=False))


@app.command()
def backbones() -> None:
    """List the backbones, their levels and their weights."""
    from quickgaze.backbones import BACKBONES
    from quickgaze.report import plain_table

    specs = [BACKBONES[name] for name in BACKBONES.names()]
    rows = [
        (
            spec.name,
            spec.summary,
            " ".join(f"{level.name}:{level.stride}" for level in spec.levels),
            str(spec.geometry),
            f"{spec.weights.tag}; {spec.weights.license}",
        )
        for spec in specs
    ]
    columns = ("name", "what it is", "levels:strides", "input in pixels", "weights; licence")
    _print(plain_table("Backbones", columns, rows))
    _say("and timm/MODEL for any model of timm that gives features, such as timm/convnext_tiny")
    _say("In Python, quickgaze.wrap_backbone takes a module of your own.")


@data.command("list")
def list_data() -> None:
    """List the data sets that can be scored on."""
    from quickgaze.report import plain_table
    from quickgaze.stimuli import DATASETS

    entries = [(name, DATASETS[name]) for name in DATASETS.names()]
    rows = [(name, entry.summary, entry.layout) for name, entry in entries]
    _print(plain_table("Data sets", ("name", "what it is", "what --root holds"), rows))


def _introduce(dataset: Dataset) -> None:
    _complain(f"{dataset.name}: {len(dataset)} stimuli, {dataset.gaze}, edition {dataset.edition}")
    if dataset.missing:
        _complain(
            f"{len(dataset.missing)} stimuli of the data set have no image here and are left out"
        )


def _summarise(run: Run) -> None:
    from quickgaze.findings import summary as summarise
    from quickgaze.report import summary_table

    dataset = run.plan["dataset"]
    title = f"{dataset['name']}, edition {dataset['edition']}"
    if not run.complete:
        _complain(f"{run.path} is not complete: the means are of what has been computed so far")
    table = summarise(run)
    if table.height:
        _print(summary_table(table, title))
    for note in dataset["notes"]:
        _complain(f"note: {note}")
    for row in run.undefined().group_by("metric", "reason", maintain_order=True).len().rows():
        _complain(f"undefined: {row[0]} in {row[2]} scores, because {row[1]}")
    failures = run.failures()
    for failure in failures.head(20).iter_rows(named=True):
        _complain(f"failed: {failure['stimulus']} ({failure['stage']}): {failure['message']}")
    if failures.height > 20:
        _complain(f"… and {failures.height - 20} more; all stand in {run.path / 'failures'}")


def _print(content: Any) -> None:
    console = Console()
    if not console.is_terminal:
        # A file or a pipe has no width: fold nothing.
        console = Console(width=200)
    console.print(content)


def _say(text: str) -> None:
    typer.echo(text)


def _complain(text: str) -> None:
    typer.echo(text, err=True)


def _show_warning(message: Warning | str, *_: object) -> None:
    _complain(f"warning: {message}")


def main() -> None:
    """Run the command line.

    Exits with 0 when done, 1 when some stimuli failed, 2 for wrong usage or unusable input.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("always", RandomWeightsWarning)
        warnings.showwarning = _show_warning  # type: ignore[assignment]
        try:
            app()
        except QuickgazeError as error:
            _complain(f"error: {error}")
            sys.exit(UNUSABLE)
