"""From oriented CAMs to saliency maps, and from maps to pictures."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import PIL.Image
import torch

from quickgaze.backbones import plain_torch
from quickgaze.errors import OptionError
from quickgaze.resampling import enlarging_matrix
from quickgaze.stimuli.types import Image, Size

FloatMap = npt.NDArray[np.float32]


def saliency_maps(
    cams: torch.Tensor,
    size: Size,
    sigma: float = 19.0,
    rectify: bool = True,
    density: bool = False,
) -> torch.Tensor:
    """Turn oriented CAMs into saliency maps: rectify, resize, blur, scale to [0, 1].

    Parameters
    ----------
    cams : Tensor, shape (..., h, w)
        Oriented maps on a grid laid over the image.
    size : (int, int)
        Height and width of the image in pixels.
    sigma : float
        Standard deviation in pixels of the Gaussian, which is reflected at the border and cut
        off at 4 sigma; 0 is no blur.
    rectify : bool
        Whether negative values are set to 0 first.
    density : bool
        Whether maps are divided by their maximum alone: the minimum of a density means something.

    Returns
    -------
    Tensor, shape (..., H, W), float32
        From 0 to 1 each; 0 for a constant map, which as a density is 1, and all NaN for one with
        a NaN.

    Raises
    ------
    OptionError
        If `cams` is no tensor, or has no row or column.

    Examples
    --------
    >>> saliency_maps(torch.tensor([[-1.0, 1.0]]), (1, 4), sigma=0)
    tensor([[0.0000, 0.2500, 0.7500, 1.0000]])
    """
    if not isinstance(cams, torch.Tensor):
        raise OptionError(
            f"CAMs are a torch tensor (..., h, w), not a {type(cams).__name__}; "
            "torch.from_numpy(array) makes one"
        )
    if 0 in (*size, *cams.shape[-2:]):
        raise OptionError(
            f"maps have at least one row and one column; got {tuple(cams.shape)} for an image of "
            f"{size[0]} x {size[1]} pixels"
        )
    with plain_torch():
        return _scaled(cams, size, sigma, rectify, density)


def _scaled(
    cams: torch.Tensor, size: Size, sigma: float, rectify: bool, density: bool
) -> torch.Tensor:
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
    if density:
        lowest = 0 * lowest  # NaN where the map is
    extent = highest - lowest
    rounding = 64 * torch.finfo(maps.dtype).eps * torch.maximum(highest.abs(), lowest.abs())
    # the extremes of a map with a NaN are NaN, and so the whole map becomes NaN
    return ((maps - lowest) / torch.where(extent > rounding, extent, torch.inf)).float()


def overlay(
    image: Image, saliency: FloatMap, opacity: float = 0.6, colormap: str = "inferno"
) -> PIL.Image.Image:
    """Lay a map over an image in colour.

    Parameters
    ----------
    image : ndarray, shape (H, W, 3), uint8
    saliency : ndarray, shape (H, W)
        In [0, 1]; NaN gets the lowest colour.
    opacity : float
        Opacity of the map, in [0, 1].
    colormap : str
        Name of a matplotlib colour map.

    Returns
    -------
    PIL.Image.Image
        RGB.

    Raises
    ------
    OptionError
        If the image is not of the map's size, the opacity is out of range, or the colour map
        is not known.

    Examples
    --------
    >>> image, saliency = np.zeros((2, 3, 3), np.uint8), np.eye(2, 3, dtype=np.float32)
    >>> overlay(image, saliency).size, overlay(image, saliency, opacity=0).getpixel((0, 0))
    ((3, 2), (0, 0, 0))
    """
    if image.shape[:2] != saliency.shape:
        raise OptionError(
            f"the image is {image.shape[0]}x{image.shape[1]}, the map "
            f"{saliency.shape[0]}x{saliency.shape[1]}; give the image that the map was made from"
        )
    if not 0 <= opacity <= 1:
        raise OptionError(f"opacity is {opacity}; give a number from 0 to 1")
    colours = PIL.Image.fromarray(colour(saliency, colormap))
    return PIL.Image.blend(PIL.Image.fromarray(image), colours, opacity)


def colour(saliency: FloatMap, colormap: str = "inferno") -> Image:
    """Show a map in colour.

    Parameters
    ----------
    saliency : ndarray, shape (H, W)
        In [0, 1]; NaN gets the lowest colour.
    colormap : str
        As for `overlay`.

    Returns
    -------
    ndarray, shape (H, W, 3), uint8

    Examples
    --------
    >>> colour(np.array([[0.0, 1.0]], np.float32), "gray").tolist()
    [[[0, 0, 0], [255, 255, 255]]]
    """
    from matplotlib import colormaps  # noqa: PLC0415 - slow to import, and only pictures need it

    if colormap not in colormaps:
        raise OptionError(f"matplotlib has no colour map {colormap!r}; try 'inferno' or 'viridis'")
    rgba = colormaps[colormap](np.nan_to_num(saliency), bytes=True)
    return np.ascontiguousarray(rgba[..., :3], dtype=np.uint8)
