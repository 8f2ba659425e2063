"""What a calibration works on: maps and gaze of a run on a canvas of 60 x 80 cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import polars as pl

from quickgaze.readouts._folds import Positions
from quickgaze.readouts._targets import CANVAS, Gaze
from quickgaze.resampling import gaussian_blur, pooling_matrix
from quickgaze.stimuli import Stimulus
from quickgaze.study import MapVariant, progress_bar
from quickgaze.study.stored import StoredMap

Plane = npt.NDArray[np.float64]

CELLS = CANVAS[0] * CANVAS[1]

_SMALLEST_EXTENT = 1e-12
"""Share of a map's largest value below which its differences are rounding."""


@dataclass(frozen=True, eq=False)
class CanvasGaze:
    """Where people looked, (n, cells) with sums of 1; `there` is False without usable gaze."""

    planes: npt.NDArray[np.float32]
    there: npt.NDArray[np.bool_]


def read_gaze(stimuli: Sequence[Stimulus], progress: bool) -> CanvasGaze:
    """Read the gaze of stimuli; what cannot be read is said where it is scored."""
    planes = np.zeros((len(stimuli), CELLS), dtype=np.float32)
    there = np.zeros(len(stimuli), dtype=np.bool_)
    with progress_bar(progress) as bar:
        task = bar.add_task("gaze", total=len(stimuli))
        for number, stimulus in enumerate(stimuli):
            bar.advance(task)
            try:
                looked = Gaze.read(stimulus, stimulus.size).target(CANVAS, 0.0).canvas
            except Exception:  # noqa: BLE001, S112 - such an image only teaches nothing
                continue
            planes[number], there[number] = looked.ravel(), True
    return CanvasGaze(planes, there)


@dataclass(frozen=True, eq=False)
class VariantMaps:
    """The maps of one variant by position of their stimulus, and as they are stored.

    `grids` are oriented and, where the run rectified, not negative; maps with NaN are left out.
    """

    variant: MapVariant
    stored: Mapping[int, StoredMap]
    grids: Mapping[int, Plane]

    @classmethod
    def of(
        cls, variant: MapVariant, table: pl.DataFrame, places: Mapping[str, int], rectify: bool
    ) -> VariantMaps:
        """Take the maps of a variant from a run's table; `places` are positions of stimuli."""
        stored: dict[int, StoredMap] = {}
        grids: dict[int, Plane] = {}
        for row in variant.rows(table).iter_rows(named=True):
            place = places[row["stimulus"]]
            stored[place] = found = StoredMap.of(row)
            grid = found.cam.oriented(variant.orientation)[0].double().numpy()
            if np.isfinite(grid).all():
                grids[place] = grid.clip(min=0) if rectify else grid
        return cls(variant, stored, grids)

    def blurred(self, places: Positions, blur: float) -> Plane:
        """Give maps in [0, 1], (n, cells), after a blur in shares of each image's longer side."""
        return np.stack(
            [self._scaled(each, blur * max(self.stored[each].size)) for each in places.tolist()]
        )

    def own(self, places: Positions) -> Plane:
        """Give maps in [0, 1] with the blur of the variant, (n, cells)."""
        return np.stack([self._scaled(each, self.variant.sigma) for each in places.tolist()])

    def _scaled(self, place: int, sigma: float) -> Plane:
        size, grid = self.stored[place].size, self.grids[place]
        down, across = (
            _matrix(cells, source, sigma * cells / pixels)
            for cells, source, pixels in zip(CANVAS, grid.shape, size, strict=True)
        )
        values = (down @ grid @ across.T).ravel()
        lowest, extent = values.min(), np.ptp(values)
        if extent <= _SMALLEST_EXTENT * np.abs(values).max():
            return np.zeros(CELLS)
        scaled: Plane = (values - lowest) / extent
        return scaled


@lru_cache(maxsize=256)
def _matrix(cells: int, source: int, sigma: float) -> Plane:
    """Weights (cells, source) that bring one side of a map to the canvas and blur it."""
    return gaussian_blur(pooling_matrix(cells, source), sigma, axes=(0,))


def as_plane(log_density: Plane) -> npt.NDArray[np.float32]:
    """Give a log density (cells,) as a plane (60, 80) with a maximum of 1."""
    plane: npt.NDArray[np.float32] = np.exp(log_density - log_density.max()).astype(np.float32)
    return plane.reshape(CANVAS)
