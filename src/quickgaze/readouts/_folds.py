"""Which images a readout is fitted on, which stop it, and which it is tested on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from quickgaze.errors import OptionError
from quickgaze.stimuli import Stimulus

Positions = npt.NDArray[np.int64]

SCENE = "scene"
"""The attribute of stimuli that show the same scene, which no split takes apart."""

_INNER = 0.1  # share of the images of a fit that only say when it is good enough
_MOST_INNER = 100  # scenes; more would not say it better


def groups_of(stimuli: Sequence[Stimulus]) -> Positions:
    """Give each stimulus the number of its scene; one without a name has a number of its own."""
    names = [
        (SCENE, str(stimulus.attributes[SCENE])) if SCENE in stimulus.attributes else ("", str(at))
        for at, stimulus in enumerate(stimuli)
    ]
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return np.array([numbers[name] for name in names], dtype=np.int64)


def split(groups: Positions, folds: int, seed: int, dataset: str) -> Positions:
    """Give each image one of `folds` parts; no scene is in two."""
    count = len(np.unique(groups))
    if count < folds:
        what = "images with gaze" if count == len(groups) else "scenes"
        raise OptionError(
            f"folds is {folds}, but {dataset} has {count} {what} to fit a readout on; give at most "
            f"{count}"
        )
    order = np.random.default_rng(seed).permutation(count)
    part = np.empty(count, dtype=np.int64)
    part[order] = np.arange(count) % max(1, folds)
    return part[groups]


def inner_part(images: Positions, groups: Positions, seed: int) -> tuple[Positions, Positions]:
    """Split the images of a fit into those that it learns from, and those that stop it.

    A tenth are held out, 100 at most. A single scene teaches and stops it.
    """
    scenes = np.unique(groups[images])
    if len(scenes) < 2:
        return images, images
    count = min(_MOST_INNER, max(1, round(_INNER * len(scenes))))
    drawn = np.random.default_rng((seed, 1)).permutation(scenes)[:count]
    held = np.isin(groups[images], drawn)
    return images[~held], images[held]
