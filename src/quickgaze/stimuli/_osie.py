"""OSIE: 700 images with the fixations of 15 observers, recorded with a lab eye tracker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from quickgaze.errors import DatasetError, first_line
from quickgaze.places import AnyPath, Root, as_path, readable
from quickgaze.stimuli._inspection import Check, Inspection, md5_check, part_check
from quickgaze.stimuli._matlab import MatError, read_mat
from quickgaze.stimuli.dataset import Dataset, DatasetEntry
from quickgaze.stimuli.files import (
    IMAGE_SUFFIXES,
    by_stem,
    stem_of_listed,
    unrecognised,
    walk,
    with_suffix,
)
from quickgaze.stimuli.images import ImageFile
from quickgaze.stimuli.points import Points
from quickgaze.stimuli.sources import RemoteFile, Source
from quickgaze.stimuli.types import RecordedPoints, Stimulus

_LAYOUT = "a file fixations.mat and a folder stimuli/ of images (1001.jpg ... 1700.jpg)"

_NOTES = (
    "Fixations come from a lab eye tracker.",
    "One degree of visual angle is 24 pixels in the 600 x 800 images, and the authors' blur.",
)

_SIZE = (600, 800)
_IMAGES, _OBSERVERS, _POINTS = 700, 15, 98_321
_MD5 = "8efdf6fe66f38b6e70f854c7ff45aa70"

_SOURCE = Source(
    "https://raw.githubusercontent.com/NUS-VIP/predicting-human-gaze-beyond-pixels/master/data",
    (
        RemoteFile("eye/fixations.mat", "fixations.mat", _MD5),
        *(
            RemoteFile(f"stimuli/{number}.jpg", f"stimuli/{number}.jpg")
            for number in range(1001, 1701)
        ),
    ),
    "The fixations are verified by their checksum. None is known of the 700 images: they are "
    "verified by their number alone; `quickgaze data check osie` opens each of them.",
)

_Record = Mapping[str, npt.NDArray[Any]]


def load_osie(root: Root) -> Dataset:
    """Load OSIE (Xu et al., 2014), whole or in part.

    Parameters
    ----------
    root : path-like or address
        Folder with ``fixations.mat`` and the images in ``stimuli/``, or the authors' repository.

    Returns
    -------
    Dataset
        One stimulus for each image that is there and has fixations, by its file name without
        ending. Observers are ``"1"`` to ``"15"``, durations are in milliseconds.

    References
    ----------
    .. [1] J. Xu, M. Jiang, S. Wang, M. S. Kankanhalli, Q. Zhao, "Predicting human gaze beyond
       pixels", Journal of Vision 14(1):28, 2014.
    """
    table, folder = _find(as_path(root))
    images = by_stem(with_suffix(walk(folder, depth=0), IMAGE_SUFFIXES), "OSIE images")
    gaze = _read_gaze(table)
    stimuli = [
        Stimulus(identifier, ImageFile(images[identifier]), points)
        for identifier, points in sorted(gaze.items())
        if identifier in images
    ]
    if not stimuli:
        raise DatasetError(
            f"none of the {len(gaze):,} images that {readable(table)} lists is in "
            f"{readable(folder)}; expected {_LAYOUT}"
        )
    missing = tuple(identifier for identifier in sorted(gaze) if identifier not in images)
    return Dataset("osie", tuple(stimuli), "2014 fixations", "fixations", missing, _NOTES, 24.0)


def _find(root: AnyPath) -> tuple[AnyPath, AnyPath]:
    """Find the file of fixations and the folder of images."""
    tables = [root / "fixations.mat", root / "eye/fixations.mat", root / "data/eye/fixations.mat"]
    folders = [root / "stimuli", root / "data/stimuli"]
    table = next((path for path in tables if path.is_file()), None)
    folder = next((path for path in folders if path.is_dir()), None)
    if table is None or folder is None:
        raise unrecognised("OSIE", root, _LAYOUT)
    return table, folder


def _read_gaze(path: AnyPath) -> dict[str, RecordedPoints]:
    """Read the gaze on all listed images, whether these are there or not, by their file's stem."""
    try:
        images = _records(read_mat(path, "fixations")["fixations"])
    except MatError as error:
        raise DatasetError(f"{readable(path)} is not OSIE's fixations.mat: it {error}") from error
    try:
        names = [str(image["img"].item()) for image in images]
        points = [_points(_records(image["subjects"])) for image in images]
    except Exception as error:
        raise DatasetError(
            f"{readable(path)} is not OSIE's fixations.mat: its variable fixations holds something "
            f"else than images, each with img and subjects ({first_line(error)}); give the file "
            "of the data set's authors"
        ) from error
    gaze = {
        stem_of_listed(name, path): recorded for name, recorded in zip(names, points, strict=True)
    }
    if len(gaze) < len(names):
        raise DatasetError(
            f"{readable(path)} lists an image twice; give the file of the data set's authors"
        )
    return gaze


def _records(cells: npt.NDArray[Any]) -> list[_Record]:
    """Rows of a struct array, or of a cell array of structs: MATLAB users write either."""
    return [cell.ravel()[0] if isinstance(cell, np.ndarray) else cell for cell in cells.ravel()]


def _points(subjects: list[_Record]) -> RecordedPoints:
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


def _expected_of_osie(found: Inspection) -> list[Check]:
    """Check a copy of OSIE: the whole file of fixations, and the images that are there."""
    if found.root is None:
        return []
    path, _ = _find(found.root)
    gaze = _read_gaze(path)
    read = [points.read(_SIZE) for points in gaze.values()]
    points = sum((Points.of(part, _SIZE) for part in read), Points())
    viewers = {len(recorded.observers) for recorded in gaze.values()}
    observers = ", ".join(map(str, sorted(viewers)))
    opened, fitting = sum(found.sizes.values()), found.sizes.get(_SIZE, 0)
    return [
        md5_check(path, _MD5),
        Check.of_count(f"images listed in {readable(path.name)}", _IMAGES, len(gaze)),
        Check.of_count(f"points in {readable(path.name)}", _POINTS, points.total),
        Check.of_count("of these, outside the 600 x 800 image", 0, points.outside),
        Check("observers per image", f"{_OBSERVERS}", observers, viewers == {_OBSERVERS}),
        part_check("images present", _IMAGES, len(found.dataset), len(found.dataset), _IMAGES),
        Check.of_count("images of 600 x 800", opened, fitting),
    ]


ENTRY = DatasetEntry(
    load_osie,
    "OSIE: 700 scenes rich in objects, 15 observers, lab eye tracker",
    _LAYOUT,
    _expected_of_osie,
    _SOURCE,
)
