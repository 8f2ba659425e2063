"""Rankings and distributions, on scores written by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quickgaze.errors import OptionError, UnknownNameError
from quickgaze.findings import distribution, ranking

NAN = float("nan")


def test_the_most_the_middle_and_the_least(table_run: Callable) -> None:
    run = table_run(({}, {"cc": [0.1, 0.9, 0.5, NAN, 0.3, 0.7]}))
    table = ranking(run, "cc", n=1)
    assert table.select("group", "rank", "stimulus", "score", "images", "left_out").rows() == [
        ("most", 1, "s001", 0.9, 5, 1),
        ("middle", 3, "s002", 0.5, 5, 1),
        ("least", 5, "s000", 0.1, 5, 1),
    ]


def test_where_lower_is_better_the_lowest_comes_first(table_run: Callable) -> None:
    table = ranking(table_run(({}, {"kld": [2.0, 1.0, 3.0]})), "kld", n=1)
    assert table["stimulus"].to_list() == ["s001", "s000", "s002"]


def test_equal_scores_stand_in_the_order_of_their_ids(table_run: Callable) -> None:
    for metric in ("cc", "kld"):
        table = ranking(table_run(({}, {metric: [0.5, 0.5, 0.5, 0.5]})), metric, n=2)
        assert table["stimulus"].to_list() == ["s000", "s001", "s001", "s002", "s002", "s003"]


def test_each_variant_has_its_own(table_run: Callable) -> None:
    run = table_run(({"sigma": 0.0}, {"cc": [0.1, 0.2]}), ({"sigma": 5.0}, {"cc": [0.2, 0.1]}))
    best = ranking(run, "cc", n=1).filter(pl.col("group") == "most")
    assert best.select("sigma", "stimulus").rows() == [(0.0, "s001"), (5.0, "s000")]
    assert ranking(run, "cc", n=1, variant={"sigma": 5})["sigma"].unique().to_list() == [5.0]


@given(st.lists(st.sampled_from([0.0, 0.25, 0.5, NAN]), max_size=12), st.integers(1, 6))
def test_no_stimulus_stands_twice_in_a_group(
    table_run: Callable, scores: list[float], n: int
) -> None:
    table = ranking(table_run(({}, {"cc": scores})), "cc", n=n)
    defined = sum(not np.isnan(score) for score in scores)
    sizes = table.group_by("group").agg(pl.col("stimulus").n_unique(), images=pl.len())
    assert all(row == min(n, defined) for row in sizes["images"])
    assert sizes["stimulus"].to_list() == sizes["images"].to_list()
    assert not table["score"].is_nan().any()
    for _, group in table.group_by("group"):
        assert group["score"].is_sorted(descending=True)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"metric": "nss"}, UnknownNameError, "unknown metric of the run 'nss'"),
        ({"variant": {"grids": "s16"}}, UnknownNameError, "did you mean 'grid'"),
        ({"variant": {"orientation": "activatoin"}}, UnknownNameError, "did you mean 'activation'"),
        ({"variant": {"sigma": "19"}}, UnknownNameError, "unknown sigma of the run '19'"),
        ({"n": 0}, OptionError, "n is 0"),
    ],
)
def test_what_the_run_does_not_have(
    table_run: Callable, options: dict, error: type[Exception], message: str
) -> None:
    run = table_run(({}, {"cc": [0.5]}))
    with pytest.raises(error, match=message):
        ranking(run, **{"metric": "cc", **options})


def test_quantiles_and_counts_are_numpys(table_run: Callable) -> None:
    values = np.random.default_rng(0).normal(size=50)
    run = table_run(
        ({"sigma": 0.0}, {"nss": [*values, NAN]}), ({"sigma": 5.0}, {"nss": [*(values + 1), 9.0]})
    )
    found = distribution(run, "nss", bins=4, shares=[0.1, 0.5])
    first = found.quantiles.filter(pl.col("sigma") == 0)
    assert first["score"].to_list() == np.quantile(values, [0.1, 0.5]).tolist()
    edges = np.linspace(values.min(), 9.0, 5)
    counts = found.histogram.filter(pl.col("sigma") == 0)
    assert counts["images"].to_list() == np.histogram(values, edges)[0].tolist()
    assert [*counts["low"], counts["high"][-1]] == pytest.approx(edges)
    assert found.histogram["images"].sum() == 50 + 51


def test_a_distribution_of_nothing_is_empty(table_run: Callable) -> None:
    found = distribution(table_run(({}, {"cc": [NAN, NAN]})), "cc", bins=3)
    assert found.quantiles["score"].null_count() == found.quantiles.height == 7
    assert found.histogram["images"].to_list() == [0, 0, 0]
    with pytest.raises(OptionError, match="bins is 0"):
        distribution(table_run(({}, {"cc": [0.5]})), "cc", bins=0)
    with pytest.raises(OptionError, match="from 0 to 1"):
        distribution(table_run(({}, {"cc": [0.5]})), "cc", shares=[50])
