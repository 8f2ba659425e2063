"""Readouts fitted to gaze, and what they predict of images that they were fitted without."""

from quickgaze.readouts._fit import FILE, RUN, fit_readout

__all__ = ["FILE", "RUN", "fit_readout"]
