"""Class activation maps: from a feature pyramid to signed maps on a grid."""

from quickgaze.cams.baselines import center, uniform
from quickgaze.cams.cam import Cam
from quickgaze.cams.detector_boxes import boxes
from quickgaze.cams.eigen_cam import eigen
from quickgaze.cams.entries import CAMS, check_cam
from quickgaze.cams.features import LEVEL_SCALES
from quickgaze.cams.fusion import FUSIONS, mean_over_levels
from quickgaze.cams.gradient import GRADIENT_METHODS, gradient
from quickgaze.cams.method import CamInput, CamMethod, CamOptions
from quickgaze.cams.orientation import ORIENTATIONS, Orientation
from quickgaze.cams.sign_free import activation, deviation
from quickgaze.cams.spectral_residual_cam import spectral_residual

__all__ = [
    "CAMS",
    "FUSIONS",
    "GRADIENT_METHODS",
    "LEVEL_SCALES",
    "ORIENTATIONS",
    "Cam",
    "CamInput",
    "CamMethod",
    "CamOptions",
    "Orientation",
    "activation",
    "boxes",
    "center",
    "check_cam",
    "deviation",
    "eigen",
    "gradient",
    "mean_over_levels",
    "spectral_residual",
    "uniform",
]
