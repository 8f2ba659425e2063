"""The feature pyramid that every backbone gives; some levels are computed when they are read."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch

from quickgaze.backbones._torch_state import plain_torch
from quickgaze.catalogue import unknown_name
from quickgaze.errors import OptionError
from quickgaze.stimuli.types import Size

_STRIDE = re.compile(r"s(\d+)")
_HEIGHT_BY_WIDTH = re.compile(r"(\d+)x(\d+)")


class DeferredLevel(Protocol):
    """A level that is computed when it is asked for, and kept if it was computed whole."""

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Its shape (B, C, H, W)."""

    @property
    def whole(self) -> torch.Tensor:
        """All of it, (B, C, H, W), float32."""

    def at(self, rows: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
        """Compute the cells where some rows and columns meet, (B, C, h, w), float32."""


class Levels(Mapping[str, torch.Tensor]):
    """Features by level name, from fine to coarse; a deferred level is computed when taken."""

    def __init__(self, found: Mapping[str, torch.Tensor | DeferredLevel]) -> None:
        self._found = dict(found)

    def __getitem__(self, name: str) -> torch.Tensor:
        level = self._found[name]
        return level if isinstance(level, torch.Tensor) else level.whole

    def __contains__(self, name: object) -> bool:
        # That of Mapping would take the level, and so compute it.
        return name in self._found

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def select(self, names: Iterable[str]) -> Levels:
        """Keep some levels, in the given order; computes nothing."""
        return Levels({name: self._found[name] for name in names})

    def shape(self, name: str) -> tuple[int, ...]:
        """Shape (B, C, H, W) of a level; computes nothing."""
        return tuple(self._found[name].shape)

    def at(self, name: str, rows: npt.ArrayLike, columns: npt.ArrayLike) -> torch.Tensor:
        """Features (B, C, h, w) of a level at the cells where some rows and columns meet."""
        level = self._found[name]
        height, width = level.shape[2:]
        some_rows, row_places = np.unique(rows, return_inverse=True)
        some_columns, column_places = np.unique(columns, return_inverse=True)
        # What is read in several places is computed once; where that is most of a level, the
        # whole is as cheap and serves the next grid too.
        most = 2 * len(some_rows) * len(some_columns) > height * width
        if isinstance(level, torch.Tensor) or most:
            return cells_at(self[name], rows, columns)
        cells = level.at(torch.from_numpy(some_rows), torch.from_numpy(some_columns))
        return cells_at(cells, row_places, column_places)


def cells_at(level: torch.Tensor, rows: npt.ArrayLike, columns: npt.ArrayLike) -> torch.Tensor:
    """Take the cells (B, C, h, w) of a level where some rows and columns meet."""
    down, across = (torch.as_tensor(cells) for cells in (rows, columns))
    size = (len(down), len(across))
    places = (down[:, None] * level.shape[3] + across).flatten().to(level.device)
    if level.is_contiguous(memory_format=torch.channels_last):
        # All channels of a cell lie together, so a cell is copied in one piece.
        cells = level.permute(0, 2, 3, 1).flatten(1, 2).index_select(1, places)
        return cells.reshape(len(level), *size, -1).permute(0, 3, 1, 2)
    return level.flatten(2).index_select(2, places).reshape(*level.shape[:2], *size)


@dataclass(frozen=True, eq=False)
class Pyramid:
    """Features of a batch of equally large images, at several resolutions.

    Parameters
    ----------
    levels : mapping of str to Tensor
        Features by level name, each (B, C, H, W), from fine to coarse. Those of a backbone may
        be computed only when they are taken.
    strides : mapping of str to int
        Input pixels per cell of each level, as the architecture defines it.
    input_size : (int, int)
        Height and width in pixels of what the network saw, padding included.
    content : (int, int)
        Height and width in pixels of the part of the input that the image covers, from its
        upper left corner.

    Raises
    ------
    OptionError
        If there is no level, if levels differ in batch size, are no tensors of real numbers, or
        hold none.

    Examples
    --------
    >>> pyramid = Pyramid({"0": torch.zeros(1, 8, 6, 8)}, {"0": 4}, (24, 32), (24, 30))
    >>> pyramid.grid_size("coarsest"), pyramid.grid_size("s8"), pyramid.grid_size("3x4")
    ((6, 8), (3, 4), (3, 4))
    """

    levels: Mapping[str, torch.Tensor]
    strides: Mapping[str, int]
    input_size: Size
    content: Size

    def __post_init__(self) -> None:
        if not self.levels:
            raise OptionError("a pyramid needs at least one level; it got none")
        if not isinstance(self.levels, Levels):
            object.__setattr__(self, "levels", _in_float32(self.levels))
        shapes = {name: self.shape(name) for name in self.levels}
        batches = {shape[0] if len(shape) == 4 else None for shape in shapes.values()}
        if len(batches) > 1 or None in batches:
            raise OptionError(f"levels must all be (B, C, H, W) with one B; they are {shapes}")
        if not all(map(all, shapes.values())):
            raise OptionError(
                "levels must hold at least one image, channel, row and column; they are "
                f"{ {name: tuple(shape) for name, shape in shapes.items()} }"
            )

    def __len__(self) -> int:
        return self.shape(next(iter(self.levels)))[0]

    @property
    def _levels(self) -> Levels:
        return self.levels if isinstance(self.levels, Levels) else Levels(self.levels)

    def shape(self, name: str) -> tuple[int, ...]:
        """Shape of a level, without computing it.

        Parameters
        ----------
        name : str

        Returns
        -------
        tuple of int
            (B, C, H, W).
        """
        return self._levels.shape(name)

    def at(self, name: str, rows: npt.ArrayLike, columns: npt.ArrayLike) -> torch.Tensor:
        """Features of a level where some of its rows and columns meet, and no others.

        Parameters
        ----------
        name : str
        rows, columns : array_like of int
            Indices of cells; repeats are allowed.

        Returns
        -------
        Tensor, shape (B, C, len(rows), len(columns))

        Examples
        --------
        >>> fine = torch.arange(12.0).reshape(1, 1, 3, 4)
        >>> pyramid = Pyramid({"fine": fine}, {"fine": 4}, (12, 16), (12, 16))
        >>> pyramid.at("fine", [0, 2], [3, 3]).tolist()
        [[[[3.0, 3.0], [11.0, 11.0]]]]
        """
        with plain_torch():
            return self._levels.at(name, rows, columns)

    def select(self, names: Sequence[str] | None) -> Pyramid:
        """Keep some of the levels.

        Parameters
        ----------
        names : sequence of str, or None
            Level names, or strides such as ``"s16"`` for the level that has it. None keeps all.

        Returns
        -------
        Pyramid
            Its levels are in the order of this one, from fine to coarse.

        Raises
        ------
        UnknownNameError
            If there is no such level.
        """
        if names is None:
            return self
        wanted = {self._level_name(name) for name in names}
        kept = [name for name in self.levels if name in wanted]
        return replace(self, levels=self._levels.select(kept))

    def content_cells(self, name: str) -> tuple[float, float]:
        """How many cells of a level the image covers.

        Parameters
        ----------
        name : str

        Returns
        -------
        (float, float)
            Down and across; fractions where the input was padded.
        """
        sides = zip(self.shape(name)[2:], self.content, self.input_size, strict=True)
        down, across = (cells * content / whole for cells, content, whole in sides)
        return down, across

    def grid_size(self, grid: str) -> Size:
        """Height and width in cells of a grid laid over the image.

        Parameters
        ----------
        grid : str
            A level's name, ``"coarsest"``, ``"finest"``, a stride such as ``"s32"``, or a
            size such as ``"30x40"`` (height x width).

        Returns
        -------
        (int, int)
            A level's grid has as many cells as the level has over the image, a last
            incomplete one included.

        Raises
        ------
        UnknownNameError
            If `grid` is none of these.
        """
        names = list(self.levels)
        grid = {"coarsest": names[-1], "finest": names[0]}.get(grid, grid)
        if grid in self.levels:
            down, across = self.content_cells(grid)
            return max(1, math.ceil(down - 1e-9)), max(1, math.ceil(across - 1e-9))
        check_grid(grid, names)
        if match := _STRIDE.fullmatch(grid):
            stride = int(match[1])
            for name in names:
                if self.strides[name] == stride:
                    return self.grid_size(name)
            return math.ceil(self.content[0] / stride), math.ceil(self.content[1] / stride)
        height, width = map(int, grid.split("x"))
        return height, width

    def _level_name(self, name: str) -> str:
        if name in self.levels:
            return name
        for level in self.levels:
            if name == f"s{self.strides[level]}":
                return level
        raise unknown_name("level", name, self.levels)


def _in_float32(levels: Mapping[str, torch.Tensor]) -> Mapping[str, torch.Tensor]:
    """Give levels as float32, those that are as they are; refuse what is no real tensor."""
    for name, level in levels.items():
        if not isinstance(level, torch.Tensor) or not level.is_floating_point():
            kind = level.dtype if isinstance(level, torch.Tensor) else type(level).__name__
            raise OptionError(f"levels are float tensors (B, C, H, W); level {name!r} is {kind}")
    if all(level.dtype == torch.float32 for level in levels.values()):
        return levels
    return {name: level.float() for name, level in levels.items()}


def check_grid(grid: str, level_names: Sequence[str]) -> None:
    """Refuse a grid that no image could have.

    Parameters
    ----------
    grid : str
        As for `Pyramid.grid_size`.
    level_names : sequence of str
        The backbone's levels.

    Raises
    ------
    UnknownNameError
        If `grid` is not a level, a stride, a size, ``"coarsest"`` or ``"finest"``.

    Examples
    --------
    >>> check_grid("30x40", ["s8", "s16"])
    """
    if grid in ("coarsest", "finest", *level_names):
        return
    size = _HEIGHT_BY_WIDTH.fullmatch(grid) or _STRIDE.fullmatch(grid)
    if size is None or any(int(number) == 0 for number in size.groups()):
        forms = ("coarsest", "finest", *level_names, "a stride like s32", "a size like 30x40")
        raise unknown_name("grid", grid, forms)
