"""The pictures of one stimulus: photograph, CAM, saliency map, human density, difference."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
import PIL.Image

from quickgaze.saliency import FloatMap
from quickgaze.stimuli.types import Image, Size

SEQUENTIAL = "inferno"
DIVERGING = "RdBu_r"

_Colours = npt.NDArray[np.uint8]


def small_size(size: Size, longest: int) -> tuple[int, int]:
    """Width and height, as Pillow takes them, of a picture at most `longest` pixels long."""
    height, width = size
    scale = min(1.0, longest / max(height, width))
    return max(1, round(width * scale)), max(1, round(height * scale))


def photograph(image: Image, longest: int) -> PIL.Image.Image:
    """Make a photograph small."""
    size = small_size(image.shape[:2], longest)
    return PIL.Image.fromarray(image).resize(size, PIL.Image.Resampling.LANCZOS, reducing_gap=2.0)


def shrunk(values: FloatMap, longest: int) -> FloatMap:
    """Reduce a map by averaging over areas."""
    target = small_size(values.shape, longest)
    if target == (values.shape[1], values.shape[0]):
        return values
    picture = PIL.Image.fromarray(np.ascontiguousarray(values, np.float32))
    return np.asarray(picture.resize(target, PIL.Image.Resampling.BOX))


def map_picture(values: FloatMap) -> PIL.Image.Image:
    """Show a map in [0, 1] in colour, dark to bright; NaN shows as 0."""
    return _coloured(np.nan_to_num(values), SEQUENTIAL)


def difference_picture(values: FloatMap) -> PIL.Image.Image:
    """Show signed values in [-1, 1]: blue below 0, red above, white at 0 and NaN."""
    return _coloured((np.nan_to_num(values) + 1) / 2, DIVERGING)


def cam_picture(cam: FloatMap, size: Size, longest: int) -> PIL.Image.Image:
    """Show a signed CAM cell by cell over an image of height and width `size`.

    Colours are scaled by the largest absolute value; the picture has a palette to stay small.
    """
    largest = float(np.nanmax(np.abs(cam), initial=0)) or 1.0
    levels = _levels((np.nan_to_num(cam / largest) + 1) / 2)
    picture = PIL.Image.fromarray(levels, mode="L")
    picture.putpalette(_palette(DIVERGING).tobytes())
    return picture.resize(small_size(size, longest), PIL.Image.Resampling.NEAREST)


def _coloured(values: npt.NDArray[np.floating], name: str) -> PIL.Image.Image:
    return PIL.Image.fromarray(_palette(name)[_levels(values)])


def _levels(values: npt.NDArray[np.floating]) -> _Colours:
    levels: _Colours = np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)
    return levels


@cache
def _palette(name: str) -> _Colours:
    """Give the 256 colours of a matplotlib colour map, (256, 3)."""
    from matplotlib import colormaps  # noqa: PLC0415 - slow to import, and only pictures need it

    rgba = colormaps[name](np.arange(256), bytes=True)
    return np.ascontiguousarray(rgba[:, :3], dtype=np.uint8)


def gradient(name: str, stops: int = 9) -> list[str]:
    """List a matplotlib colour map's colours in equal steps, as CSS writes them."""
    places = np.linspace(0, 255, stops).round().astype(int)
    return ["#" + bytes(colour).hex() for colour in _palette(name)[places].tolist()]
