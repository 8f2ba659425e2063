"""Class activation maps: from a feature pyramid to signed maps on a grid."""

from quickgaze.cams.baselines import center, spectral_residual, uniform
from quickgaze.cams.cam import Cam
from quickgaze.cams.catalogue import CAMS, as_cam, check_cam
from quickgaze.cams.detector_boxes import boxes
from quickgaze.cams.eigen_cam import eigen
from quickgaze.cams.features import LEVEL_SCALES
from quickgaze.cams.fusion import FUSIONS, mean_over_levels
from quickgaze.cams.gradient import GRADIENT_METHODS, gradient
from quickgaze.cams.method import CamInput, CamMethod, CamOptions
from quickgaze.cams.orientation import ORIENTATIONS, Orientation
from quickgaze.cams.sign_free import activation, deviation

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
    "as_cam",
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
