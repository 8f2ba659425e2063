"""The levels of a pyramid brought together on one grid."""

from __future__ import annotations

import torch

from quickgaze.backbones.pyramid import Pyramid
from quickgaze.catalogue import unknown_name
from quickgaze.resampling import bilinear_matrix

LEVEL_SCALES = ("none", "std")


def check_level_scale(level_scale: str) -> None:
    """Refuse a scaling of levels that there is not."""
    if level_scale not in LEVEL_SCALES:
        raise unknown_name("level scale", level_scale, LEVEL_SCALES)


def features_on_grid(
    pyramid: Pyramid, size: tuple[int, int], level_scale: str = "none"
) -> torch.Tensor:
    """Resample the absolute features of all levels to one grid laid over the image.

    Parameters
    ----------
    pyramid : Pyramid
        Its levels, from fine to coarse, give the channels in their order.
    size : (int, int)
        Height and width of the grid in cells.
    level_scale : {"none", "std"}
        ``"std"`` divides each level by the standard deviation of its absolute features over
        channels and cells, so that no level rules by its scale alone.

    Returns
    -------
    Tensor, shape (B, C, h, w), float32
        C is the sum of the levels' channels. Padding is left out.

    Raises
    ------
    UnknownNameError
        If there is no such `level_scale`.
    """
    check_level_scale(level_scale)
    parts = []
    for name, level in pyramid.levels.items():
        features = level.abs()
        if level_scale == "std":
            deviation = features.std((1, 2, 3), correction=0, keepdim=True)
            features = features / torch.where(deviation > 0, deviation, 1.0)
        down, across = (
            torch.tensor(bilinear_matrix(target, source, extent)).to(features)
            for target, source, extent in zip(
                size, features.shape[-2:], pyramid.content_cells(name), strict=True
            )
        )
        parts.append(down @ features @ across.T)
    return torch.cat(parts, dim=1)
