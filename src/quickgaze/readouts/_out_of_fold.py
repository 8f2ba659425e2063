"""Readouts of all folds, what they predict of the images they were fitted without, and a run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median_low

import numpy as np
import torch

from quickgaze.backbones import Backbone
from quickgaze.cams import Cam, Readout, ReadoutCard
from quickgaze.errors import StimulusError
from quickgaze.metrics import DEFAULT_METRICS
from quickgaze.options import FitOptions, StudyOptions
from quickgaze.readouts._folds import SCENE, Positions, groups_of, inner_part
from quickgaze.readouts._models import Frame, Parameters
from quickgaze.readouts._reading import Reading
from quickgaze.readouts._training import DECAYS, Fit, Fitted, fit_all, passes_for, repeats_for
from quickgaze.stimuli import Dataset, Stimulus
from quickgaze.stimuli.types import Size
from quickgaze.study import progress_bar
from quickgaze.study.keeping import MadeMaps, keep_maps
from quickgaze.study.manifest import BackboneFacts
from quickgaze.study.planning import plan_out_of_fold
from quickgaze.study.stored import StoredMap
from quickgaze.study.variants import CamKey

CAM = "readout"
SCORES = ("cc", "nss", "auc")
"""Metrics of the run that stand on a readout's card."""


@dataclass(frozen=True, eq=False)
class Found:
    """The readout of each fold, the final one, and what was chosen for it."""

    folds: Sequence[tuple[Parameters, Frame]]
    final: tuple[Parameters, Frame]
    decay: float
    passes: int
    likelihood: float

    def readout(self, card: ReadoutCard) -> Readout:
        """Give the final readout."""
        parameters, frame = self.final
        return parameters.readout(0, frame, card)


def fit_folds(reading: Reading, parts: Positions, given: FitOptions, progress: bool) -> Found:
    """Fit the readouts of all folds, and the final one to all images as was best for these."""
    every = np.arange(len(parts))
    groups = groups_of(reading.stimuli)
    owners = [every[parts != fold] for fold in range(given.folds)] or [every]
    splits = [inner_part(images, groups, given.seed) for images in owners]
    fits = [Fit(*each, decay) for each in splits for decay in DECAYS]
    fitted = _fitted(reading, fits, given, "folds" if given.folds else "settings", progress)
    likelihoods = np.array(fitted.likelihoods).reshape(len(owners), len(DECAYS))
    passes = np.array(fitted.passes).reshape(likelihoods.shape)
    best = int(likelihoods.mean(0).argmax())
    chosen, until = DECAYS[best], median_low(passes[:, best].tolist())
    last = Fit(every, every[:0], chosen, until)
    final = _fitted(reading, [last], given, "readout", progress)
    models = list(fitted.readouts())
    picked = likelihoods.argmax(1)
    folds = [models[row * len(DECAYS) + int(column)] for row, column in enumerate(picked)]
    likelihood = float(likelihoods[:, best].mean())
    return Found(folds, next(final.readouts()), chosen, until, likelihood)


def _fitted(
    reading: Reading, fits: Sequence[Fit], given: FitOptions, what: str, progress: bool
) -> Fitted:
    images = len(reading.stimuli)
    passes = max(fit.passes_of(passes_for(images)) for fit in fits)
    with progress_bar(progress) as bar:
        task = bar.add_task(f"fit of the {what}", total=passes * repeats_for(images) * images)

        held_out = any(len(fit.inner) for fit in fits)

        def done(more: int, bits: float) -> None:
            told = f", {bits:.2f} bits" if held_out else ""
            bar.update(task, advance=more, description=f"fit of the {what}{told}")

        return fit_all(reading.material, fits, given.hidden, given.seed, done)


@dataclass(frozen=True, eq=False)
class Predicted:
    """Densities (h, w) by stimulus, each by a readout that was fitted without it.

    `gain` is their mean information gain over the centre bias of the same images, in bits.
    """

    densities: Mapping[str, torch.Tensor]
    left_out: Mapping[str, str]
    gain: float
    by_scene: bool


def predict(found: Found, reading: Reading, parts: Positions) -> Predicted:
    """Predict each image out of fold."""
    densities, gains = {}, []
    for position, stimulus in enumerate(reading.stimuli):
        parameters, frame = found.folds[parts[position]]
        features = reading.material.features.read(position)[None]
        log_density = parameters.log_density(frame, features)[0, 0]
        target = reading.targets[position].grid
        gain = (log_density - frame.centre(target.shape)[0]).double().cpu().numpy()
        gains.append(float((gain * target.ravel()).sum() / math.log(2)))
        densities[stimulus.id] = log_density.exp().reshape(target.shape).cpu()
    by_scene = any(SCENE in stimulus.attributes for stimulus in reading.stimuli)
    return Predicted(densities, reading.left_out, float(np.mean(gains)), by_scene)


def score_predicted(
    predicted: Predicted,
    readout: Readout,
    dataset: Dataset,
    backbone: Backbone,
    given: FitOptions,
    out: Path,
    progress: bool,
) -> dict[str, float]:
    """Score what was predicted, into a run folder, and give the means of a card."""
    key = CamKey(backbone.name, CAM, given.grid, 0)

    def make(stimulus: Stimulus, size: Size) -> list[StoredMap]:
        if stimulus.id in predicted.left_out:
            raise StimulusError(f"left out of the fit: {predicted.left_out[stimulus.id]}")
        cam = Cam.unsigned(predicted.densities[stimulus.id][None], density=True)
        return [StoredMap(stimulus.id, key, size, cam)]

    study = StudyOptions(
        [backbone],
        [readout.method()],
        [given.grid],
        sigmas=[0.0],
        metrics=[*DEFAULT_METRICS, "information_gain"],
        levels=readout.card.levels,
        seed=given.seed,
    )
    notes = (*dataset.notes, *_notes(given, predicted.by_scene))
    noted = replace(dataset, notes=notes)
    plan = plan_out_of_fold(study, noted, backbone)
    made = MadeMaps(make, backbones={backbone.name: BackboneFacts.of(backbone)})
    run = keep_maps(plan, noted, made, out, progress=progress)
    means = run.scores().select(SCORES).fill_nan(None).mean().row(0, named=True)
    scores = {name: math.nan if mean is None else float(mean) for name, mean in means.items()}
    return {"information_gain": predicted.gain, **scores}


def _notes(given: FitOptions, by_scene: bool) -> list[str]:
    without = "it and the other images of its scene" if by_scene else "it"
    made = (
        f"The maps of {CAM} are out of fold: each image's was made by a readout fitted without "
        f"{without} ({given.folds} folds, seed {given.seed})."
    )
    if not given.shuffle:
        return [made]
    return [made, "As a control, it was fitted to the gaze on other images."]
