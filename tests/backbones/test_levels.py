"""Levels that are computed where they are read, against the whole level."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from quickgaze.backbones.pyramid import Levels, Pyramid, cells_at

places = st.lists(st.integers(0, 4), min_size=1, max_size=6)


class Counted:
    """A level that notes what it is asked for."""

    def __init__(self, level: torch.Tensor) -> None:
        self.level = level
        self.shape = tuple(level.shape)
        self.asked: list[object] = []

    @property
    def whole(self) -> torch.Tensor:
        self.asked.append("whole")
        return self.level

    def at(self, rows: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
        self.asked.append((rows.tolist(), columns.tolist()))
        return self.level[:, :, rows][:, :, :, columns]


@given(rows=places, columns=places, channels_last=st.booleans())
def test_cells_are_those_of_the_level(
    rows: list[int], columns: list[int], channels_last: bool
) -> None:
    level = torch.arange(2 * 3 * 5 * 5.0).reshape(2, 3, 5, 5)
    if channels_last:
        level = level.to(memory_format=torch.channels_last)
    expected = level[:, :, rows][:, :, :, columns]
    assert torch.equal(cells_at(level, rows, columns), expected)
    assert torch.equal(Levels({"0": level}).at("0", rows, columns), expected)
    assert torch.equal(Levels({"0": Counted(level)}).at("0", rows, columns), expected)


def test_few_cells_are_computed_alone_and_each_once() -> None:
    level = Counted(torch.rand(1, 2, 10, 10))
    Levels({"0": level}).at("0", [7, 2, 2], [9, 9])
    assert level.asked == [([2, 7], [9])]


def test_many_cells_are_read_from_the_whole_level() -> None:
    level = Counted(torch.rand(1, 2, 10, 10))
    found = Levels({"0": level}).at("0", range(10), range(10))
    assert level.asked == ["whole"]
    assert torch.equal(found, level.level)


def test_shapes_selections_and_grids_compute_nothing() -> None:
    fine, coarse = Counted(torch.rand(2, 4, 8, 8)), torch.rand(2, 4, 4, 4)
    strides = {"fine": 8, "coarse": 16}
    pyramid = Pyramid(Levels({"fine": fine, "coarse": coarse}), strides, (64, 64), (60, 64))
    kept = pyramid.select(["fine"])
    assert (len(pyramid), list(kept.levels), kept.shape("fine")) == (2, ["fine"], (2, 4, 8, 8))
    assert kept.grid_size("finest") == pyramid.grid_size("s8") == (8, 8)
    assert pyramid.content_cells("fine") == (7.5, 8.0)
    assert fine.asked == []
