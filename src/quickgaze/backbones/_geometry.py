"""How an image is resized before a network sees it, and the choices that users have."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from quickgaze.catalogue import unknown_name
from quickgaze.errors import OptionError

_LONG_SIDE = 1333  # pixels, as torchvision's detectors limit the longer side of an image
_SHORT = re.compile(r"short:(\d+)")

GEOMETRIES = ("default", "native", "detector", "detector-padded", "short:N")
"""The spellings of a geometry; N is a number of pixels, as in ``"short:480"``."""


@dataclass(frozen=True)
class InputGeometry:
    """How an image is resized before the network sees it.

    Parameters
    ----------
    short_side : int, optional
        Pixels of the shorter side after resizing; None leaves the image at its own size.
    long_side : int
        Most pixels of the longer side; a longer image is reduced to it.
    multiple : int
        The input is padded with zeros, at the bottom and on the right, to a multiple of this.
    antialias : bool
        Whether reducing an image filters out what the smaller one cannot show.
    fixed_size : (int, int), optional
        Height and width that every image is stretched to, whatever its shape.
    keep_padding : bool
        Whether padding counts as image, so that maps cover it too and are shifted.

    Raises
    ------
    OptionError
        If a number of pixels is below 1.

    Examples
    --------
    >>> InputGeometry(800, 1333, 32).resized((480, 640))
    (800, 1066)
    >>> InputGeometry(None, 1333).resized((480, 640))
    (480, 640)
    >>> InputGeometry(fixed_size=(300, 300)).resized((480, 640))
    (300, 300)
    """

    short_side: int | None = None
    long_side: int = _LONG_SIDE
    multiple: int = 1
    antialias: bool = False
    fixed_size: tuple[int, int] | None = None
    keep_padding: bool = False

    def __post_init__(self) -> None:
        numbers = (self.short_side or 1, self.long_side, self.multiple, *(self.fixed_size or ()))
        if self.short_side == 0 or min(numbers) < 1:
            raise OptionError(f"{self} is impossible; give every side at least 1 pixel")

    def resized(self, size: tuple[int, int]) -> tuple[int, int]:
        """Size that an image is resized to.

        Parameters
        ----------
        size : (int, int)
            Its height and width in pixels.

        Returns
        -------
        (int, int)
            Height and width in pixels, before padding.
        """
        if self.fixed_size is not None:
            return self.fixed_size
        short_side = min(size) if self.short_side is None else self.short_side
        scale = min(short_side / min(size), self.long_side / max(size))
        height, width = (max(1, int(side * scale)) for side in size)
        return height, width

    def __str__(self) -> str:
        if self.fixed_size is not None:
            return "{}x{}".format(*self.fixed_size)
        short = "own size" if self.short_side is None else f"short side {self.short_side}"
        return f"{short}, long side at most {self.long_side}"


def choose_geometry(choice: str, default: InputGeometry) -> InputGeometry:
    """Find the geometry that a name means for a backbone.

    Parameters
    ----------
    choice : str
        ``"default"`` is the backbone's own. ``"native"`` leaves images at their size,
        ``"short:480"`` brings the shorter side to 480 pixels, ``"detector"`` does what
        torchvision's detectors do: shorter side 800 pixels, padded to a multiple of 32. With
        these the longer side is at most 1333 pixels. ``"detector-padded"`` treats the padding
        as part of the image, as code that never cuts it off does.
    default : InputGeometry
        The backbone's own; what it pads to is kept, and how it reduces.

    Returns
    -------
    InputGeometry

    Raises
    ------
    UnknownNameError
        If there is no such geometry; lists the known ones.
    OptionError
        If the shorter side would be 0 or exceed 1333 pixels.

    Examples
    --------
    >>> choose_geometry("short:480", InputGeometry(multiple=32)).resized((600, 800))
    (480, 640)
    """
    if choice == "default":
        return default
    if choice in ("detector", "detector-padded"):
        padded = choice == "detector-padded"
        return InputGeometry(800, _LONG_SIDE, math.lcm(32, default.multiple), keep_padding=padded)
    short_side = None
    if match := _SHORT.fullmatch(choice):
        short_side = int(match[1])
        if not 1 <= short_side <= _LONG_SIDE:
            raise OptionError(
                f"geometry {choice!r}: give 1 to {_LONG_SIDE} pixels for the shorter side; the "
                f"longer one is at most {_LONG_SIDE}"
            )
    elif choice != "native":
        raise unknown_name("geometry", choice, GEOMETRIES)
    return InputGeometry(short_side, _LONG_SIDE, default.multiple, default.antialias)
