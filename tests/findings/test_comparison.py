"""Comparisons of variants and runs, paired by stimulus."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from quickgaze.errors import OptionError, UnknownNameError
from quickgaze.findings import compare, compare_variants

NAN = float("nan")
FIRST, SECOND = {"sigma": 0.0}, {"sigma": 5.0}


def compared(table_run: Callable, metric: str, first: object, second: object) -> dict:
    run = table_run((FIRST, {metric: first}), (SECOND, {metric: second}))
    found = compare(run, run, metric, variant=FIRST, second_variant=SECOND, resamples=500)
    return found.summary.row(0, named=True)


def test_literals(table_run: Callable) -> None:
    second = np.zeros(10)
    first = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, -0.9, 0.0])
    row = compared(table_run, "cc", first, second)
    assert row["difference"] == pytest.approx(0.27)
    assert row["win_rate"] == pytest.approx(0.85)
    assert row["effect_size"] == pytest.approx(0.27 / first.std(ddof=1))
    # ranks 1 to 9 of those that differ: 36 for the first, 9 against it
    assert row["rank_effect_size"] == pytest.approx((36 - 9) / 45)
    assert row["sign_p"] == pytest.approx(2 * (1 + 9) / 2**9)
    assert row["wilcoxon_p"] == pytest.approx(stats.wilcoxon(first[:-1]).pvalue)
    assert (row["images"], row["left_out"]) == (10, 0)


def test_where_lower_is_better_the_lower_one_wins(table_run: Callable) -> None:
    generator = np.random.default_rng(1)
    second = generator.normal(2, 0.5, 40)
    first = second - 0.3 + generator.normal(0, 0.1, 40)
    row = compared(table_run, "kld", first, second)
    assert row["difference"] < 0
    assert row["low"] < row["difference"] < row["high"] < 0
    assert row["better"] == "first"
    assert min(row["effect_size"], row["rank_effect_size"], row["win_rate"] - 0.5) > 0
    assert max(row["sign_p"], row["wilcoxon_p"]) < 0.001


def test_scores_that_one_of_them_lacks_are_left_out(table_run: Callable) -> None:
    first = table_run(({}, {"cc": [0.1, NAN, 0.3, 0.4]}))
    second = table_run(({}, {"cc": [0.0, 0.0, NAN]}))
    row = compare(first, second).summary.row(0, named=True)
    assert (row["images"], row["left_out"]) == (1, 2)
    assert row["difference"] == pytest.approx(0.1)
    assert (row["low"], row["wilcoxon_p"]) == (None, None)
    assert row["reason"] == "1 images with both scores; an interval and a test need 10"


def test_differences_that_do_not_vary(table_run: Callable) -> None:
    values = np.linspace(0, 1, 16)
    same = compared(table_run, "cc", values, values)
    assert (same["win_rate"], same["difference"]) == (0.5, 0.0)
    assert (same["low"], same["high"], same["better"]) == (0.0, 0.0, None)
    assert same["reason"] == "both score the same on every image"
    shifted = compared(table_run, "cc", values + 0.25, values)
    assert (shifted["effect_size"], shifted["better"]) == (None, "first")
    assert shifted["rank_effect_size"] == 1


def test_the_stimuli_that_differ_most(table_run: Callable) -> None:
    run = table_run((FIRST, {"kld": [1.0, 2.0, 3.0, NAN]}), (SECOND, {"kld": [1.5, 1.0, 3.0, 1.0]}))
    found = compare(run, run, variant=FIRST, second_variant=SECOND, n=3)
    assert found.stimuli.rows() == [
        ("kld", "s001", 2.0, 1.0, 1.0, "second"),
        ("kld", "s000", 1.0, 1.5, -0.5, "first"),
        ("kld", "s002", 3.0, 3.0, 0.0, None),
    ]


@given(st.lists(st.tuples(*[st.sampled_from([0.0, 0.25, 0.5, NAN])] * 2), min_size=1, max_size=30))
def test_the_other_way_round_is_the_opposite(
    table_run: Callable, pairs: list[tuple[float, float]]
) -> None:
    first, second = zip(*pairs, strict=True)
    there = compared(table_run, "cc", first, second)
    back = compared(table_run, "cc", second, first)
    for name in ("difference", "effect_size", "rank_effect_size"):
        if there[name] is None:
            assert back[name] is None
        else:
            assert there[name] == pytest.approx(-back[name])
    for name in ("images", "left_out", "sign_p", "reason"):
        assert there[name] == back[name]
    if there["images"]:
        assert there["win_rate"] + back["win_rate"] == pytest.approx(1)
    else:
        assert there["win_rate"] is back["win_rate"] is None
        assert there["reason"] == "no image has both scores"


def test_without_a_difference_one_in_twenty_is_claimed(table_run: Callable) -> None:
    generator = np.random.default_rng(2)
    claimed = 0
    for _ in range(200):
        first, second = generator.normal(size=(2, 40))
        claimed += compared(table_run, "cc", first, second)["better"] is not None
    assert claimed / 200 <= 0.1


def test_every_pair_of_variants_with_the_rate_held_over_all(table_run: Callable) -> None:
    generator = np.random.default_rng(3)
    base = generator.normal(size=60)
    run = table_run(
        ({"orientation": "lapack"}, {"cc": base - 1 + generator.normal(0, 0.1, 60)}),
        ({"orientation": "skew"}, {"cc": base}),
        ({"orientation": "activation"}, {"cc": base + generator.normal(0, 0.1, 60)}),
    )
    table = compare_variants(run, "cc", resamples=500)
    assert table.select("first", "second", "better", "tests").rows() == [
        ("orientation lapack", "orientation skew", "second", 3),
        ("orientation lapack", "orientation activation", "second", 3),
        ("orientation skew", "orientation activation", None, 3),
    ]
    assert (table["q"] >= table["wilcoxon_p"]).all()
    against = compare_variants(run, "cc", reference={"orientation": "lapack"}, resamples=500)
    assert against["better"].to_list() == ["first", "first"]
    with pytest.raises(OptionError, match="nothing to compare"):
        compare_variants(run, "cc", variant={"orientation": "skew"})
    with pytest.raises(OptionError, match="level is 5"):
        compare_variants(run, "cc", level=5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"settings": {"convention": "mit"}}, "different conventions"),
        ({"dataset": {"name": "osie"}}, r"different data sets \(folder and osie\)"),
        ({"dataset": {"edition": "2017"}}, "different editions"),
        ({"settings": {"density_sigma": 24.0}}, "blur the fixations differently"),
    ],
)
def test_runs_that_cannot_be_compared(table_run: Callable, options: dict, message: str) -> None:
    first, second = (table_run(({}, {"cc": [0.5]}), **each) for each in ({}, options))
    with pytest.raises(OptionError, match=message):
        compare(first, second)


def test_what_the_runs_do_not_share(table_run: Callable) -> None:
    run = table_run(({}, {"cc": [0.5]}))
    with pytest.raises(OptionError, match="share no metric"):
        compare(run, table_run(({}, {"nss": [0.5]})))
    with pytest.raises(UnknownNameError, match="unknown metric of the run 'nss'"):
        compare(run, run, "nss")
    other = table_run(({}, {"cc": [0.5]}))
    other.table = other.table.with_columns(pl.lit("t").alias("stimulus"))
    with pytest.raises(OptionError, match="no stimulus in common"):
        compare(run, other)
    two = table_run((FIRST, {"cc": [0.5]}), (SECOND, {"cc": [0.5]}))
    with pytest.raises(OptionError, match=r"sigma: 0\.0, 5\.0"):
        compare(two, run)
