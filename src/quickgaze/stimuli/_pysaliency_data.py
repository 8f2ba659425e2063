"""Data sets as pysaliency keeps them: its HDF5 files, and its objects."""

from __future__ import annotations

import os
import posixpath
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Literal

import msgspec
import numpy as np

from quickgaze.errors import DatasetError, OptionError, StimulusError
from quickgaze.places import AnyPath, Root, as_path, inside, list_files, readable
from quickgaze.stimuli._fingerprints import fingerprint_of_array
from quickgaze.stimuli._hdf5 import (
    ArchivedImage,
    kind_and_version,
    listed,
    opened_hdf5,
    own_dataset,
    rgb_of,
    texts,
)
from quickgaze.stimuli._pysaliency_gaze import (
    FileGaze,
    read_gaze,
    scale_of_durations,
    table_of_object,
)
from quickgaze.stimuli.dataset import Dataset, DatasetEntry
from quickgaze.stimuli.files import unrecognised
from quickgaze.stimuli.images import ImageFile
from quickgaze.stimuli.types import Image, ImageReader, RecordedPoints, Size, Stimulus

_LAYOUT = (
    "stimuli.hdf5 and fixations.hdf5 as pysaliency writes them (other names with "
    "stimuli=... and fixations=...), beside them the images where stimuli.hdf5 names files"
)

IDS = "stimulus"
"""Attribute of pysaliency's stimuli in which quickgaze writes ids, and looks for them."""

DurationUnit = Literal["s", "ms"]

_VERSIONS = {"Stimuli": ("1.0", "1.1"), "FileStimuli": ("1.0", "2.0", "2.1")}
_LARGEST_COUNT = 10_000_000


def load_pysaliency(
    root: Root,
    *,
    stimuli: Root = "stimuli.hdf5",
    fixations: Root = "fixations.hdf5",
    duration_unit: DurationUnit = "s",
    density_sigma: float | None = None,
    edition: str | None = None,
) -> Dataset:
    """Load stimuli and fixations from HDF5 files of pysaliency.

    pysaliency itself is not needed, h5py is (``pip install 'quickgaze[hdf5]'``).

    Parameters
    ----------
    root : path-like or address
        Folder that holds the files, and the images where the stimuli are files of their own.
    stimuli, fixations : path-like
        The files; relative paths start from `root`. pysaliency calls those of SALICON, for
        one, ``stimuli_val.hdf5`` and ``fixations_val.hdf5``.
    duration_unit : {"s", "ms"}
        Unit of the attribute ``duration`` or ``durations``; seconds in pysaliency's own data sets.
    density_sigma : float, optional
        Standard deviation in pixels of the Gaussian that the data set's authors blur with; 19
        unless given, or written by `write_pysaliency_hdf5`.
    edition : str, optional
        What to call the data set's edition, as pysaliency's files do not name their data set.

    Returns
    -------
    Dataset
        In the order of the file. Ids are the attribute ``stimulus`` where there is one, the
        path of an image file without its ending, or else the index. Observers are
        pysaliency's subjects. Images that are named but not there are `Dataset.missing`.

    Notes
    -----
    Coordinates are taken as they are; the convention ``"tuebingen"`` finds the same pixels as
    pysaliency. Points outside the image are dropped and counted. Nothing is unpickled, and links
    to other files are refused.
    """
    root = as_path(root)
    scale = scale_of_durations(duration_unit)
    if density_sigma is not None and not 0 <= density_sigma < np.inf:
        raise OptionError(f"density_sigma is {density_sigma!r}; give a blur in pixels, 0 or more")
    paths = inside(root, stimuli), inside(root, fixations)
    if not all(path.is_file() for path in paths):
        raise unrecognised("pysaliency's files", root, _LAYOUT)
    listing = _read_stimuli(paths[0], root)
    gaze = read_gaze(paths[1], len(listing.sources), scale)
    there = _are_there(listing.sources, root)
    made = _stimuli(listing, gaze.points)
    facts = _facts(gaze)
    return Dataset(
        "pysaliency",
        tuple(stimulus for stimulus, kept in zip(made, there, strict=True) if kept),
        edition or facts.edition,
        facts.gaze,
        tuple(stimulus.id for stimulus, kept in zip(made, there, strict=True) if not kept),
        facts.notes,
        facts.density_sigma if density_sigma is None else density_sigma,
    )


def from_pysaliency(
    stimuli: Any,
    fixations: Any,
    *,
    name: str = "pysaliency",
    density_sigma: float = 19.0,
    duration_unit: DurationUnit = "s",
) -> Dataset:
    """Take stimuli and fixations from objects of pysaliency.

    Parameters
    ----------
    stimuli : pysaliency.Stimuli, pysaliency.FileStimuli or alike
        Images are read when they are asked for.
    fixations : pysaliency.Fixations, FixationTrains, ScanpathFixations or alike
        Anything with ``x``, ``y``, ``n`` and ``subject`` or, as in earlier releases,
        ``subjects``; ``duration`` or ``durations`` where there is. Where the subjects are
        None, all fixations are of one observer, ``"all observers"``.
    name : str
        Name of the data set.
    density_sigma : float
        Standard deviation in pixels of the Gaussian that the data set's authors blur with.
    duration_unit : {"s", "ms"}
        Unit of the durations; pysaliency's own data sets have seconds.

    Returns
    -------
    Dataset
        As `load_pysaliency` gives it.

    Raises
    ------
    DatasetError
        If the objects lack what is needed, or do not belong together.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> stimuli = SimpleNamespace(stimuli=[np.zeros((6, 8, 3), dtype=np.uint8)], shapes=[(6, 8, 3)])
    >>> gaze = SimpleNamespace(x=[3.5], y=[2.5], n=[0], subjects=[7])
    >>> fixations = from_pysaliency(stimuli, gaze, name="mine")[0].fixations
    >>> fixations.points, fixations.observer
    (array([[3.5, 2.5]]), array(['7'], dtype='<U1'))
    """
    scale = scale_of_durations(duration_unit)
    try:
        listing = _listing_of_object(stimuli)
        points = table_of_object(fixations, scale).per_stimulus(len(listing.sources))
    except (AttributeError, TypeError, ValueError) as error:
        raise DatasetError(
            f"these are not stimuli and fixations of pysaliency that belong together: {error}"
        ) from error
    edition = f"pysaliency {type(fixations).__name__}"
    return Dataset(name, _stimuli(listing, points), edition, density_sigma=density_sigma)


@dataclass(frozen=True, eq=False)
class _Listing:
    """Images, what they are called, and the sizes that the gaze was recorded on, if known."""

    sources: Sequence[ImageReader]
    ids: Sequence[str]
    sizes: Sequence[Size | None]


@dataclass(frozen=True, eq=False)
class _ObjectImage:
    """An image that an object of pysaliency gives."""

    images: Sequence[Any]
    index: int
    shape: tuple[int, ...]

    def read(self) -> Image:
        name = f"image {self.index} of the stimuli"
        try:
            pixels = np.asarray(self.images[self.index])
        except Exception as error:
            raise StimulusError(f"{name} cannot be read: {error}") from error
        return rgb_of(pixels, name)

    def size(self) -> Size:
        return int(self.shape[0]), int(self.shape[1])

    def fingerprint(self) -> str:
        return f"{self.index}:{fingerprint_of_array(np.asarray(self.images[self.index]))}"


def _stimuli(listing: _Listing, points: Sequence[RecordedPoints]) -> tuple[Stimulus, ...]:
    columns = zip(listing.ids, listing.sources, points, listing.sizes, strict=True)
    return tuple(
        Stimulus(identifier, source, replace(recorded, size=size))
        for identifier, source, recorded, size in columns
    )


def _are_there(sources: Sequence[ImageReader], root: AnyPath) -> list[bool]:
    """Whether each image is there; elsewhere one listing answers for all."""
    paths = [source.path if isinstance(source, ImageFile) else None for source in sources]
    if isinstance(root, Path) or not any(paths):
        return [not isinstance(path, Path) or path.is_file() for path in paths]
    listed = {str(root / name) for name in list_files(root)}
    return [path is None or str(path) in listed for path in paths]


def _read_stimuli(path: AnyPath, root: AnyPath) -> _Listing:
    with opened_hdf5(path, "stimuli of pysaliency") as file:
        kind, _ = kind_and_version(file, path, "stimuli of pysaliency", _VERSIONS)
        ids = texts(file, IDS) if IDS in listed(file) else []
        if kind == "FileStimuli":
            names = texts(file, "filenames")
            sources = [ImageFile(_image_path(name, path, root)) for name in names]
            return _Listing(sources, _ids(ids, names, len(names)), _sizes(file, len(names)))
        count = int(file.attrs["size"])
        if not 0 <= count <= _LARGEST_COUNT:
            raise ValueError(f"it claims {count:,} images")
        shapes = [own_dataset(file, str(index)).shape for index in range(count)]
    archived = [ArchivedImage(path, str(index), shape) for index, shape in enumerate(shapes)]
    return _Listing(archived, _ids(ids, [], count), [None] * count)


def _image_path(name: str, listed_in: AnyPath, root: AnyPath) -> AnyPath:
    """Path of a listed image, which may start from the listing's folder but not leave `root`."""
    foreign = "\\" in name or PureWindowsPath(name).drive or "\0" in name
    path = _beside(name, listed_in, root)
    if foreign or not name or path is None:
        raise DatasetError(
            f"{readable(listed_in)} lists an image as {name!r}, which is not a file below "
            f"{readable(root)}; if the images lie elsewhere on purpose, give as root the folder "
            "that holds both, and name the files with stimuli=... and fixations=..."
        )
    return path


def _beside(name: str, listed_in: AnyPath, root: AnyPath) -> AnyPath | None:
    """Path from the listing's folder; None if it is not below `root`."""
    if isinstance(root, Path) and isinstance(listed_in, Path):
        path = Path(os.path.normpath(listed_in.absolute().parent / name))
        return path if path.is_relative_to(os.path.normpath(root.absolute())) else None
    if isinstance(root, Path) or isinstance(listed_in, Path):
        return None
    there = posixpath.normpath(posixpath.join(listed_in.parent.path, name))
    folder = f"{root.path.rstrip('/')}/"
    return root / there[len(folder) :] if there.startswith(folder) else None


def _sizes(file: Any, count: int) -> list[Size | None]:
    """Height and width of each image as the file tells; None where it does not."""
    if "shapes" not in file:
        return [None] * count
    shapes = [tuple(int(side) for side in shape) for shape in own_dataset(file, "shapes")[...]]
    if len(shapes) != count:
        raise ValueError(f"there are {count:,} file names but {len(shapes):,} shapes")
    return [(shape[0], shape[1]) if len(shape) >= 2 else None for shape in shapes]


def _ids(given: Sequence[str], names: Sequence[str], count: int) -> list[str]:
    """Ids from the first of these that tells images apart: those given, file names, indices."""
    if len(given) == count == len(set(given)) and all(given):
        return list(given)
    if count and len(names) == count:
        paths = [PurePosixPath(os.path.normpath(name)) for name in names]
        folder = os.path.commonpath([str(path.parent) for path in paths])
        below = [path.relative_to(folder) if folder else path for path in paths]
        stems = Counter(str(path.with_suffix("")) for path in below)
        ids = [
            stem if stems[stem := str(path.with_suffix(""))] == 1 else str(path) for path in below
        ]
        if len(set(ids)) == count:
            return [readable(identifier) for identifier in ids]
    width = len(str(max(count - 1, 0)))
    return [f"{index:0{width}d}" for index in range(count)]


def _listing_of_object(stimuli: Any) -> _Listing:
    shapes = [tuple(int(side) for side in shape) for shape in stimuli.shapes]
    attributes = getattr(stimuli, "attributes", None) or {}
    given = [str(text) for text in attributes.get(IDS, ())]
    names = [os.fspath(name) for name in getattr(stimuli, "filenames", ())]
    if names:
        sources: list[ImageReader] = [ImageFile(Path(name)) for name in names]
        sizes: list[Size | None] = [(shape[0], shape[1]) for shape in shapes]
    else:
        images = stimuli.stimuli
        sources = [_ObjectImage(images, index, shape) for index, shape in enumerate(shapes)]
        sizes = [None] * len(shapes)
    slashed = [Path(name).as_posix() for name in names]
    return _Listing(sources, _ids(given, slashed, len(shapes)), sizes)


class _Facts(msgspec.Struct, frozen=True):
    """What quickgaze writes about a data set beside its fixations."""

    edition: str
    gaze: str
    notes: tuple[str, ...]
    density_sigma: float


def _facts(gaze: FileGaze) -> _Facts:
    """Take what quickgaze has written about the data set, or what the type of the file tells."""
    try:
        return msgspec.json.decode(gaze.facts, type=_Facts)
    except msgspec.MsgspecError:
        return _Facts(f"pysaliency {gaze.kind}", "fixations", (), 19.0)


ENTRY = DatasetEntry(
    load_pysaliency,
    "HDF5 files of pysaliency, in which it keeps MIT1003, CAT2000, FIGRIM and others",
    _LAYOUT,
)
