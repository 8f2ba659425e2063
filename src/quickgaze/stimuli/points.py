"""Fixations that are held in memory, in little space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quickgaze.stimuli.fingerprints import fingerprint_of_points
from quickgaze.stimuli.types import Fixations, Size


@dataclass(frozen=True, eq=False)
class RecordedPoints:
    """Recorded points of one stimulus: the `FixationSource` of tables that are read at once.

    Parameters
    ----------
    x, y : ndarray, shape (n,), float64
        Column and row in pixels, from 0.
    observers : ndarray, shape (m,), str
        Who looked at any stimulus of the data set; shared by its stimuli.
    looked : ndarray, shape (n,), int
        Which of the `observers`, from 0.
    duration : ndarray, shape (n,), float64, optional
        In milliseconds.

    Examples
    --------
    >>> looked = np.array([0, 1])
    >>> points = RecordedPoints(
    ...     np.array([3.0, -9.0]), np.array([4.0, 4.0]), np.array(["ann", "bob"]), looked
    ... )
    >>> points.read((10, 10)).observer.tolist()
    ['ann']
    """

    x: npt.NDArray[np.float64]
    y: npt.NDArray[np.float64]
    observers: npt.NDArray[np.str_]
    looked: npt.NDArray[np.integer]
    duration: npt.NDArray[np.float64] | None = None

    def read(self, size: Size) -> Fixations:
        """Give the points inside an image of (height, width) `size`, and count the others."""
        observer = self.observers[self.looked]
        return Fixations.inside(self.x, self.y, observer, size, self.duration)

    def fingerprint(self) -> str:
        """Digest of all points, who made them and how long they took."""
        observer = self.observers[self.looked]
        return fingerprint_of_points(self.x, self.y, observer, self.duration)
