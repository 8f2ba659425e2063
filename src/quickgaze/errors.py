"""What can go wrong, by what the user can do about it."""

from __future__ import annotations

import re
from importlib import import_module
from types import ModuleType
from typing import Any

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class QuickgazeError(Exception):
    """Base of every error that quickgaze raises on purpose.

    Its message names the thing, what was expected and what to do next.
    """


class OptionError(QuickgazeError, ValueError):
    """An option or argument that cannot be used; nothing has been computed."""


class UnknownNameError(OptionError):
    """A name that no catalogue holds; the message offers the nearest known one."""


class ExtensionError(OptionError):
    """Something that an installed package adds to quickgaze, and that cannot be used."""


class DatasetError(QuickgazeError):
    """A data set that cannot be opened at the place given."""


class StimulusError(QuickgazeError):
    """One stimulus whose image or gaze data cannot be used; others are not affected."""


class WeightsError(QuickgazeError):
    """Weights that cannot be found, or that do not fit the network."""


class RunError(QuickgazeError):
    """A run folder that cannot be read, written or continued."""


class RunInterruptedError(RunError):
    """A run that was stopped on purpose; what it computed is kept."""


class DamagedRunWarning(UserWarning):
    """A part of a run folder is not what was written, and is computed anew."""


class ExtensionWarning(UserWarning):
    """Something that an installed package adds to quickgaze cannot be used, and is left out."""


class RandomWeightsWarning(UserWarning):
    """The backbone's weights are random: its maps say nothing about a trained model."""


class UndefinedMapWarning(UserWarning):
    """An image has no map, only NaN; the message says why."""


class LeftOutWarning(UserWarning):
    """Images that a readout could not be fitted to; the message says how many, and why."""


class SlowPrecisionWarning(UserWarning):
    """The precision asked for is slower on this machine than the usual one."""


def first_line(error: BaseException) -> str:
    """First line of an error's message; some libraries write pages, and in colour."""
    return _COLOUR.sub("", str(error)).strip().split("\n", maxsplit=1)[0]


def require(package: str, extra: str, what: str) -> ModuleType:
    """Import a package that only an extra of quickgaze brings; `what` needs it ("a regression").

    Raises `OptionError`, with the command that installs it, where it is missing.
    """
    try:
        return import_module(package)
    except ImportError as error:
        raise OptionError(
            f"{what} needs the package {package.partition('.')[0]}, which cannot be imported "
            f"({error}); run: pip install 'quickgaze[{extra}]'"
        ) from error


def refuse_masked(values: Any, what: str) -> None:
    """Refuse arrays, and lists of them, in which a mask hides anything; `what` is their name."""
    if isinstance(values, list | tuple):
        for each in values:
            if not isinstance(each, int | float):
                refuse_masked(each, what)
    elif hasattr(values, "filled") and hasattr(values, "mask") and values.mask.any():
        raise OptionError(
            f"the {what} must not be masked: what the mask hides would count all the same. Give "
            "it a value, as array.filled(0) does, or cut it away"
        )
