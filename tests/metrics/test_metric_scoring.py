"""Many metrics at once, the catalogue, and what a wrong argument is told."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from quickgaze import metrics
from quickgaze.errors import OptionError, UnknownNameError
from quickgaze.metrics import CONVENTIONS, DEFAULT_METRICS, METRICS, score, undefined_reason

FIXATIONS = np.array([[1, 2], [3, 3], [99, 99], [16, 11], [16, 11]])


def density():
    return np.maximum(np.random.default_rng(5).random((12, 17)) - 0.3, 0)


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_score_gives_what_the_metrics_give(convention, batch):
    batch[1] = 0.1
    batch[2, 0, 0] = np.nan
    names = [name for name in METRICS.own if convention in METRICS[name].conventions]
    scores = score(names, batch.astype(np.float32), density(), FIXATIONS, convention)
    assert list(scores.values) == list(scores.reasons) == names
    for name in names:
        metric = METRICS[name]
        target = density() if metric.compares[convention] == "density" else FIXATIONS
        maps = batch.astype(np.float32)
        expected = metric.function(maps, target, convention)
        np.testing.assert_array_equal(scores.values[name], expected)
        assert scores.values[name].dtype == np.float64
        reasons = [undefined_reason(name, each, target, convention) for each in maps]
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


def test_score_refuses_before_it_computes(batch):
    with pytest.raises(UnknownNameError, match=r"unknown metric 'ncc'; did you mean 'cc'"):
        score(["cc", "ncc"], batch, density(), None)
    with pytest.raises(OptionError, match=r"sim is not defined in the convention 'cap6415'"):
        score(DEFAULT_METRICS, batch, density(), None, "cap6415")
    with pytest.raises(OptionError, match=r"at least one map.*\(12, 17\)"):
        score(["cc"], batch[0], density(), None)
    with pytest.raises(OptionError, match=r"\(4, 12, 17\)"):
        score(["cc"], batch, batch, None)
    with pytest.raises(OptionError, match=r"\(0, 12, 17\)"):
        score(["cc"], batch[:0], density(), None)


def test_catalogue_says_what_each_metric_is():
    assert tuple(METRICS.own) == ("cc", "cc_union", "sim", "kld", "mae", "mse", "nss", "auc")
    for name in METRICS.own:
        metric = METRICS[name]
        assert metric.name == name
        assert metric.function is getattr(metrics, name)
        assert set(metric.conventions) <= set(CONVENTIONS)
        assert metric.range[0] < metric.range[1]
        assert metric.summary
        assert metric.reference
    lower = {name for name in METRICS.own if not METRICS[name].higher_is_better}
    assert lower == {"kld", "mae", "mse"}
    assert METRICS["auc"].compares == {"tuebingen": "fixations", "cap6415": "density"}
    assert METRICS["sim"].conventions == ("tuebingen",)
    assert all("tuebingen" in METRICS[name].conventions for name in DEFAULT_METRICS)


def test_unknown_convention(tester, batch):
    with pytest.raises(UnknownNameError, match=r"unknown convention 'tubingen'; did you mean"):
        tester.metric.function(batch, tester.target(0), convention="tubingen")


def test_convention_that_does_not_define_a_metric(batch):
    with pytest.raises(OptionError, match=r"sim is not defined .*'cap6415'; use one of: tueb"):
        metrics.sim(batch, density(), convention="cap6415")


@pytest.mark.parametrize("shape", [(12, 16), (3, 12, 17), (1, 12, 17), (12,), (5, 3), ()])
def test_target_of_another_shape(tester, batch, shape):
    with pytest.raises(OptionError) as caught:
        tester(batch, np.ones(shape))
    message = str(caught.value)
    assert message.startswith(f"{tester.name} in the convention {tester.convention!r} compares")
    assert tester.compares in message
    if tester.compares == "density" or len(shape) != 3:
        assert f"got shape {shape}" in message
        assert "(4, 12, 17)" in message


def test_fixations_where_a_density_is_wanted(batch):
    with pytest.raises(OptionError, match=r"'cap6415' compares with a human density.*\(5, 2\)"):
        metrics.nss(batch[0], FIXATIONS, convention="cap6415")


def test_density_where_fixations_are_wanted(batch):
    with pytest.raises(OptionError, match=r"'tuebingen' compares with fixations.*\(12, 17\)"):
        metrics.auc(batch[0], density())


def test_other_number_of_sets_of_fixations(batch):
    with pytest.raises(OptionError, match="got 2 sets for 4 maps"):
        metrics.nss(batch, [FIXATIONS, FIXATIONS])


def test_one_map_takes_one_set_of_fixations(batch):
    with pytest.raises(OptionError, match=r"got shape \(1, 5, 2\)"):
        metrics.nss(batch[0], [FIXATIONS])


@pytest.mark.parametrize("shape", [(), (17,), (0, 17), (2, 12, 0), (1, 1, 12, 17)])
def test_maps_of_no_usable_shape(tester, shape):
    with pytest.raises(OptionError, match=r"a map must have shape \(H, W\)") as caught:
        tester(np.ones(shape), tester.target(0))
    assert str(caught.value).endswith(f"got shape {shape}")


@pytest.mark.parametrize(
    "maps",
    [
        np.ones((12, 17), complex),
        np.full((12, 17), "a"),
        np.full((12, 17), None),
        torch.ones((12, 17), dtype=torch.complex64),
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
        "sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)  # noqa: S603
