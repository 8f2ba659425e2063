"""Reading all that readouts are fitted to, each image through the network once."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from quickgaze.errors import DatasetError, LeftOutWarning
from quickgaze.readouts._features import Features
from quickgaze.readouts._targets import SHARE_OF_BLUR, Gaze, Target
from quickgaze.readouts._training import Material
from quickgaze.stimuli import Dataset, Stimulus
from quickgaze.stimuli.types import Size
from quickgaze.study import progress_bar


@dataclass(frozen=True, eq=False)
class Reading:
    """The stimuli that can be fitted to, in their order, and why others cannot.

    `targets` are their own gaze; what is taught stands in `material`.
    """

    stimuli: Sequence[Stimulus]
    targets: Sequence[Target]
    material: Material
    left_out: Mapping[str, str]


def read_all(
    dataset: Dataset,
    features: Features,
    device: torch.device,
    shuffle: bool,
    seed: int,
    progress: bool,
) -> Reading:
    """Read gaze and features of a data set; what is wrong with one image leaves it out."""
    if not any(stimulus.gaze or stimulus.map for stimulus in dataset):
        raise DatasetError(
            f"{dataset.name} has no gaze, so that no readout can be fitted to it; name a data set "
            "with fixations or densities"
        )
    sigma = SHARE_OF_BLUR * dataset.density_sigma
    stimuli: list[Stimulus] = []
    sizes: list[Size] = []
    targets: list[Target] = []
    moments: list[torch.Tensor] = []
    left_out: dict[str, str] = {}
    with progress_bar(progress) as bar:
        task = bar.add_task(f"features of {dataset.name}", total=len(dataset))
        for stimulus in dataset:
            bar.advance(task)
            try:
                image = stimulus.image()
                size = (image.shape[0], image.shape[1])
                gaze = Gaze.read(stimulus, size)
                computed = features.compute(image)
            except Exception as error:  # noqa: BLE001 - one bad stimulus never ends a fit
                left_out[stimulus.id] = str(error) or repr(error)
                continue
            features.add(stimulus, computed)
            stimuli.append(stimulus)
            sizes.append(size)
            targets.append(gaze.target((computed.shape[1], computed.shape[2]), sigma))
            cells = computed.double().flatten(1)
            moments.append(torch.stack([cells.mean(1), cells.square().mean(1)]))
    _tell(dataset, left_out)
    taught = _of_others(stimuli, sizes, targets, sigma, seed) if shuffle else targets
    means, squares = torch.stack(moments, 1).numpy()
    material = Material(features, taught, means, squares, device)
    return Reading(stimuli, targets, material, left_out)


def _tell(dataset: Dataset, left_out: Mapping[str, str]) -> None:
    if not left_out:
        return
    name, reason = next(iter(left_out.items()))
    if len(left_out) == len(dataset):
        raise DatasetError(
            f"none of the {len(dataset):,} images of {dataset.name} can be fitted to; the first, "
            f"{name}: {reason}"
        )
    warnings.warn(
        f"{len(left_out):,} of {len(dataset):,} images of {dataset.name} are left out of the fit; "
        f"the first, {name}: {reason}",
        LeftOutWarning,
        stacklevel=4,
    )


def _of_others(
    stimuli: Sequence[Stimulus],
    sizes: Sequence[Size],
    targets: Sequence[Target],
    sigma: float,
    seed: int,
) -> list[Target]:
    """Give each image the gaze on another."""
    order = np.random.default_rng((seed, 3)).permutation(len(stimuli)).tolist()
    taught = list(targets)
    for own, other in zip(order, order[1:] + order[:1], strict=True):
        height, width = targets[own].grid.shape
        taught[own] = Gaze.read(stimuli[other], sizes[other]).target((height, width), sigma)
    return taught
