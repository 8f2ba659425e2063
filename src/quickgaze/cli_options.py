"""Options of the command line that stand for others: files, presets, NAME=VALUE pairs."""

# ruff: noqa: PLC0415 - what is slow to import is imported when it is asked for

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

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
