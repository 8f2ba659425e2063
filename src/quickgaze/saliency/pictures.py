"""Maps as pictures."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import PIL.Image

from quickgaze.errors import OptionError
from quickgaze.stimuli.types import Image

FloatMap = npt.NDArray[np.float32]


def overlay(
    image: Image, saliency: FloatMap, opacity: float = 0.6, colormap: str = "inferno"
) -> PIL.Image.Image:
    """Lay a map over an image in colour.

    Parameters
    ----------
    image : ndarray, shape (H, W, 3), uint8
    saliency : ndarray, shape (H, W)
        In [0, 1]; NaN shows the colour map's lowest colour.
    opacity : float
        Of the map, in [0, 1].
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
            f"{saliency.shape[0]}x{saliency.shape[1]}; give the image that it was made from"
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
        Name of a matplotlib colour map.

    Returns
    -------
    ndarray, shape (H, W, 3), uint8

    Raises
    ------
    OptionError
        If the colour map is not known.

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
