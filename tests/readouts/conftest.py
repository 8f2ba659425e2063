"""A small data set whose gaze is known to follow one colour, and a network that sees colours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from torch import nn

import quickgaze as qg
from quickgaze.backbones import Backbone
from quickgaze.errors import StimulusError
from quickgaze.stimuli import Dataset, Fixations, Stimulus

SIZE = (48, 64)
SIDE = 8  # of a blob, and of a cell


@dataclass(frozen=True, eq=False)
class Drawn:
    """An image, or what stands in its place."""

    image: np.ndarray | None

    def read(self) -> np.ndarray:
        if self.image is None:
            raise StimulusError("the image is damaged")
        return self.image

    def size(self) -> tuple[int, int]:
        return self.read().shape[:2]

    def fingerprint(self) -> str:
        return str(None if self.image is None else int(self.image.astype(np.int64).sum()))


@dataclass(frozen=True, eq=False)
class Looked:
    """Fixations: columns x and y."""

    points: np.ndarray

    def read(self, size: tuple[int, int]) -> Fixations:
        observers = [f"observer {number % 3}" for number in range(len(self.points))]
        return Fixations.inside(self.points[:, 0], self.points[:, 1], observers, size)


@dataclass(frozen=True, eq=False)
class Mapped:
    """A density."""

    density: np.ndarray

    def read(self, _: tuple[int, int]) -> np.ndarray:
        return self.density


def draw(
    number: int, size: tuple[int, int] = SIZE, target: int = 255, others: tuple[int, ...] = ()
) -> Stimulus:
    """Draw a red blob that people look at, a green one that they do not, and others."""
    drawn = np.random.default_rng(number)
    image = drawn.integers(0, 20, (*size, 3), dtype=np.uint8)
    cells = size[0] // SIDE * (size[1] // SIDE)
    places = drawn.permutation(cells)[: 2 + len(others)]
    levels = [(0, target), (1, 255), *((0, level) for level in others)]
    for (channel, level), place in zip(levels, places, strict=True):
        top, left = (SIDE * int(each) for each in divmod(int(place), size[1] // SIDE))
        image[top : top + SIDE, left : left + SIDE, channel] = level
    top, left = (SIDE * int(each) for each in divmod(int(places[0]), size[1] // SIDE))
    points = np.array([left, top]) + drawn.uniform(0, SIDE - 1, (12, 2))
    return Stimulus(f"image-{number}", Drawn(image), Looked(points))


@pytest.fixture(scope="session")
def seen() -> Dataset:
    """Twelve images, each with a red blob that people look at."""
    return Dataset("blobs", tuple(draw(number) for number in range(12)), "1", density_sigma=3.0)


@pytest.fixture(scope="session")
def colours() -> Backbone:
    """Mean red, green and blue of cells of 8 pixels."""
    return qg.wrap_backbone(
        nn.Sequential(nn.AvgPool2d(SIDE)),
        {"cells": "0"},
        name="colours",
        mean=(0, 0, 0),
        std=(1, 1, 1),
        device="cpu",
    )


@pytest.fixture(scope="session")
def drawing() -> Callable[..., Stimulus]:
    """Draw an image of one's own."""
    return draw


@pytest.fixture(scope="session")
def drawn() -> type[Drawn]:
    """Make an image of an array; of none, one that cannot be read."""
    return Drawn


@pytest.fixture(scope="session")
def looked() -> type[Looked]:
    """Make fixations of columns x and y."""
    return Looked


@pytest.fixture(scope="session")
def mapped() -> type[Mapped]:
    """Make a density that a data set provides."""
    return Mapped


@pytest.fixture(scope="session", autouse=True)
def _fewer_steps() -> Iterator[None]:
    """Take steps that are few and large; the images are simple."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("quickgaze.readouts._training.IN_A_PASS", 48)
        patch.setattr("quickgaze.readouts._training._SHOWN", 960)
        patch.setattr("quickgaze.readouts._training.RATE", 0.1)
        yield
