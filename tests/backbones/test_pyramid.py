"""The pyramid's levels and the grids laid over it."""

from __future__ import annotations

import pytest
import torch

from quickgaze.backbones import Pyramid, check_grid
from quickgaze.errors import OptionError, UnknownNameError


@pytest.fixture
def detector_pyramid() -> Pyramid:
    """Levels of an 800 x 1088 input of which 800 x 1066 is image."""
    sizes = {"0": (200, 272), "1": (100, 136), "2": (50, 68), "3": (25, 34), "pool": (13, 17)}
    levels = {name: torch.zeros(1, 2, *size) for name, size in sizes.items()}
    strides = dict(zip(sizes, (4, 8, 16, 32, 64), strict=True))
    return Pyramid(levels, strides, (800, 1088), (800, 1066))


@pytest.mark.parametrize(
    ("grid", "size"),
    [
        ("coarsest", (13, 17)),
        ("pool", (13, 17)),
        ("s64", (13, 17)),
        ("finest", (200, 267)),
        ("0", (200, 267)),
        ("s16", (50, 67)),
        ("s100", (8, 11)),
        ("30x40", (30, 40)),
    ],
)
def test_grid_sizes(detector_pyramid: Pyramid, grid: str, size: tuple[int, int]) -> None:
    assert detector_pyramid.grid_size(grid) == size


@pytest.mark.parametrize("grid", ["coarse", "s0", "0x4", "4x", "30*40", "", "4x4x4"])
def test_a_grid_that_no_image_has_gets_a_list(detector_pyramid: Pyramid, grid: str) -> None:
    with pytest.raises(UnknownNameError, match="coarsest, finest, 0, 1, 2, 3, pool, a stride"):
        detector_pyramid.grid_size(grid)
    with pytest.raises(UnknownNameError, match="unknown grid"):
        check_grid(grid, ["0"])


def test_levels_are_chosen_by_name_or_stride(detector_pyramid: Pyramid) -> None:
    chosen = detector_pyramid.select(["pool", "s8"])
    assert list(chosen.levels) == ["1", "pool"]
    assert chosen.grid_size("finest") == (100, 134)
    assert detector_pyramid.select(None) is detector_pyramid


def test_an_unknown_level_gets_a_list(detector_pyramid: Pyramid) -> None:
    with pytest.raises(UnknownNameError, match="Known: 0, 1, 2, 3, pool"):
        detector_pyramid.select(["4"])


def test_levels_of_different_batches_are_refused() -> None:
    levels = {"0": torch.zeros(1, 2, 4, 4), "1": torch.zeros(2, 2, 2, 2)}
    with pytest.raises(OptionError, match=r"\(2, 2, 2, 2\)"):
        Pyramid(levels, {"0": 1, "1": 2}, (4, 4), (4, 4))


def test_a_pyramid_without_levels_is_refused() -> None:
    with pytest.raises(OptionError, match="at least one level"):
        Pyramid({}, {}, (4, 4), (4, 4))
