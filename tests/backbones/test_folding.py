"""Folded batch norms against the networks that they were folded into."""

from __future__ import annotations

import copy

import pytest
import timm
import torch
from torch import nn
from torchvision.models import resnet18
from torchvision.ops import FrozenBatchNorm2d

from quickgaze.backbones._folding import fold_batch_norms


def settled(network: nn.Module) -> nn.Module:
    """Give a network's norms statistics of their own, as training does."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d) and module.track_running_stats:
                nn.init.uniform_(module.running_mean, -0.2, 0.2)
                nn.init.uniform_(module.running_var, 0.5, 1.5)
                if module.affine:
                    nn.init.uniform_(module.weight, 0.5, 1.5)
                    nn.init.uniform_(module.bias, -0.2, 0.2)
    return network.eval()


def norms(network: nn.Module) -> int:
    return sum("BatchNorm" in type(module).__name__ for module in network.modules())


@torch.no_grad()
def assert_folded(network: nn.Module, size: int = 64) -> None:
    network = settled(network)
    count = norms(network)
    batch = torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(1))
    expected = network(batch)
    folded = copy.deepcopy(network)
    assert fold_batch_norms(folded) == count > 0
    assert norms(folded) == 0
    found = folded(batch)
    pairs = zip(found, expected, strict=True) if isinstance(found, list) else [(found, expected)]
    for each, wanted in pairs:
        scale = wanted.abs().max().item()
        torch.testing.assert_close(each, wanted, rtol=1e-4, atol=1e-5 * scale)


@pytest.mark.parametrize(
    "name",
    [
        "resnet18",  # norms beside activations
        "tf_efficientnet_lite0",  # norms with activations, convolutions that pad themselves
        "mobilenetv3_small_100",  # squeeze and excitation
        "regnetx_002",  # grouped convolutions
    ],
)
def test_networks_of_timm(name: str) -> None:
    assert_folded(timm.create_model(name, features_only=True))


def test_a_network_of_torchvision() -> None:
    assert_folded(resnet18())


def test_a_literal_folding() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.ReLU()).eval()
    assert fold_batch_norms(network) == 1
    assert isinstance(network[1], nn.Identity)


def test_frozen_norms() -> None:
    norm = FrozenBatchNorm2d(5, eps=1e-3)
    norm.running_mean.uniform_(-1, 1)
    norm.running_var.uniform_(0.5, 2)
    norm.weight.uniform_(0.5, 2)
    norm.bias.uniform_(-1, 1)
    assert_folded(nn.Sequential(nn.Conv2d(3, 5, 3, bias=False), norm))


@pytest.mark.parametrize("bias", [False, True])
def test_norms_without_weights(bias: bool) -> None:
    assert_folded(nn.Sequential(nn.Conv2d(3, 4, 1, bias=bias), nn.BatchNorm2d(4, affine=False)))


class Reads(nn.Module):
    """Reads the convolution beside the norm."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution, self.norm = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        convolved = self.convolution(batch)
        return self.norm(convolved) + convolved


class Twice(Reads):
    """Uses the convolution twice."""

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        return self.norm(self.convolution(self.convolution(batch)))


class Branches(Reads):
    """Cannot be traced."""

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        return self.norm(self.convolution(batch)) if batch.sum() > 0 else batch


class Named(nn.BatchNorm2d):
    """Does something else afterwards."""

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        return super().forward(batch).square()


@pytest.mark.parametrize(
    "network",
    [
        Reads(),
        Twice(),
        Branches(),
        nn.Sequential(nn.Conv2d(3, 3, 1), nn.ReLU(), nn.BatchNorm2d(3)),
        nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3, track_running_stats=False)),
        nn.Sequential(nn.Conv2d(3, 3, 1), Named(3)),
    ],
    ids=lambda network: type(network).__name__,
)
@torch.no_grad()
def test_what_cannot_be_folded_stays_as_it_is(network: nn.Module) -> None:
    network = settled(network)
    batch = torch.rand(1, 3, 4, 4)
    expected = network(batch)
    assert fold_batch_norms(network) == 0
    assert torch.equal(network(batch), expected)


def test_a_norm_that_still_learns_is_left_alone() -> None:
    network = nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)).train()
    assert fold_batch_norms(network) == 0
