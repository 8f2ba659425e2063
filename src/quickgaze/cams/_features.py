"""The features of a pyramid on one grid, as a matrix X that is multiplied but never formed.

Channels of a level are contracted at its own resolution (at most the grid's), then resampled.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from quickgaze.backbones.pyramid import Pyramid
from quickgaze.catalogue import check_known
from quickgaze.options import choices
from quickgaze.resampling import bilinear_matrix, bilinear_taps
from quickgaze.stimuli.types import Size

LEVEL_SCALES = choices("level_scale")
ROUNDING = 1e-6
"""What float32 may leave, relative to features, of a variation that is not there."""

_CELLS_AT_ONCE = 2**22


@dataclass(frozen=True, eq=False)
class GridLevel:
    """One level's columns of X, up to a constant for each column."""

    # (B, C, H, W): absolute features less their mean over cells, at the coarser of both resolutions
    cells: torch.Tensor
    # (h, H) and (w, W): resample cells to the grid; None where they are on it already
    down: torch.Tensor | None
    across: torch.Tensor | None

    def to_grid(self, planes: torch.Tensor) -> torch.Tensor:
        """Resample planes (..., H, W) to the grid, (..., h, w)."""
        if self.down is not None:
            planes = self.down @ planes
        return planes if self.across is None else planes @ self.across.T

    def from_grid(self, planes: torch.Tensor) -> torch.Tensor:
        """Apply the transpose of `to_grid`: planes (..., h, w) to (..., H, W)."""
        if self.down is not None:
            planes = self.down.T @ planes
        return planes if self.across is None else planes @ self.across

    def square_sum(self) -> torch.Tensor:
        """Sum of squares over channels and grid cells, (B,), float64."""
        if self.down is None and self.across is None:
            # In float32 along the axis that is contiguous in memory, float64 along the other.
            together = self.cells.is_contiguous(memory_format=torch.channels_last)
            norms: torch.Tensor = torch.linalg.vector_norm(
                self.cells.flatten(2), dim=1 if together else 2
            )
            return norms.double().square().sum(1)
        portion = max(1, _CELLS_AT_ONCE // self.cells[:, 0].numel())
        sums = [
            self._to_grid_and_back(cells).mul_(cells).sum((2, 3)).double().sum(1)
            for cells in torch.split(self.cells, portion, dim=1)
        ]
        return torch.stack(sums).sum(0)

    def _to_grid_and_back(self, planes: torch.Tensor) -> torch.Tensor:
        # The level is coarser than the grid, so the product of both matrices is the small one.
        if self.down is not None:
            planes = (self.down.T @ self.down) @ planes
        return planes if self.across is None else planes @ (self.across.T @ self.across)


@dataclass(frozen=True, eq=False)
class FeatureMatrix:
    """X of a batch: a row per cell of a grid of `size`, a column per channel, of mean 0 each."""

    levels: tuple[GridLevel, ...]
    size: Size
    taken: torch.Tensor | None = None  # (B,), float64: what the means had of the sum of squares

    @property
    def rows(self) -> int:
        """Number of grid cells."""
        return self.size[0] * self.size[1]

    @property
    def columns(self) -> int:
        """Number of channels of all levels."""
        return sum(level.cells.shape[1] for level in self.levels)

    def product(self, vectors: torch.Tensor) -> torch.Tensor:
        """Multiply X by vectors (B, C, m), to (B, N, m), float32."""
        batch, _, count = vectors.shape
        total = vectors.new_zeros(batch, count, *self.size, dtype=torch.float32)
        counts = [level.cells.shape[1] for level in self.levels]
        for level, part in zip(self.levels, torch.split(vectors, counts, dim=1), strict=True):
            planes = part.float().mT @ level.cells.flatten(2)
            total += level.to_grid(planes.reshape(batch, count, *level.cells.shape[2:]))
        product = total.flatten(2)
        return (product - product.mean(2, keepdim=True)).mT

    def transposed_product(self, planes: torch.Tensor) -> torch.Tensor:
        """Multiply the transpose of X by vectors (B, N, m) of mean 0, to (B, C, m), float32."""
        on_grid = planes.mT.reshape(len(planes), -1, *self.size)
        parts = [
            level.from_grid(on_grid).flatten(2) @ level.cells.flatten(2).mT for level in self.levels
        ]
        return torch.cat(parts, 2).mT

    def square_sum(self) -> torch.Tensor:
        """Sum of all squared elements of X, (B,), float64; NaN or infinite where X is."""
        cells = self.levels[0].cells
        ones = cells.new_full((len(cells), self.rows, 1), 1 / self.rows)
        means = self.transposed_product(ones)[:, :, 0].double()
        squares = torch.stack([level.square_sum() for level in self.levels]).sum(0)
        return (squares - self.rows * means.square().sum(1)).clamp(min=0)

    def dense(self) -> torch.Tensor:
        """Form X, (B, N, C), float32."""
        parts = [level.to_grid(level.cells).flatten(2) for level in self.levels]
        rows = torch.cat(parts, 1).mT
        return rows - rows.mean(1, keepdim=True)


def feature_matrix(pyramid: Pyramid, size: Size, level_scale: str = "none") -> FeatureMatrix:
    """Lay the absolute features of a pyramid over a grid of `size`; padding is left out.

    With ``"std"`` each level is divided by its standard deviation over channels and cells.
    """
    check_known("level scale", level_scale, LEVEL_SCALES)
    levels, taken = [], []
    for name in pyramid.levels:
        found = _on_grid(pyramid, name, size)
        cells = found.cells
        if level_scale == "std":
            cells *= _inverse_deviation(pyramid.levels[name])
        means = cells.mean((2, 3), keepdim=True)
        cells -= means
        levels.append(found)
        taken.append(means.double().square().sum((1, 2, 3)) * size[0] * size[1])
    return FeatureMatrix(tuple(levels), size, torch.stack(taken).sum(0))


def plane_on_grid(pyramid: Pyramid, name: str, plane: torch.Tensor, size: Size) -> torch.Tensor:
    """Resample a plane (B, H, W) on a level's cells to a grid, (B, h, w); padding is left out."""
    down, across = (
        torch.tensor(bilinear_matrix(target, source, extent)).to(plane)
        for target, source, extent in zip(
            size, plane.shape[-2:], pyramid.content_cells(name), strict=True
        )
    )
    return down @ plane @ across.T


def _on_grid(pyramid: Pyramid, name: str, size: Size) -> GridLevel:
    """Copy the absolute features of a level, on the grid where that is coarser."""
    shape, extents = pyramid.shape(name), pyramid.content_cells(name)
    sides = list(zip(size, shape[2:], extents, strict=True))
    coarser = [target <= extent for target, _, extent in sides]
    as_it_is = all(target == source == extent for target, source, extent in sides)
    neighbours = 4 * size[0] * size[1] * shape[0] * shape[1]
    if all(coarser) and not as_it_is and neighbours <= _CELLS_AT_ONCE:
        return GridLevel(_gathered(pyramid, name, size), None, None)
    level = cells = pyramid.levels[name]
    if as_it_is:
        return GridLevel(level.abs(), None, None)
    matrices: list[torch.Tensor | None] = [None, None]
    for axis in (0, 1):
        if coarser[axis]:
            cells = _sampled(cells, axis + 2, size[axis], extents[axis])
        else:
            weights = bilinear_matrix(size[axis], level.shape[axis + 2], extents[axis])
            matrices[axis] = torch.tensor(weights).to(level)
    # Planes are resampled one by one, so each is contiguous in memory.
    cells = level.abs().contiguous() if cells is level else cells
    return GridLevel(cells, matrices[0], matrices[1])


def _gathered(pyramid: Pyramid, name: str, size: Size) -> torch.Tensor:
    """Absolute features at the grid's cells, reading only the four neighbours of each."""
    shape, extents = pyramid.shape(name), pyramid.content_cells(name)
    rows = bilinear_taps(size[0], shape[2], extents[0])
    columns = bilinear_taps(size[1], shape[3], extents[1])
    corners = pyramid.at(
        name,
        np.concatenate([rows.lower, rows.upper]),
        np.concatenate([columns.lower, columns.upper]),
    )
    corners = corners.abs().reshape(*shape[:2], 2, size[0], 2, size[1])
    down, across = (torch.tensor(taps.share).to(corners) for taps in (rows, columns))
    between = torch.lerp(corners[:, :, 0], corners[:, :, 1], down[:, None, None])
    return torch.lerp(between[:, :, :, 0], between[:, :, :, 1], across)


def _inverse_deviation(level: torch.Tensor) -> torch.Tensor:
    """One over the standard deviation of the absolute features of each image, 1 where it is 0."""
    count = level[0].numel()
    mean = torch.linalg.vector_norm(level, ord=1, dim=(1, 2, 3), keepdim=True).double() / count
    square = torch.linalg.vector_norm(level, dim=(1, 2, 3), keepdim=True).double().square() / count
    deviation = (square - mean.square()).clamp(min=0).sqrt()
    # Rounding leaves about 1e-7 of the mean where features are constant.
    varies = deviation > 1e-6 * mean
    return torch.where(varies, 1 / deviation, 1.0).to(level.dtype)


def _sampled(features: torch.Tensor, axis: int, target: int, extent: float) -> torch.Tensor:
    """Absolute features, resampled along one axis to at most as many cells."""
    source = features.shape[axis]
    if target == source == extent:
        return features
    taps = bilinear_taps(target, source, extent)
    lower, upper = (torch.tensor(each, device=features.device) for each in (taps.lower, taps.upper))
    share = torch.tensor(taps.share).to(features)
    share = share[:, None] if axis == 2 else share
    shape = list(features.shape)
    shape[axis] = target
    sampled = features.new_empty(shape)
    # In portions, so that the neighbours of all cells are never in memory at once.
    portion = max(1, _CELLS_AT_ONCE // max(1, sampled[:, 0].numel()))
    for part, found in zip(
        torch.split(features, portion, 1), torch.split(sampled, portion, 1), strict=True
    ):
        first, second = (part.index_select(axis, cells).abs_() for cells in (lower, upper))
        torch.lerp(first, second, share, out=found)
    return sampled
