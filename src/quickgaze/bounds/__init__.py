"""What a model's scores are compared with, computed from the data set itself.

Baselines know nothing of the image: a model should do better. Ceilings say how well people agree
with each other: a model can hardly do better.
"""

from quickgaze.bounds._catalogue import BOUNDS, CHANCE, Bound, people
from quickgaze.bounds._pool import GazePool
from quickgaze.bounds._scoring import Beside, BoundScores, score_bound, spearman_brown
from quickgaze.bounds._trials import BoundInput, Trial

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
