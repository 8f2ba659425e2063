"""From oriented CAMs to saliency maps."""

from __future__ import annotations

import torch

from quickgaze.resampling import enlarging_matrix
from quickgaze.stimuli.types import Size


def saliency_maps(
    cams: torch.Tensor, size: Size, sigma: float = 19.0, rectify: bool = True
) -> torch.Tensor:
    """Turn oriented CAMs into saliency maps: rectify, resize, blur, scale to [0, 1].

    Parameters
    ----------
    cams : Tensor, shape (..., h, w)
        Oriented maps on a grid laid over the image.
    size : (int, int)
        Height and width of the image in pixels.
    sigma : float
        Standard deviation of the Gaussian in pixels; 0 is no blur. It is reflected at the
        border and cut off at 4 sigma.
    rectify : bool
        Whether negative values are set to 0 first.

    Returns
    -------
    Tensor, shape (..., H, W), float32
        Each map has minimum 0 and maximum 1. A constant map is 0, one with a NaN is NaN
        everywhere.

    Examples
    --------
    >>> saliency_maps(torch.tensor([[-1.0, 1.0]]), (1, 4), sigma=0)
    tensor([[0.0000, 0.2500, 0.7500, 1.0000]])
    """
    # In float32 a blur leaves ripples on a constant map, which scaling would blow up to [0, 1].
    values = cams if cams.device.type == "mps" else cams.double()
    if rectify:
        values = values.clamp(min=0)
    down, across = (
        torch.tensor(enlarging_matrix(target, source, sigma)).to(values)
        for target, source in zip(size, cams.shape[-2:], strict=True)
    )
    maps = down @ values @ across.mT
    lowest, highest = maps.amin((-2, -1), keepdim=True), maps.amax((-2, -1), keepdim=True)
    extent = highest - lowest
    rounding = 64 * torch.finfo(maps.dtype).eps * torch.maximum(highest.abs(), lowest.abs())
    # extremes of a map with a NaN are NaN, and so is all that they are taken from
    return ((maps - lowest) / torch.where(extent > rounding, extent, torch.inf)).float()
