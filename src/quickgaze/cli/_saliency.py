"""Commands that make maps: demo, map, backbones."""

# ruff: noqa: PLC0415 - PyTorch takes seconds to import, --help must not

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from quickgaze.cli._messages import complain, end_with, say, show
from quickgaze.cli._options import PRESET, takes_options
from quickgaze.options import ModelOptions, keywords


def demo(
    out: Annotated[Path, typer.Option(help="Folder to write the results into.")] = Path("demo"),
) -> None:
    """Show what quickgaze does, on generated displays and photographs, in about a minute."""
    from quickgaze.backbones import keep_freed_memory
    from quickgaze.demo import demonstrate
    from quickgaze.report import summary_table

    keep_freed_memory()
    shown = demonstrate(out)
    show(summary_table(shown.summary, "Orientation rules on pop-out displays"))
    say(f"report, to open first, in a browser: {shown.report.page}")
    say(f"photographs and displays with their maps: {shown.page}")
    say(f"some of them in one picture: {shown.picture}")
    say(f"run folder: {shown.run.place}")


@takes_options("batch_size")
def map_images(
    images: Annotated[
        list[Path], typer.Argument(help="Image files, or folders of images and subfolders.")
    ],
    out: Annotated[
        Path, typer.Option(help="Folder to write maps, overlays and the overview into.")
    ],
    *,
    given: ModelOptions,
    npy: Annotated[bool, typer.Option(help="Write the maps as NumPy files too.")] = False,
    preset: PRESET = None,  # noqa: ARG001 - its callback does the work
) -> None:
    """Map your own images: PNG maps and overlays at full size, and a page to look at them."""
    from quickgaze.backbones import keep_freed_memory
    from quickgaze.report import map_files
    from quickgaze.saliency import SaliencyModel

    keep_freed_memory()
    model = SaliencyModel(**keywords(given))
    mapped = map_files(model, images, out, arrays=npy)
    for file, reason in mapped.failures:
        complain(f"{file}: {reason}")
    if mapped.skipped:
        complain(mapped.left_out())
    say(f"{mapped.count} maps and overlays in {out}")
    say(f"overview, to open in a browser: {mapped.page}")
    end_with(mapped.failures)


def backbones() -> None:
    """List the backbones, their levels and their weights."""
    from quickgaze.backbones import BACKBONES
    from quickgaze.report import plain_table

    rows = [
        (
            spec.name,
            spec.summary,
            " ".join(f"{level.name}:{level.stride}" for level in spec.levels),
            str(spec.geometry),
            f"{spec.weights.tag}; {spec.weights.license}",
        )
        for spec in BACKBONES.entries().values()
    ]
    columns = ("name", "what it is", "levels:strides", "input in pixels", "weights; licence")
    show(plain_table("Backbones", columns, rows))
    say("and timm/MODEL for any model of timm that gives features, such as timm/convnext_tiny")
    say("In Python, quickgaze.wrap_backbone takes a module of your own.")
