"""Generated search displays in which one odd item pops out: stimuli with a known target."""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image
import PIL.ImageDraw
from skimage.color import lab2rgb

from quickgaze.catalogue import unknown_name
from quickgaze.errors import OptionError
from quickgaze.stimuli.dataset import Dataset, DatasetEntry
from quickgaze.stimuli.types import Fixations, Image, Size, Stimulus

KINDS = ("color", "orientation", "size", "shape")
"""Features in which the target can differ."""

SHAPES = ("disc", "square", "triangle", "cross")

_NOTES = (
    "The displays are generated; the one point on each is the centre of its odd item, not gaze.",
)

_DRAWING = 1  # to be raised when the same options give other pictures
_FINER = 4  # supersampling
_SMALLEST_CELL = 16.0
_MARGIN = 0.05
_GREY_LIGHTNESS, _ITEM_LIGHTNESS, _CHROMA = 50.0, 68.0, 38.0


@dataclass(frozen=True)
class Item:
    """What an item of a display looks like; `radius` is that of the disc with the same area.

    Angles are in degrees: the hue in the CIELAB plane (None is a light grey), and the item's own,
    anticlockwise from horizontal.
    """

    shape: str
    radius: float
    hue: float | None = None
    angle: float = 0.0

    def outline(self) -> npt.NDArray[np.float64]:
        """Corners, (n, 2), columns x and y, around (0, 0), y downwards."""
        turn = math.radians(self.angle)
        turned = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
        return np.asarray(self.radius * (_outline(self.shape) @ turned))

    def reach(self) -> float:
        """Distance from the centre to the farthest point, in pixels."""
        return float(self.radius * np.hypot(*_outline(self.shape).T).max())

    def colour(self) -> tuple[int, ...]:
        """8-bit RGB."""
        chroma, hue = (0.0, 0.0) if self.hue is None else (_CHROMA, math.radians(self.hue))
        return _rgb(_ITEM_LIGHTNESS, chroma * math.cos(hue), chroma * math.sin(hue))


@dataclass(frozen=True)
class _Layout:
    """Centres of the items in pixels, the target's first, and what the items look like."""

    x: npt.NDArray[np.float64]
    y: npt.NDArray[np.float64]
    target: Item
    distractor: Item
    names: tuple[str, str]


@dataclass(frozen=True)
class Display:
    """One search display, which depends on its options and index alone."""

    index: int
    seed: int
    extent: Size
    kind: str
    set_size: int

    def layout(self) -> _Layout:
        """Arrange the display."""
        rng = np.random.default_rng([self.seed, self.index])
        x, y, cell = _places(rng, self.extent, self.set_size)
        target, distractor, names = _items(rng, self.kind, cell)
        return _Layout(x, y, target, distractor, names)

    def read(self) -> Image:
        """Draw the display, (H, W, 3) uint8 RGB."""
        height, width = self.extent
        canvas = PIL.Image.new(
            "RGB", (width * _FINER, height * _FINER), _rgb(_GREY_LIGHTNESS, 0.0, 0.0)
        )
        draw = PIL.ImageDraw.Draw(canvas)
        layout = self.layout()
        for place, centre in enumerate(zip(layout.x, layout.y, strict=True)):
            item = layout.distractor if place else layout.target
            corners = (item.outline() + centre + 0.5) * _FINER - 0.5
            draw.polygon([(x, y) for x, y in corners.tolist()], fill=item.colour())
        return np.array(canvas.reduce(_FINER))

    def size(self) -> Size:
        """Height and width in pixels."""
        return self.extent

    def fingerprint(self) -> str:
        """Everything that the picture depends on."""
        return f"popout {_DRAWING}: {self!r}"


@dataclass(frozen=True)
class Target:
    """Gives the centre of a display's target as its one fixation."""

    display: Display

    def read(self, size: Size) -> Fixations:
        """Give the one point, looked at by ``"construction"``."""
        layout = self.display.layout()
        return Fixations.inside(layout.x[:1], layout.y[:1], ["construction"], size)

    def fingerprint(self) -> str:
        """Everything that the display depends on."""
        return self.display.fingerprint()


@dataclass(frozen=True)
class Description(Mapping[str, str | float]):
    """The attributes of a display, computed when they are asked for."""

    display: Display

    def __getitem__(self, name: str) -> str | float:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def _all(self) -> dict[str, str | float]:
        layout = self.display.layout()
        target, distractors = layout.names
        return {
            "kind": self.display.kind,
            "set_size": float(self.display.set_size),
            "target": target,
            "distractors": distractors,
            "target_x": float(layout.x[0]),
            "target_y": float(layout.y[0]),
            "target_radius": layout.target.reach(),
        }


def load_popout(
    *,
    n: int = 100,
    seed: int = 0,
    size: Size = (480, 640),
    kinds: Sequence[str] = KINDS,
    set_size: int = 48,
) -> Dataset:
    """Generate search displays: one odd item among many that are alike.

    Parameters
    ----------
    n : int
        Number of displays.
    seed : int
        Which displays; not negative.
    size : (int, int)
        Height and width in pixels.
    kinds : sequence of {"color", "orientation", "size", "shape"}
        Features in which the target differs, and in no other; displays take turns.
    set_size : int
        Number of items in a display, at least 4.

    Returns
    -------
    Dataset
        Displays are drawn each time that they are read. A display depends on `seed`, its
        number and the other options, not on `n`. Its one fixation is the centre of the target,
        by the observer ``"construction"``. Attributes: ``kind``, ``set_size``, ``target`` and
        ``distractors`` (in words), ``target_x``, ``target_y`` (centre) and ``target_radius``
        (of the circle around it), in pixels.

    Notes
    -----
    Items stand on a jittered grid, on grey. All colours have one lightness and one chroma in
    CIELAB; hues of target and distractors are 90 to 180 degrees apart, orientations 45 to 90,
    radii differ by a factor of 1.7 and shapes have the same area. The target is equally likely
    at every place of the grid.

    References
    ----------
    .. [1] A. M. Treisman, G. Gelade, "A feature-integration theory of attention", Cognitive
       Psychology 12(1):97-136, 1980.
    .. [2] L. Itti, C. Koch, "A saliency-based search mechanism for overt and covert shifts of
       visual attention", Vision Research 40(10-12):1489-1506, 2000.
    """
    n, seed = _whole("n", n, 1), _whole("seed", seed, 0)
    set_size = _whole("set_size", set_size, 4)
    extent = _usable_size(size, set_size)
    kinds = _known_kinds(kinds)
    displays = (
        Display(index, seed, extent, kinds[index % len(kinds)], set_size) for index in range(n)
    )
    stimuli = tuple(
        Stimulus(
            f"popout-{display.index:06d}", display, Target(display), attributes=Description(display)
        )
        for display in displays
    )
    edition = f"generated, version {_DRAWING}"
    return Dataset("popout", stimuli, edition, "target, by construction", notes=_NOTES)


def _whole(name: str, number: Any, smallest: int) -> int:
    if isinstance(number, numbers.Integral) and int(number) >= smallest:
        return int(number)
    raise OptionError(f"{name} is {number!r}; give a whole number, at least {smallest}")


def _listed(kinds: object) -> bool:
    return isinstance(kinds, Sequence) and all(isinstance(kind, str) for kind in kinds)


def _known_kinds(kinds: Sequence[str]) -> tuple[str, ...]:
    kinds = (kinds,) if isinstance(kinds, str) else tuple(kinds) if _listed(kinds) else ()
    if not kinds:
        raise OptionError(f"kinds names none; give some of {', '.join(KINDS)}")
    for kind in kinds:
        if kind not in KINDS:
            raise unknown_name("kind of pop-out display", str(kind), KINDS)
    return kinds


def _usable_size(size: Size, set_size: int) -> Size:
    try:
        height, width = size
    except (TypeError, ValueError):
        raise OptionError(f"size is {size!r}; give height and width in pixels") from None
    height, width = _whole("height", height, 1), _whole("width", width, 1)
    _, _, cell = _grid((height, width), set_size)
    if cell < _SMALLEST_CELL:
        raise OptionError(
            f"{set_size} items on {height} x {width} pixels (height x width) have {cell:.0f} "
            f"pixels each way, and need {_SMALLEST_CELL:.0f}; lower set_size or raise size"
        )
    return height, width


def _grid(size: Size, set_size: int) -> tuple[int, int, float]:
    """Rows and columns of nearly square cells that hold `set_size` items, and a cell's side."""
    height, width = size
    rows = max(1, round(math.sqrt(set_size * height / width)))
    columns = math.ceil(set_size / rows)
    margin = 2 * _MARGIN * min(size)
    return rows, columns, min((height - margin) / rows, (width - margin) / columns)


def _places(
    rng: np.random.Generator, size: Size, set_size: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], float]:
    """Centres in random order, and the side of the square that is free around each."""
    height, width = size
    rows, columns, cell = _grid(size, set_size)
    margin = _MARGIN * min(size)
    taken = rng.permutation(rows * columns)[:set_size]
    jitter = rng.uniform(-0.15, 0.15, (2, set_size)) * cell
    y = margin + (taken // columns + 0.5) * (height - 2 * margin) / rows - 0.5 + jitter[0]
    x = margin + (taken % columns + 0.5) * (width - 2 * margin) / columns - 0.5 + jitter[1]
    return x, y, cell


def _items(rng: np.random.Generator, kind: str, cell: float) -> tuple[Item, Item, tuple[str, str]]:
    """Target, distractor, and both in words."""
    radius = 0.17 * cell
    if kind == "color":
        hue = rng.uniform(0, 360)
        other = (hue + rng.choice([-1, 1]) * rng.uniform(90, 180)) % 360
        items = Item("disc", radius, hue=other), Item("disc", radius, hue=hue)
        return *items, (f"hue {other:.0f} degrees", f"hue {hue:.0f} degrees")
    if kind == "orientation":
        angle = rng.uniform(0, 180)
        other = (angle + rng.choice([-1, 1]) * rng.uniform(45, 90)) % 180
        items = Item("bar", radius, angle=other), Item("bar", radius, angle=angle)
        return *items, (f"{other:.0f} degrees", f"{angle:.0f} degrees")
    shape = str(rng.choice(SHAPES))
    if kind == "size":
        items = Item(shape, 1.2 * radius), Item(shape, 1.2 / 1.7 * radius)
        return *items, (f"large {shape}", f"small {shape}")
    other = str(rng.choice([name for name in SHAPES if name != shape]))
    return Item(other, radius), Item(shape, radius), (other, shape)


@lru_cache
def _outline(shape: str) -> npt.NDArray[np.float64]:
    """Corners of a shape with the area of a disc of radius 1, centred on its centroid."""
    if shape == "bar":
        corners = np.array([[-2, -0.5], [2, -0.5], [2, 0.5], [-2, 0.5]])
    elif shape == "cross":
        ends = [(1, 3), (1, 1), (3, 1), (3, -1), (1, -1), (1, -3)]
        corners = np.array([*ends, *((-x, -y) for x, y in ends)]) / 2
    else:
        sides = {"disc": 64, "square": 4, "triangle": 3}[shape]
        angles = 2 * np.pi * np.arange(sides) / sides + (np.pi / 4 if sides == 4 else -np.pi / 2)
        corners = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    x, y = corners.T
    area = abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2
    outline = corners * math.sqrt(math.pi / area)
    outline.setflags(write=False)
    return outline


def _rgb(lightness: float, a: float, b: float) -> tuple[int, ...]:
    return tuple(np.rint(255 * lab2rgb(np.array([lightness, a, b]))).astype(int).tolist())


ENTRY = DatasetEntry(
    load_popout, "generated search displays with a known target (colour, orientation, size, shape)"
)
