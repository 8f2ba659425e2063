"""Pyramids to compute CAMs from."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from quickgaze.backbones import Pyramid

PyramidMaker = Callable[..., Pyramid]


@pytest.fixture(scope="session")
def random_pyramid() -> PyramidMaker:
    """Make a pyramid of random features over a 64 x 96 input; some of it padding if asked."""

    def make(seed: int = 0, batch: int = 1, content: tuple[int, int] = (64, 96)) -> Pyramid:
        generator = torch.Generator().manual_seed(seed)
        levels = {
            name: torch.randn(batch, channels, 64 // stride, 96 // stride, generator=generator)
            for name, channels, stride in (("0", 5, 4), ("1", 9, 8), ("2", 17, 16))
        }
        return Pyramid(levels, {"0": 4, "1": 8, "2": 16}, (64, 96), content)

    return make
