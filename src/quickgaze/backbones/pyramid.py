"""The feature pyramid that every backbone gives."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy.typing as npt
import torch

from quickgaze.backbones.levels import Levels
from quickgaze.catalogue import unknown_name
from quickgaze.errors import OptionError
from quickgaze.stimuli.types import Size

_STRIDE = re.compile(r"s(\d+)")
_HEIGHT_BY_WIDTH = re.compile(r"(\d+)x(\d+)")


@dataclass(frozen=True, eq=False)
class Pyramid:
    """Features of a batch of equally large images, at several resolutions.

    Parameters
    ----------
    levels : mapping of str to Tensor
        Features by level name, each (B, C, H, W), from fine to coarse. Where they are `Levels`,
        a level may be computed only when it is taken.
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
        If there is no level, or if levels differ in batch size.

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
        shapes = {name: self.shape(name) for name in self.levels}
        if (
            any(len(shape) != 4 for shape in shapes.values())
            or len({shape[0] for shape in shapes.values()}) != 1
        ):
            raise OptionError(f"levels must all be (B, C, H, W) with one B; they are {shapes}")

    def __len__(self) -> int:
        return self.shape(next(iter(self.levels)))[0]

    def shape(self, name: str) -> tuple[int, ...]:
        """Tell the shape of a level, without computing it.

        Parameters
        ----------
        name : str

        Returns
        -------
        tuple of int
            (B, C, H, W).
        """
        levels = self.levels
        return levels.shape(name) if isinstance(levels, Levels) else tuple(levels[name].shape)

    def at(self, name: str, rows: npt.ArrayLike, columns: npt.ArrayLike) -> torch.Tensor:
        """Features of a level where some of its rows and columns meet, and no others.

        Parameters
        ----------
        name : str
        rows, columns : array_like of int
            Indices of cells, with repeats where they are wanted.

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
        levels = self.levels if isinstance(self.levels, Levels) else Levels(self.levels)
        return levels.at(name, rows, columns)

    def select(self, names: Sequence[str] | None) -> Pyramid:
        """Keep some of the levels.

        Parameters
        ----------
        names : sequence of str, or None
            Level names, or strides such as ``"s16"`` for the level that has it. None keeps all.

        Returns
        -------
        Pyramid
            Its levels stand in the order of this one, from fine to coarse.

        Raises
        ------
        UnknownNameError
            If there is no such level.
        """
        if names is None:
            return self
        wanted = {self._level_name(name) for name in names}
        names = [name for name in self.levels if name in wanted]
        if isinstance(self.levels, Levels):
            return replace(self, levels=self.levels.select(names))
        return replace(self, levels={name: self.levels[name] for name in names})

    def content_cells(self, name: str) -> tuple[float, float]:
        """Tell how many cells of a level the image covers.

        Parameters
        ----------
        name : str

        Returns
        -------
        (float, float)
            Down and across; not always whole, where the input was padded.
        """
        height, width = self.shape(name)[2:]
        return (
            height * self.content[0] / self.input_size[0],
            width * self.content[1] / self.input_size[1],
        )

    def grid_size(self, grid: str) -> Size:
        """Find the height and width in cells of a grid laid over the image.

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
        if grid == "coarsest":
            grid = names[-1]
        elif grid == "finest":
            grid = names[0]
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
    >>> check_grid("fine", ["s8", "s16"])
    Traceback (most recent call last):
    quickgaze.errors.UnknownNameError: unknown grid 'fine'; did you mean 'finest'? Known: ...
    """
    if grid in ("coarsest", "finest", *level_names):
        return
    size = _HEIGHT_BY_WIDTH.fullmatch(grid) or _STRIDE.fullmatch(grid)
    if size is None or any(int(number) == 0 for number in size.groups()):
        forms = ("coarsest", "finest", *level_names, "a stride like s32", "a size like 30x40")
        raise unknown_name("grid", grid, forms)
