"""Options that several commands take, and those that stand for others: files, presets, pairs."""

# ruff: noqa: PLC0415 - what is slow to import is imported when it is asked for

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from quickgaze.catalogue import unknown_name
from quickgaze.errors import OptionError


def read_config(context: typer.Context, file: Path | None) -> Path | None:
    """Take the options that a TOML file gives as defaults of the command."""
    if file is None:
        return None
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        options = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise OptionError(f"--config {file} cannot be read: {error}") from error
    known = {str(parameter.name) for parameter in context.command.params}
    given = {name.replace("-", "_"): value for name, value in options.items()}
    for name in given:
        if name not in known:
            raise unknown_name(f"option in {file}", name, sorted(known))
    context.default_map = {**(context.default_map or {}), **given}
    return file


def apply_preset(context: typer.Context, name: str | None) -> str | None:
    """Take a preset's options as defaults of the command."""
    if name is None:
        return None
    from quickgaze.saliency import PRESETS

    preset = PRESETS[name]
    options: dict[str, Any] = preset.model_options()
    if context.command.name == "run":
        options = {option: [value] for option, value in options.items() if option != "geometry"}
        options |= {"sigma": preset.sigmas, "convention": preset.convention}
        options |= {"geometry": preset.geometry}
    context.default_map = {**options, **(context.default_map or {})}
    return name


def dataset_options(given: list[str]) -> dict[str, Any]:
    """Read NAME=VALUE pairs; values are JSON where they can be, and texts elsewhere."""
    options = {}
    for item in given:
        name, separator, text = item.partition("=")
        if not separator:
            raise OptionError(f"--option {item!r} is not NAME=VALUE, as in --option split=val")
        try:
            options[name.replace("-", "_")] = json.loads(text)
        except ValueError:
            options[name.replace("-", "_")] = text
    return options


def separated(given: list[str]) -> list[str]:
    """Read names that are given one by one, or several separated by commas."""
    return [name for names in given for name in names.split(",")]


def named_maps(given: list[str]) -> dict[str, str]:
    """Read NAME=PATH pairs, each name once."""
    maps: dict[str, str] = {}
    for item in given:
        name, separator, path = item.partition("=")
        if not (separator and name and path):
            raise OptionError(f"--maps {item!r} is not NAME=PATH, as in --maps deepgaze=maps/")
        if name in maps:
            raise OptionError(f"--maps gives {name!r} twice; give each model a name of its own")
        maps[name] = path
    return maps


BACKBONE = Annotated[str, typer.Option(help="See `quickgaze backbones`, or timm/MODEL.")]
GEOMETRY = Annotated[
    str,
    typer.Option(help="How images are resized: default, native, detector, or short:480."),
]
WEIGHTS = Annotated[str, typer.Option(help="default, none (random) or a file.")]
DEVICE = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, mps.")]
PRECISION = Annotated[str, typer.Option(help="auto (fp32), fp32, tf32 or bf16.")]
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
