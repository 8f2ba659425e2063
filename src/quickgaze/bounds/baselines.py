"""What a map scores that knows nothing of the image: a model should do better."""

from __future__ import annotations

import numpy as np
import torch

from quickgaze import cams
from quickgaze.bounds.pool import resized
from quickgaze.bounds.trials import BoundInput, Trial
from quickgaze.metrics import UndefinedError
from quickgaze.saliency import saliency_maps


def uniform(given: BoundInput) -> list[Trial]:
    """Every place alike."""
    return given.against_everybody(np.ones(given.size, dtype=np.float32))


def center(given: BoundInput) -> list[Trial]:
    """Use the centre Gaussian of the literature, `quickgaze.cams.center`."""
    height, width = given.size
    cam = cams.center(torch.empty(1, 3, 1, 1).expand(1, 3, height, width))
    return given.against_everybody(saliency_maps(cam.projection, given.size, 0.0)[0].numpy())


def center_bias(given: BoundInput) -> list[Trial]:
    """Use the mean density of all other stimuli: the centre bias, by cross-validation."""
    density = given.pool.mean_of_others(given.stimulus, given.size, given.sigma)
    if density is None:
        raise UndefinedError("no other stimulus of the data set has gaze data")
    return given.against_everybody(density)


def shuffled(given: BoundInput) -> list[Trial]:
    """Use another stimulus's density, drawn by chance and scaled to the size of this one."""
    partner = given.pool.partner(given.stimulus, given.seed)
    density = None if partner is None else partner.density(given.sigma)
    if density is None:
        raise UndefinedError("no other stimulus of the data set has gaze data")
    if density.shape != given.size:
        density = resized(density, given.size).astype(np.float32)
    return given.against_everybody(density)
