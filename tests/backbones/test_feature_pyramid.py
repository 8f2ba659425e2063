"""Feature pyramid networks where they are read, against torchvision's evaluation of all of them."""

from __future__ import annotations

from collections import OrderedDict

import pytest
import torch
from torch import nn
from torchvision.ops import FeaturePyramidNetwork
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool, LastLevelP6P7

from quickgaze.backbones import load_backbone
from quickgaze.backbones._feature_pyramid import ConvolvedLevel, Merged, evaluate
from quickgaze.backbones.pyramid import Levels
from quickgaze.cams import eigen
from quickgaze.errors import RandomWeightsWarning

CHANNELS = (4, 6, 8)
EXTRAS = {"none": lambda: None, "pool": LastLevelMaxPool, "p6p7": lambda: LastLevelP6P7(5, 5)}


def network(extra: str = "none", norm: type[nn.Module] | None = None) -> FeaturePyramidNetwork:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made = FeaturePyramidNetwork(list(CHANNELS), 5, EXTRAS[extra](), norm).eval()
        for parameter in made.parameters():
            nn.init.uniform_(parameter, -0.5, 0.5)
    return made


def stages(sizes: tuple[tuple[int, int], ...], batch: int = 2) -> OrderedDict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return OrderedDict(
        (str(place), torch.randn(batch, channels, *size, generator=generator))
        for place, (channels, size) in enumerate(zip(CHANNELS, sizes, strict=True))
    )


# Halves that are not exact, as padding and odd sizes give them.
SIZES = (((16, 24), (8, 12), (4, 6)), ((15, 22), (8, 11), (4, 6)), ((29, 7), (10, 3), (3, 2)))


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("extra", EXTRAS)
@pytest.mark.parametrize("norm", [None, nn.BatchNorm2d])
@torch.no_grad()
def test_levels_equal_torchvisions(
    sizes: tuple[tuple[int, int], ...], extra: str, norm: type[nn.Module] | None
) -> None:
    pyramid, given = network(extra, norm), stages(sizes)
    expected = pyramid(OrderedDict(given))
    found = evaluate(pyramid, list(given.values()), list(given))
    assert list(found) == list(expected)
    levels = Levels(found)
    for name, level in expected.items():
        assert levels.shape(name) == tuple(level.shape)
        torch.testing.assert_close(levels[name], level, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("channels_last", [False, True])
@torch.no_grad()
def test_single_cells_equal_those_of_the_whole_level(
    sizes: tuple[tuple[int, int], ...], channels_last: bool
) -> None:
    pyramid, given = network(), stages(sizes)
    if channels_last:
        given = OrderedDict(
            (name, stage.to(memory_format=torch.channels_last)) for name, stage in given.items()
        )
    expected = pyramid(OrderedDict(given))
    height, width = sizes[0]
    corners = ([0, height - 1], [0, width - 1])
    for rows, columns in (corners, ([height // 2], [1, width // 3]), (range(height), [width - 2])):
        found = evaluate(pyramid, list(given.values()), list(given))["0"]
        assert isinstance(found, ConvolvedLevel)
        cells = found.at(torch.tensor(list(rows)), torch.tensor(list(columns)))
        assert "whole" not in found.__dict__
        wanted = expected["0"][:, :, list(rows)][:, :, :, list(columns)]
        torch.testing.assert_close(cells, wanted, rtol=1e-5, atol=1e-5)


@torch.no_grad()
def test_what_the_finest_level_is_made_of_is_read_at_few_places_too() -> None:
    pyramid, given = network(), stages(SIZES[0])
    level = evaluate(pyramid, list(given.values()), list(given))["0"]
    assert isinstance(level, ConvolvedLevel)
    assert isinstance(level.merged, Merged)
    level.at(torch.tensor([3]), torch.tensor([5, 6]))
    assert "whole" not in level.merged.__dict__
    assert level.whole is level.whole


def test_a_coarse_grid_does_not_compute_the_finest_level_of_a_detector() -> None:
    with pytest.warns(RandomWeightsWarning):
        backbone = load_backbone("fasterrcnn_resnet50_fpn", "none", "cpu", geometry="short:320")
    calls: list[int] = []
    finest = backbone.network.get_submodule("network.fpn.layer_blocks.0")
    finest.register_forward_hook(lambda *_: calls.append(1))
    batch = torch.rand(1, 3, 240, 320, generator=torch.Generator().manual_seed(0))
    pyramid = backbone(batch)
    coarse = eigen(pyramid, "coarsest")
    assert calls == []
    whole = backbone(batch)
    every = {name: whole.levels[name] for name in whole.levels}
    assert calls == [1]
    for name, level in every.items():
        assert tuple(level.shape) == pyramid.shape(name)
    # The slow obvious way: all levels are there before the grid is known.
    plain = eigen(type(whole)(every, whole.strides, whole.input_size, whole.content), "coarsest")
    torch.testing.assert_close(
        coarse.oriented("activation"), plain.oriented("activation"), rtol=1e-4, atol=1e-5
    )
