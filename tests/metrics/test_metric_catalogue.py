"""What the catalogue says of each metric, and metrics of one's own beside it."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from quickgaze.errors import OptionError, UnknownNameError
from quickgaze.metrics import (
    METRICS,
    Definition,
    Metric,
    as_metric,
    required_inputs,
    score,
    undefined_reason,
)

MAP = np.arange(12.0).reshape(3, 4)


def peak(prediction, density):
    return prediction.maximum / density.maximum


def own(name="peak", **definition):
    definitions = {"tuebingen": Definition("density", peak, **definition)}
    return Metric(name, lambda *_: 0.0, definitions, True, (0, 1), "", "highest value", "nobody")


def test_chance_and_correction_are_said_where_they_hold():
    chance = {name: METRICS[name].chance for name in METRICS.own}
    assert {name: level for name, level in chance.items() if level is not None} == {
        **dict.fromkeys(("cc", "cc_union", "spearman", "nss"), 0.0),
        **dict.fromkeys(("auc", "auc_judd", "auc_borji", "auc_shuffled"), 0.5),
    }
    assert {name for name in METRICS.own if METRICS[name].spearman_brown} == {"cc", "spearman"}
    assert (own().chance, own().spearman_brown) == (None, False)


def test_a_metric_is_a_name_or_an_object():
    metric = own()
    assert as_metric("cc") is METRICS["cc"]
    assert as_metric(metric) is metric
    for name in METRICS.own:
        assert as_metric(pickle.loads(pickle.dumps(METRICS[name]))) == METRICS[name]  # noqa: S301
    with pytest.raises(UnknownNameError, match="unknown metric 'ncc'; did you mean 'cc'"):
        as_metric("ncc")
    with pytest.raises(OptionError, match=r"by its name or as a quickgaze\.metrics\.Metric; got 3"):
        as_metric(3)
    with pytest.raises(OptionError, match="quickgaze has a metric 'cc' of its own"):
        as_metric(replace(metric, name="cc"))


@pytest.mark.parametrize("name", ["", "a b", "a,b", "-a", "a/b"])
def test_a_metric_needs_a_name_that_a_list_can_hold(name):
    with pytest.raises(OptionError, match="a metric cannot be called"):
        own(name)


def test_metrics_of_ones_own_are_scored_beside_others():
    scores = score(["cc", own()], MAP[None], 2 * MAP, None)
    assert scores.values["peak"] == [0.5]
    assert scores.values["cc"] == pytest.approx([1.0])
    assert undefined_reason(own(), MAP, 0 * MAP) == "the density is constant"


def test_what_metrics_take_is_known_before_they_are_computed():
    assert required_inputs(["cc"]) == {"density"}
    assert required_inputs(["auc"], "salicon") == {"fixations", "seed"}
    assert required_inputs(["auc_shuffled", own()], "tuebingen") == {
        *("density", "fixations", "others")
    }
    assert required_inputs(["information_gain"]) == {"fixations", "baseline"}
    assert required_inputs(["sim"], "salicon") == set()
    assert Definition("fixations", peak, beside="others", random=True).inputs == (
        *("fixations", "others", "seed"),
    )
