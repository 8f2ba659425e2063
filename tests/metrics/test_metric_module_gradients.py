"""Training with the modules where images, or whole batches, have no score."""

import pytest
import torch

from quickgaze.metrics import METRICS, modules
from quickgaze.metrics.modules import AUC, CC, NSS

CLASSES = {each.name: each for each in vars(modules).values() if getattr(each, "name", "")}
CASES = [(name, each) for name in METRICS.own for each in METRICS[name].conventions]
TRAINABLE = [case for case in CASES if METRICS[case[0]].differentiable]
OTHERS = [case for case in CASES if not METRICS[case[0]].differentiable]
NOBODY = torch.empty(0, 2)
POINTS = torch.tensor([[3.0, 2.0], [9.4, 30.1]])


def maps(number=3):
    generator = torch.Generator().manual_seed(2)
    return torch.rand(number, 34, 40, generator=generator).requires_grad_()


def beside(name, convention):
    need = METRICS[name].needs.get(convention)
    return {"others": [POINTS + 4], "baseline": [torch.ones(34, 40)], None: []}[need]


def no_target(name, convention, number):
    """A constant density, or fixations of nobody: neither has a score."""
    if METRICS[name].compares[convention] == "density":
        return torch.zeros(number, 34, 40)
    return [NOBODY] * number


def some_target(name, convention):
    if METRICS[name].compares[convention] == "density":
        generator = torch.Generator().manual_seed(3)
        return (torch.rand(34, 40, generator=generator) - 0.5).clamp(min=0)
    return POINTS


@pytest.mark.parametrize(("name", "convention"), TRAINABLE)
def test_a_batch_without_a_score_has_a_gradient_of_0(name, convention):
    module, given = CLASSES[name](convention), maps()
    loss = module(given, no_target(name, convention, 3), *beside(name, convention))
    assert loss.isnan()
    loss.backward()
    assert given.grad.shape == (3, 34, 40)
    assert given.grad.abs().max() == 0
    assert (module.scored, module.undefined) == (0, 3)
    assert module.compute().isnan()
    assert not module.compute().requires_grad


@pytest.mark.parametrize(("name", "convention"), TRAINABLE)
def test_a_batch_in_part_without_a_score_trains_on_the_rest(name, convention):
    module, given = CLASSES[name](convention), maps()
    targets = list(no_target(name, convention, 3))
    targets[1] = some_target(name, convention)
    stacked = torch.stack(targets) if targets[0].shape == (34, 40) else targets
    loss = module(given, stacked, *beside(name, convention))
    alone = given.detach()[1].clone().requires_grad_()
    expected = METRICS[name].function(
        alone, some_target(name, convention), *beside(name, convention), convention
    )
    assert loss.item() == pytest.approx(expected.item(), rel=1e-12)
    loss.backward()
    expected.backward()
    assert given.grad[[0, 2]].abs().max() == 0
    assert given.grad[1].abs().max() > 0
    torch.testing.assert_close(given.grad[1], alone.grad)


@pytest.mark.parametrize(("name", "convention"), TRAINABLE)
def test_an_empty_batch_has_a_gradient_too(name, convention):
    module, given = CLASSES[name](convention), maps(0)
    loss = module(given, no_target(name, convention, 0), *beside(name, convention))
    assert loss.isnan()
    loss.backward()
    assert given.grad.shape == (0, 34, 40)


@pytest.mark.parametrize(("name", "convention"), OTHERS)
def test_what_cannot_be_trained_has_no_gradient_by_the_back_door(name, convention):
    target = no_target(name, convention, 2)
    loss = CLASSES[name](convention)(maps(2), target, *beside(name, convention))
    assert loss.isnan()
    assert not loss.requires_grad


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_maps_that_hold_nan_have_a_gradient_of_0(bad):
    given = torch.full((2, 34, 40), bad, requires_grad=True)
    loss = NSS()(given, POINTS)
    loss.backward()
    assert loss.isnan()
    assert given.grad.abs().max() == 0


def test_weights_stay_where_a_batch_has_no_gaze():
    network = torch.nn.Conv2d(3, 1, 3, padding=1)
    images = torch.rand(2, 3, 34, 40)
    optimiser = torch.optim.SGD(network.parameters(), lr=0.5)
    loss_of, before = NSS(), [each.clone() for each in network.parameters()]
    for targets, moves in (([NOBODY, NOBODY], False), ([NOBODY, POINTS], True)):
        optimiser.zero_grad()
        (-loss_of(network(images)[:, 0], targets)).backward()
        optimiser.step()
        after = list(network.parameters())
        assert all(each.isfinite().all() for each in after)
        assert any((a != b).any() for a, b in zip(before, after, strict=True)) is moves
    assert (loss_of.scored, loss_of.undefined) == (1, 3)


def test_half_precision_and_a_single_map():
    for kind in (maps(1)[0], maps().half(), maps().bfloat16()):
        given = kind.detach().requires_grad_()
        sets = NOBODY if given.ndim == 2 else [NOBODY] * 3
        NSS()(given, sets).backward()
        assert given.grad.dtype == given.dtype
        assert given.grad.abs().max() == 0


def test_two_losses_of_which_one_has_no_score():
    given = maps()
    cc, nss = CC()(given, some_target("cc", "tuebingen")), NSS()(given, [NOBODY] * 3)
    (cc + nss).backward()
    assert given.grad.isfinite().all()
    assert given.grad.abs().max() > 0
    assert not AUC()(given, POINTS).requires_grad
