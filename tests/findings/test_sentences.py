"""Findings in plain sentences."""

from __future__ import annotations

from quickgaze.findings.sentences import effect_sentence

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


def test_what_is_open_is_said_to_be() -> None:
    row = {**ROW, "claimed": False, "low": -0.1, "q": 0.2}
    assert effect_sentence(row, 1) == (
        "Images with more edge density may agree more or less, this does not tell: rank "
        "correlation with cc +0.31 [-0.10, +0.39], q = 0.200, 390 images."
    )


def test_what_was_not_tested() -> None:
    row = {**ROW, "q": None, "reason": "3 images"}
    assert effect_sentence(row, 1) == "Not tested for cc: edge density (3 images)."
