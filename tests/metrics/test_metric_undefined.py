"""Undefined is NaN with a reason, and never anything else."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from quickgaze.metrics import (
    METRICS,
    FixationCounts,
    auc_shuffled,
    information_gain,
    undefined_reason,
)

CASES = [(name, each) for name in METRICS.own for each in METRICS[name].conventions]
STEPS = st.sampled_from([0.0, 0.25, 1.0, -2.0])
ANY = st.floats(width=64) | STEPS
COORDINATES = st.sampled_from([-0.5, 0.0, 1.0, 2.49, 2.5, 7.0, -1.0, np.nan, np.inf])
SIZES = hnp.array_shapes(min_dims=2, max_dims=2, max_side=4)


@st.composite
def maps_and_targets(draw):
    """A map, a density, a baseline and two sets of fixations, all of them possibly unusable."""
    size = draw(SIZES)
    elements = draw(st.sampled_from([STEPS, ANY, st.just(0.1)]))
    map_ = draw(hnp.arrays(np.float64, size, elements=elements))
    density = draw(hnp.arrays(np.float64, size, elements=draw(st.sampled_from([STEPS, ANY]))))
    baseline = draw(hnp.arrays(np.float64, size, elements=draw(st.sampled_from([STEPS, ANY]))))
    fixations, others = (
        draw(hnp.arrays(np.float64, (draw(st.integers(0, 3)), 2), elements=COORDINATES))
        for _ in range(2)
    )
    return map_, density, fixations, {"others": others, "baseline": baseline}


@given(maps_and_targets(), st.sampled_from(CASES))
@settings(max_examples=1500, deadline=None)
def test_nan_if_and_only_if_there_is_a_reason(given_, case):
    map_, density, fixations, beside = given_
    name, convention = case
    metric = METRICS[name]
    target = density if metric.compares[convention] == "density" else fixations
    needed = [beside[need] for need in [metric.needs.get(convention)] if need]
    value = metric.function(map_, target, *needed, convention)
    reason = undefined_reason(name, map_, target, convention, **beside)
    assert np.isnan(value) == (reason is not None)
    assert not np.isinf(value)
    if metric.compares[convention] == "density":
        assert np.isnan(value) or np.ptp(target) > 0
    if reason is None and (name, convention) != ("kld", "cap6415"):
        assert metric.range[0] <= value <= metric.range[1]
    tensor = metric.function(torch.asarray(map_), target, *needed, convention)
    assert tensor.item() == pytest.approx(value, nan_ok=True, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_map_that_is_not_finite(tester, bad, batch):
    batch[1, 2, 3] = bad
    target = tester.target(0)
    values = tester(batch, target)
    assert np.isnan(values).tolist() == [False, True, False, False]
    assert tester.reason(batch[1], target) == "the map holds NaN or infinity"
    assert tester.reason(batch[0], target) is None


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_density_that_is_not_finite(density_tester, bad, batch):
    target = density_tester.target(0)
    target[0, 0] = bad
    reason = density_tester.reason(batch[0], target)
    assert np.isnan(density_tester(batch, target)).all()
    assert reason == "the density holds NaN or infinity"


@pytest.mark.parametrize("value", [0.0, 0.1, -1.0])
def test_constant_density(density_tester, value, batch):
    density = np.full((34, 66), value)
    assert np.isnan(density_tester(batch, density)).all()
    assert np.isnan(density_tester(density, density))
    reason = density_tester.reason(batch[0], density)
    assert reason == "the density is constant"


@pytest.mark.parametrize(
    ("points", "reason"),
    [
        (np.empty((0, 2)), "there are no fixations"),
        ([[-1, 0], [99, 3], [np.nan, 1]], "no fixation lies inside the image (3 outside)"),
    ],
)
@pytest.mark.parametrize("name", ["nss", "auc"])
def test_no_fixation_inside(name, points, reason, batch):
    assert np.isnan(METRICS[name].function(batch, points)).all()
    assert undefined_reason(name, batch[0], points) == reason
    each = METRICS[name].function(batch, [points, [[1, 1]], points, [[2, 2]]])
    assert np.isnan(each).tolist() == [True, False, True, False]


@pytest.mark.parametrize("convention", ["tuebingen", "mit"])
@pytest.mark.parametrize(
    ("others", "reason"),
    [
        (np.empty((0, 2)), "there are no fixations of other images"),
        (FixationCounts(np.zeros((34, 66), int)), "there are no fixations of other images"),
        ([[-1, 0], [0, 99]], "no fixation of other images lies inside this one (2 outside)"),
    ],
)
def test_no_fixation_of_other_images(others, reason, convention, batch):
    points = [[1, 1]]
    assert np.isnan(auc_shuffled(batch, points, others, convention)).all()
    found = undefined_reason("auc_shuffled", batch[0], points, convention, others=others)
    assert found == reason
    each = auc_shuffled(batch, points, [others, [[2, 2]], others, others], convention)
    assert np.isnan(each).tolist() == [True, False, True, True]


@pytest.mark.parametrize("convention", ["tuebingen", "mit"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_baseline_that_is_not_finite(bad, convention, batch):
    baseline = np.ones((4, 34, 66))
    baseline[2, 3, 3] = bad
    values = information_gain(batch, [[1, 1]], baseline, convention)
    assert np.isnan(values).tolist() == [False, False, True, False]
    reason = undefined_reason(
        "information_gain", batch[0], [[1, 1]], convention, baseline=baseline[2]
    )
    assert reason == "the baseline density holds NaN or infinity"


def test_torch_is_nan_too():
    values = METRICS["nss"].function(torch.eye(3), torch.tensor([[9.0, 9.0]]))
    assert values.dtype == torch.float64
    assert values.isnan()


@pytest.mark.parametrize(
    ("name", "map_", "density", "reason"),
    [
        ("cc", [[2, 2, 2]], [[0, 1, 2]], "the map is constant"),
        ("cc_union", [[2, 2, 2]], [[0, 1, 2]], "the map is constant where either is above 0"),
        ("cc_union", [[0, 1, 2]], [[0, 5, 5]], "the density is constant where either is above 0"),
        ("auc", [[0, 1, 2]], [[0, -1, -2]], "the density is nowhere above 0"),
        ("nss", [[0, 1, 2]], [[0, -1, -2]], "the density is nowhere above 0"),
        ("auc", [[0, 1, 2]], [[1, 1, 2]], "the density is above 0 everywhere"),
        ("cc", [[-1.5e308, 1.5e308]], [[0, 1]], "the values of the map lie too far apart"),
        ("kld", [[0, 1]], [[-1e308, 1e308]], "the values of the density lie too far apart"),
    ],
)
def test_reasons_in_cap6415(name, map_, density, reason):
    map_, density = np.array(map_, float), np.array(density, float)
    assert np.isnan(METRICS[name].function(map_, density, "cap6415"))
    assert undefined_reason(name, map_, density, "cap6415").startswith(reason)


def test_overflow_is_undefined_not_infinite():
    map_, density = np.full((2, 2), 1e308), np.eye(2)
    assert np.isnan(METRICS["kld"].function(map_, density))
    assert undefined_reason("kld", map_, density) == "the values are too large to compute with"
