"""Reading what the computation of one stimulus needs, and keeping what went wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from quickgaze.stimuli.types import Density, Image, Size, Stimulus, blurred_fixations
from quickgaze.study.tables import Row


@dataclass(frozen=True)
class Failure:
    """Why a stimulus could not be scored.

    Parameters
    ----------
    stimulus : str
        Its id.
    stage : str
        Where it failed: ``"image"``, ``"gaze"``, ``"cam"`` or ``"score"``.
    error : str
        Class of the error.
    message : str
        What the error said.
    """

    stimulus: str
    stage: str
    error: str
    message: str

    @classmethod
    def of(cls, stimulus: str, stage: str, error: Exception) -> Failure:
        """Make a failure of an error."""
        return cls(stimulus, stage, type(error).__name__, str(error) or repr(error))

    def row(self) -> Row:
        """Give the failure as a row of the table of failures."""
        return vars(self).copy()


@dataclass(frozen=True, eq=False)
class Gaze:
    """Where people looked in one stimulus, as the metrics take it.

    Parameters
    ----------
    density : ndarray, shape (H, W), float32, optional
    fixations : ndarray, shape (n, 2), float64, optional
        Columns x and y.
    """

    density: Density | None
    fixations: npt.NDArray[np.float64] | None


@dataclass(frozen=True, eq=False)
class Inputs:
    """A stimulus, read.

    Parameters
    ----------
    stimulus : str
        Its id.
    image : ndarray, shape (H, W, 3), uint8
    gaze : Gaze or Failure
        A failure does not keep the CAM from being computed.
    """

    stimulus: str
    image: Image
    gaze: Gaze | Failure


def read_size(stimulus: Stimulus) -> Size | Failure:
    """Read the size of a stimulus, or say why that is not possible."""
    try:
        return stimulus.size
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one image stays with it
        return Failure.of(stimulus.id, "image", error)


def read_inputs(stimulus: Stimulus, density_sigma: float) -> Inputs | Failure:
    """Read image and gaze of a stimulus, or say why that is not possible.

    Parameters
    ----------
    stimulus : Stimulus
    density_sigma : float
        Blur in pixels of fixations, where the data set provides no density.

    Returns
    -------
    Inputs or Failure
    """
    try:
        image = stimulus.image()
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one image stays with it
        return Failure.of(stimulus.id, "image", error)
    gaze: Gaze | Failure
    try:
        gaze = read_gaze(stimulus, (image.shape[0], image.shape[1]), density_sigma)
    except Exception as error:  # noqa: BLE001 - and so does what is wrong with its gaze data
        gaze = Failure.of(stimulus.id, "gaze", error)
    return Inputs(stimulus.id, image, gaze)


def read_gaze(stimulus: Stimulus, size: Size, density_sigma: float) -> Gaze:
    """Read the gaze data of a stimulus, each file once.

    Parameters
    ----------
    stimulus : Stimulus
    size : (int, int)
        Height and width of its image.
    density_sigma : float
        Blur in pixels of fixations, where the data set provides no density.

    Returns
    -------
    Gaze
    """
    fixations = None if stimulus.gaze is None else stimulus.gaze.read(size)
    density = None
    if stimulus.map is not None:
        density = stimulus.map.read(size)
    elif fixations is not None and len(fixations) > 0:
        density = blurred_fixations(fixations, size, density_sigma)
    return Gaze(density, None if fixations is None else fixations.points)


def read_ahead(
    stimuli: Iterable[Stimulus], density_sigma: float, ahead: int
) -> Iterator[Inputs | Failure]:
    """Read stimuli in threads, in order, a few ahead of the one that is asked for.

    Parameters
    ----------
    stimuli : iterable of Stimulus
    density_sigma : float
        Blur in pixels of fixations, where the data set provides no density.
    ahead : int
        How many may wait in memory.

    Yields
    ------
    Inputs or Failure
    """
    rest = iter(stimuli)
    with ThreadPoolExecutor(max_workers=2, thread_name_prefix="read") as readers:

        def submit(count: int) -> list[Future[Inputs | Failure]]:
            return [
                readers.submit(read_inputs, item, density_sigma) for item in islice(rest, count)
            ]

        waiting = submit(ahead)
        while waiting:
            yield waiting.pop(0).result()
            waiting += submit(1)
