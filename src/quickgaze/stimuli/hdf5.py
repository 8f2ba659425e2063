"""Reading HDF5 files that come from elsewhere: numbers, texts and images, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image

from quickgaze.errors import DatasetError, OptionError, StimulusError
from quickgaze.places import AnyPath, open_file, problem_of, readable
from quickgaze.stimuli.fingerprints import ROWS, fingerprint_of_array
from quickgaze.stimuli.images import refuse_size, to_rgb
from quickgaze.stimuli.types import Image, Size

LARGEST_EXPANSION = 2000
"""How many times larger than in the file a compressed array may be in memory."""

_UNCHECKED = 2**22  # bytes that are never too many


def require_h5py(what: str) -> ModuleType:
    """Import h5py.

    Parameters
    ----------
    what : str
        What needs it, in words and in the plural, for the error.

    Returns
    -------
    module

    Raises
    ------
    OptionError
        If it is not installed.
    """
    try:
        return import_module("h5py")
    except ImportError as error:
        raise OptionError(
            f"{what} need the package h5py, which is not installed; run: "
            "pip install 'quickgaze[hdf5]'"
        ) from error


@contextmanager
def hdf5_file(path: AnyPath, what: str) -> Iterator[Any]:
    """Open an HDF5 file, here or elsewhere.

    Parameters
    ----------
    path : Path or UPath
    what : str
        What needs h5py, in words and in the plural, for the error.

    Yields
    ------
    h5py.File
        Opened for reading.

    Raises
    ------
    OSError
        If it cannot be opened.
    OptionError
        If h5py is not installed.
    """
    h5py = require_h5py(what)
    if not isinstance(path, Path):
        with open_file(path) as stream, h5py.File(stream, "r") as file:
            yield file
        return
    problem = problem_of(path)
    if problem:
        raise OSError(f"it {problem}")
    with h5py.File(path, "r") as file:
        yield file


@contextmanager
def opened_hdf5(path: AnyPath, what: str) -> Iterator[Any]:
    """Open an HDF5 file, and turn whatever is wrong with its content into a `DatasetError`.

    Parameters
    ----------
    path : Path or UPath
        The file.
    what : str
        What it should hold, in words, for the error.

    Yields
    ------
    h5py.File
        Opened for reading.

    Raises
    ------
    DatasetError
        If the file cannot be read, while it is opened or within the block.
    OptionError
        If h5py is not installed.
    """
    try:
        with hdf5_file(path, "HDF5 files") as file:
            yield file
    except (DatasetError, OptionError):
        raise
    except Exception as error:
        raise DatasetError(
            f"{readable(path)} does not hold {what}, or is damaged ({type(error).__name__}: "
            f"{error}); write it again, or fetch it anew"
        ) from error


def numbers(group: Any, name: str) -> npt.NDArray[Any]:
    """Read an array of real numbers.

    Parameters
    ----------
    group : h5py.Group
    name : str
        Name of a data set in it.

    Returns
    -------
    ndarray

    Raises
    ------
    KeyError
        If there is no such data set.
    ValueError
        If it holds anything but real numbers, lies in another file, or would take far more
        memory than the file has bytes for it.
    """
    stored = own_dataset(group, name)
    if stored.dtype.kind not in "buif":
        raise ValueError(f"{name!r} holds values of type {stored.dtype}, not numbers")
    return np.asarray(stored[...])


def texts(group: Any, name: str) -> list[str]:
    """Read an array of texts, or of numbers as texts.

    Parameters
    ----------
    group : h5py.Group
    name : str
        Name of a data set in it.

    Returns
    -------
    list of str
        Whole numbers without a decimal point: ``"3"``, not ``"3.0"``.

    Raises
    ------
    KeyError
        If there is no such data set.
    ValueError
        If it holds anything but texts and real numbers, or lies in another file.
    """
    stored = own_dataset(group, name)
    if stored.dtype.kind in "buif":
        return as_texts(np.asarray(stored[...]))
    h5py = import_module("h5py")
    # Bytes of another kind, pickled objects among them, are not looked at.
    if h5py.check_string_dtype(stored.dtype) is None:
        raise ValueError(f"{name!r} holds values of type {stored.dtype}, not texts")
    return [str(text) for text in stored.asstr()[...].ravel()]


def as_texts(values: npt.NDArray[Any]) -> list[str]:
    """Write values as texts, whole numbers without a decimal point.

    Parameters
    ----------
    values : ndarray
        Of numbers, texts or bytes.

    Returns
    -------
    list of str

    Examples
    --------
    >>> as_texts(np.array([0.0, 12.0, 0.5])), as_texts(np.array([b"ann"]))
    (['0', '12', '0.5'], ['ann'])
    """
    flat = values.ravel()
    if flat.dtype.kind == "f":
        return [str(int(value)) if value.is_integer() else str(value) for value in flat.tolist()]
    return [
        value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
        for value in flat.tolist()
    ]


def attribute(group: Any, name: str) -> str:
    """Read an attribute that holds a text, in whichever way it was stored.

    Parameters
    ----------
    group : h5py.Group
    name : str

    Returns
    -------
    str

    Raises
    ------
    KeyError
        If there is no such attribute.
    ValueError
        If it is not a text.
    """
    value = group.attrs[name]
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.item()
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if isinstance(value, str):
        return str(value)
    raise ValueError(f"the attribute {name!r} is not a text")


def listed(group: Any) -> list[str]:
    """Names that a group's attribute ``__attributes__`` lists as JSON; none without it."""
    if "__attributes__" not in group.attrs:
        return []
    return [str(name) for name in json.loads(attribute(group, "__attributes__"))]


def own_group(group: Any, name: str) -> Any:
    """Open a group that lies in the same file.

    Raises
    ------
    KeyError
        If there is no such group.
    ValueError
        If it lies in another file.
    """
    _refuse_elsewhere(group, name)
    return group[name]


def _refuse_elsewhere(group: Any, name: str) -> None:
    h5py = import_module("h5py")
    elsewhere = isinstance(group.get(name, getlink=True), h5py.ExternalLink)
    if elsewhere:
        raise ValueError(f"{name!r} leads to another file")


def is_array(item: object) -> bool:
    """Whether something in an HDF5 file is an array: no group, and no type with a name."""
    return isinstance(item, import_module("h5py").Dataset)


def own_dataset(group: Any, name: str) -> Any:
    """Open a data set, without letting the file lead elsewhere or claim endless memory.

    Raises
    ------
    KeyError
        If there is no such data set.
    ValueError
        If its values lie in another file, or would take far more memory than the file has
        bytes for them.
    """
    _refuse_elsewhere(group, name)
    stored = group[name]
    if not is_array(stored):
        raise ValueError(f"{name!r} is not an array")
    if stored.external is not None or stored.is_virtual:
        raise ValueError(f"{name!r} takes its values from other files")
    claimed = stored.size * stored.dtype.itemsize
    if claimed > _UNCHECKED + LARGEST_EXPANSION * stored.id.get_storage_size():
        raise ValueError(f"{name!r} claims {claimed:,} bytes, of which the file holds next to none")
    return stored


@dataclass(frozen=True)
class ArchivedImage:
    """An image in an HDF5 file: an `ImageSource`.

    Parameters
    ----------
    path : Path or UPath
        The file. It is opened each time that the image is read.
    name : str
        The HDF5 data set with the pixels: (H, W), or (H, W, C) with 1, 3 or 4 channels.
    shape : tuple of int
        Of the pixels.
    """

    path: AnyPath
    name: str
    shape: tuple[int, ...]

    def read(self) -> Image:
        """Read the image as (H, W, 3) uint8 RGB."""
        try:
            with opened_hdf5(self.path, "images") as file:
                pixels = numbers(file, self.name)
        except DatasetError as error:
            raise StimulusError(f"the image {self.name!r} cannot be read: {error}") from error
        return rgb_of(pixels, f"the image {self.name!r} in {readable(self.path)}")

    def size(self) -> Size:
        """Height and width in pixels."""
        if len(self.shape) not in {2, 3}:
            raise StimulusError(
                f"the image {self.name!r} in {readable(self.path)} has the shape {self.shape}; "
                "expected (height, width) or (height, width, channels)"
            )
        return self.shape[0], self.shape[1]

    def fingerprint(self) -> str:
        """Name, shape, and a digest of some rows of the pixels."""
        with opened_hdf5(self.path, "images") as file:
            pixels = fingerprint_of_array(own_dataset(file, self.name), ROWS)
        return f"{self.name}:{pixels}"


def rgb_of(pixels: npt.NDArray[Any], name: str) -> Image:
    """Convert an array of pixels, of any kind in use, to RGB.

    Parameters
    ----------
    pixels : ndarray, shape (H, W) or (H, W, C)
        16-bit levels where the type is uint16, levels from 0 to 255 in any other type of
        integers, or booleans; with C = 1, 3 or 4 (the last is opacity).
    name : str
        What it is called in messages.

    Returns
    -------
    ndarray, shape (H, W, 3), uint8
        16-bit levels are divided by 257, transparent pixels laid over white.

    Raises
    ------
    StimulusError
        If the array is something else, too small, or too large for an image.

    Examples
    --------
    >>> rgb_of(np.full((2, 2), 65535, dtype=np.uint16), "it")[0, 0].tolist()
    [255, 255, 255]
    """
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    if pixels.ndim not in {2, 3} or channels not in {1, 3, 4}:
        raise StimulusError(
            f"{name} has the shape {pixels.shape}; expected (height, width) or (height, width, "
            "channels) with 1, 3 or 4 channels"
        )
    refuse_size((pixels.shape[1], pixels.shape[0]), name)
    if pixels.dtype == np.bool_:
        levels = pixels.astype(np.uint8) * np.uint8(255)
    elif pixels.dtype == np.uint8:
        levels = pixels
    elif pixels.dtype == np.uint16:
        levels = np.rint(pixels / 257).astype(np.uint8)
    elif pixels.dtype.kind in "iu" and pixels.min() >= 0 and pixels.max() <= 255:
        levels = pixels.astype(np.uint8)
    else:
        raise StimulusError(
            f"{name} has pixels of type {pixels.dtype}; expected 8-bit or 16-bit levels"
        )
    if channels == 1:
        return np.repeat(levels.reshape(*levels.shape[:2], 1), 3, axis=2)
    return to_rgb(PIL.Image.fromarray(levels)) if channels == 4 else np.ascontiguousarray(levels)
