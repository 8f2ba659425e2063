"""Training: the gradients of torch maps."""

import numpy as np
import pytest
import torch

from quickgaze.metrics import METRICS

CASES = [
    (name, each)
    for name in METRICS.own
    if METRICS[name].differentiable
    for each in METRICS[name].conventions
]
RNG = np.random.default_rng(4)
DENSITY = torch.asarray(RNG.random((5, 6)) - 0.4).clamp(min=0)
POINTS = torch.tensor([[1.0, 2.0], [1.0, 2.0], [5.0, 4.0], [9.0, 9.0]])
BASELINE = torch.asarray(RNG.random((5, 6)) + 0.1)


def call(name, convention, maps):
    metric = METRICS[name]
    target = DENSITY if metric.compares[convention] == "density" else POINTS
    needed = [BASELINE] if convention in metric.needs else []
    return metric.function(maps, target, *needed, convention)


def test_all_that_are_said_to_be_differentiable():
    assert {name for name, _ in CASES} == {
        *("cc", "cc_union", "sim", "kld", "mae", "mse", "nss", "information_gain"),
    }


@pytest.mark.parametrize(("name", "convention"), CASES)
def test_against_differences(name, convention):
    maps = torch.asarray(RNG.random((2, 5, 6)) + 0.05).requires_grad_()
    assert torch.autograd.gradcheck(lambda each: call(name, convention, each), (maps,))


@pytest.mark.parametrize(("name", "convention"), CASES)
@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
def test_constant_maps_have_finite_gradients(name, convention, value):
    maps = torch.full((2, 5, 6), value, dtype=torch.float64)
    maps[1] = torch.asarray(RNG.random((5, 6)))
    maps.requires_grad_()
    call(name, convention, maps).nansum().backward()
    assert maps.grad.isfinite().all()
    assert maps.grad[1].abs().sum() > 0


@pytest.mark.parametrize(("name", "convention"), CASES)
def test_an_undefined_map_does_not_spoil_its_batch(name, convention):
    maps = torch.asarray(RNG.random((3, 5, 6)))
    maps[1, 0, 0] = torch.nan
    maps.requires_grad_()
    scores = call(name, convention, maps)
    assert scores.isnan().tolist() == [False, True, False]
    scores[~scores.isnan()].mean().backward()
    assert maps.grad.isfinite().all()
    assert maps.grad[1].abs().sum() == 0


@pytest.mark.parametrize(("name", "convention"), CASES)
@pytest.mark.parametrize("number", [0, 1, 3, None])
def test_maps_that_are_all_undefined_have_a_gradient_of_0(name, convention, number):
    shape = (5, 6) if number is None else (number, 5, 6)
    maps = torch.full(shape, torch.nan, requires_grad=True)
    scores = call(name, convention, maps)
    assert scores.isnan().all()
    for loss in (scores.mean(), scores.nanmean(), scores.nansum()):
        maps.grad = None
        loss.backward(retain_graph=True)
        assert maps.grad.shape == shape
        assert (maps.grad == 0).all()


def test_a_batch_in_which_nobody_looked_has_a_gradient_of_0():
    maps = torch.asarray(RNG.random((2, 5, 6))).requires_grad_()
    for nobody in ([], [[], torch.empty(0, 2)], np.empty((0, 2))):
        maps.grad = None
        (-METRICS["nss"].function(maps, nobody)).nanmean().backward()
        assert (maps.grad == 0).all()


@pytest.mark.parametrize(
    ("name", "convention"),
    [(name, each) for name in ("cc", "sim", "kld", "nss") for each in METRICS[name].conventions],
)
def test_training_improves_a_map(name, convention):
    map_ = torch.asarray(RNG.random((5, 6))).requires_grad_()
    optimiser = torch.optim.Adam([map_], lr=0.02)
    before = call(name, convention, map_).item()
    for _ in range(40):
        optimiser.zero_grad()
        better = 1 if METRICS[name].higher_is_better else -1
        (-better * call(name, convention, map_)).backward()
        optimiser.step()
        with torch.no_grad():
            map_.clamp_(min=0.01)
    after = call(name, convention, map_).item()
    assert better * (after - before) > 0.05


@pytest.mark.parametrize("name", [name for name in METRICS.own if name not in dict(CASES)])
def test_others_have_none(name):
    metric = METRICS[name]
    assert not metric.differentiable
    maps = torch.asarray(RNG.random((1, 33, 40))).requires_grad_()
    convention = metric.conventions[0]
    density = metric.compares[convention] == "density"
    target = torch.asarray(RNG.random((33, 40))) if density else POINTS
    needed = [POINTS] if metric.needs else []
    assert not metric.function(maps, target, *needed, convention).requires_grad
