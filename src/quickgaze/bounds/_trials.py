"""What bounds are computed from, and their trials: a map and what it is scored against."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from quickgaze.bounds._pool import GazePool
from quickgaze.metrics import UndefinedError
from quickgaze.stimuli.types import Density, Fixations, Size, blurred_fixations

Points = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Trial:
    """A map, and the gaze that it is scored against.

    Parameters
    ----------
    map : ndarray, shape (H, W)
    density : ndarray, shape (H, W), float32, or None
    fixations : ndarray, shape (n, 2), float64, or None
        Columns x and y.

    Examples
    --------
    >>> Trial(np.eye(3), density=None, fixations=np.array([[2.0, 2.0]])).fixations.shape
    (1, 2)
    """

    map: npt.NDArray[np.floating]
    density: Density | None
    fixations: Points | None


@dataclass(frozen=True, eq=False)
class ObserverPair:
    """One observer and all others of the same stimulus, with their densities (H, W)."""

    one: Fixations
    rest: Fixations
    one_density: Density
    rest_density: Density


@dataclass(frozen=True, eq=False)
class BoundInput:
    """The gaze on one stimulus, and that on all others.

    Parameters
    ----------
    stimulus : str
        Its id.
    size : (int, int)
        Height and width in pixels.
    density : ndarray, shape (H, W), float32, or None
    fixations : Fixations or None
    pool : GazePool
    sigma : float
        Blur in pixels that turns fixations into densities.
    draws : int
        How many observers, or splits into halves, are drawn.
    seed : int
        Seed of the draws. Those of a stimulus depend on its id and on nothing else.

    Examples
    --------
    >>> given = BoundInput("a", (3, 4), None, None, GazePool.read([]), sigma=1, draws=9, seed=0)
    >>> [trial.map.shape for trial in given.against_everybody(np.ones((3, 4)))]
    [(3, 4)]
    """

    stimulus: str
    size: Size
    density: Density | None
    fixations: Fixations | None
    pool: GazePool
    sigma: float
    draws: int
    seed: int

    @property
    def points(self) -> Points | None:
        """The fixations as metrics take them."""
        return None if self.fixations is None else self.fixations.points

    def against_everybody(self, map_: npt.NDArray[np.floating]) -> list[Trial]:
        """Score a map as those of models are, against the whole gaze on the stimulus.

        Parameters
        ----------
        map_ : ndarray, shape (H, W)

        Returns
        -------
        list of Trial
        """
        return [Trial(map_, self.density, self.points)]

    def generator(self, purpose: str) -> np.random.Generator:
        """Start the random numbers of this stimulus for one purpose, the same at each call.

        Parameters
        ----------
        purpose : str

        Returns
        -------
        numpy.random.Generator
        """
        digest = hashlib.sha256(f"{purpose}\0{self.stimulus}".encode("utf-8", "surrogateescape"))
        return np.random.default_rng([self.seed, int.from_bytes(digest.digest()[:8], "big")])

    def observers(self) -> npt.NDArray[np.str_]:
        """Names of the observers who looked at the stimulus, in order.

        Returns
        -------
        ndarray, shape (n,), str
            Each once; `UndefinedError` is raised if there are fewer than two.
        """
        names = np.unique(self._everybody.observer)
        if len(names) < 2:
            raise UndefinedError(
                f"the stimulus has {len(names)} observer; people can be compared with each other "
                "only where there are two"
            )
        return names

    @property
    def _everybody(self) -> Fixations:
        if self.fixations is None:
            raise UndefinedError("the stimulus has no fixations, so no observers to compare")
        return self.fixations

    @cached_property
    def pairs(self) -> list[ObserverPair]:
        """One observer and the rest, for each of the observers that are drawn."""
        names = self.observers()
        drawn = self.generator("observers").permutation(names)[: self.draws]
        parted = (self.parted(np.array([name])) for name in drawn)
        return [
            ObserverPair(one, rest, self.blurred(one), self.blurred(rest)) for one, rest in parted
        ]

    def parted(self, names: npt.NDArray[np.str_]) -> tuple[Fixations, Fixations]:
        """Divide the fixations into those of some observers and those of all others.

        Parameters
        ----------
        names : ndarray, shape (n,), str

        Returns
        -------
        (Fixations, Fixations)
        """
        everybody = self._everybody
        chosen = np.isin(everybody.observer, names)
        first, second = (
            Fixations(everybody.x[part], everybody.y[part], everybody.observer[part])
            for part in (chosen, ~chosen)
        )
        return first, second

    def blurred(self, fixations: Fixations) -> Density:
        """Blur fixations on this stimulus, of which there is at least one, into a density.

        Parameters
        ----------
        fixations : Fixations

        Returns
        -------
        ndarray, shape (H, W), float32
        """
        return blurred_fixations(fixations, self.size, self.sigma)
