"""Reading where people looked, and keeping what went wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from quickgaze.bounds import Beside, GazePool
from quickgaze.metrics import METRICS, FixationCounts
from quickgaze.stimuli.types import Density, Fixations, Size, Stimulus, blurred_fixations
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
        """Columns x and y of the fixations, (n, 2); where all lay outside, as many NaN."""
        if self.fixations is None:
            return None
        if len(self.fixations) == 0:
            # so that the metrics' reason says how many there were
            return np.full((self.fixations.dropped, 2), np.nan)
        return self.fixations.points


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
