"""How many recorded points lie on their images, and the likely cause where many do not."""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import dist
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from quickgaze.stimuli.types import Fixations, Size

_TOLERATED = 0.01
"""Share of points outside that eye trackers give on the right images."""

_NEARLY_ALL = 0.95

_REACH = 0.98
"""Share of an image's points that count for how far they reach; the others may be blinks."""

ENOUGH = 10
"""Points from which on it is no accident that all lie in one place."""

_WIDE = 80
"""How far percentages reach that are spread over an image."""

CORNER = 3
"""Pixels from a corner within which nobody looks all the time."""

_SCREENS = (
    (800, 600),
    (1024, 768),
    (1280, 720),
    (1280, 800),
    (1280, 1024),
    (1366, 768),
    (1440, 900),
    (1600, 900),
    (1600, 1200),
    (1680, 1050),
    (1920, 1080),
    (1920, 1200),
    (2560, 1440),
    (2560, 1600),
    (3840, 2160),
)
"""Widths and heights of usual screens."""


@dataclass(frozen=True)
class Points:
    """Numbers of points inside and outside of images, and what tells why they lie there.

    Of all points, `missing` have no coordinates, `swapped` would lie inside with x and y swapped,
    `left` and `above` are negative in x and y, `unit` and `hundred` lie in [0, 1] and [0, 100] on
    larger images, `corner` within a few pixels of one corner; `across` and `down` are the sums of
    x and y. `right` and `below` say how far points reach, `width` and `height` how large images
    are: these four are the largest in a sum.
    """

    inside: int = 0
    outside: int = 0
    observers: int = 0
    missing: int = 0
    swapped: int = 0
    left: int = 0
    above: int = 0
    unit: int = 0
    hundred: int = 0
    corner: int = 0
    across: float = 0.0
    down: float = 0.0
    right: float = 0.0
    below: float = 0.0
    width: int = 0
    height: int = 0

    @classmethod
    def of(cls, fixations: Fixations, size: Size) -> Points:
        """Count the points on an image of (height, width) `size`."""
        height, width = size
        every = np.concatenate([fixations.points, fixations.outside])
        there = every[np.isfinite(every).all(axis=1)]
        x, y = there.T
        unit, hundred = (
            int(((there >= 0) & (there <= most)).all(axis=1).sum()) if min(size) > smallest else 0
            for most, smallest in ((1, 10 * CORNER), (100, 110))
        )
        reach = np.quantile(there, _REACH, axis=0) if len(there) else np.zeros(2)
        return cls(
            len(fixations),
            fixations.dropped,
            len(set(fixations.observer.tolist())),
            missing=len(every) - len(there),
            swapped=int(((x >= -0.5) & (x < height) & (y >= -0.5) & (y < width)).sum()),
            left=int((x < -0.5).sum()),
            above=int((y < -0.5).sum()),
            unit=unit,
            hundred=hundred,
            corner=_in_one_corner(there, size),
            across=float(x.sum()),
            down=float(y.sum()),
            right=float(reach[0]),
            below=float(reach[1]),
            width=width,
            height=height,
        )

    @property
    def total(self) -> int:
        """All points that were recorded."""
        return self.inside + self.outside

    @property
    def doubtful(self) -> bool:
        """Whether coordinates have probably been misread: so few of them fit the images."""
        return self.outside > _TOLERATED * self.total or self.cause != ""

    @property
    def cause(self) -> str:
        """Why the points probably do not lie where people looked; empty if nothing tells."""
        there = self.total - self.missing
        enough = _NEARLY_ALL * there
        if self.outside > _TOLERATED * self.total and self.missing > self.outside / 2:
            return "most of these have no coordinates, as during blinks"
        if there < ENOUGH:
            return ""
        if self.unit >= enough:
            return "they look like fractions of the image (units=fraction)"
        wide = max(self.right, self.below) > _WIDE
        if self.hundred >= enough and wide and self._nearer_to((100, 100), there):
            return "they look like percentages of the image (units=percent)"
        if self.corner >= enough:
            return "they lie in a corner of the image"
        return self._cause_of_outside(there) if self.outside > _TOLERATED * self.total else ""

    def _cause_of_outside(self, there: int) -> str:
        if all(there / 4 <= negative <= 3 * there / 4 for negative in (self.left, self.above)):
            return "they look as if counted from the centre (origin=center)"
        if self.swapped >= _NEARLY_ALL * there and self.swapped > self.inside:
            return "x and y look swapped (columns=x=y,y=x)"
        screen = self._likely_screen(there)
        if screen is None:
            return ""
        return (
            "they look like places on a larger screen "
            f"(screen={screen[0]}x{screen[1]}, if that was its size)"
        )

    def _likely_screen(self, there: int) -> tuple[int, int] | None:
        """Of the screens that hold the points, that whose centre people look at most.

        None if they look at the images' centre, or if most points outside are above or left.
        """
        if 2 * max(self.left, self.above) > self.outside - self.missing:
            return None
        holding = [
            (width, height)
            for width, height in _SCREENS
            if self.right <= width
            and self.below <= height
            and (width > self.width or height > self.height)
            and self._nearer_to((width, height), there)
        ]
        return min(holding, key=lambda screen: self._from_centre(screen, there), default=None)

    def _nearer_to(self, screen: tuple[int, int], there: int) -> bool:
        """Whether people look nearer to the centre of `screen` than to that of the images."""
        images = self.width, self.height
        return self._from_centre(screen, there) < self._from_centre(images, there)

    def _from_centre(self, screen: tuple[int, int], there: int) -> float:
        """Pixels from the centre of (width, height) `screen` to the mean of the points."""
        return dist((screen[0] / 2, screen[1] / 2), (self.across / there, self.down / there))

    @property
    def counted(self) -> str:
        """How many points lie outside, in words."""
        return f"{self.outside:,} of {self.total:,} points outside"

    def in_words(self) -> str:
        """Say how many points lie outside, and the likely cause if there is one."""
        return f"{self.counted}: {self.cause}" if self.cause else self.counted

    def __add__(self, other: Points) -> Points:
        merged: dict[str, Any] = {}
        for each in fields(self):
            pair = getattr(self, each.name), getattr(other, each.name)
            merged[each.name] = max(pair) if each.name in _LARGEST else sum(pair)
        return Points(**merged)


def _in_one_corner(points: npt.NDArray[np.float64], size: Size) -> int:
    """Largest number of points near one corner of an image that has other places too."""
    if min(size) <= 10 * CORNER:
        return 0
    far = np.array([size[1] - 1, size[0] - 1])
    corners = far * [[[0, 0]], [[1, 0]], [[0, 1]], [[1, 1]]]
    return int((np.abs(points - corners) <= CORNER).all(axis=2).sum(axis=1).max())


_LARGEST = frozenset({"right", "below", "width", "height"})
