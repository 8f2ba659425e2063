"""Reading human saliency maps that a data set provides."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import PIL.Image

from quickgaze.errors import StimulusError
from quickgaze.stimuli.files import readable
from quickgaze.stimuli.images import is_deep, opened, stored_orientation, upright
from quickgaze.stimuli.types import Density, Size

COLOUR_TOLERANCE = 8
"""Levels by which red, green and blue of a grey map may differ after lossy compression."""


@dataclass(frozen=True)
class DensityFile:
    """A human saliency map in a file: an image in shades of grey, or a NumPy array.

    Parameters
    ----------
    path : Path
        An image of any common format with 8 or more bits, or ``.npy``.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "map.npy"
    >>> np.save(path, np.array([[0, 1], [2, 4]]))
    >>> DensityFile(path).read((2, 2))
    array([[0.  , 0.25],
           [0.5 , 1.  ]], dtype=float32)
    """

    path: Path

    def read(self, size: Size) -> Density:
        """Read the map.

        Parameters
        ----------
        size : (int, int)
            Height and width of the image that it belongs to.

        Returns
        -------
        ndarray, shape (H, W), float32
            Not negative, divided by its maximum. A map that is 0 everywhere stays so: no
            correlation with it is defined, and metrics say so.

        Raises
        ------
        StimulusError
            If the file cannot be read, has another size than the image, is coloured or
            transparent, or holds NaN, infinity or negative values.
        """
        if self.path.suffix.lower() == ".npy":
            values = _read_array(self.path, size)
        else:
            values = _read_grey(self.path, size)
        _refuse_values(values, self.path)
        largest = values.max()
        return (values / largest if largest > 0 else values).astype(np.float32)


def _read_array(path: Path, size: Size) -> npt.NDArray[np.float64]:
    try:
        # Mapped, so that the shape is known before anything of that shape is in memory.
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:
        raise StimulusError(
            f"the density {readable(path)} cannot be read ({error or type(error).__name__}); it "
            "needs to be one array of numbers, written by numpy.save"
        ) from error
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "buif":
        what = f"values of type {array.dtype}" if isinstance(array, np.ndarray) else "an archive"
        raise StimulusError(
            f"the density {readable(path)} holds {what}; it needs to be one array of real numbers"
        )
    _refuse_shape(array.shape, size, path)
    return np.array(array, dtype=np.float64)


def _read_grey(path: Path, size: Size) -> npt.NDArray[np.float64]:
    with opened(path) as image:
        image.load()
        values = upright(_grey_levels(image, path), stored_orientation(image))
    _refuse_shape(values.shape, size, path)
    return values


def _grey_levels(image: PIL.Image.Image, path: Path) -> npt.NDArray[np.float64]:
    if is_deep(image):
        return np.asarray(image, dtype=np.float64)
    if image.has_transparency_data:
        alpha = image.convert("RGBA").getchannel("A")
        if alpha.getextrema() != (255, 255):
            raise StimulusError(
                f"the density {readable(path)} has transparent pixels, whose value is open; save "
                "it in shades of grey without an alpha channel"
            )
    channels = np.asarray(image.convert("RGB"), dtype=np.float64)
    if np.ptp(channels, axis=2).max() > COLOUR_TOLERANCE:
        raise StimulusError(
            f"the density {readable(path)} is coloured; colours do not say how much people looked "
            "where: save it in shades of grey, white where they looked most"
        )
    grey: npt.NDArray[np.float64] = channels.mean(axis=2)
    return grey


def _refuse_shape(shape: tuple[int, ...], size: Size, path: Path) -> None:
    if shape != tuple(size):
        found = " x ".join(map(str, shape)) or "a single number"
        raise StimulusError(
            f"the density {readable(path)} is {found}, its image is {size[0]} x {size[1]} (height "
            "x width); give a density of the image's size, one value a pixel"
        )


def _refuse_values(values: npt.NDArray[np.float64], path: Path) -> None:
    if not np.isfinite(values).all():
        raise StimulusError(
            f"the density {readable(path)} holds NaN or infinity in "
            f"{np.count_nonzero(~np.isfinite(values)):,} of {values.size:,} pixels; write 0 where "
            "nobody looked"
        )
    if (values < 0).any():
        raise StimulusError(
            f"the density {readable(path)} holds negative values, down to {values.min():g}; it "
            "needs to be 0 where nobody looked and larger where people looked more"
        )
