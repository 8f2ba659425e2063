"""Baselines and ceilings, against what their definitions say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from quickgaze.bounds import (
    BOUNDS,
    Beside,
    BoundInput,
    GazePool,
    people,
    score_bound,
    spearman_brown,
)
from quickgaze.metrics import METRICS, auc, cc, nss
from quickgaze.stimuli.types import Fixations, Stimulus, blurred_fixations

MakeStimulus = Callable[..., Stimulus]
MakeInput = Callable[..., BoundInput]
SIZE = (20, 30)


@pytest.fixture
def stimuli(make: MakeStimulus) -> list[Stimulus]:
    return [make(f"s{i}", count=20) for i in range(5)]


@pytest.fixture
def given(stimuli: list[Stimulus]) -> BoundInput:
    own = stimuli[2]
    pool = GazePool.read(stimuli)
    return BoundInput(own.id, SIZE, own.density(2.0), own.fixations, pool, 2.0, draws=9, seed=0)


def scores(name: str, given: BoundInput, metrics: tuple[str, ...] = ("cc", "nss", "auc")) -> dict:
    found = score_bound(name, given, metrics, "tuebingen", Beside())
    assert all(reason is None for reason in found.reasons.values())
    return found.values


def parts(given: BoundInput, name: str) -> tuple[Fixations, Fixations]:
    """One observer and the rest, by a loop."""
    everybody = given.fixations
    own = [i for i, each in enumerate(everybody.observer) if each == name]
    rest = [i for i, each in enumerate(everybody.observer) if each != name]
    return tuple(
        Fixations(everybody.x[chosen], everybody.y[chosen], everybody.observer[chosen])
        for chosen in (own, rest)
    )


def test_a_uniform_map_is_chance(given: BoundInput) -> None:
    assert scores("uniform", given) == {"cc": 0.0, "nss": 0.0, "auc": 0.5}


def test_the_centre_bias_is_the_mean_of_the_others(
    given: BoundInput, stimuli: list[Stimulus]
) -> None:
    others = [each for each in stimuli if each.id != given.stimulus]
    mean = sum(each.density(2.0) / each.density(2.0).sum() for each in others)
    assert scores("center_bias", given)["cc"] == pytest.approx(cc(mean, given.density), abs=1e-5)


def test_the_shuffled_control_is_another_image(given: BoundInput) -> None:
    partner = given.pool.partner(given.stimulus, 0)
    assert partner.id != given.stimulus
    expected = auc(partner.density(2.0), given.points)
    assert scores("shuffled", given)["auc"] == pytest.approx(expected)


def test_the_shuffled_control_is_scaled_to_the_image(make: MakeStimulus, given: BoundInput) -> None:
    pool = GazePool.read([make("own", count=20), make("large", (60, 90))])
    found = score_bound("shuffled", replace(given, pool=pool), ("cc",), "tuebingen", Beside())
    assert np.isfinite(found.values["cc"])


def test_one_observer_is_scored_against_all_others(given: BoundInput) -> None:
    expected = {"cc": [], "nss": []}
    for name in ("o0", "o1", "o2"):
        one, rest = parts(given, name)
        map_ = blurred_fixations(one, SIZE, 2.0)
        expected["cc"].append(cc(map_, blurred_fixations(rest, SIZE, 2.0)))
        expected["nss"].append(nss(map_, rest.points))
    found = scores("one_observer", given)
    assert found["cc"] == pytest.approx(np.mean(expected["cc"]))
    assert found["nss"] == pytest.approx(np.mean(expected["nss"]))


def test_the_gold_standard_predicts_one_from_all_others(given: BoundInput) -> None:
    expected = []
    for name in ("o0", "o1", "o2"):
        one, rest = parts(given, name)
        expected.append(auc(blurred_fixations(rest, SIZE, 2.0), one.points))
    assert scores("gold_standard", given)["auc"] == pytest.approx(np.mean(expected))


def test_halves_share_no_observer_and_leave_none_out(given: BoundInput) -> None:
    trials = BOUNDS["split_half"].trials(given)
    assert len(trials) == 9
    counts = {name: len(parts(given, name)[0]) for name in ("o0", "o1", "o2")}
    for trial in trials:
        # three observers: one in the first half, two in the second
        assert len(given.points) - len(trial.fixations) in counts.values()


def test_two_observers_have_but_one_correlation(make: MakeStimulus) -> None:
    own, other = make("pair", count=30, observers=2), make("other")
    pool = GazePool.read([own, other])
    given = BoundInput(own.id, SIZE, own.density(2.0), own.fixations, pool, 2.0, draws=4, seed=0)
    first, second = (blurred_fixations(each, SIZE, 2.0) for each in parts(given, "o0"))
    between = cc(first, second)
    assert between > 0
    assert scores("split_half", given)["cc"] == pytest.approx(2 * between / (1 + between))
    # what is no correlation is not corrected
    forth, back = (
        auc(first, parts(given, "o0")[1].points),
        auc(second, parts(given, "o0")[0].points),
    )
    assert min(forth, back) - 1e-9 <= scores("split_half", given)["auc"] <= max(forth, back) + 1e-9


def test_the_correction_is_that_of_a_test_of_double_length() -> None:
    # three parallel tests of variance 1 whose errors do not correlate
    assert spearman_brown(0.6) == pytest.approx(0.75)
    assert spearman_brown(1.0) == 1.0
    assert spearman_brown(-0.9) == -0.9
    assert np.isnan(spearman_brown(float("nan")))
    grown = [spearman_brown(each) for each in np.linspace(0, 1, 20)]
    assert all(low < high for low, high in pairwise(grown))


def test_draws_depend_on_the_stimulus_and_the_seed_alone(given: BoundInput) -> None:
    few = replace(given, draws=1)
    alone = replace(few, pool=GazePool.read([]))
    names = [each.observer[0] for each in (replace(few).pairs[0].one, alone.pairs[0].one)]
    assert names[0] == names[1]
    drawn = {replace(few, seed=seed).pairs[0].one.observer[0] for seed in range(20)}
    assert drawn == {"o0", "o1", "o2"}
    named = {replace(few, stimulus=str(i)).pairs[0].one.observer[0] for i in range(20)}
    assert named == {"o0", "o1", "o2"}


@pytest.mark.parametrize("name", ["one_observer", "split_half", "gold_standard"])
def test_a_single_observer_is_no_ceiling(make: MakeStimulus, given: BoundInput, name: str) -> None:
    own = make("own", observers=1)
    single = replace(given, fixations=own.fixations)
    found = score_bound(name, single, ("cc",), "tuebingen", Beside())
    assert np.isnan(found.values["cc"])
    assert "1 observer" in found.reasons["cc"]
    assert found.trials == 0
    none = score_bound(name, replace(given, fixations=None), ("cc",), "tuebingen", Beside())
    assert "no fixations" in none.reasons["cc"]


@pytest.mark.parametrize("name", ["center_bias", "shuffled"])
def test_without_others_there_is_no_bias(make: MakeStimulus, given: BoundInput, name: str) -> None:
    alone = replace(given, pool=GazePool.read([make(given.stimulus)]))
    found = score_bound(name, alone, ("cc",), "tuebingen", Beside())
    assert np.isnan(found.values["cc"])
    assert "no other stimulus" in found.reasons["cc"]


def test_every_metric_has_a_ceiling_that_stands_for_people() -> None:
    for name in METRICS.names():
        for convention in METRICS[name].conventions:
            assert BOUNDS[people(name, convention)].kind == "ceiling"


def test_a_metric_of_ones_own_says_whether_halves_are_corrected(given: BoundInput) -> None:
    plain = replace(METRICS["cc"], name="plain_cc", spearman_brown=False)
    corrected = replace(plain, name="corrected_cc", spearman_brown=True)
    found = score_bound("split_half", given, ("cc", plain, corrected), "tuebingen", Beside()).values
    assert found["corrected_cc"] == found["cc"] == spearman_brown(found["plain_cc"])
    assert people(plain, "tuebingen") == "split_half"
