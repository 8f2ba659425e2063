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

POINT_SUFFIXES = ("_fixPts", "_fixLocs", "_fixations", "_fixation")
"""Endings of stems by which data sets tell pictures of points from their image."""

KNOWN_SUFFIXES = (
    "_fixMap",
    "_.fixMap",
    "_SaliencyMap",
    "_saliency",
    "_salmap",
    "_heatmap",
    "_density",
    "_fdm",
    *POINT_SUFFIXES,
)
"""Endings of stems by which data sets tell maps and points from their image."""

_NAMES = ("fixLocs", "fixations", "white")
_MOST_COUNTED = 15
_BLOCK = 8  # pixels that JPEG compresses together, in rows and columns
_MOST_FAINT = 0.1  # share of the points, of pixels apart that are less bright
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

    A pixel is a fixation where its value is above half of the maximum. Whole numbers up to 15, of
    which 1 is the commonest, are counts: so many fixations.
    """

    path: AnyPath

    def read(self, size: Size) -> Fixations:
        """Read the points, row by row, on an image of (height, width) `size`."""
        name = f"picture of points {readable(self.path)}"
        values = read_picture(self.path, size, name)
        refuse_values(values, name)
        counts = _counts(values, name)
        rows, columns = np.nonzero(counts)
        times = counts[rows, columns]
        x, y = np.repeat(columns, times), np.repeat(rows, times)
        return Fixations.inside(x, y, np.full(len(x), ALL_OBSERVERS), size)

    def fingerprint(self) -> str:
        """Size of the file in bytes, and a digest of parts of it."""
        return fingerprint_of_file(self.path)


def _counts(values: _Values, name: str) -> npt.NDArray[np.int64]:
    """Count the fixations at each pixel, or raise `StimulusError` where that cannot be told."""
    counted = _are_counts(values)
    marked = values > (0 if counted else values.max() / 2)
    count = np.count_nonzero(marked)
    if count and not holds_points(marked.astype(np.float64) if counted else values):
        raise StimulusError(
            f"the {name} does not hold points: {count:,} of {values.size:,} pixels are bright; "
            "points are single white pixels on black, and a density belongs among the maps"
        )
    if counted:
        return np.asarray(values, dtype=np.int64)
    # Compression spreads no farther than its blocks.
    near = scipy.ndimage.maximum_filter(marked, 2 * _BLOCK + 1, mode="constant")
    faint = np.count_nonzero((values > values.max() / 8) & ~near)
    if faint > _MOST_FAINT * count:
        raise StimulusError(
            f"the {name} is brighter in {count:,} pixels than in {faint:,} others that lie apart, "
            "and it is not known whether these are points; save all points with the same value, "
            "or as counts"
        )
    return np.asarray(marked, dtype=np.int64)


def _are_counts(values: _Values) -> bool:
    if values.max() > _MOST_COUNTED or (values != np.floor(values)).any():
        return False
    times = np.bincount(values.astype(np.int64).ravel(), minlength=2)[1:]
    return bool(0 < times[0] == times.max())


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
    matrix = _dense(value, name) if scipy.sparse.issparse(value) else np.asarray(value)
    if matrix.dtype.kind not in "buif":
        raise StimulusError(f"the {name} holds {chosen.name} as complex numbers; save real ones")
    return matrix.astype(np.float64)


def _dense(sparse: Any, name: str) -> npt.NDArray[Any]:
    """Fill a matrix, if no index leads outside; SciPy does not look, and would end the process."""
    if sparse.format == "csc":
        rows = sparse.indices
        sound = (np.diff(sparse.indptr) >= 0).all() and not sparse.indptr[0]
        sound &= rows.min(initial=0) >= 0 and rows.max(initial=0) < sparse.shape[0]
        if not sound or sparse.indptr[-1] > min(len(rows), len(sparse.data)):
            raise StimulusError(f"the {name} is damaged; save it again, or fetch it again")
    return np.asarray(sparse.toarray())


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
