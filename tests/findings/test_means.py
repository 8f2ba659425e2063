"""Means with intervals and shares, on scores written by hand."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from scipy import stats

from quickgaze.errors import UnknownNameError
from quickgaze.findings import compare, means, shares, summary

NAN = float("nan")
GENERATOR = np.random.default_rng(0)
MODEL = GENERATOR.normal(0.5, 0.1, 60)
PEOPLE = GENERATOR.normal(0.8, 0.05, 60)
CENTRE = GENERATOR.normal(0.3, 0.05, 60)


def test_a_mean_with_its_interval_and_what_it_is_held_against(table_run: Callable) -> None:
    bounds = {"center_bias": {"cc": CENTRE}, "split_half": {"cc": PEOPLE}}
    run = table_run(({}, {"cc": [*MODEL[:-1], NAN]}), bounds=bounds)
    row = means(run, resamples=5000).row(0, named=True)
    model = MODEL[:-1]
    theirs = stats.bootstrap((model,), np.mean, n_resamples=5000, rng=1).confidence_interval
    assert (row["images"], row["left_out"], row["paired_images"]) == (59, 1, 59)
    assert [row["mean"], row["model"]] == pytest.approx([model.mean()] * 2)
    assert row["low"] == pytest.approx(theirs.low, abs=0.003)
    assert row["high"] == pytest.approx(theirs.high, abs=0.003)
    share = (model.mean() - CENTRE[:-1].mean()) / (PEOPLE[:-1].mean() - CENTRE[:-1].mean())
    assert row["share"] == pytest.approx(share)
    assert row["share_low"] < share < row["share_high"]
    assert row["reason"] is None

    def way(a: np.ndarray, b: np.ndarray, c: np.ndarray, axis: int = -1) -> np.ndarray:
        model, chance, people = (each.mean(axis) for each in (a, b, c))
        return (model - chance) / (people - chance)

    triples = (model, CENTRE[:-1], PEOPLE[:-1])
    paired = stats.bootstrap(triples, way, paired=True, n_resamples=5000, rng=2)
    assert row["share_low"] == pytest.approx(paired.confidence_interval.low, abs=0.006)
    assert row["share_high"] == pytest.approx(paired.confidence_interval.high, abs=0.006)


def test_the_way_is_counted_in_the_direction_of_the_metric(table_run: Callable) -> None:
    bounds = {"center_bias": {"kld": 2 - CENTRE}, "split_half": {"kld": 2 - PEOPLE}}
    row = means(table_run(({}, {"kld": 2 - MODEL}), bounds=bounds)).row(0, named=True)
    expected = (MODEL.mean() - CENTRE.mean()) / (PEOPLE.mean() - CENTRE.mean())
    assert row["share"] == pytest.approx(expected)
    assert 0 < row["share_low"] < row["share_high"] < 1


def test_where_people_are_no_better_than_chance_there_is_no_share(table_run: Callable) -> None:
    bounds = {"center_bias": {"cc": PEOPLE}, "split_half": {"cc": CENTRE}}
    row = means(table_run(({}, {"cc": MODEL}), bounds=bounds)).row(0, named=True)
    assert row["share"] is None
    assert row["people"] == pytest.approx(CENTRE.mean())
    assert row["reason"] == "people are not better than the centre bias"
    hardly = {"center_bias": {"cc": PEOPLE}, "split_half": {"cc": PEOPLE[::-1] + 0.001}}
    row = means(table_run(({}, {"cc": MODEL}), bounds=hardly)).row(0, named=True)
    assert row["share"] is not None
    assert (row["share_low"], row["share_high"]) == (None, None)
    assert "hardly better" in row["reason"]


def test_few_images_and_no_bounds_give_null_and_say_why(table_run: Callable) -> None:
    table = means(table_run(({}, {"cc": [0.5, 0.7, NAN], "nss": [NAN] * 3})))
    cc, nss = table.iter_rows(named=True)
    assert (cc["mean"], cc["low"], cc["images"], cc["left_out"]) == (0.6, None, 2, 1)
    assert cc["reason"].startswith("2 images with a score; an interval needs 10; no image has")
    assert (nss["mean"], nss["images"], nss["left_out"]) == (None, 0, 3)


def test_an_infinite_score_leaves_no_interval_and_says_so(table_run: Callable) -> None:
    row = means(table_run(({}, {"kld": [float("inf"), *MODEL]}))).row(0, named=True)
    assert (row["mean"], row["low"], row["images"]) == (float("inf"), None, 61)
    assert row["reason"].startswith("the mean has no interval: a score is infinite")


@pytest.mark.parametrize("ask", [means, shares, lambda run: compare(run, run)])
def test_a_metric_of_a_package_that_is_gone_names_the_package(
    table_run: Callable, ask: Callable
) -> None:
    run = table_run(({}, {"cc": MODEL, "luck": MODEL}))
    run.complete, run.manifest = False, None
    with pytest.raises(UnknownNameError, match=r"metric 'luck': RUN has .* the run does not name"):
        ask(run)
    run.complete = True
    versions = {"python": "3.11.1", "numpy": "1.0", "a-lucky-package": "1.2"}
    run.manifest = SimpleNamespace(versions=versions)
    with pytest.raises(UnknownNameError, match=r"computed with: a-lucky-package 1\.2 \("):
        ask(run)
    assert means(run, "cc")["images"].to_list() == [60]


def test_rows_stand_as_in_the_summary(table_run: Callable) -> None:
    scores = {"nss": MODEL, "cc": MODEL}
    run = table_run(*(({"sigma": sigma}, scores) for sigma in (19.0, 0.0)))
    ours, theirs = means(run, resamples=100), summary(run)
    keys = ["sigma", "metric", "images", "left_out"]
    assert ours.select(keys).rows() == theirs.select(keys).rows()
    assert ours["mean"].to_list() == pytest.approx(theirs["mean"].to_list())
    only = means(run, "cc", variant={"sigma": 0.0}, resamples=100)
    assert only.select("sigma", "metric").rows() == [(0.0, "cc")]
    with pytest.raises(UnknownNameError, match="unknown metric"):
        means(run, ["cc", "kld"])


def test_a_run_without_scores_has_no_means(table_run: Callable) -> None:
    assert means(table_run(({}, {"cc": []}))).is_empty()


def test_a_variant_may_lack_stimuli(table_run: Callable) -> None:
    run = table_run(({"sigma": 0.0}, {"cc": MODEL}), ({"sigma": 1.0}, {"cc": MODEL[:20]}))
    table = means(run, resamples=100)
    assert table["images"].to_list() == [60, 20]
    assert table["left_out"].to_list() == [0, 0]
    assert table.filter(pl.col("sigma") == 1)["mean"].item() == pytest.approx(MODEL[:20].mean())


def test_shares_are_those_without_intervals(table_run: Callable) -> None:
    scores = {"cc": MODEL, "kld": 2 - MODEL}
    bounds = {
        "center_bias": {"cc": CENTRE, "kld": 2 - CENTRE},
        "split_half": {"cc": [NAN, *PEOPLE[1:]], "kld": 2 - PEOPLE},
    }
    run = table_run(({"sigma": 0.0}, scores), ({"sigma": 5.0}, scores), bounds=bounds)
    keys = ["sigma", "metric"]
    ours = means(run, resamples=100).sort(keys).select(*keys, "share", images="paired_images")
    theirs = shares(run).sort(keys).select(*keys, "share", "images")
    assert ours.drop("share").rows() == theirs.drop("share").rows()
    assert ours["share"].to_list() == pytest.approx(theirs["share"].to_list())
