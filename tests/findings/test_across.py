"""Readouts by what they were fitted on and what they are tested on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from quickgaze.errors import OptionError, UnknownNameError
from quickgaze.findings import across, means
from quickgaze.study.readout_facts import ReadoutFacts

READOUT = {"cam": "readout", "grid": "own", "orientation": "none", "sigma": 0.0}
FITTED = ReadoutFacts(
    digest="d0",
    weights="ImageNet-1k",
    levels=("s8", "s16"),
    dataset="osie",
    edition="2014",
    gaze="fixations",
    images=360,
    fingerprint="f0",
)
VALUES = {"cc": np.linspace(0.5, 0.8, 16).tolist(), "nss": np.linspace(1, 2, 16).tolist()}


def run_of(table_run: Callable, facts: ReadoutFacts, *variants: Any, **dataset: str) -> Any:
    return table_run(
        (READOUT, VALUES),
        *variants,
        plan={"inputs": {"net": {"levels": ["s8:8", "s16:16"], **facts.inputs()}}},
        dataset=dataset,
    )


def test_a_row_per_run_and_metric_says_what_was_fitted_and_tested(table_run: Callable) -> None:
    own = run_of(table_run, replace(FITTED, out_of_fold=True), name="osie", edition="2014")
    other = run_of(table_run, replace(FITTED, hidden=16), name="eyecrowd", edition="1.0")
    found = across([own, other], resamples=100)
    names = ("what", "levels", "random_weights", "fitted_on", "tested_on", "changed", "seen")
    linear = ("linear readout", "s8, s16", False, "osie (2014)", "osie (2014)", "", "none")
    hidden = ("readout, 16 hidden units", *linear[1:4], "eyecrowd (1.0)", "", "none")
    assert found.select(*names, "metric").rows() == [
        (*told, metric) for told in (linear, hidden) for metric in ("cc", "nss")
    ]


def test_values_and_intervals_are_those_of_means(table_run: Callable) -> None:
    bounds = {"center_bias": VALUES, "split_half": {"cc": [0.9] * 16, "nss": [3.0] * 16}}
    run = run_of(table_run, FITTED, ({}, VALUES), name="eyecrowd")
    run.bound_table = table_run((READOUT, VALUES), bounds=bounds).bound_table
    found = across([run], "cc", resamples=200, seed=3)
    expected = means(run, "cc", variant={"cam": "readout"}, resamples=200, seed=3)
    assert found.height == 1, "of the readout alone"
    assert found.select(expected.columns[7:]).equals(expected.select(expected.columns[7:]))


@pytest.mark.parametrize(
    ("facts", "column", "expected"),
    [
        (
            {"changed": ("no centre bias", "blur of 2 cells")},
            "changed",
            "no centre bias, blur of 2 cells",
        ),
        ({"weights": "none"}, "random_weights", True),
        ({"fingerprint": "f1"}, "seen", "perhaps"),
        ({}, "seen", "all"),
    ],
)
def test_what_must_be_known_of_a_readout(
    table_run: Callable, facts: dict[str, Any], column: str, expected: object
) -> None:
    given = replace(FITTED, **facts)
    run = run_of(table_run, given, name="osie", edition="2014", fingerprint="f0")
    assert set(across([run], resamples=100)[column]) == {expected}


def test_runs_without_a_readout_add_nothing(table_run: Callable) -> None:
    without = table_run((READOUT, VALUES), ({}, VALUES))
    run = run_of(table_run, FITTED, name="eyecrowd")
    assert across([without, run], "cc", resamples=100).height == 1
    with pytest.raises(OptionError, match="none of the runs has a readout"):
        across([without])
    with pytest.raises(UnknownNameError, match="metric of the run"):
        across([run], "auc")
