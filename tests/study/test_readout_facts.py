"""What a run says of its readout: what it was fitted on, and whether it has seen these images."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch

from quickgaze.cams import Readout, ReadoutCard
from quickgaze.study.plan import DatasetFacts, Plan
from quickgaze.study.readout_facts import ReadoutFacts

CARD = ReadoutCard(
    backbone="net",
    weights="ImageNet-1k",
    weights_hash="a1",
    levels=("s8", "s16"),
    grid="s16",
    hidden=2,
    dataset="osie",
    edition="2014",
    gaze="fixations",
    licence="MIT",
    images=40,
    fingerprint="f0",
    seed=0,
    folds=10,
    scores={},
    chosen={},
    versions={},
)
OSIE = DatasetFacts("osie", "2014", fingerprint="f0")


@pytest.fixture
def readout() -> Readout:
    ones = torch.ones(2)
    zeros = torch.zeros(60, 80)
    return Readout(CARD, torch.zeros(3), torch.ones(3), torch.ones(2, 3), ones, ones, 1, 1, zeros)


def plan(inputs: dict) -> Plan:
    content = {"settings": {}, "stimuli": [], "inputs": {"net": inputs}}
    return Plan.from_json(json.loads(json.dumps(content)))


@pytest.mark.parametrize("out_of_fold", [False, True])
def test_they_are_read_back_from_a_plan(readout: Readout, out_of_fold: bool) -> None:
    facts = ReadoutFacts.of(readout, out_of_fold=out_of_fold)
    assert facts.levels == ("s8", "s16")
    assert (facts.hidden, facts.weights, facts.images) == (2, "ImageNet-1k", 40)
    assert (facts.digest, facts.out_of_fold) == (readout.digest, out_of_fold)
    assert ReadoutFacts.of_plan(plan({"precision": "fp32", **facts.inputs()}), "net") == facts


def test_a_plan_without_a_readout_has_none(readout: Readout) -> None:
    inputs = ReadoutFacts.of(readout).inputs()
    assert ReadoutFacts.of_plan(plan({"precision": "fp32"}), "net") is None
    assert ReadoutFacts.of_plan(plan(dict(inputs)), "other") is None


@pytest.mark.parametrize(
    ("scored_on", "seen"),
    [
        (OSIE, "all"),
        (replace(OSIE, edition="another name"), "all"),
        (replace(OSIE, fingerprint="f1"), "perhaps"),
        (replace(OSIE, fingerprint="f1", edition="2020"), "none"),
        (replace(OSIE, name="eyecrowd"), "none"),
    ],
)
def test_whether_it_was_fitted_on_what_it_is_scored_on(
    readout: Readout, scored_on: DatasetFacts, seen: str
) -> None:
    facts = ReadoutFacts.of(readout)
    assert facts.seen(scored_on) == seen
    assert replace(facts, out_of_fold=True).seen(scored_on) == "none"
