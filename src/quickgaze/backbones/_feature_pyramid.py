"""Feature pyramid networks, evaluated where their levels are read.

The finest level is a quarter of a detector's arithmetic; a coarse grid reads few of its cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import nn
from torch.nn import functional
from torchvision.ops import FeaturePyramidNetwork

from quickgaze.backbones._torch_state import plain_torch
from quickgaze.backbones.pyramid import DeferredLevel, cells_at


@dataclass(frozen=True, eq=False)
class Merged:
    """A stage of a body, merged with the coarser ones; the input of a level."""

    lateral: nn.Module  # a 1x1 convolution of the stage
    stage: torch.Tensor  # (B, c, H, W)
    coarser: torch.Tensor  # (B, C, h, w), merged on the next coarser level; cells are repeated

    @cached_property
    def whole(self) -> torch.Tensor:
        """All cells, (B, C, H, W)."""
        size = (self.stage.shape[2], self.stage.shape[3])
        lateral: torch.Tensor = self.lateral(self.stage)
        return lateral.add_(functional.interpolate(self.coarser, size=size, mode="nearest"))

    def at(self, rows: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
        """Cells where some rows and columns meet, (B, C, len(rows), len(columns))."""
        height, width = self.stage.shape[2:]
        if "whole" in self.__dict__ or 2 * len(rows) * len(columns) > height * width:
            return cells_at(self.whole, rows, columns)
        lateral: torch.Tensor = self.lateral(cells_at(self.stage, rows, columns))
        above = _repeated(self.coarser.shape[2], height)[rows]
        beside = _repeated(self.coarser.shape[3], width)[columns]
        return lateral.add_(cells_at(self.coarser, above, beside))


@dataclass(frozen=True, eq=False)
class ConvolvedLevel:
    """A level of a feature pyramid network that is computed when it is asked for."""

    block: nn.Sequential  # a 3x3 convolution and what follows it cell by cell
    merged: Merged

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Its shape (B, C, H, W)."""
        batch, _, height, width = self.merged.stage.shape
        return batch, self._convolution.out_channels, height, width

    @cached_property
    @plain_torch()
    @torch.inference_mode()
    def whole(self) -> torch.Tensor:
        """All of it, (B, C, H, W), float32."""
        level: torch.Tensor = self.block(self.merged.whole)
        return level.float()

    @plain_torch()
    @torch.inference_mode()
    def at(self, rows: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
        """Compute the cells where some rows and columns meet, (B, C, h, w), float32."""
        if "whole" in self.__dict__:
            return cells_at(self.whole, rows, columns)
        height, width = self.shape[2:]
        near = torch.tensor([-1, 0, 1])
        rows, columns = ((cells[:, None] + near).flatten() for cells in (rows, columns))
        patches = self.merged.at(rows.clamp(0, height - 1), columns.clamp(0, width - 1))
        # Outside the level, a convolution sees zeros.
        patches[:, :, (rows < 0) | (rows >= height)] = 0
        patches[:, :, :, (columns < 0) | (columns >= width)] = 0
        convolution = self._convolution
        # The patches of neighbouring cells are side by side, three cells each.
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
    """Evaluate a feature pyramid network on named stages (B, c, H, W), from fine to coarse.

    The finest level is computed only where it is read.
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
        levels.insert(0, ConvolvedLevel(block, source))
        if place > 0:
            merged = source.whole
    return dict(zip(every, [*levels, *added], strict=True))


def _repeated(coarse: int, fine: int) -> torch.Tensor:
    """Which of `coarse` cells is repeated at each of `fine` cells, (fine,)."""
    cells = torch.arange(coarse, dtype=torch.float32)[None, None]
    # Interpolation is asked itself, because it rounds in float32.
    return functional.interpolate(cells, size=fine, mode="nearest")[0, 0].long()
