"""Saliency maps in files: those that a data set provides, and those that a model has written."""

from __future__ import annotations

import hashlib
import math
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import PIL.Image

from quickgaze.errors import DatasetError, QuickgazeError, StimulusError
from quickgaze.places import AnyPath, PathLike, below, open_file, readable
from quickgaze.stimuli._fingerprints import (
    ROWS,
    UNREADABLE,
    fingerprint_of_array,
    fingerprint_of_file,
)
from quickgaze.stimuli._hdf5 import hdf5_file, is_array, own_dataset
from quickgaze.stimuli.files import DENSITY_SUFFIXES, walk, with_suffix
from quickgaze.stimuli.images import is_deep, opened, stored_orientation, upright
from quickgaze.stimuli.types import Density, DensityReader, Size

_COLOUR_TOLERANCE = 8
"""Levels by which red, green and blue of a grey map may differ after lossy compression."""

_Found = tuple[str, DensityReader, str]
"""A map: its name with ending, what reads it, and its fingerprint."""


@dataclass(frozen=True)
class DensityFile:
    """A saliency map in a file: an image in shades of grey, or a NumPy array.

    Messages call it `what`: a data set's "density", or a model's "map".
    """

    path: AnyPath
    what: str = "density"

    def read(self, size: Size) -> Density:
        """Read the map of an image of (height, width) `size`, divided by its maximum."""
        name = f"{self.what} {readable(self.path)}"
        read = read_array if self.path.suffix.lower() == ".npy" else read_grey
        return _scaled_to_maximum(read(self.path, size, name), name)

    def fingerprint(self) -> str:
        """Size of the file in bytes, and a digest of parts of it."""
        return fingerprint_of_file(self.path)


def _scaled_to_maximum(values: npt.NDArray[np.float64], name: str) -> Density:
    """Divide a saliency map by its maximum; one that is 0 everywhere stays so."""
    refuse_values(values, name)
    return (values / (values.max() or 1.0)).astype(np.float32)


def refuse_values(values: npt.NDArray[np.float64], name: str) -> None:
    """Refuse values that do not say how much people looked where."""
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


def read_array(path: AnyPath, size: Size, name: str) -> npt.NDArray[np.float64]:
    """Read one real number for each pixel from a NumPy file, or raise `StimulusError`."""
    try:
        with open_file(path) as file:
            shape, dtype = array_header(file)
            _refuse_array(shape, dtype, size, name)
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


def array_header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
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


def _refuse_array(shape: tuple[int, ...], dtype: np.dtype[Any], size: Size, name: str) -> None:
    """Refuse an array that is not one real number for each pixel of an image."""
    if dtype.kind not in "buif":
        raise StimulusError(
            f"the {name} holds values of type {dtype}; it needs to be one array of real numbers"
        )
    refuse_shape(shape, size, name)


def read_grey(path: AnyPath, size: Size, name: str) -> npt.NDArray[np.float64]:
    """Read the levels of an image in shades of grey, upright, or raise `StimulusError`."""
    with opened(path) as image:
        image.load()
        values = upright(_grey_levels(image, name), stored_orientation(image))
    refuse_shape(values.shape, size, name)
    return values


def _grey_levels(image: PIL.Image.Image, name: str) -> npt.NDArray[np.float64]:
    if is_deep(image):
        return np.asarray(image, dtype=np.float64)
    if image.has_transparency_data:
        alpha = image.convert("RGBA").getchannel("A")
        if alpha.getextrema() != (255, 255):
            raise StimulusError(
                f"the {name} has transparent pixels, whose value is not known; save it in shades "
                "of grey without an alpha channel"
            )
    channels = np.asarray(image.convert("RGB"), dtype=np.float64)
    if np.ptp(channels, axis=2).max() > _COLOUR_TOLERANCE:
        raise StimulusError(
            f"the {name} is coloured; colours do not say how much people looked "
            "where: save it in shades of grey, white where they looked most"
        )
    return np.asarray(channels.mean(axis=2))


def refuse_shape(shape: tuple[int, ...], size: Size, name: str) -> None:
    """Refuse a shape that is not the (height, width) `size` of the image."""
    if shape != tuple(size):
        found = " x ".join(map(str, shape)) or "a single number"
        pairs = len(shape) == 2 and 2 in shape
        advice = "; a list of points belongs in a table, such as fixations.csv" if pairs else ""
        raise StimulusError(
            f"the {name} is {found}, its image is {size[0]} x {size[1]} (height x width); give one "
            f"of the image's size, one value a pixel{advice}"
        )


@dataclass(frozen=True)
class ArchivedMap:
    """A saliency map in an HDF5 file: a data set with one real number for each pixel."""

    path: Path
    name: str

    def read(self, size: Size) -> Density:
        """Read the map of an image of (height, width) `size`, divided by its maximum."""
        what = f"map {self.name!r} in {readable(self.path)}"
        try:
            with hdf5_file(self.path) as archive:
                stored = own_dataset(archive, self.name)
                _refuse_array(stored.shape, stored.dtype, size, what)
                values = np.asarray(stored, dtype=np.float64)
        except (OSError, KeyError, ValueError) as error:
            raise StimulusError(f"the {what} cannot be read ({error})") from error
        return _scaled_to_maximum(values, what)

    def fingerprint(self) -> str:
        """Name, shape, and a digest of some rows of the map."""
        with hdf5_file(self.path) as archive:
            return f"{self.name}:{fingerprint_of_array(own_dataset(archive, self.name), ROWS)}"


@dataclass(frozen=True, eq=False)
class ModelMaps:
    """Saliency maps of one model, by their path below a folder or in a file, without ending."""

    path: Path
    maps: Mapping[str, DensityReader]
    fingerprint: str

    def wanted(self, stimulus: str) -> str:
        """Say in words where the map of a stimulus would lie."""
        if self.path.is_dir():
            return f"{readable(self.path / stimulus)}.png or .npy"
        return f"the data set {stimulus!r} in {readable(self.path)}"

    def paired(self, stimuli: Iterable[str]) -> dict[str, DensityReader]:
        """Find the maps of all stimuli of a data set, by id; some may have none.

        A map has the id as its name or, where that is unique on both sides, its last part.
        """
        identifiers = list(stimuli)
        shared, alike = (Counter(map(_last_part, names)) for names in (identifiers, self.maps))
        by_last_part = {_last_part(name): source for name, source in self.maps.items()}
        found = {}
        for identifier in identifiers:
            last = _last_part(identifier)
            if identifier in self.maps:
                found[identifier] = self.maps[identifier]
            elif shared[last] == alike[last] == 1:
                found[identifier] = by_last_part[last]
        return found


def open_model_maps(path: PathLike) -> ModelMaps:
    """Find the saliency maps in a folder, or the two-dimensional data sets of an HDF5 file."""
    place = Path(path)
    if not place.exists():
        raise DatasetError(f"{readable(place)} does not exist; name a folder or HDF5 file of maps")
    found = list(_in_folder(place) if place.is_dir() else _in_archive(place))
    if not found:
        raise DatasetError(
            f"{readable(place)} holds no map; expected images in shades of grey or .npy files in a "
            "folder, or data sets in an HDF5 file, named like the stimuli"
        )
    maps: dict[str, DensityReader] = {}
    for name, source, _ in found:
        key = _without_ending(name)
        if key in maps:
            raise DatasetError(
                f"{readable(place)} holds two maps of {key!r}, with different endings; keep one"
            )
        maps[key] = source
    prints = sorted(f"{name}\t{fingerprint}" for name, _, fingerprint in found)
    return ModelMaps(place, maps, hashlib.sha256("\n".join(prints).encode()).hexdigest())


def _in_folder(folder: Path) -> Iterator[_Found]:
    for path in with_suffix(walk(folder), DENSITY_SUFFIXES):
        source = DensityFile(path, "map")
        yield readable(below(path, folder)), source, source.fingerprint()


def _in_archive(file: Path) -> list[_Found]:
    found: list[_Found] = []

    def visit(name: str, item: object) -> None:
        if is_array(item):
            found.append((name, ArchivedMap(file, name), _print_of(archive, name)))

    try:
        with hdf5_file(file) as archive:
            archive.visititems(visit)
    except QuickgazeError:
        raise
    except Exception as error:
        raise DatasetError(
            f"{readable(file)} cannot be read as HDF5 ({error}); name a folder of maps, or an HDF5 "
            "file with a data set for each image"
        ) from error
    return found


def _print_of(archive: Any, name: str) -> str:
    """Fingerprint of a data set in an HDF5 file, which need not be a map."""
    try:
        return fingerprint_of_array(own_dataset(archive, name), ROWS)
    except Exception:  # noqa: BLE001 - h5py reports damage in many ways
        return UNREADABLE


def _without_ending(name: str) -> str:
    path = PurePosixPath(name)
    return str(path.with_suffix("")) if path.suffix.lower() in DENSITY_SUFFIXES else name


def _last_part(name: str) -> str:
    return PurePosixPath(_without_ending(name)).name
