"""Reading where people looked, and keeping what went wrong."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from quickgaze.bounds import Beside, GazePool
from quickgaze.metrics import FixationCounts, required_inputs
from quickgaze.stimuli.types import Density, Fixations, Size, Stimulus, blurred_fixations
from quickgaze.study._settings import Settings
from quickgaze.study._tables import Row


@dataclass(frozen=True)
class Failure:
    """Why a stimulus could not be scored."""

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
    """Where people looked in one stimulus, as the metrics take it."""

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


def read_gaze(stimulus: Stimulus, size: Size, settings: Settings, pool: GazePool | None) -> Gaze:
    """Read the gaze on one stimulus, each file once; `pool` holds that of the whole data set."""
    fixations = None if stimulus.gaze is None else stimulus.gaze.read(size)
    density = None
    if stimulus.map is not None:
        density = stimulus.map.read(size)
    elif fixations is not None and len(fixations) > 0:
        density = blurred_fixations(fixations, size, settings.density_sigma)
    return Gaze(density, fixations, _beside(stimulus.id, size, settings, pool))


def _beside(stimulus: str, size: Size, settings: Settings, pool: GazePool | None) -> Beside:
    if pool is None:
        return Beside()
    wanted = needs(settings)
    others = baseline = None
    if "others" in wanted:
        counts = pool.counts_of_others(stimulus, size, settings.convention)
        others = None if counts is None else FixationCounts(counts)
    if "baseline" in wanted:
        baseline = pool.mean_of_others(stimulus, size, settings.density_sigma)
    return Beside(others, baseline)


def needs(settings: Settings) -> set[str]:
    """Say what the metrics need beside the gaze on the stimulus itself: others, baseline."""
    wanted = required_inputs(settings.chosen_metrics(), settings.convention)
    return set(wanted & {"others", "baseline"})
