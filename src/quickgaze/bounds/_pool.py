"""All gaze of a data set together: where people look whatever the image, and others' fixations."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from quickgaze.metrics import DEFAULT_CONVENTION, pixel_places
from quickgaze.resampling import bilinear_matrix, blurred_plane, gaussian_blur
from quickgaze.stimuli.types import Density, Size, Stimulus

CANVAS: Size = (60, 80)
"""Height and width that provided densities are brought to before they are averaged."""

SIZES_AT_ONCE = 4
"""How many image sizes keep their counts in memory."""

Counts = npt.NDArray[np.int64]
Plane = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class GazePool:
    """The gaze of all stimuli of a data set whose gaze could be read.

    Parameters
    ----------
    stimuli : tuple of Stimulus
    points : ndarray, shape (n, 2), float64
        Columns x and y of all fixations.
    sizes : ndarray, shape (S, 2), int64
        Height and width of each stimulus.
    starts : ndarray, shape (S + 1,), int64
        Where the fixations of each stimulus begin in `points`, and where the last end.
    canvases : ndarray, shape (S, 60, 80), float32
        Densities with a sum of 1 where a data set has no fixations, else (0, 60, 80).

    Examples
    --------
    >>> import quickgaze as qg
    >>> displays = qg.load_dataset("popout", n=4, size=(120, 160))
    >>> pool = GazePool.read(displays)
    >>> len(pool), pool.counts_of_others(displays[0].id, (120, 160)).sum()
    (4, np.int64(3))
    """

    stimuli: tuple[Stimulus, ...]
    points: Plane
    sizes: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    canvases: npt.NDArray[np.float32]

    @classmethod
    def read(
        cls, stimuli: Iterable[Stimulus], done: Callable[[int], None] = lambda _: None
    ) -> GazePool:
        """Read fixations, or densities where no stimulus has any; leave out what fails.

        Parameters
        ----------
        stimuli : iterable of Stimulus
        done : callable, optional
            Called with the number of stimuli read since the last call.

        Returns
        -------
        GazePool
        """
        found: list[tuple[Stimulus, Size, Plane]] = []
        for stimulus in stimuli:
            try:
                size = stimulus.size
                fixations = None if stimulus.gaze is None else stimulus.gaze.read(size)
            except Exception:  # noqa: BLE001, S112 - reported where the stimulus is scored
                continue
            finally:
                done(1)
            points = np.zeros((0, 2)) if fixations is None else fixations.points
            found.append((stimulus, size, points))
        kept, canvases = [each for each in found if len(each[2]) > 0], []
        if not kept:
            drawn = [(each, _canvas(*each[:2])) for each in found]
            kept = [each for each, canvas in drawn if canvas is not None]
            canvases = [canvas for _, canvas in drawn if canvas is not None]
        return cls(
            tuple(stimulus for stimulus, _, _ in kept),
            np.concatenate([np.zeros((0, 2)), *(points for _, _, points in kept)]),
            np.array([size for _, size, _ in kept], dtype=np.int64).reshape(-1, 2),
            np.cumsum([0, *(len(points) for _, _, points in kept)]),
            np.array(canvases, dtype=np.float32).reshape(-1, *CANVAS),
        )

    def __len__(self) -> int:
        return len(self.stimuli)

    def counts_of_others(
        self, stimulus: str, size: Size, convention: str = DEFAULT_CONVENTION
    ) -> Counts | None:
        """Count the fixations of all other stimuli in the pixels of an image of some size.

        Parameters
        ----------
        stimulus : str
            Id of the one that is left out.
        size : (int, int)
            Height and width in pixels.
        convention : str
            That of the scores: it says which pixel a fraction falls on, as
            `quickgaze.metrics.pixel_places` does.

        Returns
        -------
        ndarray, shape (H, W), int64, or None if no other stimulus has fixations
        """
        others = self._all_counts(size, convention).copy()
        if (number := self._numbers.get(stimulus)) is not None:
            own = _counted(self._points_of(number), self.sizes[number], size, convention)
            others -= np.bincount(own, minlength=others.size)
        return others.reshape(size) if others.any() else None

    def mean_of_others(self, stimulus: str, size: Size, sigma: float) -> Density | None:
        """Mean density of all other stimuli: the centre bias, by cross-validation.

        Parameters
        ----------
        stimulus, size
            As for `counts_of_others`.
        sigma : float
            Standard deviation in pixels of the Gaussian that fixations are blurred with, each
            from the pixel whose centre is nearest.

        Returns
        -------
        ndarray, shape (H, W), float32, or None
            In [0, 1]; every stimulus weighs the same. None if no other has gaze data.
        """
        number = self._numbers.get(stimulus)
        if len(self) - (number is not None) < 1:
            return None
        if len(self.canvases) > 0:
            total = self._total_canvas
            mean = resized(total if number is None else total - self.canvases[number], size)
        else:
            shares = self._all_shares(size).copy()
            if number is not None:
                own = _nearest(self._points_of(number), self.sizes[number], size)
                shares -= np.bincount(own, minlength=shares.size) / len(own)
            mean = blurred_plane(shares.reshape(size), sigma)
        # what was added and subtracted may leave a rounding error below 0
        mean = np.maximum(mean, 0.0)
        density: Density = (mean / mean.max()).astype(np.float32)
        return density

    def partner(self, stimulus: str, seed: int) -> Stimulus | None:
        """Draw another stimulus: each is another's partner once, none its own.

        Parameters
        ----------
        stimulus : str
            Id of the one that gets a partner.
        seed : int

        Returns
        -------
        Stimulus, or None if there is no other
        """
        number = self._numbers.get(stimulus)
        if len(self) - (number is not None) < 1:
            return None
        order = np.random.default_rng(seed).permutation(len(self))
        place = -1 if number is None else int(np.flatnonzero(order == number)[0])
        return self.stimuli[int(order[(place + 1) % len(order)])]

    def __reduce__(self) -> tuple[type[GazePool], tuple[object, ...]]:
        # what was derived is derived again where it is needed
        return GazePool, (self.stimuli, self.points, self.sizes, self.starts, self.canvases)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {stimulus.id: i for i, stimulus in enumerate(self.stimuli)}

    @cached_property
    def _sizes_of_points(self) -> npt.NDArray[np.int64]:
        return self.sizes.repeat(np.diff(self.starts), axis=0)

    def _points_of(self, number: int) -> Plane:
        return self.points[self.starts[number] : self.starts[number + 1]]

    @cached_property
    def _all_counts(self) -> Callable[[Size, str], Counts]:
        @lru_cache(maxsize=SIZES_AT_ONCE)
        def count(size: Size, convention: str) -> Counts:
            pixels = _counted(self.points, self._sizes_of_points, size, convention)
            return np.bincount(pixels, minlength=size[0] * size[1])

        return count

    @cached_property
    def _all_shares(self) -> Callable[[Size], Plane]:
        lengths = np.diff(self.starts)
        weights = (1 / lengths).repeat(lengths)

        @lru_cache(maxsize=SIZES_AT_ONCE)
        def share(size: Size) -> Plane:
            pixels = _nearest(self.points, self._sizes_of_points, size)
            return np.bincount(pixels, weights, size[0] * size[1]).astype(np.float64)

        return share

    @cached_property
    def _total_canvas(self) -> Plane:
        total: Plane = self.canvases.sum(0, dtype=np.float64)
        return total


def _canvas(stimulus: Stimulus, size: Size) -> npt.NDArray[np.float32] | None:
    """Bring a stimulus's density to a `CANVAS`, with a sum of 1; None if it has none."""
    try:
        density = None if stimulus.map is None else stimulus.map.read(size)
    except Exception:  # noqa: BLE001 - reported where the stimulus is scored
        return None
    if density is None or not density.max() > density.min():
        return None
    plane = resized(density, CANVAS)
    canvas: npt.NDArray[np.float32] = (plane / plane.sum()).astype(np.float32)
    return canvas


def resized(density: npt.NDArray[np.floating], size: Size) -> Plane:
    """Resize a density (h, w) linearly to (H, W), averaging where it shrinks."""
    found = density.astype(np.float64)
    for axis, cells in enumerate(size):
        if cells < found.shape[axis]:
            # half a target cell's width, so that no pixel is passed over
            found = gaussian_blur(found, found.shape[axis] / cells / 2, axes=(axis,))
        found = np.moveaxis(found, axis, 0)
        found = np.moveaxis(np.tensordot(bilinear_matrix(cells, len(found)), found, 1), 0, axis)
    return found


def _counted(
    points: Plane, own: npt.NDArray[np.int64], size: Size, convention: str
) -> npt.NDArray[np.int64]:
    """Pixels, of a convention, in an image of `size`, of points on images of their own sizes."""
    places = pixel_places(points, convention)
    inside = ((places >= 0) & (places < own[..., ::-1])).all(axis=-1)
    pixels: npt.NDArray[np.int64] = _pixels(places, own, size)[inside]
    return pixels


def _nearest(points: Plane, own: npt.NDArray[np.int64], size: Size) -> npt.NDArray[np.int64]:
    """Pixels in an image of `size` that points count at in densities, whatever the convention."""
    return _pixels(points + 0.5, own, size)


def _pixels(places: Plane, own: npt.NDArray[np.int64], size: Size) -> npt.NDArray[np.int64]:
    """Pixels in an image of `size` of distances from the edges of images of their own sizes."""
    columns, rows = np.floor(places * (np.array(size) / own)[..., ::-1]).astype(np.int64).T
    # rounding must not carry a point on the last pixel's edge out of the image
    rows, columns = rows.clip(0, size[0] - 1), columns.clip(0, size[1] - 1)
    pixels: npt.NDArray[np.int64] = rows * size[1] + columns
    return pixels
