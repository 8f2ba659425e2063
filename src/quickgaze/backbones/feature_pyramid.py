"""Feature pyramid networks, evaluated where their levels are read.

A level of a feature pyramid network is a 3x3 convolution of what was merged from its own stage
and the coarser ones. On the finest level that convolution is a quarter of a detector's
arithmetic, while a coarse grid reads a few hundred of its 50,000 cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import nn
from torch.nn import functional
from torchvision.ops import FeaturePyramidNetwork

from quickgaze.backbones.levels import DeferredLevel, cells_at


@dataclass(frozen=True, eq=False)
class Merged:
    """The finest stage of a body, merged with the coarser ones; the input of a level.

    Parameters
    ----------
    lateral : nn.Module
        A 1x1 convolution of the stage.
    stage : Tensor, shape (B, c, H, W)
    coarser : Tensor, shape (B, C, h, w)
        What was merged on the next coarser level; its cells are repeated.
    """

    lateral: nn.Module
    stage: torch.Tensor
    coarser: torch.Tensor

    @cached_property
    def whole(self) -> torch.Tensor:
        """All cells, (B, C, H, W)."""
        size = (self.stage.shape[2], self.stage.shape[3])
        lateral: torch.Tensor = self.lateral(self.stage)
        return lateral.add_(functional.interpolate(self.coarser, size=size, mode="nearest"))

    def at(self, rows: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
        """Give the cells where some rows and columns meet, (B, C, len(rows), len(columns))."""
        height, width = self.stage.shape[2:]
        if "whole" in self.__dict__ or 2 * len(rows) * len(columns) > height * width:
            return cells_at(self.whole, rows, columns)
        lateral: torch.Tensor = self.lateral(cells_at(self.stage, rows, columns))
        above = _repeated(self.coarser.shape[2], height)[rows]
        beside = _repeated(self.coarser.shape[3], width)[columns]
        return lateral.add_(cells_at(self.coarser, above, beside))


@dataclass(frozen=True, eq=False)
class ConvolvedLevel:
    """A level of a feature pyramid network that is computed when it is asked for.

    Parameters
    ----------
    block : nn.Sequential
        A 3x3 convolution and what follows it cell by cell.
    source : Merged
        What it is a convolution of.
    """

    block: nn.Sequential
    source: Merged

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Its shape (B, C, H, W)."""
        batch, _, height, width = self.source.stage.shape
        return batch, self._convolution.out_channels, height, width

    @cached_property
    @torch.inference_mode()
    def whole(self) -> torch.Tensor:
        """All of it, (B, C, H, W), float32."""
        level: torch.Tensor = self.block(self.source.whole)
        return level.float()

    @torch.inference_mode()
    def at(self, rows: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
        """Compute the cells where some rows and columns meet, (B, C, h, w), float32."""
        if "whole" in self.__dict__:
            return cells_at(self.whole, rows, columns)
        height, width = self.shape[2:]
        near = torch.tensor([-1, 0, 1])
        rows, columns = ((cells[:, None] + near).flatten() for cells in (rows, columns))
        patches = self.source.at(rows.clamp(0, height - 1), columns.clamp(0, width - 1))
        # Outside the level, a convolution sees zeros.
        patches[:, :, (rows < 0) | (rows >= height)] = 0
        patches[:, :, :, (columns < 0) | (columns >= width)] = 0
        convolution = self._convolution
        # The patches of neighbouring cells stand side by side, three cells each.
        cells = functional.conv2d(patches, convolution.weight, convolution.bias, stride=3)
        for following in list(self.block)[1:]:
            cells = following(cells)
        return cells.float()

    @property
    def _convolution(self) -> nn.Conv2d:
        convolution = self.block[0]
        assert isinstance(convolution, nn.Conv2d)  # noqa: S101 - tells the type checker
        return convolution


def evaluate(
    network: FeaturePyramidNetwork, stages: Sequence[torch.Tensor], names: Sequence[str]
) -> dict[str, torch.Tensor | DeferredLevel]:
    """Evaluate a feature pyramid network, its finest level only where it is read.

    Parameters
    ----------
    network : FeaturePyramidNetwork
    stages : sequence of Tensor, each (B, c, H, W)
        What the body gives, from fine to coarse.
    names : sequence of str
        Of the stages.

    Returns
    -------
    dict of str to Tensor or DeferredLevel
        Levels by name, from fine to coarse, with those that the network adds.
    """
    *finer, coarsest = zip(network.inner_blocks, network.layer_blocks, stages, strict=True)
    lateral, block, stage = coarsest
    merged = lateral(stage)
    levels: list[torch.Tensor | DeferredLevel] = [block(merged)]
    added, every = [], list(names)
    if network.extra_blocks is not None:
        coarse, every = network.extra_blocks(list(levels), [stage], list(names))
        added = coarse[1:]
    for place, (lateral, block, stage) in reversed(list(enumerate(finer))):
        source = Merged(lateral, stage, merged)
        if place == 0:
            levels.insert(0, ConvolvedLevel(block, source))
        else:
            merged = source.whole
            levels.insert(0, ConvolvedLevel(block, source))
    return dict(zip(every, [*levels, *added], strict=True))


def _repeated(coarse: int, fine: int) -> torch.Tensor:
    """Which of `coarse` cells is repeated at each of `fine` cells, (fine,)."""
    cells = torch.arange(coarse, dtype=torch.float32)[None, None]
    # Interpolation is asked itself, because it rounds in float32.
    return functional.interpolate(cells, size=fine, mode="nearest")[0, 0].long()
