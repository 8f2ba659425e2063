"""Reading saliency maps from files: those that a data set provides, and those of a model."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import PIL.Image

from quickgaze.errors import StimulusError
from quickgaze.places import AnyPath, open_file, readable
from quickgaze.stimuli.fingerprints import fingerprint_of_file
from quickgaze.stimuli.images import is_deep, opened, stored_orientation, upright
from quickgaze.stimuli.types import Density, Size

COLOUR_TOLERANCE = 8
"""Levels by which red, green and blue of a grey map may differ after lossy compression."""


@dataclass(frozen=True)
class DensityFile:
    """A saliency map in a file: an image in shades of grey, or a NumPy array.

    Parameters
    ----------
    path : Path or UPath
        An image of any common format with 8 or more bits, or ``.npy``.
    what : str
        What it is called in messages: a data set's ``"density"``, or a model's ``"map"``.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "map.npy"
    >>> np.save(path, np.array([[0, 1], [2, 4]]))
    >>> DensityFile(path).read((2, 2))
    array([[0.  , 0.25],
           [0.5 , 1.  ]], dtype=float32)
    """

    path: AnyPath
    what: str = "density"

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
        name = f"{self.what} {readable(self.path)}"
        if self.path.suffix.lower() == ".npy":
            values = _read_array(self.path, size, name)
        else:
            values = _read_grey(self.path, size, name)
        return scaled_to_maximum(values, name)

    def fingerprint(self) -> str:
        """Size of the file in bytes, and a digest of parts of it."""
        return fingerprint_of_file(self.path)


def scaled_to_maximum(values: npt.NDArray[np.float64], name: str) -> Density:
    """Divide a saliency map by its maximum.

    Parameters
    ----------
    values : ndarray, shape (H, W)
    name : str
        What the map is called in messages.

    Returns
    -------
    ndarray, shape (H, W), float32
        A map that is 0 everywhere stays so.

    Raises
    ------
    StimulusError
        If it holds NaN, infinity or negative values.
    """
    _refuse_values(values, name)
    largest = values.max()
    return (values / largest if largest > 0 else values).astype(np.float32)


def _read_array(path: AnyPath, size: Size, name: str) -> npt.NDArray[np.float64]:
    try:
        with open_file(path) as file:
            shape, dtype = _array_header(file)
            refuse_array(shape, dtype, size, name)
            _refuse_short(file, dtype.itemsize * math.prod(shape))
            file.seek(0)
            return np.asarray(np.load(file, allow_pickle=False), dtype=np.float64)
    except StimulusError:
        raise
    except Exception as error:
        raise StimulusError(
            f"the {name} cannot be read ({error or type(error).__name__}); it "
            "needs to be one array of numbers, written by numpy.save"
        ) from error


def _refuse_short(file: IO[bytes], needed: int) -> None:
    start = file.tell()
    if file.seek(0, os.SEEK_END) - start < needed:
        raise ValueError("it ends before its last value")


def _array_header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and type of an array, before anything of that shape is in memory."""
    if file.read(4) in {b"PK\x03\x04", b"PK\x05\x06"}:
        raise ValueError("it is an archive of arrays")
    file.seek(0)
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    elif version == (2, 0):
        shape, _, dtype = np.lib.format.read_array_header_2_0(file)
    else:
        raise ValueError(f"its format {version} holds tables with names, not one array")
    if dtype.hasobject:
        raise ValueError("it holds Python objects")
    return shape, dtype


def refuse_array(shape: tuple[int, ...], dtype: np.dtype[Any], size: Size, name: str) -> None:
    """Refuse an array that is not one real number for each pixel.

    Parameters
    ----------
    shape : tuple of int
    dtype : dtype
    size : (int, int)
        Height and width of the image that it belongs to.
    name : str
        What the array is called in messages.

    Raises
    ------
    StimulusError
    """
    if dtype.kind not in "buif":
        raise StimulusError(
            f"the {name} holds values of type {dtype}; it needs to be one array of real numbers"
        )
    _refuse_shape(shape, size, name)


def _read_grey(path: AnyPath, size: Size, name: str) -> npt.NDArray[np.float64]:
    with opened(path) as image:
        image.load()
        values = upright(_grey_levels(image, name), stored_orientation(image))
    _refuse_shape(values.shape, size, name)
    return values


def _grey_levels(image: PIL.Image.Image, name: str) -> npt.NDArray[np.float64]:
    if is_deep(image):
        return np.asarray(image, dtype=np.float64)
    if image.has_transparency_data:
        alpha = image.convert("RGBA").getchannel("A")
        if alpha.getextrema() != (255, 255):
            raise StimulusError(
                f"the {name} has transparent pixels, whose value is open; save "
                "it in shades of grey without an alpha channel"
            )
    channels = np.asarray(image.convert("RGB"), dtype=np.float64)
    if np.ptp(channels, axis=2).max() > COLOUR_TOLERANCE:
        raise StimulusError(
            f"the {name} is coloured; colours do not say how much people looked "
            "where: save it in shades of grey, white where they looked most"
        )
    grey: npt.NDArray[np.float64] = channels.mean(axis=2)
    return grey


def _refuse_shape(shape: tuple[int, ...], size: Size, name: str) -> None:
    if shape != tuple(size):
        found = " x ".join(map(str, shape)) or "a single number"
        raise StimulusError(
            f"the {name} is {found}, its image is {size[0]} x {size[1]} (height x width); give one "
            "of the image's size, one value a pixel"
        )


def _refuse_values(values: npt.NDArray[np.float64], name: str) -> None:
    if not np.isfinite(values).all():
        raise StimulusError(
            f"the {name} holds NaN or infinity in {np.count_nonzero(~np.isfinite(values)):,} of "
            f"{values.size:,} pixels; write 0 where nobody is expected to look"
        )
    if (values < 0).any():
        raise StimulusError(
            f"the {name} holds negative values, down to {values.min():g}; it needs to be 0 where "
            "nobody is expected to look, larger elsewhere; of a log density, save the exponential"
        )
