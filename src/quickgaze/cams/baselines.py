"""Baselines that any model has to beat: they look at the size of the image, or not even that."""

from __future__ import annotations

import math

import torch

from quickgaze.cams.cam import Cam
from quickgaze.stimuli.types import Size

GRID_WIDTH = 64
"""Cells across the image of maps that are made from the image alone."""

CENTER_VARIANCE = 0.23
"""Horizontal variance of where people look, in units of half the image's width."""

CENTER_ANISOTROPY = 0.45
"""Vertical variance of where people look, as a share of the horizontal one."""


def center(images: torch.Tensor) -> Cam:
    """How people look at any image: a Gaussian at its centre, wider than it is high.

    Its standard deviations are 0.240 of the image's width across and 0.161 of the image's
    width down, whatever the height.

    Parameters
    ----------
    images : Tensor, shape (B, 3, H, W)
        Only their size counts.

    Returns
    -------
    Cam
        64 cells wide, the same for all images, at most 1 and above 0, without evidence.

    References
    ----------
    Clarke, A. D. F. and Tatler, B. W. (2014). Deriving an appropriate baseline for describing
    fixation behaviour. Vision Research 102, 41-51.

    Examples
    --------
    >>> cam = center(torch.zeros(1, 3, 480, 640))
    >>> cam.grid, cam.projection[0, 24, 32].item() > 0.99
    ((48, 64), True)
    """
    height, width = size = image_grid((images.shape[-2], images.shape[-1]))
    down = _offsets(height) * images.shape[-2] / images.shape[-1]
    across = _offsets(width)
    exponent = (across.square() + down.square()[:, None] / CENTER_ANISOTROPY) / CENTER_VARIANCE
    return image_cam(torch.exp(-exponent / 2).expand(len(images), *size))


def uniform(images: torch.Tensor) -> Cam:
    """Every place alike: what a metric gives to a map that says nothing.

    Parameters
    ----------
    images : Tensor, shape (B, 3, H, W)
        Only their number counts.

    Returns
    -------
    Cam
        A single cell of value 1 an image, without evidence. Metrics that no constant map has,
        such as a correlation, are undefined for it.

    Examples
    --------
    >>> uniform(torch.zeros(2, 3, 480, 640)).projection.flatten()
    tensor([1., 1.])
    """
    return image_cam(torch.ones(len(images), 1, 1))


def image_grid(size: Size) -> Size:
    """Height and width in cells of the grid of a map that is made from the image alone.

    Parameters
    ----------
    size : (int, int)
        Height and width of the image in pixels.

    Returns
    -------
    (int, int)
        64 cells across, as many down as make the cells nearly square, at least 1.
    """
    return max(1, round(GRID_WIDTH * size[0] / size[1])), GRID_WIDTH


def image_cam(maps: torch.Tensor) -> Cam:
    """Give maps (B, h, w) that were made without features as a CAM.

    Parameters
    ----------
    maps : Tensor, shape (B, h, w)

    Returns
    -------
    Cam
        Without evidence; its explained variance is NaN.
    """
    return Cam(maps.float(), torch.full((len(maps),), math.nan), {}, 0)


def _offsets(cells: int) -> torch.Tensor:
    """Distance of each cell from the centre, -1 to 1 from one border to the other."""
    return (torch.arange(cells, dtype=torch.float64) + 0.5) / cells * 2 - 1
