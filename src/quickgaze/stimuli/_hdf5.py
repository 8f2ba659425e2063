"""Reading HDF5 files that come from elsewhere: numbers, texts and images, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image

from quickgaze.errors import DatasetError, OptionError, StimulusError, require
from quickgaze.places import AnyPath, open_file, problem_of, readable
from quickgaze.stimuli._fingerprints import ROWS, fingerprint_of_array
from quickgaze.stimuli.images import refuse_size, to_rgb
from quickgaze.stimuli.types import Image, Size

# Bytes that an array may have in memory: so many times those in the file, and some besides.
_LARGEST_EXPANSION = 2000
_UNCHECKED = 2**22


@contextmanager
def hdf5_file(path: AnyPath) -> Iterator[Any]:
    """Open an HDF5 file for reading, here or elsewhere, or raise `OSError`."""
    h5py = require("h5py", "hdf5", "reading HDF5 files")
    problem = problem_of(path)
    if problem:
        raise OSError(f"it {problem}")
    here = isinstance(path, Path)
    source: AbstractContextManager[Any] = nullcontext(path) if here else open_file(path)
    with source as content, h5py.File(content, "r") as file:
        yield file


@contextmanager
def opened_hdf5(path: AnyPath, what: str) -> Iterator[Any]:
    """Open an HDF5 file that should hold `what`; whatever is wrong in it is a `DatasetError`."""
    try:
        with hdf5_file(path) as file:
            yield file
    except (DatasetError, OptionError):
        raise
    except Exception as error:
        raise DatasetError(
            f"{readable(path)} does not hold {what}, or is damaged ({type(error).__name__}: "
            f"{error}); write it again, or fetch it anew"
        ) from error


def numbers(group: Any, name: str) -> npt.NDArray[Any]:
    """Read an array of real numbers, or raise `KeyError` or `ValueError`."""
    stored = own_dataset(group, name)
    if stored.dtype.kind not in "buif":
        raise ValueError(f"{name!r} holds values of type {stored.dtype}, not numbers")
    return np.asarray(stored[...])


def texts(group: Any, name: str) -> list[str]:
    """Read an array of texts, or of numbers as texts, or raise `KeyError` or `ValueError`."""
    stored = own_dataset(group, name)
    if stored.dtype.kind in "buif":
        return as_texts(np.asarray(stored[...]))
    h5py = import_module("h5py")
    # Bytes of another kind, pickled objects among them, are not looked at.
    if h5py.check_string_dtype(stored.dtype) is None:
        raise ValueError(f"{name!r} holds values of type {stored.dtype}, not texts")
    return [str(text) for text in stored.asstr()[...].ravel()]


def as_texts(values: npt.NDArray[Any]) -> list[str]:
    """Write values as texts, whole numbers without a decimal point: "3", not "3.0"."""
    flat = values.ravel()
    if flat.dtype.kind == "f":
        return [str(int(value)) if value.is_integer() else str(value) for value in flat.tolist()]
    return [
        value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
        for value in flat.tolist()
    ]


def attribute(group: Any, name: str) -> str:
    """Read an attribute that holds a text, in whichever way it was stored."""
    value = group.attrs[name]
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.item()
    text = value.decode("utf-8") if isinstance(value, bytes) else value
    if isinstance(text, str):
        return str(text)
    raise ValueError(f"the attribute {name!r} is not a text")


def kind_and_version(
    file: Any, path: AnyPath, what: str, known: Mapping[str, Sequence[str]]
) -> tuple[str, str]:
    """Read type and version of a file that should hold `what`, and refuse those not `known`."""
    kind, version = attribute(file, "type"), attribute(file, "version")
    if version not in known.get(kind, ()):
        expected = ", ".join(f"{name} ({', '.join(some)})" for name, some in known.items())
        advice = "update quickgaze, or write the file as one of these" if kind in known else ""
        raise DatasetError(
            f"{readable(path)} holds {kind!r} of version {version!r}; expected {what}: {expected}"
            f"{advice and '; '}{advice}"
        )
    return kind, version


def listed(group: Any) -> list[str]:
    """Names that a group's attribute ``__attributes__`` lists as JSON; none without it."""
    if "__attributes__" not in group.attrs:
        return []
    return [str(name) for name in json.loads(attribute(group, "__attributes__"))]


def own_item(group: Any, name: str) -> Any:
    """Open a group or data set that lies in the same file."""
    h5py = import_module("h5py")
    elsewhere = isinstance(group.get(name, getlink=True), h5py.ExternalLink)
    if elsewhere:
        raise ValueError(f"{name!r} leads to another file")
    return group[name]


def is_array(item: object) -> bool:
    """Whether something in an HDF5 file is an array, not a group or a named type."""
    return isinstance(item, import_module("h5py").Dataset)


def own_dataset(group: Any, name: str) -> Any:
    """Open a data set, without letting the file lead elsewhere or claim endless memory."""
    stored = own_item(group, name)
    if not is_array(stored):
        raise ValueError(f"{name!r} is not an array")
    if stored.external is not None or stored.is_virtual:
        raise ValueError(f"{name!r} takes its values from other files")
    claimed = stored.size * stored.dtype.itemsize
    if claimed > _UNCHECKED + _LARGEST_EXPANSION * stored.id.get_storage_size():
        raise ValueError(f"{name!r} claims {claimed:,} bytes, of which the file holds next to none")
    return stored


@dataclass(frozen=True)
class ArchivedImage:
    """An image in an HDF5 file: (H, W), or (H, W, C) with 1, 3 or 4 channels."""

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
    """Convert pixels, (H, W) or (H, W, C), to RGB: uint16 over 257, the last of four is opacity."""
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    if pixels.ndim not in {2, 3} or channels not in {1, 3, 4}:
        raise StimulusError(
            f"{name} has the shape {pixels.shape}; expected (height, width) or (height, width, "
            "channels) with 1, 3 or 4 channels"
        )
    refuse_size((pixels.shape[1], pixels.shape[0]), name)
    if pixels.dtype == np.bool_:
        levels = pixels.astype(np.uint8) * np.uint8(255)
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
