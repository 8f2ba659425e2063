"""What recorded coordinates mean: their unit, origin and direction, and the screen they are of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import numpy.typing as npt

from quickgaze.catalogue import check_known
from quickgaze.errors import OptionError

if TYPE_CHECKING:
    from quickgaze.stimuli.types import Size

Units = Literal["pixels", "fraction", "percent"]
Direction = Literal["down", "up"]
Origin = Literal[0, 1, "center"]

_Numbers = npt.NDArray[np.float64]

_SCREEN = re.compile(r"(\d+) ?[xX] ?(\d+)")
_WHOLE = {"fraction": 1.0, "percent": 100.0}


@dataclass(frozen=True)
class Placement:
    """How coordinates were written down; `screen` is (height, width), in pixels.

    An image on a screen was as large as fits, and in the centre.
    """

    units: Units = "pixels"
    origin: Origin = 0
    y: Direction = "down"
    screen: Size | None = None

    def on_image(self, x: _Numbers, y: _Numbers, size: Size) -> tuple[_Numbers, _Numbers]:
        """Columns and rows, from 0, on an image of (height, width) `size`."""
        frame = size if self.screen is None else self.screen
        columns = self._along(x, frame[1], backwards=False)
        rows = self._along(y, frame[0], backwards=self.y == "up")
        if self.screen is None:
            return columns, rows
        scale = min(frame[0] / size[0], frame[1] / size[1])
        top, left = ((outer - scale * inner) / 2 for outer, inner in zip(frame, size, strict=True))
        return (columns - left) / scale, (rows - top) / scale

    def _along(self, values: _Numbers, length: int, *, backwards: bool) -> _Numbers:
        """Places along an axis of `length` pixels."""
        whole = _WHOLE.get(self.units)
        if whole is not None:
            values = values * (length / whole)
        if self.origin == "center":
            return length / 2 + (-values if backwards else values)
        if whole is not None:
            return length - values if backwards else values
        values = values - self.origin
        return length - 1 - values if backwards else values

    def in_words(self) -> str:
        """Say what the coordinates are, for editions and fingerprints."""
        origin = "" if self.units != "pixels" and self.origin == 0 else f"origin {self.origin}"
        parts = [
            "" if self.units == "pixels" else f"units {self.units}",
            origin,
            "" if self.y == "down" else "y up",
            "" if self.screen is None else f"screen {self.screen[1]}x{self.screen[0]}",
        ]
        return ", ".join(filter(None, parts))


PIXELS = Placement()
"""Columns and rows in pixels, from 0: what quickgaze itself uses."""


def read_placement(
    source: str,
    units: Units | None,
    origin: Origin | None,
    y: Direction | None,
    screen: str | tuple[int, int] | None,
) -> Placement:
    """Make a placement of what a user gave; `source` is what has the coordinates."""
    unit: Units = "pixels" if units is None else units
    direction: Direction = "down" if y is None else y
    check_known("units", unit, get_args(Units))
    check_known("y", direction, get_args(Direction))
    if origin is not None and (origin not in get_args(Origin) or isinstance(origin, bool)):
        raise OptionError(
            f"origin is {origin!r}; give 0 or 1, the number of the first pixel, or center"
        )
    if unit == "pixels" and origin is None:
        raise OptionError(
            f"{source} needs origin=0 or origin=1: 0 if the centre of the upper left "
            "pixel is at x = 0, y = 0 (Python), 1 if it is at x = 1, y = 1 (MATLAB); or "
            "origin=center, or units=fraction or percent"
        )
    if unit != "pixels" and origin in {0, 1}:
        raise OptionError(
            f"origin={origin} is the number of the first pixel, but units are {unit}; leave out "
            "one of them"
        )
    return Placement(unit, origin or 0, direction, _read_screen(screen))


def _read_screen(given: str | tuple[int, int] | None) -> Size | None:
    if given is None:
        return None
    found = _SCREEN.fullmatch(given.strip()) if isinstance(given, str) else None
    pair = found.groups() if found else given
    try:
        width, height = map(int, pair)
    except (TypeError, ValueError):
        width = height = 0
    if width < 1 or height < 1:
        raise OptionError(
            f"screen is {given!r}; give its width and height in pixels, as in screen=1920x1080"
        )
    return height, width
