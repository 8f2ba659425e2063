"""The levels of a pyramid on one grid, as readouts take them."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from quickgaze.backbones import Pyramid, plain_torch
from quickgaze.resampling import pooling_matrix
from quickgaze.stimuli.types import Size


def readout_features(
    pyramid: Pyramid, levels: Sequence[str] | None = None, grid: str = "s16"
) -> torch.Tensor:
    """Bring the levels of a pyramid to one grid, none of their cells left out.

    Parameters
    ----------
    pyramid : Pyramid
    levels : sequence of str, optional
        Names or strides of the levels to use; all by default.
    grid : str
        As for `Pyramid.grid_size`. It is laid over the image; padding is left out.

    Returns
    -------
    Tensor, shape (B, C, h, w), float32
        The channels of all levels, from fine to coarse. Levels that are finer than the grid are
        averaged over the area of each of its cells, coarser ones are interpolated.

    Raises
    ------
    UnknownNameError
        If there is no such level or grid.

    Examples
    --------
    >>> fine = torch.tensor([[[[0.0, 1.0, 2.0, 3.0], [2.0, 3.0, 4.0, 5.0]]]])
    >>> coarse = torch.tensor([[[[7.0]]]])
    >>> pyramid = Pyramid({"s4": fine, "s16": coarse}, {"s4": 4, "s16": 16}, (8, 16), (8, 16))
    >>> readout_features(pyramid, grid="s8").tolist()
    [[[[1.5, 3.5]], [[7.0, 7.0]]]]
    """
    with plain_torch():
        pyramid = pyramid.select(levels)
        size = pyramid.grid_size(grid)
        return torch.cat([_on_grid(pyramid, name, size) for name in pyramid.levels], 1)


def _on_grid(pyramid: Pyramid, name: str, size: Size) -> torch.Tensor:
    level, extents = pyramid.levels[name], pyramid.content_cells(name)
    if tuple(level.shape[2:]) == size and extents == tuple(map(float, size)):
        return level
    down, across = (
        torch.tensor(pooling_matrix(target, source, extent)).to(level)
        for target, source, extent in zip(size, level.shape[2:], extents, strict=True)
    )
    return down @ level @ across.T
