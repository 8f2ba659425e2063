"""One plane of a level, brought to a grid."""

from __future__ import annotations

import torch

from quickgaze.backbones.pyramid import Pyramid
from quickgaze.resampling import bilinear_matrix
from quickgaze.stimuli.types import Size


def plane_on_grid(pyramid: Pyramid, name: str, plane: torch.Tensor, size: Size) -> torch.Tensor:
    """Resample a plane on a level's cells to a grid laid over the image; padding is left out.

    Parameters
    ----------
    pyramid : Pyramid
    name : str
        The level.
    plane : Tensor, shape (B, H, W)
        A value for each of its cells.
    size : (int, int)
        Height and width of the grid in cells.

    Returns
    -------
    Tensor, shape (B, h, w)
    """
    down, across = (
        torch.tensor(bilinear_matrix(target, source, extent)).to(plane)
        for target, source, extent in zip(
            size, plane.shape[-2:], pyramid.content_cells(name), strict=True
        )
    )
    return down @ plane @ across.T
