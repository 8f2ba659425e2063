"""A module of one's own: exact levels, nothing left behind, and errors that help."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from quickgaze import wrap_backbone
from quickgaze.backbones import IMAGENET_MEAN, IMAGENET_STD, Backbone, InputGeometry
from quickgaze.errors import OptionError, UnknownNameError


class Net(nn.Module):
    """Layers of every kind, under names that are easy to get wrong."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.ReLU(inplace=True))
        self.deep = nn.Conv2d(4, 6, 3, stride=4, padding=1)
        self.last = nn.MaxPool2d(2)
        self.relu = nn.ReLU()
        self.pair = Pair()
        self.tokens = nn.Flatten(2)
        self.channels_last = ChannelsLast()
        self.never = nn.Identity()
        self.fails = False

    def forward(self, batch: torch.Tensor) -> str:
        if self.fails:
            self.stem(batch)
            raise ArithmeticError("in the middle")
        deep = self.relu(self.last(self.deep(self.relu(self.stem(batch)))))
        self.pair(deep)
        self.tokens(deep)
        self.channels_last(deep)
        return "whatever"


class Pair(nn.Module):
    def forward(self, maps: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return maps, maps + 1


class ChannelsLast(nn.Module):
    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        return maps.permute(0, 2, 3, 1)


@pytest.fixture
def net() -> Net:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Net()


def wrap(net: nn.Module, layers: Any, **options: Any) -> Backbone:
    given = {"name": "mine", "mean": (0.5, 0.5, 0.5), "std": (0.25, 0.25, 0.25), **options}
    return wrap_backbone(net, layers, **given)


def hooks_of(module: nn.Module) -> int:
    return sum(len(part._forward_hooks) for part in module.modules())


def test_levels_are_the_layers_outputs_from_fine_to_coarse(net: Net) -> None:
    backbone = wrap(net, ["last", "stem.0", "deep"])
    assert backbone.level_names == ("stem.0", "deep", "last")
    assert [(level.stride, level.channels) for level in backbone.spec.levels] == [
        (2, 4),
        (8, 6),
        (16, 6),
    ]
    batch = torch.rand(2, 3, 48, 80)
    pyramid = backbone(batch)
    with torch.no_grad():
        stem = net.stem[0]((batch - 0.5) / 0.25)
        deep = net.deep(stem.relu())
    # The inplace ReLU that follows must not reach the level that stands before it.
    assert pyramid.levels["stem.0"].min() < 0
    torch.testing.assert_close(pyramid.levels["stem.0"], stem)
    torch.testing.assert_close(pyramid.levels["deep"], deep)
    torch.testing.assert_close(pyramid.levels["last"], net.last(deep))
    assert dict(pyramid.strides) == {"stem.0": 2, "deep": 8, "last": 16}
    assert pyramid.content == pyramid.input_size == (48, 80)


def test_levels_can_be_named(net: Net) -> None:
    backbone = wrap(net, {"coarse": "last", "fine": "stem"})
    assert list(backbone(torch.rand(1, 3, 32, 32)).levels) == ["fine", "coarse"]


def test_hooks_are_there_during_a_call_only(net: Net) -> None:
    backbone = wrap(net, ["stem", "deep"])
    seen: list[int] = []
    inner = backbone.network.get_submodule("network")
    handle = inner.last.register_forward_hook(lambda *_: seen.append(hooks_of(inner)))
    backbone(torch.rand(1, 3, 32, 32))
    assert seen == [3]
    handle.remove()
    assert hooks_of(inner) == hooks_of(net) == 0


def test_hooks_are_gone_after_an_error(net: Net) -> None:
    backbone = wrap(net, ["deep"])
    inner = backbone.network.get_submodule("network")
    inner.fails = True
    with pytest.raises(OptionError, match=r"does not take .* 32 x 32 pixels \(in the middle\)"):
        backbone(torch.rand(1, 3, 32, 32))
    assert hooks_of(inner) == 0
    inner.fails = False
    backbone(torch.rand(1, 3, 32, 32))


def test_your_module_and_the_backbone_do_not_touch_each_other(net: Net) -> None:
    batch = torch.rand(1, 3, 32, 32)
    backbone = wrap(net, ["deep"])
    before = backbone(batch).levels["deep"]
    assert net.training
    assert all(parameter.requires_grad for parameter in net.parameters())
    with torch.no_grad():
        net.deep.weight.zero_()
    torch.testing.assert_close(backbone(batch).levels["deep"], before, rtol=0, atol=0)
    assert wrap(net, ["deep"]).weights_hash != backbone.weights_hash


def test_it_looks_in_evaluation_mode() -> None:
    net = nn.Sequential(nn.Conv2d(3, 2, 1), nn.Dropout(0.9))
    backbone = wrap(net, ["1"])
    batch = torch.rand(1, 3, 8, 8)
    torch.testing.assert_close(backbone(batch).levels["1"], backbone(batch).levels["1"])


@pytest.mark.parametrize(
    ("layer", "says"),
    [
        ("pair", r"a tuple of a tensor \(1, 6, 16, 24\), a tensor"),
        ("tokens", r"a tensor \(1, 6, 384\)"),
        ("channels_last", r"channels are last"),
        ("relu", "called 2 times"),
        ("never", "called 0 times"),
    ],
)
def test_what_is_no_map_is_refused(net: Net, layer: str, says: str) -> None:
    with pytest.raises(OptionError, match=says):
        wrap(net, [layer])


@pytest.mark.parametrize(
    ("layer", "reshape"),
    [
        ("pair", lambda output: output[0]),
        ("channels_last", lambda maps: maps.permute(0, 3, 1, 2)),
        ("tokens", lambda tokens: tokens.unflatten(2, (16, 24))),
    ],
)
def test_reshape_makes_it_a_map(
    net: Net, layer: str, reshape: Callable[[Any], torch.Tensor]
) -> None:
    geometry = InputGeometry(fixed_size=(256, 384))
    expected = wrap(net, ["last"], geometry=geometry)(torch.rand(1, 3, 64, 64))
    found = wrap(net, [layer], reshape=reshape, geometry=geometry)(torch.rand(1, 3, 64, 64))
    assert found.strides[layer] == 16
    assert found.levels[layer].shape == expected.levels["last"].shape


def test_a_wrong_layer_gets_the_nearest(net: Net) -> None:
    with pytest.raises(UnknownNameError, match=r"no layer 'steam'; .*stem.*Its top layers are: "):
        wrap(net, ["steam"])
    with pytest.raises(UnknownNameError, match="none is similar"):
        wrap(net, ["0123456789"])
    with pytest.raises(OptionError, match="layers is empty"):
        wrap(net, [])


@pytest.mark.parametrize("name", ["", "efficientnet_lite0", "timm/mine"])
def test_the_name_of_another_backbone_is_refused(net: Net, name: str) -> None:
    with pytest.raises(OptionError, match="is taken"):
        wrap(net, ["stem"], name=name)


def test_a_module_that_cannot_be_copied_is_refused(net: Net) -> None:
    net.kept = threading.Lock()
    with pytest.raises(OptionError, match="Net could not be copied"):
        wrap(net, ["stem"])


def test_geometries(net: Net) -> None:
    batch = torch.rand(1, 3, 30, 40)
    assert wrap(net, ["last"], geometry="short:60")(batch).content == (60, 80)
    padded = wrap(net, ["last"], geometry=InputGeometry(multiple=14))
    assert padded(batch).input_size == (42, 42)
    assert padded.spec.levels[0].stride == 16
    fixed = wrap(net, ["last"], geometry=InputGeometry(fixed_size=(64, 64)))(batch)
    assert fixed.content == fixed.input_size == (64, 64)


def test_imagenet_numbers_are_at_hand(net: Net) -> None:
    backbone = wrap(net, ["stem"], mean=IMAGENET_MEAN, std=IMAGENET_STD)
    assert backbone.spec.mean == (0.485, 0.456, 0.406)
    assert (backbone.weights, len(backbone.weights_hash)) == ("own", 64)
