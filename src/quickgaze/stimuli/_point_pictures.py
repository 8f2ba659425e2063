"""Points as pictures: images and matrices in which a pixel is white where somebody looked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.ndimage
import scipy.sparse

from quickgaze.errors import StimulusError
from quickgaze.places import AnyPath, readable
from quickgaze.stimuli._fingerprints import fingerprint_of_file
from quickgaze.stimuli._matlab import NUMERIC, MatError, Variable, holds, list_mat, read_mat
from quickgaze.stimuli.densities import read_array, read_grey, refuse_shape, refuse_values
from quickgaze.stimuli.files import DENSITY_SUFFIXES
from quickgaze.stimuli.types import ALL_OBSERVERS, Fixations, Size

PICTURE_SUFFIXES = DENSITY_SUFFIXES | {".mat"}
"""File name endings, in lower case, that are taken for pictures of points."""

KNOWN_SUFFIXES = (
    "_fixMap",
    "_.fixMap",
    "_fixPts",
    "_SaliencyMap",
    "_fixLocs",
    "_fixations",
    "_fixation",
    "_fdm",
    "_density",
    "_saliency",
    "_heatmap",
    "_salmap",
)
"""Endings of stems by which data sets tell maps and points from their image."""

_NAMES = ("fixLocs", "fixations", "white")
_MOST_COUNTED = 15
_ALIKE = 0.8  # share of a pixel's value that its neighbours have in a picture that is smooth
_WHITE = 0.85  # share of the maximum that most pixels of a disc have
_MOST_MARKED = 0.25  # share of a picture's pixels
_PATCH = 11  # side in pixels of a square that fits into no disc, but into masks of objects
_MOST_INNER = 0.1  # share of the bright pixels around which it fits

_Values = npt.NDArray[np.float64]


def bare_stem(stem: str, suffix: str | None = None) -> str:
    """Stem without a user's own suffix, or else without a known one, in upper or lower case."""
    for known in KNOWN_SUFFIXES if suffix is None else (suffix,):
        if known and len(stem) > len(known) and stem.lower().endswith(known.lower()):
            return stem[: -len(known)]
    return stem


@dataclass(frozen=True)
class PointPicture:
    """Points in a picture of the image's size, whose observers are not known.

    A pixel is a fixation where its value is above half of the maximum. Where all values are whole
    numbers up to 15 and 1 is among them, they are counts: so many fixations.
    """

    path: AnyPath

    def read(self, size: Size) -> Fixations:
        """Read the points, row by row, on an image of (height, width) `size`."""
        name = f"picture of points {readable(self.path)}"
        values = read_picture(self.path, size, name)
        refuse_values(values, name)
        counts = _counts(values)
        if counts.any() and not holds_points(values):
            raise StimulusError(
                f"the {name} does not hold points: {np.count_nonzero(counts):,} of "
                f"{values.size:,} pixels are bright; points are single white pixels on black, "
                "and a density belongs among the maps"
            )
        rows, columns = np.nonzero(counts)
        times = counts[rows, columns]
        x, y = np.repeat(columns, times), np.repeat(rows, times)
        return Fixations.inside(x, y, np.full(len(x), ALL_OBSERVERS), size)

    def fingerprint(self) -> str:
        """Size of the file in bytes, and a digest of parts of it."""
        return fingerprint_of_file(self.path)


def _counts(values: _Values) -> npt.NDArray[np.int64]:
    """Count the fixations at each pixel."""
    most = values.max()
    if most <= _MOST_COUNTED and (values == 1).any() and (values == np.floor(values)).all():
        return np.asarray(values, dtype=np.int64)
    return np.asarray(values > most / 2, dtype=np.int64)


def holds_points(values: _Values) -> bool:
    """Whether bright pixels are few and apart, as points and small discs are."""
    bright = values > values.max() / 2
    count = np.count_nonzero(bright)
    inner = np.count_nonzero(scipy.ndimage.minimum_filter(bright, _PATCH, mode="constant"))
    few = bool(0 < count <= _MOST_MARKED * values.size)
    return few and bool(inner <= _MOST_INNER * count) and not looks_smooth(values)


def looks_smooth(values: _Values) -> bool:
    """Whether bright pixels lie in patches that fade out, as in densities and photographs."""
    most = values.max()
    bright = values > most / 2
    count = np.count_nonzero(bright)
    padded = np.pad(values, 1, mode="edge")
    around = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]
    if not count or np.median(around[bright] / values[bright]) < _ALIKE * 4:
        return False
    white = np.count_nonzero(values > _WHITE * most)
    fading = np.count_nonzero(values > most / 8) - count
    return bool(white < count / 2 or fading > count)  # else they are discs


def read_picture(path: AnyPath, size: Size, name: str) -> _Values:
    """Read the values of a picture of (height, width) `size`, or raise `StimulusError`."""
    suffix = path.suffix.lower()
    if suffix == ".mat":
        return _read_matrix(path, size, name)
    return (read_array if suffix == ".npy" else read_grey)(path, size, name)


def _read_matrix(path: AnyPath, size: Size, name: str) -> _Values:
    try:
        chosen = choose_matrix(list_mat(path), size)
        refuse_shape(chosen.shape, size, f"{name} ({chosen.name})")
        value: Any = read_mat(path, chosen.name)[chosen.name]
    except MatError as error:
        raise StimulusError(f"the {name} {error}") from error
    matrix = value.toarray() if scipy.sparse.issparse(value) else np.asarray(value)
    if matrix.dtype.kind not in "buif":
        raise StimulusError(f"the {name} holds {chosen.name} as complex numbers; save real ones")
    return matrix.astype(np.float64)


def choose_matrix(variables: Sequence[Variable], size: Size | None = None) -> Variable:
    """Choose the variable that holds the points, or raise `MatError`.

    It has a usual name, or is the only matrix, or the only one of (height, width) `size`.
    """
    named = [found for name in _NAMES for found in variables if found.name == name]
    matrices = [
        found
        for found in variables
        if found.kind in NUMERIC and len(found.shape) == 2 and max(found.shape) > 1
    ]
    fitting = [found for found in matrices if found.shape == size]
    usable = [found for found in named if found in matrices]
    for candidates in (usable[:1], matrices, fitting):
        if len(candidates) == 1:
            return candidates[0]
    raise MatError(
        f"{holds(variables)}; expected one matrix of the image's size, or one that is called "
        f"{', '.join(_NAMES)}"
    )
