"""What a model's scores are held against, computed from the data set itself.

Baselines know nothing of the image: a model should do better. Ceilings say how well people agree
with each other: a model can hardly do better. Between the centre bias and people lies the way of
which a model's share is told.
"""

from quickgaze.bounds.ceilings import spearman_brown
from quickgaze.bounds.entries import BOUNDS, CHANCE, Bound, people
from quickgaze.bounds.pool import GazePool
from quickgaze.bounds.scoring import Beside, BoundScores, score_bound
from quickgaze.bounds.trials import BoundInput, Trial

__all__ = [
    "BOUNDS",
    "CHANCE",
    "Beside",
    "Bound",
    "BoundInput",
    "BoundScores",
    "GazePool",
    "Trial",
    "people",
    "score_bound",
    "spearman_brown",
]
