"""Saliency maps that a model has written to disk, in a folder or in an HDF5 file."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from quickgaze.errors import DatasetError, QuickgazeError, StimulusError
from quickgaze.places import PathLike, readable
from quickgaze.stimuli.densities import DensityFile, refuse_array, scaled_to_maximum
from quickgaze.stimuli.files import DENSITY_SUFFIXES, walk, with_suffix
from quickgaze.stimuli.fingerprints import ROWS, UNREADABLE, fingerprint_of_array
from quickgaze.stimuli.hdf5 import hdf5_file, is_array, own_dataset
from quickgaze.stimuli.types import Density, DensitySource, Size

_WHAT = "maps in an HDF5 file"


@dataclass(frozen=True)
class ArchivedMap:
    """A saliency map in an HDF5 file.

    Parameters
    ----------
    path : Path
        The file. It is opened each time that a map is read.
    name : str
        The HDF5 data set that holds the map, one real number for each pixel.
    """

    path: Path
    name: str

    def read(self, size: Size) -> Density:
        """Read the map.

        Parameters
        ----------
        size : (int, int)
            Height and width of the image that it belongs to.

        Returns
        -------
        ndarray, shape (H, W), float32
            Not negative, divided by its maximum.

        Raises
        ------
        StimulusError
            If it cannot be read, has another size than the image, or holds NaN, infinity,
            negative values or anything but numbers.
        """
        what = f"map {self.name!r} in {readable(self.path)}"
        try:
            with hdf5_file(self.path, _WHAT) as archive:
                stored = own_dataset(archive, self.name)
                refuse_array(stored.shape, stored.dtype, size, what)
                values = np.asarray(stored, dtype=np.float64)
        except (OSError, KeyError, ValueError) as error:
            raise StimulusError(f"the {what} cannot be read ({error})") from error
        return scaled_to_maximum(values, what)

    def fingerprint(self) -> str:
        """Name, shape, and a digest of some rows of the map."""
        with hdf5_file(self.path, _WHAT) as archive:
            return f"{self.name}:{fingerprint_of_array(own_dataset(archive, self.name), ROWS)}"


@dataclass(frozen=True, eq=False)
class ModelMaps:
    """Saliency maps of one model, by name. Made by `open_model_maps`.

    Parameters
    ----------
    path : Path
        The folder or HDF5 file.
    maps : mapping of str to DensitySource
        By their path below the folder, or in the file, without an image's ending.
    fingerprint : str
        Changes when a map is added, removed or replaced by another, and not when all of them
        are copied elsewhere.
    """

    path: Path
    maps: Mapping[str, DensitySource]
    fingerprint: str

    def wanted(self, stimulus: str) -> str:
        """Say in words where the map of a stimulus would lie."""
        if self.path.is_dir():
            return f"{readable(self.path / stimulus)}.png or .npy"
        return f"the data set {stimulus!r} in {readable(self.path)}"

    def paired(self, stimuli: Iterable[str]) -> dict[str, DensitySource]:
        """Find the maps of stimuli.

        Parameters
        ----------
        stimuli : iterable of str
            All ids of a data set.

        Returns
        -------
        dict of str to DensitySource
            By id: the map of the same name, or else the one whose last part is that of the
            id, where no other stimulus and no other map shares it. Without those that have
            none.
        """
        identifiers = list(stimuli)
        shared = Counter(_last_part(identifier) for identifier in identifiers)
        by_last_part: dict[str, list[DensitySource]] = {}
        for name, source in self.maps.items():
            by_last_part.setdefault(_last_part(name), []).append(source)
        found = {}
        for identifier in identifiers:
            last = _last_part(identifier)
            alike = by_last_part.get(last, [])
            if identifier in self.maps:
                found[identifier] = self.maps[identifier]
            elif shared[last] == 1 and len(alike) == 1:
                found[identifier] = alike[0]
        return found


def open_model_maps(path: PathLike) -> ModelMaps:
    """Find the saliency maps in a folder or an HDF5 file.

    Parameters
    ----------
    path : path-like
        A folder of maps, images in shades of grey or ``.npy``, subfolders included; or an HDF5
        file with one two-dimensional data set for each image, groups included. They are called
        as the stimuli: their ids, or their image files with or without ending.

    Returns
    -------
    ModelMaps
        No map has been read.

    Raises
    ------
    DatasetError
        If there is nothing of this kind, no map in it, or two maps of the same name.
    OptionError
        If the file needs a package that is not installed.
    """
    place = Path(path)
    if not place.exists():
        raise DatasetError(f"{readable(place)} does not exist; name a folder or HDF5 file of maps")
    found = _in_folder(place) if place.is_dir() else _in_archive(place)
    if not found.maps:
        raise DatasetError(
            f"{readable(place)} holds no map; expected images in shades of grey or .npy files in a "
            "folder, or data sets in an HDF5 file, called as the stimuli"
        )
    return found


def _in_folder(folder: Path) -> ModelMaps:
    maps: dict[str, DensitySource] = {}
    prints = []
    for path in with_suffix(walk(folder), DENSITY_SUFFIXES):
        name = readable(path.relative_to(folder).as_posix())
        source = DensityFile(path, "map")
        _add(maps, name, source, folder)
        prints.append(f"{name}\t{source.fingerprint()}")
    return ModelMaps(folder, maps, _digest(prints))


def _in_archive(file: Path) -> ModelMaps:
    maps: dict[str, DensitySource] = {}
    prints = []

    def visit(name: str, item: object) -> None:
        if is_array(item):
            _add(maps, name, ArchivedMap(file, name), file)
            prints.append(f"{name}\t{_state(archive, name)}")

    try:
        with hdf5_file(file, _WHAT) as archive:
            archive.visititems(visit)
    except QuickgazeError:
        raise
    except Exception as error:
        raise DatasetError(
            f"{readable(file)} cannot be read as HDF5 ({error}); name a folder of maps, or an HDF5 "
            "file with a data set for each image"
        ) from error
    return ModelMaps(file, maps, _digest(prints))


def _state(archive: Any, name: str) -> str:
    """Fingerprint of a data set in an HDF5 file, or that it has none because it is no map."""
    try:
        return fingerprint_of_array(own_dataset(archive, name), ROWS)
    except Exception:  # noqa: BLE001 - of what is damaged, h5py says so in many ways
        return UNREADABLE


def _digest(prints: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(prints)).encode()).hexdigest()


def _add(maps: dict[str, DensitySource], name: str, source: DensitySource, place: Path) -> None:
    key = _without_ending(name)
    if key in maps:
        raise DatasetError(
            f"{readable(place)} holds two maps of {key!r}, with different endings; keep one"
        )
    maps[key] = source


def _without_ending(name: str) -> str:
    path = PurePosixPath(name)
    return str(path.with_suffix("")) if path.suffix.lower() in DENSITY_SUFFIXES else name


def _last_part(name: str) -> str:
    return PurePosixPath(_without_ending(name)).name
