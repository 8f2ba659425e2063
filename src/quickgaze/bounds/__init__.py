"""What a model's scores are compared with, computed from the data set itself.

Baselines know nothing of the image: a model should do better. Ceilings say how well people agree
with each other: a model can hardly do better.
"""

from quickgaze.bounds.catalogue import BOUNDS, CHANCE, Bound, people
from quickgaze.bounds.pool import GazePool
from quickgaze.bounds.scoring import Beside, BoundScores, score_bound, spearman_brown
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
