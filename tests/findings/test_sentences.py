"""Findings in plain sentences."""

from __future__ import annotations

import pytest

from quickgaze.findings.sentences import effect_sentence, probability

ROW = {
    "metric": "cc",
    "attribute": "edge_density",
    "kind": "numeric",
    "effect": 0.312,
    "low": 0.221,
    "high": 0.389,
    "q": 0.0001,
    "images": 390,
    "claimed": True,
    "reason": None,
}


def test_a_number_that_goes_with_agreement() -> None:
    assert effect_sentence(ROW, 1) == (
        "Images with more edge density agree more: rank correlation with cc "
        "+0.31 [+0.22, +0.39], q < 0.001, 390 images."
    )
    assert effect_sentence({**ROW, "metric": "kld"}, -1).startswith(
        "Images with more edge density agree less: rank correlation with kld +0.31"
    )


def test_groups_with_and_without() -> None:
    groups = {"mean_with": 0.41, "mean_without": 0.52, "images_with": 210, "images_without": 180}
    row = {**ROW, **groups, "kind": "yes/no", "attribute": "has_text"}
    assert effect_sentence({**row, "effect": -0.11, "low": -0.15, "high": -0.07, "q": 0.04}, 1) == (
        "Images with text agree less: mean cc 0.41 against 0.52, difference -0.11 "
        "[-0.15, -0.07], q = 0.040, 210 and 180 images."
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1, "+0.10"), (0.414, "+0.41"), (0.0031, "+0.0031"), (-1e-9, "-1e-09"), (0.0, "0.00")],
)
def test_small_numbers_have_as_many_decimals_as_it_takes(value: float, text: str) -> None:
    assert f"rank correlation with cc {text} [" in effect_sentence({**ROW, "effect": value}, 1)


def test_small_probabilities_are_below_a_thousandth() -> None:
    assert [probability(p) for p in (0.0009, 0.0312, 0.5)] == ["< 0.001", "0.031", "0.500"]


def test_what_is_open_is_said_to_be() -> None:
    row = {**ROW, "claimed": False, "low": -0.1, "q": 0.2}
    assert effect_sentence(row, 1) == (
        "Whether images with more edge density agree more or less is not decided: rank "
        "correlation with cc +0.31 [-0.10, +0.39], q = 0.200, 390 images."
    )


def test_what_was_not_tested() -> None:
    row = {**ROW, "q": None, "reason": "3 images"}
    assert effect_sentence(row, 1) == "Not tested for cc: edge density (3 images)."
