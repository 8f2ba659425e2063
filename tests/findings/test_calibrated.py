"""The finding of maps before and after they are calibrated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

from quickgaze.errors import OptionError, UnknownNameError
from quickgaze.findings import calibrated, means
from quickgaze.readouts import Calibration, calibrated_scores

MakeRun = Callable[..., Any]


def _scores(count: int, seed: int = 0) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(seed)
    gain = generator.normal(0.3, 0.2, count)
    return {
        "own": gain,
        "calibrated": gain + generator.normal(0.5, 0.1, count),
        "people": generator.normal(2, 0.3, count),
        "kld": generator.uniform(1, 2, count),
    }


@pytest.fixture
def make(table_run: MakeRun) -> Callable[..., Any]:
    """A run of a map and its calibration, changed by `change`."""

    def made(count: int = 40, change: Callable[[dict], None] = lambda _: None) -> Any:
        scores = _scores(count)
        change(scores)
        kld = scores["kld"]
        own = {"kld": kld, "information_gain": scores["own"]}
        after = {"kld": kld / 2, "information_gain": scores["calibrated"]}
        people = {"kld": kld * np.nan, "information_gain": scores["people"]}
        bounds = {"gold_standard": people, "split_half": {**people, "kld": kld / 4}}
        keys = {"cam": "eigen_calibrated", "orientation": "none", "sigma": 0.0}
        return table_run(({}, own), (keys, after), bounds=bounds)

    return made


def test_means_before_and_after(make: Callable[..., Any]) -> None:
    found = calibrated(make())
    scores = _scores(40)
    assert found.select("cam", "orientation", "sigma", "metric", "images", "left_out").rows() == [
        ("eigen", "activation", 19.0, "kld", 40, 0),
        ("eigen", "activation", 19.0, "information_gain", 40, 0),
    ]
    kld, gain = found.rows(named=True)
    assert gain["own"] == pytest.approx(scores["own"].mean())
    assert gain["calibrated"] == pytest.approx(scores["calibrated"].mean())
    assert gain["gain"] == pytest.approx(gain["calibrated"] - gain["own"])
    assert gain["people"] == pytest.approx(scores["people"].mean())
    assert gain["explained"] == pytest.approx(gain["calibrated"] / gain["people"])
    assert gain["explained_own"] == pytest.approx(gain["own"] / gain["people"])
    assert kld["people"] == pytest.approx(scores["kld"].mean() / 4)
    assert kld["explained"] is None
    for name in ("own", "calibrated", "gain", "explained", "explained_own"):
        assert gain[f"{name}_low"] < gain[name] < gain[f"{name}_high"]


def test_intervals_are_those_of_means(make: Callable[..., Any]) -> None:
    run = make()
    found = calibrated(run, "information_gain", seed=3).row(0, named=True)
    rows = means(run, "information_gain", seed=3).rows(named=True)
    for name, row in zip(("own", "calibrated"), rows, strict=True):
        assert found[f"{name}_low"] == pytest.approx(row["low"])
        assert found[f"{name}_high"] == pytest.approx(row["high"])


def test_images_without_one_of_the_two_are_left_out(make: Callable[..., Any]) -> None:
    def change(scores: dict[str, np.ndarray]) -> None:
        scores["own"][3] = scores["calibrated"][7] = np.nan

    found = calibrated(make(change=change)).filter(metric="information_gain").row(0, named=True)
    assert (found["images"], found["left_out"]) == (38, 2)
    kept = np.delete(_scores(40)["own"], [3, 7])
    assert found["own"] == pytest.approx(kept.mean())


def test_what_is_explained_is_of_images_with_people(make: Callable[..., Any]) -> None:
    def change(scores: dict[str, np.ndarray]) -> None:
        scores["people"][:20] = np.nan

    found = calibrated(make(change=change), "information_gain").row(0, named=True)
    scores = _scores(40)
    share = scores["calibrated"][20:].mean() / scores["people"][20:].mean()
    assert found["explained"] == pytest.approx(share)
    assert found["calibrated"] == pytest.approx(scores["calibrated"].mean())


def test_without_people_nothing_is_explained(make: Callable[..., Any]) -> None:
    def change(scores: dict[str, np.ndarray]) -> None:
        scores["people"][:] = np.nan

    found = calibrated(make(change=change), "information_gain").row(0, named=True)
    assert found["people"] is found["explained"] is found["explained_low"] is None


def test_few_images_have_no_interval(make: Callable[..., Any]) -> None:
    found = calibrated(make(9), "information_gain").row(0, named=True)
    assert found["gain"] > 0
    assert found["gain_low"] is found["explained_high"] is None


def test_of_another_run_there_is_nothing(table_run: MakeRun) -> None:
    run = table_run(({}, {"cc": [0.1, 0.2]}))
    assert calibrated(run).is_empty()
    assert calibrated(run).columns[:3] == ["backbone", "cam", "grid"]


def test_a_calibration_is_as_good_as_its_run(make: Callable[..., Any]) -> None:
    run = make()
    scores = calibrated_scores(run)
    given = Calibration(scores, pl.DataFrame(), pl.DataFrame(), pl.DataFrame(), {}, None)
    assert calibrated(given).equals(calibrated(run))


def test_what_is_not_known_is_refused(make: Callable[..., Any]) -> None:
    with pytest.raises(UnknownNameError, match="kld"):
        calibrated(make(), "kl")
    with pytest.raises(OptionError, match="confidence is 2"):
        calibrated(make(), confidence=2)
