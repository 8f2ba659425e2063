"""One fold of a calibration: what is fitted, and what is kept where the fit is not better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from quickgaze.readouts._canvas import CanvasGaze, VariantMaps
from quickgaze.readouts._folds import Positions, split
from quickgaze.readouts._monotone import Monotone, fit_monotone
from quickgaze.readouts._targets import CANVAS, centre_bias

Plane = npt.NDArray[np.float64]
Used = Literal["calibrated", "own", "centre bias"]

BLURS = (0.0, 0.0125, 0.025, 0.0375, 0.05, 0.08)
"""Standard deviations that are tried, in shares of the image's longer side: 0 to 6.4 cells."""

_SEARCHED = 30
"""Most images on which the blur is chosen."""

_FITTED = 150
"""Most images that a calibration is fitted on: many for some ten numbers."""

_PARTS = 3
"""Parts of the images of a fold that say in turn what is best for those that a fit has not seen."""

_Near = tuple[float, Monotone]
"""A blur, and a fit from which others begin."""

_EPSILON = 1e-20  # as in information_gain


@dataclass(frozen=True, eq=False)
class FoldModel:
    """What turns the maps of one fold into densities; `images` is how many it was fitted on."""

    used: Used
    blur: float
    monotone: Monotone
    images: int

    def log_density(self, maps: VariantMaps, places: Positions) -> Plane:
        """Log of densities whose sum is 1, (n, cells)."""
        if self.used == "own":
            return _own_log_density(maps, places)
        return self.monotone.log_density(maps.blurred(places, self.blur))


def fit_fold(
    maps: VariantMaps, gaze: CanvasGaze, images: Positions, groups: Positions, seed: int
) -> FoldModel:
    """Fit on images, or keep the maps or the centre bias where an inner part prefers these."""
    blur, near = _best_blur(maps, gaze, images, seed)
    drawn = _drawn(images, _FITTED, seed)
    gains: dict[Used, float] = dict.fromkeys(("calibrated", "centre bias", "own"), 0.0)
    for held in _inner(drawn, groups, seed):
        learnt = images if len(held) == len(drawn) else np.setdiff1d(images, held)
        looked = gaze.planes[held].astype(np.float64)
        for used, density in _offers(maps, gaze, learnt, held, (blur, near), seed).items():
            gains[used] += float((looked * density).sum())
    # the first of equals: a fit that gained nothing is still a calibration
    best = max(gains, key=lambda used: gains[used])
    model = _fitted(maps, gaze, images, (blur, near), seed)
    monotone = _flat(model.monotone) if best == "centre bias" else model.monotone
    return FoldModel(best, blur, monotone, model.images)


def _inner(images: Positions, groups: Positions, seed: int) -> list[Positions]:
    """Part images into those that are held out together; of too few scenes, none is."""
    parts = min(_PARTS, len(np.unique(groups[images])))
    if parts < 2:
        return [images]
    of_each = parts_of(images, groups, parts, seed)
    return [images[of_each == part] for part in range(parts)]


def _offers(
    maps: VariantMaps,
    gaze: CanvasGaze,
    learnt: Positions,
    held: Positions,
    near: _Near,
    seed: int,
) -> dict[Used, Plane]:
    """Log densities of images that are held out, from all that a fold may use."""
    trial = _fitted(maps, gaze, learnt, near, seed)
    nothing = _flat(trial.monotone).log_density(np.zeros((1, CANVAS[0] * CANVAS[1])))
    return {
        "calibrated": trial.log_density(maps, held),
        "centre bias": nothing,
        "own": _own_log_density(maps, held),
    }


def parts_of(images: Positions, groups: Positions, parts: int, seed: int) -> Positions:
    """Give each of some images one of so many parts; no scene is in two."""
    among = np.unique(groups[images], return_inverse=True)[1]
    return split(among, parts, seed, "the run")


def _best_blur(maps: VariantMaps, gaze: CanvasGaze, images: Positions, seed: int) -> _Near:
    drawn = _drawn(images, _SEARCHED, seed)
    centre = _centre(gaze, images)
    looked = gaze.planes[drawn].astype(np.float64)
    fits: list[Monotone] = []
    likelihoods: list[float] = []
    for blur in BLURS:
        blurred = maps.blurred(drawn, blur)
        fits.append(fit_monotone(blurred, looked, centre, fits[-1] if fits else None))
        likelihoods.append(float((looked * fits[-1].log_density(blurred)).sum(1).mean()))
    best = int(np.argmax(likelihoods))
    return BLURS[best], fits[best]


def _fitted(
    maps: VariantMaps, gaze: CanvasGaze, images: Positions, near: _Near, seed: int
) -> FoldModel:
    drawn = _drawn(images, _FITTED, seed)
    looked = gaze.planes[drawn].astype(np.float64)
    blur, start = near
    monotone = fit_monotone(maps.blurred(drawn, blur), looked, _centre(gaze, images), start)
    return FoldModel("calibrated", blur, monotone, len(drawn))


def _flat(monotone: Monotone) -> Monotone:
    """Give the centre bias alone in the form of a fit."""
    return Monotone(np.array([0.0, 1.0]), np.zeros(1), 1.0, monotone.centre)


def _drawn(images: Positions, most: int, seed: int) -> Positions:
    return np.sort(np.random.default_rng((seed, 2)).permutation(images)[:most])


def _centre(gaze: CanvasGaze, images: Positions) -> Plane:
    return centre_bias(gaze.planes[images].reshape(-1, *CANVAS)).ravel()


def _own_log_density(maps: VariantMaps, places: Positions) -> Plane:
    """Log of the maps themselves as densities, as `information_gain` takes them."""
    own = maps.own(places) + _EPSILON
    log_density: Plane = np.log(own / own.sum(1, keepdims=True))
    return log_density
