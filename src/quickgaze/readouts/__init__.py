"""What is fitted to gaze, and what it predicts of images that it was fitted without."""

from quickgaze.readouts._best_maps import best_map
from quickgaze.readouts._calibrated_scores import calibrated_scores
from quickgaze.readouts._calibration import Calibration, calibrate
from quickgaze.readouts._centre_bias import centre_bias
from quickgaze.readouts._fit import RUN, fit_readout

__all__ = [
    "RUN",
    "Calibration",
    "best_map",
    "calibrate",
    "calibrated_scores",
    "centre_bias",
    "fit_readout",
]
