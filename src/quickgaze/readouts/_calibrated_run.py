"""The run of a calibration: its plan, its maps, and a table of what was fitted."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import polars as pl
import torch

from quickgaze.cams import Cam
from quickgaze.errors import StimulusError
from quickgaze.metrics import METRICS
from quickgaze.readouts._calibrated_scores import GAIN
from quickgaze.readouts._canvas import VariantMaps, as_plane
from quickgaze.readouts._folding import FoldModel
from quickgaze.readouts._targets import CANVAS
from quickgaze.stimuli import Dataset, Stimulus
from quickgaze.stimuli.types import Size
from quickgaze.study import MapVariant, Run
from quickgaze.study.keeping import MadeMaps
from quickgaze.study.plan import Plan
from quickgaze.study.stored import StoredMap
from quickgaze.study.variants import CALIBRATED, NO_BACKBONE, NO_RULE, CamKey


@dataclass(frozen=True, eq=False)
class Fit:
    """The maps of a variant, the fold of each by the position of its stimulus, a model a fold."""

    maps: VariantMaps
    folds: Mapping[int, int]
    models: Sequence[FoldModel]

    @property
    def variant(self) -> MapVariant:
        """The maps as the run has them."""
        return self.maps.variant

    @property
    def key(self) -> CamKey:
        """The key of the calibrated maps."""
        own = self.variant
        return CamKey(own.backbone, own.cam + CALIBRATED, own.grid, own.component)

    def plane(self, place: int) -> torch.Tensor:
        """Calibrated density of a stimulus that has a map, (1, 60, 80); NaN where that is NaN."""
        if place not in self.folds:
            return torch.full((1, *CANVAS), torch.nan)
        model = self.models[self.folds[place]]
        return torch.from_numpy(as_plane(model.log_density(self.maps, np.array([place]))[0]))[None]


def calibrated_plan(run: Run, dataset: Dataset, fits: Sequence[Fit], how: str) -> Plan:
    """Plan the run that holds maps as they were and as they are calibrated."""
    plan, variants = run.plan, [fit.variant for fit in fits]
    convention = plan.settings.convention
    metrics = [name for name in plan.settings.metrics if name in METRICS.names()]
    if convention in METRICS[GAIN].conventions:
        metrics.append(GAIN)
    named = dict.fromkeys(each.backbone for each in variants if each.backbone != NO_BACKBONE)
    ruled = dict.fromkeys(each.orientation for each in variants if each.orientation != NO_RULE)
    cams = [*(each.cam for each in variants), *(fit.key.cam for fit in fits)]
    settings = replace(
        plan.settings,
        backbones=tuple(named),
        cams=tuple(dict.fromkeys(cams)),
        grids=tuple(dict.fromkeys(each.grid for each in variants)),
        components=tuple(dict.fromkeys(each.component for each in variants)),
        orientations=tuple(ruled) or plan.settings.orientations,
        sigmas=tuple(dict.fromkeys([*(each.sigma for each in variants), 0.0])),
        metrics=tuple(dict.fromkeys(metrics)),
        maps={},
        own_metrics={},
    )
    prints = dataset.fingerprints()
    fingerprint = dataset.fingerprint(prints)
    chosen = [asdict(each) for each in variants]
    source = json.dumps([chosen, plan.to_json()], sort_keys=True, default=str).encode()
    return Plan(
        settings,
        replace(plan.dataset, fingerprint=fingerprint, notes=_notes(plan, fits, how)),
        {name: plan.weights_hashes[name] for name in named if name in plan.weights_hashes},
        plan.stimuli,
        plan.shard_size,
        {name: plan.inputs[name] for name in named if name in plan.inputs},
        {"calibrated": f"{how}, of {hashlib.sha256(source).hexdigest()}"},
        tuple(prints),
    )


def _notes(plan: Plan, fits: Sequence[Fit], how: str) -> tuple[str, ...]:
    notes = [f"Maps called {CALIBRATED} are out of fold, each without its own gaze: {how}."]
    for fit in fits:
        used = Counter(model.used for model in fit.models)
        for other in ("own", "centre bias"):
            if used[other]:
                what = "the map as it was" if other == "own" else "the centre bias alone"
                notes.append(
                    f"{fit.key.cam} is {what} in {used[other]} of {len(fit.models)} folds, where "
                    "no calibration was better."
                )
    return (*plan.dataset.notes, *notes)


def made_maps(run: Run, plan: Plan, fits: Sequence[Fit], places: Mapping[str, int]) -> MadeMaps:
    """Say how the maps of each stimulus are made: those of the run, and those calibrated."""
    failed = dict(run.failures().select("stimulus", "message").rows())

    def make(stimulus: Stimulus, size: Size) -> list[StoredMap]:
        place = places[stimulus.id]
        there = [fit for fit in fits if place in fit.maps.stored]
        if not there:
            raise StimulusError(failed.get(stimulus.id, f"{run.place} has no map of it"))
        own = [fit.maps.stored[place] for fit in there]
        if own[0].size != tuple(size):
            raise StimulusError(
                f"the run's map is of an image of {own[0].size[0]} x {own[0].size[1]} pixels "
                f"(height x width), the data set's image has {size[0]} x {size[1]}; load the data "
                "set that the run was computed on"
            )
        calibrated = [
            StoredMap(stimulus.id, fit.key, size, Cam.unsigned(fit.plane(place), density=True))
            for fit in there
        ]
        return [*own, *calibrated]

    only: dict[CamKey, Mapping[str, Any]] = {}
    for fit in fits:
        own = fit.variant
        key = CamKey(own.backbone, own.cam, own.grid, own.component)
        only[key] = {"sigmas": (own.sigma,), "orientations": (own.orientation,)}
        only[fit.key] = {"sigmas": (0.0,)}
    backbones = run.manifest.backbones if run.complete else {}
    kept = {fit.variant.backbone for fit in fits}
    made_of = {name: facts for name, facts in backbones.items() if name in kept}
    same_gaze = run.complete and run.plan.dataset.fingerprint == plan.dataset.fingerprint
    return MadeMaps(make, only, made_of, bounds_of=run if same_gaze else None)


def fold_table(fits: Sequence[Fit]) -> pl.DataFrame:
    """List what was fitted in each fold."""
    rows = []
    for fit in fits:
        tested = Counter(fit.folds.values())
        for fold, model in enumerate(fit.models):
            monotone = model.monotone
            facts = {"fold": fold, "used": model.used, "blur": model.blur}
            facts |= {"centre_weight": monotone.centre_weight, "knots": monotone.knots.tolist()}
            facts |= {"rises": monotone.rises.tolist(), "fitted": model.images}
            rows.append({**asdict(fit.variant), **facts, "tested": tested[fold]})
    return pl.DataFrame(rows)
