"""OSIE: 700 images with the fixations of 15 observers, recorded with a lab eye tracker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.io

from quickgaze.errors import DatasetError
from quickgaze.places import AnyPath, Root, as_path, open_file, readable
from quickgaze.stimuli.files import (
    IMAGE_SUFFIXES,
    by_stem,
    stem_of_listed,
    unrecognised,
    walk,
    with_suffix,
)
from quickgaze.stimuli.images import ImageFile
from quickgaze.stimuli.points import RecordedPoints
from quickgaze.stimuli.types import Dataset, Stimulus

LAYOUT = "a file fixations.mat and a folder stimuli/ of images (1001.jpg ... 1700.jpg)"

NOTES = (
    "Fixations come from a lab eye tracker.",
    "One degree of visual angle is 24 pixels in the 600 x 800 images, and the authors' blur.",
)

Record = Mapping[str, npt.NDArray[Any]]


def load_osie(root: Root) -> Dataset:
    """Load OSIE (Xu et al., 2014), whole or in part.

    Parameters
    ----------
    root : path-like or address
        Folder with ``fixations.mat`` and the images in ``stimuli/``, or the authors' whole
        repository with ``data/eye/fixations.mat`` and ``data/stimuli/``.

    Returns
    -------
    Dataset
        One stimulus for every image that the fixations belong to and that is there, by id:
        the file name without its ending. Observers are ``"1"`` to ``"15"``, durations are in
        milliseconds. Listed images that are not there are `Dataset.missing`.

    Raises
    ------
    DatasetError
        If the files are not there, or are damaged.

    References
    ----------
    .. [1] J. Xu, M. Jiang, S. Wang, M. S. Kankanhalli, Q. Zhao, "Predicting human gaze beyond
       pixels", Journal of Vision 14(1):28, 2014.
    """
    table, folder = find_osie(as_path(root))
    images = by_stem(with_suffix(walk(folder, depth=0), IMAGE_SUFFIXES), "OSIE images")
    gaze = read_osie_gaze(table)
    stimuli = [
        Stimulus(identifier, ImageFile(images[identifier]), points)
        for identifier, points in sorted(gaze.items())
        if identifier in images
    ]
    if not stimuli:
        raise DatasetError(
            f"none of the {len(gaze):,} images that {readable(table)} lists is in "
            f"{readable(folder)}; expected {LAYOUT}"
        )
    missing = tuple(identifier for identifier in sorted(gaze) if identifier not in images)
    return Dataset(
        "osie", tuple(stimuli), "2014 fixations", "fixations", missing, NOTES, density_sigma=24.0
    )


def find_osie(root: AnyPath) -> tuple[AnyPath, AnyPath]:
    """Find the file of fixations and the folder of images.

    Raises
    ------
    DatasetError
        If one of them is not there.
    """
    tables = [root / "fixations.mat", root / "eye/fixations.mat", root / "data/eye/fixations.mat"]
    folders = [root / "stimuli", root / "data/stimuli"]
    table = next((path for path in tables if path.is_file()), None)
    folder = next((path for path in folders if path.is_dir()), None)
    if table is None or folder is None:
        raise unrecognised("OSIE", root, LAYOUT)
    return table, folder


def read_osie_gaze(path: AnyPath) -> dict[str, RecordedPoints]:
    """Read the gaze on all listed images, whether these are there or not.

    Parameters
    ----------
    path : Path or UPath
        The authors' ``fixations.mat``.

    Returns
    -------
    dict of str to RecordedPoints
        By the images' file names without their ending.

    Raises
    ------
    DatasetError
        If the file is something else, or damaged.
    """
    try:
        with open_file(path) as file:
            content = scipy.io.loadmat(file, variable_names=["fixations"])
        images = _records(content["fixations"])
        names = [str(image["img"].item()) for image in images]
        points = [_points(_records(image["subjects"])) for image in images]
    except Exception as error:
        raise DatasetError(
            f"{readable(path)} is not OSIE's fixations.mat, or is damaged "
            f"({type(error).__name__}: {error}); fetch it again from the data set's authors"
        ) from error
    gaze = {
        stem_of_listed(name, path): recorded for name, recorded in zip(names, points, strict=True)
    }
    if len(gaze) < len(names):
        raise DatasetError(f"{readable(path)} lists an image twice; fetch the file again")
    return gaze


def _records(cells: npt.NDArray[Any]) -> list[Record]:
    """Rows of a struct array, or of a cell array of structs: MATLAB users write either."""
    return [cell.ravel()[0] if isinstance(cell, np.ndarray) else cell for cell in cells.ravel()]


def _points(subjects: list[Record]) -> RecordedPoints:
    x, y, duration = (
        [np.asarray(subject[name], dtype=np.float64).ravel() for subject in subjects]
        for name in ("fix_x", "fix_y", "fix_duration")
    )
    lengths = [len(column) for column in x]
    if lengths != [len(column) for column in y] or lengths != [len(times) for times in duration]:
        raise ValueError("coordinates and durations differ in number")
    return RecordedPoints(
        np.concatenate(x) - 1,
        np.concatenate(y) - 1,
        np.array([str(number) for number in range(1, len(subjects) + 1)]),
        np.repeat(np.arange(len(subjects), dtype=np.int16), lengths),
        np.concatenate(duration),
    )
