"""Numbers and names in the cells of tables."""

from __future__ import annotations

import pytest

from quickgaze.report._words import (
    count,
    number,
    percent,
    probability,
    shortened,
    with_interval,
)

NAN = float("nan")


def test_numbers_have_three_decimals_and_zero_has_no_sign() -> None:
    values = (0.66789, -0.0001, -0.5, None, NAN)
    assert [number(value) for value in values] == ["0.668", "0.000", "-0.500", "—", "—"]
    assert number(1.25, 1) == "1.2"


def test_an_interval_is_written_where_there_is_one() -> None:
    assert with_interval(0.5, 0.25, 0.75) == "0.500 [0.250, 0.750]"
    assert with_interval(0.5, None, None) == "0.500"


def test_shares_are_written_in_per_cent() -> None:
    assert [percent(share) for share in (0.375, None, NAN)] == ["38 %", "—", "—"]


def test_small_probabilities_are_below_a_thousandth() -> None:
    assert [probability(p) for p in (0.04, 1e-9, None)] == ["0.040", "< 0.001", "—"]


def test_counts_have_separators() -> None:
    assert [count(images) for images in (5000, None)] == ["5,000", "—"]


@pytest.mark.parametrize("name", ["short", "COCO_train2014_000000123855"])
def test_long_names_keep_both_ends(name: str) -> None:
    assert shortened(name) == name
    assert shortened("COCO_train2014_000000123855", 15) == "COCO_tr…0123855"
