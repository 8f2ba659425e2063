"""Reading what the computation of one stimulus needs, and keeping what went wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
import numpy.typing as npt

from quickgaze.bounds import Beside, GazePool
from quickgaze.metrics import METRICS, FixationCounts
from quickgaze.stimuli.types import Density, Fixations, Image, Size, Stimulus, blurred_fixations
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
    fixations : Fixations, optional
    beside : Beside
        What some metrics need of the gaze on other stimuli.
    """

    density: Density | None
    fixations: Fixations | None
    beside: Beside = field(default_factory=Beside)

    @property
    def points(self) -> npt.NDArray[np.float64] | None:
        """Columns x and y of the fixations, (n, 2)."""
        return None if self.fixations is None else self.fixations.points


@dataclass(frozen=True, eq=False)
class GazeReader:
    """Reads where people looked, each file once.

    Parameters
    ----------
    density_sigma : float
        Blur in pixels of fixations, where the data set provides no density.
    pool : GazePool, optional
        The gaze of the whole data set.
    metrics : sequence of str
        The metrics that the gaze is read for.
    """

    density_sigma: float
    pool: GazePool | None = None
    metrics: Sequence[str] = ()

    def read(self, stimulus: Stimulus, size: Size) -> Gaze:
        """Read the gaze on one stimulus.

        Parameters
        ----------
        stimulus : Stimulus
        size : (int, int)
            Height and width of its image.

        Returns
        -------
        Gaze
        """
        fixations = None if stimulus.gaze is None else stimulus.gaze.read(size)
        density = None
        if stimulus.map is not None:
            density = stimulus.map.read(size)
        elif fixations is not None and len(fixations) > 0:
            density = blurred_fixations(fixations, size, self.density_sigma)
        return Gaze(density, fixations, self._beside(stimulus.id, size))

    def _beside(self, stimulus: str, size: Size) -> Beside:
        if self.pool is None:
            return Beside()
        wanted = needs(self.metrics)
        counts = self.pool.counts_of_others(stimulus, size) if "others" in wanted else None
        baseline = None
        if "baseline" in wanted:
            baseline = self.pool.mean_of_others(stimulus, size, self.density_sigma)
        return Beside(None if counts is None else FixationCounts(counts), baseline)


def needs(metrics: Sequence[str]) -> set[str]:
    """Say what some metrics need beside the gaze on the stimulus itself.

    Parameters
    ----------
    metrics : sequence of str

    Returns
    -------
    set of str
        ``"others"``, the fixations on other stimuli, or ``"baseline"``, their mean density.
    """
    return {
        definition.beside
        for name in metrics
        for definition in METRICS[name].definitions.values()
        if definition.beside is not None
    }


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


def read_inputs(stimulus: Stimulus, reader: GazeReader) -> Inputs | Failure:
    """Read image and gaze of a stimulus, or say why that is not possible.

    Parameters
    ----------
    stimulus : Stimulus
    reader : GazeReader

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
        gaze = reader.read(stimulus, (image.shape[0], image.shape[1]))
    except Exception as error:  # noqa: BLE001 - and so does what is wrong with its gaze data
        gaze = Failure.of(stimulus.id, "gaze", error)
    return Inputs(stimulus.id, image, gaze)


def read_ahead(
    stimuli: Iterable[Stimulus], reader: GazeReader, ahead: int
) -> Iterator[Inputs | Failure]:
    """Read stimuli in threads, in order, a few ahead of the one that is asked for.

    Parameters
    ----------
    stimuli : iterable of Stimulus
    reader : GazeReader
    ahead : int
        How many may wait in memory.

    Yields
    ------
    Inputs or Failure
    """
    rest = iter(stimuli)
    with ThreadPoolExecutor(max_workers=2, thread_name_prefix="read") as readers:

        def submit(count: int) -> list[Future[Inputs | Failure]]:
            return [readers.submit(read_inputs, item, reader) for item in islice(rest, count)]

        waiting = submit(ahead)
        while waiting:
            yield waiting.pop(0).result()
            waiting += submit(1)
