"""Making the plan of a study from its settings and its data set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from quickgaze.backbones import Backbone
from quickgaze.options import StudyOptions
from quickgaze.stimuli import Dataset
from quickgaze.study._fitted import readout_facts, readout_notes
from quickgaze.study._precomputed import PrecomputedMaps
from quickgaze.study._settings import Settings
from quickgaze.study.plan import DatasetFacts, Plan


def make_plan(
    settings: Settings,
    dataset: Dataset,
    shard_size: int,
    backbones: Sequence[Backbone],
    precomputed: Sequence[PrecomputedMaps] = (),
    *,
    out_of_fold: bool = False,
) -> Plan:
    """Say what a study will compute, with the fingerprints of all that it reads.

    `out_of_fold` says that the readout among its CAMs is not the one that makes the maps.
    """
    prints = dataset.fingerprints()
    facts = DatasetFacts(
        dataset.name,
        dataset.edition,
        dataset.gaze,
        dataset.fingerprint(prints),
        len(dataset.missing),
        tuple(dataset.notes),
    )
    notes = readout_notes(settings, facts, out_of_fold)
    facts = replace(facts, notes=facts.notes + notes)
    return Plan(
        settings,
        facts,
        {backbone.name: backbone.weights_hash for backbone in backbones},
        tuple(stimulus.id for stimulus in dataset),
        shard_size,
        {
            each.name: {**_inputs(each), **readout_facts(settings, each.name, out_of_fold)}
            for each in backbones
        },
        {each.name: each.source.fingerprint for each in precomputed},
        tuple(prints),
    )


def plan_out_of_fold(given: StudyOptions, dataset: Dataset, backbone: Backbone) -> Plan:
    """Say what is scored of maps that a readout's fit made of images it was fitted without."""
    settings = Settings.of(given, dataset)
    return make_plan(settings, dataset, settings.shard_size, [backbone], out_of_fold=True)


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
