"""Making the plan of a study from its settings and its data set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from quickgaze.backbones import Backbone
from quickgaze.stimuli import Dataset
from quickgaze.study._precomputed import PrecomputedMaps
from quickgaze.study._settings import Settings
from quickgaze.study.plan import DatasetFacts, Plan


def make_plan(
    settings: Settings,
    dataset: Dataset,
    shard_size: int,
    backbones: Sequence[Backbone],
    precomputed: Sequence[PrecomputedMaps] = (),
) -> Plan:
    """Say what a study will compute, with the fingerprints of all that it reads."""
    prints = dataset.fingerprints()
    facts = DatasetFacts(
        dataset.name,
        dataset.edition,
        dataset.gaze,
        dataset.fingerprint(prints),
        len(dataset.missing),
        tuple(dataset.notes),
    )
    return Plan(
        settings,
        facts,
        {backbone.name: backbone.weights_hash for backbone in backbones},
        tuple(stimulus.id for stimulus in dataset),
        shard_size,
        {backbone.name: _inputs(backbone) for backbone in backbones},
        {each.name: each.source.fingerprint for each in precomputed},
        tuple(prints),
    )


def _inputs(backbone: Backbone) -> dict[str, Any]:
    """Say what decides the features beside the weights, as plain values."""
    spec = backbone.spec
    return {
        "geometry": asdict(spec.geometry),
        "mean": spec.mean,
        "std": spec.std,
        "levels": [f"{level.name}:{level.stride}" for level in spec.levels],
        "precision": backbone.precision,
    }
