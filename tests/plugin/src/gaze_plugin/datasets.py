"""A data set is a `DatasetEntry`: a function that gives a `Dataset`, and a line about it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quickgaze.stimuli import Dataset, DatasetEntry, Fixations, Stimulus


@dataclass(frozen=True)
class Dot:
    """A white dot on grey: the image, and the place that everybody looks at."""

    x: int
    y: int

    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return (96, 128)

    def fingerprint(self) -> str:
        """Change when the image does, so that no run goes on with another."""
        return f"dot at {self.x}, {self.y}"

    def read(self, size: tuple[int, int] | None = None) -> npt.NDArray[np.uint8]:
        """Draw the image."""
        height, width = size or self.size()
        rows, columns = np.mgrid[:height, :width]
        dot = (rows - self.y) ** 2 + (columns - self.x) ** 2 <= 8**2
        return np.where(dot[..., np.newaxis], 255, 96).repeat(3, axis=2).astype(np.uint8)


@dataclass(frozen=True)
class Looks:
    """One fixation, at the dot."""

    dot: Dot

    def read(self, size: tuple[int, int]) -> Fixations:
        """Give the fixation, in pixels from 0."""
        return Fixations.inside([self.dot.x], [self.dot.y], ["somebody"], size)


def load_dots(*, n: int = 12) -> Dataset:
    """Draw `n` dots."""
    dots = [Dot(12 + 8 * (i % 14), 12 + 16 * (i % 5)) for i in range(n)]
    stimuli = tuple(Stimulus(f"dot-{i:02d}", dot, Looks(dot)) for i, dot in enumerate(dots))
    return Dataset("dots", stimuli, edition="drawn", gaze="by construction", density_sigma=8.0)


DOTS = DatasetEntry(load_dots, "a dot, and somebody who looks at it")
