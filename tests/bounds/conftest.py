"""Small data sets whose gaze is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from quickgaze.stimuli.types import Fixations, Stimulus

Size = tuple[int, int]
MakeStimulus = Callable[..., Stimulus]


@dataclass(frozen=True)
class Blank:
    """An image without content."""

    height: int
    width: int

    def read(self) -> np.ndarray:
        return np.zeros((self.height, self.width, 3), np.uint8)

    def size(self) -> Size:
        return self.height, self.width

    def fingerprint(self) -> str:
        return f"{self.height}x{self.width}"


@dataclass(frozen=True, eq=False)
class Looked:
    """Fixations at given points, of observers in turn."""

    points: np.ndarray
    observers: int

    def read(self, size: Size) -> Fixations:
        names = np.array([f"o{i % self.observers}" for i in range(len(self.points))], dtype=np.str_)
        return Fixations.inside(self.points[:, 0], self.points[:, 1], names, size)


@dataclass(frozen=True, eq=False)
class Drawn:
    """A density that the data set provides."""

    values: np.ndarray

    def read(self, size: Size) -> np.ndarray:
        assert self.values.shape == size
        return self.values


class Broken:
    """Gaze that cannot be read."""

    def read(self, size: Size) -> Fixations:
        raise ValueError(f"no gaze on an image of {size}")


@pytest.fixture
def make() -> MakeStimulus:
    """Make a stimulus with fixations drawn by chance, some of them outside."""

    def stimulus(
        name: str,
        size: Size = (20, 30),
        count: int = 12,
        observers: int = 3,
        density: np.ndarray | None = None,
        broken: bool = False,
    ) -> Stimulus:
        rng = np.random.default_rng(len(name) * 1000 + sum(map(ord, name)))
        points = rng.uniform(-2, 2 + np.array([size[1], size[0]]), (count, 2))
        gaze = Broken() if broken else Looked(points, observers) if density is None else None
        drawn = None if density is None else Drawn(density.astype(np.float32))
        return Stimulus(name, Blank(*size), gaze, drawn)

    return stimulus


@pytest.fixture
def looked() -> MakeStimulus:
    """Make a stimulus with given fixations."""

    def stimulus(name: str, points: list[list[float]], size: Size = (20, 30)) -> Stimulus:
        return Stimulus(name, Blank(*size), Looked(np.array(points), 2))

    return stimulus
