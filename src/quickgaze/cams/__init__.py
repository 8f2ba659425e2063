"""Class activation maps: from a feature pyramid to signed maps on a grid."""

from quickgaze.cams._baselines import center, spectral_residual, uniform
from quickgaze.cams._cam import Cam
from quickgaze.cams._catalogue import CAMS, as_cam, check_cam
from quickgaze.cams._detector_boxes import boxes
from quickgaze.cams._eigen_cam import eigen
from quickgaze.cams._features import LEVEL_SCALES
from quickgaze.cams._fusion import FUSIONS, mean_over_levels
from quickgaze.cams._gradient import GRADIENT_METHODS, gradient
from quickgaze.cams._method import CamInput, CamMethod, CamOptions
from quickgaze.cams._orientation import ORIENTATIONS, Orientation
from quickgaze.cams._readout import Readout
from quickgaze.cams._readout_card import ReadoutCard
from quickgaze.cams._readout_features import readout_features
from quickgaze.cams._readout_files import as_readout, load_readout
from quickgaze.cams._sign_free import activation, deviation
from quickgaze.cams._undefined import why_undefined

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
    "Readout",
    "ReadoutCard",
    "activation",
    "as_cam",
    "as_readout",
    "boxes",
    "center",
    "check_cam",
    "deviation",
    "eigen",
    "gradient",
    "load_readout",
    "mean_over_levels",
    "readout_features",
    "spectral_residual",
    "uniform",
    "why_undefined",
]
