"""Class activation maps: from a feature pyramid to signed maps on a grid."""

from quickgaze.cams.cam import Cam
from quickgaze.cams.eigen_cam import eigen
from quickgaze.cams.entries import CAMS
from quickgaze.cams.features import LEVEL_SCALES
from quickgaze.cams.method import CamInput, CamMethod, CamOptions
from quickgaze.cams.orientation import ORIENTATIONS, Orientation

__all__ = [
    "CAMS",
    "LEVEL_SCALES",
    "ORIENTATIONS",
    "Cam",
    "CamInput",
    "CamMethod",
    "CamOptions",
    "Orientation",
    "eigen",
]
