"""Where people looked, as a readout is fitted to it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quickgaze.errors import StimulusError
from quickgaze.resampling import gaussian_blur, pooling_matrix
from quickgaze.stimuli import Fixations, Stimulus
from quickgaze.stimuli.types import Density, Size

Plane = npt.NDArray[np.float64]

CANVAS: Size = (60, 80)
"""Height and width that gaze is brought to for the centre bias."""

_BLUR = 3.0  # cells of the canvas


SHARE_OF_BLUR = 0.75
"""How much fixations are blurred before they are taught, as a share of their data set's blur.

Without a blur, a readout learns to be sharper than what maps are compared with.
"""


@dataclass(frozen=True, eq=False)
class Target:
    """The gaze on one image, as densities with a sum of 1: on the grid, and on the canvas.

    `taught` is what a readout learns on the grid: a density, or fixations that are blurred.
    """

    grid: npt.NDArray[np.float32]
    taught: npt.NDArray[np.float32]
    canvas: npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Gaze:
    """The gaze on an image of some size: fixations or a density."""

    size: Size
    found: Fixations | Density

    @classmethod
    def read(cls, stimulus: Stimulus, size: Size) -> Gaze:
        """Read the fixations or, without any, the density that the data set provides."""
        fixations = None if stimulus.gaze is None else stimulus.gaze.read(size)
        if fixations is not None and len(fixations) > 0:
            return cls(size, fixations)
        if stimulus.map is None:
            raise StimulusError("it has no gaze inside the image")
        density = stimulus.map.read(size)
        if not density.sum() > 0:
            raise StimulusError("its density is 0 everywhere")
        return cls(size, density)

    def target(self, grid: Size, sigma: float = 0.0) -> Target:
        """Bring it to a grid; fixations are taught as if blurred by `sigma` pixels."""
        cells, canvas = self._on(grid), self._on(CANVAS)
        taught = cells
        if isinstance(self.found, Fixations):
            # a cell is as wide as it is high, but for rounding
            across = sigma * math.sqrt(math.prod(grid) / math.prod(self.size))
            taught = gaussian_blur(cells, across, axes=(0, 1))
        return Target(*(each.astype(np.float32) for each in (cells, taught, canvas)))

    def _on(self, grid: Size) -> Plane:
        if isinstance(self.found, Fixations):
            return _binned(self.found, self.size, grid)
        down, across = (pooling_matrix(*each) for each in zip(grid, self.size, strict=True))
        pooled: Plane = down @ self.found.astype(np.float64) @ across.T
        shares: Plane = pooled / pooled.sum()
        return shares


def _binned(fixations: Fixations, size: Size, grid: Size) -> Plane:
    """Share of the fixations in each cell."""
    rows, columns = (
        np.floor((places + 0.5) / length * cells).astype(np.int64).clip(0, cells - 1)
        for places, length, cells in zip((fixations.y, fixations.x), size, grid, strict=True)
    )
    counts = np.bincount(rows * grid[1] + columns, minlength=grid[0] * grid[1])
    shares: Plane = counts.reshape(grid) / len(fixations)
    return shares


def centre_bias(canvases: npt.NDArray[np.floating]) -> Plane:
    """Log of the mean of canvases (n, 60, 80), blurred, and of an image with gaze everywhere."""
    blurred = gaussian_blur(canvases.mean(0, np.float64), _BLUR, axes=(0, 1))
    everywhere = 1 / (len(canvases) + 1)
    density = (1 - everywhere) * blurred / blurred.sum() + everywhere / blurred.size
    bias: Plane = np.log(density)
    return bias
