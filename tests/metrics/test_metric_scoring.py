"""Many metrics at once, the catalogue, and what a wrong argument is told."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from quickgaze import metrics
from quickgaze.errors import OptionError, UnknownNameError
from quickgaze.metrics import (
    CONVENTIONS,
    DEFAULT_METRICS,
    METRICS,
    FixationCounts,
    score,
    undefined_reason,
)

FIXATIONS = np.array([[1, 2], [3, 3], [99, 99], [65, 33], [65, 33]])

CASES = [(name, each) for name in METRICS.own for each in METRICS[name].conventions]
OTHERS = np.array([[0, 0], [64, 33], [5, 5], [5, 5], [-7, 2]])


def density():
    return np.maximum(np.random.default_rng(5).random((34, 66)) - 0.3, 0)


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_score_gives_what_the_metrics_give(convention, batch):
    batch[1] = 0.1
    batch[2, 0, 0] = np.nan
    names = [name for name in METRICS.own if convention in METRICS[name].conventions]
    given = {"others": OTHERS, "baseline": 0.1 + density()[::-1]}
    maps = batch.astype(np.float32)
    scores = score(names, maps, density(), FIXATIONS, convention, **given, seed=4)
    assert list(scores.values) == list(scores.reasons) == names
    for name in names:
        metric = METRICS[name]
        target = density() if metric.compares[convention] == "density" else FIXATIONS
        needed = [given[need] for need in [metric.needs.get(convention)] if need]
        seed = {"seed": 4} if metric.random[convention] else {}
        expected = metric.function(maps, target, *needed, convention, **seed)
        np.testing.assert_array_equal(scores.values[name], expected)
        assert scores.values[name].dtype == np.float64
        reasons = [
            undefined_reason(name, each, target, convention, **given, seed=4) for each in maps
        ]
        assert list(scores.reasons[name]) == reasons
        assert reasons[2] == "the map holds NaN or infinity"


def test_score_without_a_human_side(batch):
    scores = score(DEFAULT_METRICS, batch, None, None)
    assert all(np.isnan(values).all() for values in scores.values.values())
    assert scores.reasons["cc"] == ("the stimulus has no density",) * 4
    assert scores.reasons["nss"] == ("the stimulus has no fixations",) * 4
    only_density = score(DEFAULT_METRICS, batch, density(), None)
    assert {name for name in DEFAULT_METRICS if np.isnan(only_density.values[name]).any()} == {
        "nss",
        "auc",
    }


def test_score_without_what_is_needed_beside(batch):
    names = ["auc_shuffled", "information_gain", "nss"]
    scores = score(names, batch, None, FIXATIONS)
    assert scores.reasons["auc_shuffled"] == ("there are no fixations of other images",) * 4
    assert scores.reasons["information_gain"] == ("there is no baseline density",) * 4
    assert scores.reasons["nss"] == (None,) * 4
    assert np.isnan(scores.values["auc_shuffled"]).all()
    assert np.isnan(scores.values["information_gain"]).all()
    for name in names[:2]:
        reason = undefined_reason(name, batch[0], FIXATIONS)
        assert reason == scores.reasons[name][0]
    assert (
        score(names[:1], batch, None, None)
        .reasons["auc_shuffled"][0]
        .startswith("the stimulus has no fixations")
    )


def test_what_is_needed_beside_has_a_shape_too(batch):
    with pytest.raises(OptionError, match=r"score needs a baseline density: of shape \(34, 66\)"):
        score(["information_gain"], batch, None, FIXATIONS, baseline=batch)
    with pytest.raises(OptionError, match=r"needs fixations of other images: of shape \(n, 2\)"):
        score(["auc_shuffled"], batch, None, FIXATIONS, others=batch[0])
    counts = FixationCounts(np.ones((3, 4), int))
    with pytest.raises(OptionError, match=r"counts of shape \(34, 66\).* got shape \(3, 4\)"):
        score(["auc_shuffled"], batch, None, FIXATIONS, others=counts)
    with pytest.raises(OptionError, match="got 3 sets for 4 maps"):
        metrics.auc_shuffled(batch, FIXATIONS, [OTHERS, counts, OTHERS])
    # nobody asked for it
    assert score(["nss"], batch, None, FIXATIONS, others=counts).reasons["nss"][0] is None


def test_a_missing_package_is_named_before_anything_is_computed(batch, monkeypatch):
    monkeypatch.setitem(sys.modules, "ot", None)
    with pytest.raises(OptionError, match=r"emd needs the package ot.*'quickgaze\[emd\]'"):
        score(["emd"], np.full_like(batch, np.nan), None, None, "mit")
    with pytest.raises(OptionError, match=r"quickgaze\[emd\]"):
        metrics.emd(batch, density())


def test_score_refuses_before_it_computes(batch):
    with pytest.raises(UnknownNameError, match=r"unknown metric 'ncc'; did you mean 'cc'"):
        score(["cc", "ncc"], batch, density(), None)
    with pytest.raises(OptionError, match=r"sim is not defined in the convention 'cap6415'"):
        score(DEFAULT_METRICS, batch, density(), None, "cap6415")
    with pytest.raises(OptionError, match=r"at least one map.*\(34, 66\)"):
        score(["cc"], batch[0], density(), None)
    with pytest.raises(OptionError, match=r"\(4, 34, 66\)"):
        score(["cc"], batch, batch, None)
    with pytest.raises(OptionError, match=r"\(0, 34, 66\)"):
        score(["cc"], batch[:0], density(), None)


def test_catalogue_says_what_each_metric_is():
    assert tuple(METRICS.own) == (
        *("cc", "cc_union", "sim", "kld", "emd", "mae", "mse", "spearman", "iou", "dice"),
        *("nss", "auc", "auc_judd", "auc_borji", "auc_shuffled", "information_gain"),
    )
    for name in METRICS.own:
        metric = METRICS[name]
        assert metric.name == name
        assert metric.function is getattr(metrics, name)
        assert set(metric.conventions) <= set(CONVENTIONS)
        assert metric.range[0] < metric.range[1]
        assert metric.summary
        assert metric.reference
    lower = {name for name in METRICS.own if not METRICS[name].higher_is_better}
    assert lower == {"kld", "emd", "mae", "mse"}
    assert METRICS["auc"].compares == {
        "tuebingen": "fixations",
        "salicon": "fixations",
        "cap6415": "density",
    }
    assert METRICS["sim"].conventions == ("tuebingen", "mit")
    assert {
        name: set(METRICS[name].needs.values()) for name in METRICS.own if METRICS[name].needs
    } == {
        "auc_shuffled": {"others"},
        "information_gain": {"baseline"},
    }
    random = {(name, each) for name, each in CASES if METRICS[name].random[each]}
    assert random == {
        ("auc", "salicon"),
        ("auc_judd", "mit"),
        ("auc_borji", "mit"),
        ("auc_shuffled", "mit"),
    }
    assert all("tuebingen" in METRICS[name].conventions for name in DEFAULT_METRICS)


def test_unknown_convention(tester, batch):
    with pytest.raises(UnknownNameError, match=r"unknown convention 'tubingen'; did you mean"):
        tester.metric.function(
            batch, tester.target(0), *tester.beside.values(), convention="tubingen"
        )


@pytest.mark.parametrize("seed", [-1, 0.5, None, True, "a"])
def test_seeds_are_integers_from_0(seed, batch):
    for call in (
        lambda: metrics.auc_judd(batch, FIXATIONS, seed=seed),
        lambda: score(["cc"], batch, density(), None, seed=seed),
    ):
        with pytest.raises(OptionError, match="seed must be an integer from 0; got"):
            call()


def test_convention_that_does_not_define_a_metric(batch):
    with pytest.raises(OptionError, match=r"sim is not defined .*'cap6415'; use one of: tueb"):
        metrics.sim(batch, density(), convention="cap6415")


@pytest.mark.parametrize("shape", [(34, 65), (3, 34, 66), (1, 34, 66), (12,), (5, 3), ()])
def test_target_of_another_shape(tester, batch, shape):
    with pytest.raises(OptionError) as caught:
        tester(batch, np.ones(shape))
    message = str(caught.value)
    assert message.startswith(f"{tester.name} in the convention {tester.convention!r} compares")
    assert tester.compares in message
    if tester.compares == "density" or len(shape) != 3:
        assert f"got shape {shape}" in message
        assert "(4, 34, 66)" in message


def test_fixations_where_a_density_is_wanted(batch):
    with pytest.raises(OptionError, match=r"'cap6415' compares with a human density.*\(5, 2\)"):
        metrics.nss(batch[0], FIXATIONS, convention="cap6415")


def test_density_where_fixations_are_wanted(batch):
    with pytest.raises(OptionError, match=r"'tuebingen' compares with fixations.*\(34, 66\)"):
        metrics.auc(batch[0], density())


def test_other_number_of_sets_of_fixations(batch):
    with pytest.raises(OptionError, match="got 2 sets for 4 maps"):
        metrics.nss(batch, [FIXATIONS, FIXATIONS])


def test_one_map_takes_one_set_of_fixations(batch):
    with pytest.raises(OptionError, match=r"got shape \(1, 5, 2\)"):
        metrics.nss(batch[0], [FIXATIONS])


@pytest.mark.parametrize("shape", [(), (17,), (0, 17), (2, 12, 0), (1, 1, 34, 66)])
def test_maps_of_no_usable_shape(tester, shape):
    with pytest.raises(OptionError, match=r"a map must have shape \(H, W\)") as caught:
        tester(np.ones(shape), tester.target(0))
    assert str(caught.value).endswith(f"got shape {shape}")


@pytest.mark.parametrize(
    "maps",
    [
        np.ones((34, 66), complex),
        np.full((34, 66), "a"),
        np.full((34, 66), None),
        torch.ones((34, 66), dtype=torch.complex64),
    ],
)
def test_maps_that_are_not_real_numbers(tester, maps):
    with pytest.raises(OptionError, match="the map must hold real numbers"):
        tester(maps, tester.target(0))


def test_ragged_lists(tester):
    with pytest.raises(OptionError, match="the map cannot be used as a NumPy array"):
        tester([[1, 2], [3]], tester.target(0))


def test_numpy_users_do_not_wait_for_torch():
    program = (
        "import sys, numpy as np, quickgaze.metrics as m;"
        "m.score(m.DEFAULT_METRICS, np.eye(4)[None], np.eye(4), np.array([[1, 1]]));"
        "m.cc(np.eye(4)[None], np.eye(4));"
        "m.score(['auc_shuffled', 'nss'], np.eye(4)[None], None, np.array([[1, 1]]), 'mit',"
        " others=np.array([[2, 1]]));"
        "sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)  # noqa: S603
