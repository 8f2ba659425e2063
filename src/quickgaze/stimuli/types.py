"""The vocabulary of stimuli: `Fixations`, `Stimulus`, and what reads them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from quickgaze.errors import StimulusError, refuse_masked
from quickgaze.resampling import blurred_points
from quickgaze.stimuli._fingerprints import UNREADABLE, digest_of
from quickgaze.stimuli._placement import PIXELS, Placement

Image = npt.NDArray[np.uint8]
"""An image, (H, W, 3), 8-bit RGB."""

Density = npt.NDArray[np.float32]
"""A human saliency map, (H, W), not negative, with a maximum of 1."""

Size = tuple[int, int]
"""Height and width in pixels."""

ALL_OBSERVERS = "all observers"
"""Observer of fixations whose observers are not known."""


@dataclass(frozen=True, eq=False)
class Fixations:
    """Places that observers looked at in one stimulus.

    Parameters
    ----------
    x, y : ndarray, shape (n,), float64
        Column and row in pixels, from 0; the convention of a metric says which pixel a fraction
        falls on. All lie inside the image for one of the conventions: -0.5 <= x < width.
    observer : ndarray, shape (n,), str
        Who looked.
    duration : ndarray, shape (n,), float64, optional
        How long, in milliseconds.
    outside : ndarray, shape (m, 2), float64
        Recorded points that lay outside the image: columns x and y, NaN where unknown.

    Examples
    --------
    >>> fixations = Fixations.inside([3, 99], [4, 4], ["ann", "ann"], size=(10, 10))
    >>> fixations.points, fixations.dropped
    (array([[3., 4.]]), 1)
    """

    x: npt.NDArray[np.float64]
    y: npt.NDArray[np.float64]
    observer: npt.NDArray[np.str_]
    duration: npt.NDArray[np.float64] | None = None
    outside: npt.NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 2)))

    def __len__(self) -> int:
        return len(self.x)

    @property
    def dropped(self) -> int:
        """Number of recorded points that lay outside the image."""
        return len(self.outside)

    @property
    def points(self) -> npt.NDArray[np.float64]:
        """The fixations as the metrics take them: (n, 2), columns x and y."""
        return np.stack([self.x, self.y], axis=1)

    @classmethod
    def inside(
        cls,
        x: npt.ArrayLike,
        y: npt.ArrayLike,
        observer: npt.ArrayLike,
        size: Size,
        duration: npt.ArrayLike | None = None,
    ) -> Fixations:
        """Keep the points that lie inside the image, and count the others.

        Parameters
        ----------
        x, y : array_like, shape (n,)
            Column and row in pixels, from 0; NaN counts as outside.
        observer : array_like, shape (n,)
            Who looked.
        size : (int, int)
            Height and width of the image in pixels.
        duration : array_like, shape (n,), optional
            How long, in milliseconds.

        Returns
        -------
        Fixations
        """
        for values in (x, y):
            refuse_masked(values, "fixations")
        columns, rows = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
        height, width = size
        kept = (columns >= -0.5) & (columns < width) & (rows >= -0.5) & (rows < height)
        return cls(
            columns[kept],
            rows[kept],
            np.asarray(observer, dtype=np.str_)[kept],
            None if duration is None else np.asarray(duration, dtype=np.float64)[kept],
            outside=np.stack([columns[~kept], rows[~kept]], axis=1),
        )


@dataclass(frozen=True, eq=False)
class RecordedPoints:
    """Points recorded on one stimulus; `looked` holds the index of each point's observer.

    `observers` is one array for all stimuli of a data set; durations are in milliseconds; `size`
    is the (height, width) of the image that they were recorded on, where that is known;
    `placement` says what the coordinates mean.
    """

    x: npt.NDArray[np.float64]
    y: npt.NDArray[np.float64]
    observers: npt.NDArray[np.str_]
    looked: npt.NDArray[np.integer]
    duration: npt.NDArray[np.float64] | None = None
    size: Size | None = None
    placement: Placement = PIXELS

    def read(self, size: Size) -> Fixations:
        """Give the points inside an image of (height, width) `size`, and count the others."""
        refuse_other_size(self.size, size, "the gaze")
        observer = self.observers[self.looked]
        x, y = self.placement.on_image(self.x, self.y, size)
        return Fixations.inside(x, y, observer, size, self.duration)

    def fingerprint(self) -> str:
        """Digest of all points, who made them and how long they took."""
        observer = "\0".join(self.observers[self.looked].tolist())
        columns = [self.x, self.y, *([] if self.duration is None else [self.duration])]
        numbers = (np.asarray(column, dtype="<f8").tobytes() for column in columns)
        digest = digest_of([observer.encode("utf-8", "surrogatepass"), *numbers])
        size = [] if self.size is None else [str(self.size)]
        placement = [] if self.placement == PIXELS else [self.placement.in_words()]
        return ":".join([*size, *placement, digest])


def refuse_other_size(recorded: Size | None, size: Size, gaze: str) -> None:
    """Refuse an image of another (height, width) than that of the gaze, where it is known."""
    if recorded is not None and recorded != tuple(size):
        raise StimulusError(
            f"{gaze} belongs to an image of {recorded[0]} x {recorded[1]} pixels (height x width), "
            f"but the image has {size[0]} x {size[1]}; use the images that the gaze was recorded "
            "on, not resized ones"
        )


class ImageReader(Protocol):
    """Reads or draws the image of a stimulus."""

    def read(self) -> Image:
        """Give the image, (H, W, 3) uint8 RGB."""

    def size(self) -> Size:
        """Height and width in pixels, without reading the whole image where possible."""

    def fingerprint(self) -> str:
        """Give a short text that changes when the image does."""


class FixationReader(Protocol):
    """Reads the fixations on a stimulus; it and a `DensityReader` may have a fingerprint too."""

    def read(self, size: Size) -> Fixations:
        """Read the fixations on an image of (height, width) `size`."""


class DensityReader(Protocol):
    """Reads a density that a data set provides."""

    def read(self, size: Size) -> Density:
        """Read the density of an image of (height, width) `size`."""


@dataclass(frozen=True, eq=False)
class Stimulus:
    """An image shown to observers, and where they looked.

    Image and gaze are read each time that they are asked for, except for gaze that a data set
    keeps in one small table.

    Parameters
    ----------
    id : str
        Unique within the data set.
    source : ImageReader
        Has ``read()``, ``size()`` and ``fingerprint()``, as `ImageFile` has.
    gaze : FixationReader, optional
        Has ``read(size)``, which gives the `Fixations` on an image of (height, width) `size`, and
        may have a quick ``fingerprint()`` that changes when they do.
    map : DensityReader, optional
        The density that the data set provides, if it does; as `gaze`, with an array.
    attributes : mapping of str to str or float
        What else is known about the stimulus.

    Examples
    --------
    >>> import quickgaze as qg
    >>> stimulus = qg.load_dataset("popout", n=1)[0]
    >>> stimulus.id, stimulus.size, stimulus.image().shape, len(stimulus.fixations)
    ('popout-000000', (480, 640), (480, 640, 3), 1)
    >>> stimulus.density(sigma=19.0).max()
    np.float32(1.0)
    """

    id: str
    source: ImageReader
    gaze: FixationReader | None = None
    map: DensityReader | None = None
    attributes: Mapping[str, str | float] = field(default_factory=dict)

    def image(self) -> Image:
        """Read the image.

        Returns
        -------
        ndarray, shape (H, W, 3), uint8
            RGB, upright whatever its file says about its orientation.

        Raises
        ------
        StimulusError
            If the image cannot be read.
        """
        return self.source.read()

    @property
    def size(self) -> Size:
        """Height and width in pixels."""
        return self.source.size()

    @property
    def fixations(self) -> Fixations | None:
        """The fixations inside the image, read anew each time, or None where none exist."""
        return None if self.gaze is None else self.gaze.read(self.size)

    def fingerprint(self) -> str:
        """Digest of the id, and of the fingerprints of image, gaze and map.

        Returns
        -------
        str
            16 hexadecimal digits, the same for a copy elsewhere. Files count by their size and a
            sample of their content; one that cannot be read counts as unreadable.
        """
        readers = (self.source, self.gaze, self.map)
        text = "\0".join([self.id, *map(_fingerprint_of, readers)])
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()

    def density(self, sigma: float = 19.0) -> Density | None:
        """Human saliency map: that of the data set or, without one, the fixations blurred.

        Parameters
        ----------
        sigma : float
            Standard deviation in pixels of the Gaussian that fixations are blurred with.
            A map that the data set provides is taken as it is.

        Returns
        -------
        ndarray, shape (H, W), float32, or None
            Not negative, with a maximum of 1. None if there is neither a map nor a single
            fixation inside the image.

        Raises
        ------
        StimulusError
            If the map cannot be read or has another size than the image.

        Notes
        -----
        A fixation counts at the pixel whose centre is nearest. The blur is reflected at the
        border and cut off at 4 sigma.
        """
        size = self.size
        if self.map is not None:
            return self.map.read(size)
        fixations = self.fixations
        return blurred_fixations(fixations, size, sigma) if fixations else None


def _fingerprint_of(reader: object) -> str:
    """Fingerprint of what a reader reads; empty if it gives none."""
    method = getattr(reader, "fingerprint", None)
    if not callable(method):
        return "none" if reader is None else ""
    try:
        return str(method())
    except Exception:  # noqa: BLE001 - readers of other packages raise anything
        return UNREADABLE


def blurred_fixations(fixations: Fixations, size: Size, sigma: float) -> Density:
    """Blur fixations into a density; at least one is needed, and a `sigma` of 0 is no blur."""
    if len(fixations) == 0:
        raise StimulusError("a density needs at least one fixation inside the image; there is none")
    # a point in the last half pixel has no nearer centre than the last
    rows, columns = (
        np.minimum(np.floor(axis + 0.5), length - 1).astype(np.int64)
        for axis, length in zip((fixations.y, fixations.x), size, strict=True)
    )
    blurred = blurred_points(rows, columns, size, sigma)
    return np.asarray(blurred / blurred.max(), dtype=np.float32)
