"""Options that several commands take, and those that stand for others: files, presets, pairs."""

# ruff: noqa: PLC0415 - what is slow to import is imported when it is asked for

from __future__ import annotations

import functools
import inspect
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import Field, is_dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from quickgaze.catalogue import check_known
from quickgaze.errors import OptionError
from quickgaze.options import Option, options_of


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
        check_known(f"option in {file}", name, sorted(known))
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


def pairs(option: str, given: list[str], form: str, example: str) -> Iterator[tuple[str, str]]:
    """Read pairs such as NAME=VALUE."""
    for item in given:
        name, separator, value = item.partition("=")
        if not (separator and name):
            raise OptionError(f"{option} {item!r} is not {form}, as in {example}")
        yield name, value


def dataset_options(given: list[str] | None) -> dict[str, Any]:
    """Read NAME=VALUE pairs; values are JSON where they can be, and texts elsewhere."""
    options: dict[str, Any] = {}
    for name, text in pairs("--option", given or [], "NAME=VALUE", "--option split=val"):
        key = name.replace("-", "_")
        if key in options:
            raise OptionError(f"--option gives {name!r} twice; give it once")
        options[key] = _value(text)
    return options


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def separated(given: list[str]) -> list[str]:
    """Read names that are given one by one, or several separated by commas."""
    return [name for names in given for name in names.split(",")]


def _named_maps(given: list[str]) -> dict[str, str]:
    """Read NAME=PATH pairs, each name once."""
    maps: dict[str, str] = {}
    for name, path in pairs("--maps", given, "NAME=PATH", "--maps deepgaze=maps/"):
        if not path:
            raise OptionError(f"--maps gives no path for {name!r}; name a folder or an HDF5 file")
        if name in maps:
            raise OptionError(f"--maps gives {name!r} twice; give each model a name of its own")
        maps[name] = path
    return maps


def takes_options(*without: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command each option as a parameter, in the place of a parameter of their class.

    What the user leaves out keeps its default. Options named in `without` are not offered.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        parameters: list[inspect.Parameter] = []
        taken: dict[str, tuple[type, dict[str, tuple[Field[Any], Option]]]] = {}
        for parameter in inspect.signature(command, eval_str=True).parameters.values():
            options = parameter.annotation
            if not (isinstance(options, type) and is_dataclass(options)):
                parameters.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY))
                continue
            known = [each for each in options_of(options) if each[0].name not in without]
            offered = {each[1].flag or each[0].name: each for each in known}
            parameters += [_parameter(flag, *each) for flag, each in offered.items()]
            taken[parameter.name] = options, offered

        @functools.wraps(command)
        def called(**arguments: Any) -> None:
            for name, (options, offered) in taken.items():
                values = {
                    each.name: _read(known, arguments.pop(flag))
                    for flag, (each, known) in offered.items()
                }
                given = {option: value for option, value in values.items() if value is not None}
                arguments[name] = options(**given)
            command(**arguments)

        called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        called.__annotations__ = {each.name: each.annotation for each in parameters}
        return called

    return decorate


_SAID = {"repeated": " Repeatable.", "listed": " Separated by commas.", "pairs": " Repeatable."}


def _parameter(flag: str, each: Field[Any], known: Option) -> inspect.Parameter:
    """Describe an option for Typer."""
    # without a name, Typer adds the negation of a switch
    names = [f"--{flag.replace('_', '-')}"] if each.default is False else []
    shown = typer.Option(
        *names,
        help=known.help + _SAID.get(known.form, ""),
        min=known.minimum if known.kind in (int, float) else None,
        metavar="NAME=PATH" if known.form == "pairs" else None,
    )
    kind: Any = known.kind
    default = each.default
    if known.form != "one":
        kind, default = list[kind] | None, None
    elif default is None:
        kind = kind | None
    annotation = Annotated[kind, shown]
    return inspect.Parameter(
        flag, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
    )


def _read(known: Option, value: Any) -> Any:
    """Give an option's value as Python takes it; None where the user left it out."""
    if not value and known.form != "one":
        return None
    if known.form == "pairs":
        return _named_maps(value)
    if known.form == "listed":
        return [] if value == ["none"] else separated(value)
    return value


RUN = Annotated[str, typer.Argument(metavar="RUN", help="A run folder: a path, or a URL.")]
ROOT = Annotated[str | None, typer.Option(help="Folder that holds the data set: a path, or a URL.")]
OPTION = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=VALUE",
        help="An option of the data set, such as origin=0; `quickgaze data list` names them. "
        "Repeatable.",
    ),
]
AS_JSON = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]

PRESET = Annotated[
    str | None,
    typer.Option(
        is_eager=True,
        callback=apply_preset,
        help="Settings of a published study: cap6415. Options given beside it count more.",
    ),
]
