"""Undefined is NaN with a reason, and never anything else."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from quickgaze.metrics import METRICS, undefined_reason

CASES = [(name, each) for name in METRICS.own for each in METRICS[name].conventions]
STEPS = st.sampled_from([0.0, 0.25, 1.0, -2.0])
ANY = st.floats(width=64) | STEPS
COORDINATES = st.sampled_from([-0.5, 0.0, 1.0, 2.49, 2.5, 7.0, -1.0, np.nan, np.inf])
SIZES = hnp.array_shapes(min_dims=2, max_dims=2, max_side=4)


@st.composite
def maps_and_targets(draw):
    """A map, a density of its size and fixations, all of them possibly unusable."""
    size = draw(SIZES)
    elements = draw(st.sampled_from([STEPS, ANY, st.just(0.1)]))
    map_ = draw(hnp.arrays(np.float64, size, elements=elements))
    density = draw(hnp.arrays(np.float64, size, elements=draw(st.sampled_from([STEPS, ANY]))))
    count = draw(st.integers(0, 3))
    return map_, density, draw(hnp.arrays(np.float64, (count, 2), elements=COORDINATES))


@given(maps_and_targets(), st.sampled_from(CASES))
@settings(max_examples=1500, deadline=None)
def test_nan_if_and_only_if_there_is_a_reason(given_, case):
    map_, density, fixations = given_
    name, convention = case
    metric = METRICS[name]
    target = density if metric.compares[convention] == "density" else fixations
    value = metric.function(map_, target, convention)
    reason = undefined_reason(name, map_, target, convention)
    assert np.isnan(value) == (reason is not None)
    assert not np.isinf(value)
    if metric.compares[convention] == "density":
        assert np.isnan(value) or np.ptp(target) > 0
    if reason is None and (name, convention) != ("kld", "cap6415"):
        assert metric.range[0] <= value <= metric.range[1]
    tensor = metric.function(torch.asarray(map_), target, convention)
    assert tensor.item() == pytest.approx(value, nan_ok=True, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_map_that_is_not_finite(tester, bad, batch):
    batch[1, 2, 3] = bad
    target = tester.target(0)
    values = tester(batch, target)
    assert np.isnan(values).tolist() == [False, True, False, False]
    reason = undefined_reason(tester.name, batch[1], target, tester.convention)
    assert reason == "the map holds NaN or infinity"
    assert undefined_reason(tester.name, batch[0], target, tester.convention) is None


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_density_that_is_not_finite(density_tester, bad, batch):
    target = density_tester.target(0)
    target[0, 0] = bad
    reason = undefined_reason(density_tester.name, batch[0], target, density_tester.convention)
    assert np.isnan(density_tester(batch, target)).all()
    assert reason == "the density holds NaN or infinity"


@pytest.mark.parametrize("value", [0.0, 0.1, -1.0])
def test_constant_density(density_tester, value, batch):
    density = np.full((12, 17), value)
    assert np.isnan(density_tester(batch, density)).all()
    assert np.isnan(density_tester(density, density))
    reason = undefined_reason(density_tester.name, batch[0], density, density_tester.convention)
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
