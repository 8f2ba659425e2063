"""The vocabulary of stimuli: `Fixations`, `Stimulus`, `Dataset`."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Protocol, overload

import numpy as np
import numpy.typing as npt

from quickgaze.errors import DatasetError, StimulusError
from quickgaze.resampling import blurred_points
from quickgaze.stimuli.fingerprints import UNREADABLE

Image = npt.NDArray[np.uint8]
"""An image, (H, W, 3), 8-bit RGB."""

Density = npt.NDArray[np.float32]
"""A human saliency map, (H, W), not negative, with a maximum of 1."""

Size = tuple[int, int]
"""Height and width in pixels."""

_PART, _READERS = 32, 16  # stimuli that one thread fingerprints in a row, and threads


@dataclass(frozen=True, eq=False)
class Fixations:
    """Places that observers looked at in one stimulus.

    Parameters
    ----------
    x, y : ndarray, shape (n,), float64
        Column and row in pixels, from 0, with pixel centres on integers. All lie inside the
        image: -0.5 <= x < width - 0.5.
    observer : ndarray, shape (n,), str
        Who looked.
    duration : ndarray, shape (n,), float64, optional
        How long, in milliseconds.
    dropped : int
        Number of recorded points that lay outside the image and are left out here.

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
    dropped: int = 0

    def __len__(self) -> int:
        return len(self.x)

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
        columns, rows = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
        height, width = size
        kept = (columns >= -0.5) & (columns < width - 0.5) & (rows >= -0.5) & (rows < height - 0.5)
        return cls(
            columns[kept],
            rows[kept],
            np.asarray(observer, dtype=np.str_)[kept],
            None if duration is None else np.asarray(duration, dtype=np.float64)[kept],
            dropped=int((~kept).sum()),
        )


class ImageSource(Protocol):
    """Where the image of a stimulus comes from."""

    def read(self) -> Image:
        """Read or draw the image, (H, W, 3) uint8 RGB."""

    def size(self) -> Size:
        """Height and width in pixels, without reading the whole image where possible."""

    def fingerprint(self) -> str:
        """Give a short text that changes when the image does."""


class FixationSource(Protocol):
    """Where the fixations of a stimulus come from.

    It may have a method ``fingerprint() -> str`` as an `ImageSource` has, that is quick and
    changes when the fixations do; so may a `DensitySource`.
    """

    def read(self, size: Size) -> Fixations:
        """Read the fixations on an image of (height, width) `size`."""


class DensitySource(Protocol):
    """Where a density that a data set provides comes from."""

    def read(self, size: Size) -> Density:
        """Read the density of an image of (height, width) `size`."""


@dataclass(frozen=True, eq=False)
class Stimulus:
    """An image shown to observers, and where they looked.

    The image is not held in memory: it is read each time that it is asked for, and so is the
    gaze, except where a data set keeps all of it in one small table.

    Parameters
    ----------
    id : str
        Unique within the data set.
    source : ImageSource
        Where the image comes from.
    gaze : FixationSource, optional
        Where the fixations come from.
    map : DensitySource, optional
        The density that the data set provides, if it does.
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
    source: ImageSource
    gaze: FixationSource | None = None
    map: DensitySource | None = None
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
        """Digest of the id and of where image, gaze and map come from.

        Returns
        -------
        str
            16 hexadecimal digits. Files count by their size and a sample of their content,
            points in memory by all of them, and what cannot be read by that; nothing is
            raised. A copy of the data set elsewhere has the same.
        """
        sources = (self.source, self.gaze, self.map)
        text = "\0".join([self.id, *map(_fingerprint_of, sources)])
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()

    def density(self, sigma: float = 19.0) -> Density | None:
        """Human saliency map: the one that the data set provides, or else blurred fixations.

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
        if fixations is None or len(fixations) == 0:
            return None
        return blurred_fixations(fixations, size, sigma)


def _fingerprint_of(source: object) -> str:
    """Fingerprint of a source; empty if it gives none, as those of other packages may."""
    if source is None:
        return "none"
    method = getattr(source, "fingerprint", None)
    if not callable(method):
        return ""
    try:
        return str(method())
    except Exception:  # noqa: BLE001 - what cannot be read can be told from what can
        return UNREADABLE


def blurred_fixations(fixations: Fixations, size: Size, sigma: float) -> Density:
    """Blur fixations into a density.

    Parameters
    ----------
    fixations : Fixations
        At least one.
    size : (int, int)
        Height and width in pixels.
    sigma : float
        Standard deviation of the Gaussian in pixels; 0 is no blur.

    Returns
    -------
    ndarray, shape (H, W), float32
        Not negative, with a maximum of 1.

    Raises
    ------
    StimulusError
        If there is no fixation.
    """
    if len(fixations) == 0:
        raise StimulusError("a density needs at least one fixation inside the image; there is none")
    rows, columns = (np.floor(axis + 0.5).astype(np.int64) for axis in (fixations.y, fixations.x))
    blurred = blurred_points(rows, columns, size, sigma)
    density: Density = (blurred / blurred.max()).astype(np.float32)
    return density


@dataclass(frozen=True, eq=False)
class Dataset(Sequence[Stimulus]):
    """A sequence of stimuli, and what a reader of its scores must know about them.

    Parameters
    ----------
    name : str
        Name of the data set, as in ``load_dataset(name)``.
    stimuli : tuple of Stimulus
        In a fixed order.
    edition : str
        Which release or layout the gaze data come from. Scores on different editions cannot
        be compared.
    gaze : str
        What the points are: ``"fixations"``, ``"mouse samples"``, ...
    missing : tuple of str
        Ids that the gaze data list but whose image is not there.
    notes : tuple of str
        Sentences that belong beside every result.
    density_sigma : float
        Standard deviation in pixels of the Gaussian that the data set's authors blur their
        fixations with; studies use it unless told otherwise.

    Raises
    ------
    DatasetError
        If two stimuli have the same id.

    Examples
    --------
    >>> import quickgaze as qg
    >>> displays = qg.load_dataset("popout", n=10)
    >>> len(displays), displays[0].id, displays[2:4]
    (10, 'popout-000000', Dataset('popout', 2 stimuli, edition 'generated, version 1'))
    """

    name: str
    stimuli: tuple[Stimulus, ...]
    edition: str
    gaze: str = "fixations"
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    density_sigma: float = 19.0

    def __post_init__(self) -> None:
        counts = Counter(stimulus.id for stimulus in self.stimuli)
        repeated = [identifier for identifier, count in counts.items() if count > 1]
        if repeated:
            raise DatasetError(
                f"{len(repeated):,} ids of {self.name} stand for several stimuli, the first is "
                f"{repeated[0]!r}; every stimulus needs an id of its own: rename the files"
            )

    @overload
    def __getitem__(self, index: int) -> Stimulus: ...
    @overload
    def __getitem__(self, index: slice) -> Dataset: ...
    def __getitem__(self, index: int | slice) -> Stimulus | Dataset:
        if isinstance(index, slice):
            return replace(self, stimuli=self.stimuli[index])
        return self.stimuli[index]

    def __len__(self) -> int:
        return len(self.stimuli)

    def __repr__(self) -> str:
        return f"Dataset({self.name!r}, {len(self)} stimuli, edition {self.edition!r})"

    def fingerprints(self) -> list[str]:
        """Fingerprint of every stimulus, in their order.

        Returns
        -------
        list of str
            As `Stimulus.fingerprint` gives them. They are taken by several threads, because
            files that lie elsewhere answer slowly.
        """
        parts = [
            self.stimuli[start : start + _PART] for start in range(0, len(self.stimuli), _PART)
        ]
        if len(parts) < 2:
            return _fingerprints(self.stimuli)
        with ThreadPoolExecutor(_READERS, thread_name_prefix="fingerprint") as readers:
            return list(chain.from_iterable(readers.map(_fingerprints, parts)))

    def fingerprint(self, prints: Sequence[str] | None = None) -> str:
        """Digest of name, edition and the fingerprints of all stimuli, in their order.

        Parameters
        ----------
        prints : sequence of str, optional
            What `fingerprints` gave, where that is known: it reads files anew each time.

        Returns
        -------
        str
            64 hexadecimal digits.
        """
        lines = [self.name, self.edition, *(self.fingerprints() if prints is None else prints)]
        return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()


def _fingerprints(stimuli: Sequence[Stimulus]) -> list[str]:
    return [stimulus.fingerprint() for stimulus in stimuli]
