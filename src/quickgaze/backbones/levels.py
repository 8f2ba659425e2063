"""Levels of a pyramid, some of them computed only when and where they are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch


class DeferredLevel(Protocol):
    """A level that is computed when it is asked for, and kept if it was computed whole."""

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Its shape (B, C, H, W)."""
        ...

    @property
    def whole(self) -> torch.Tensor:
        """All of it, (B, C, H, W), float32."""
        ...

    def at(self, rows: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
        """Compute the cells where some rows and columns meet, (B, C, h, w), float32."""
        ...


class Levels(Mapping[str, torch.Tensor]):
    """Features by level name, from fine to coarse.

    A level that was deferred is computed whole when it is first taken.

    Parameters
    ----------
    found : mapping of str to Tensor or DeferredLevel

    Examples
    --------
    >>> levels = Levels({"fine": torch.arange(12.0).reshape(1, 1, 3, 4)})
    >>> levels.shape("fine"), levels.at("fine", [0, 2], [3]).flatten().tolist()
    ((1, 1, 3, 4), [3.0, 11.0])
    """

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
        """Features of a level at the cells where some of its rows and columns meet.

        Parameters
        ----------
        name : str
        rows, columns : array_like of int
            Indices of cells, with repeats where they are wanted.

        Returns
        -------
        Tensor, shape (B, C, len(rows), len(columns))
        """
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
    """Take the cells of a level where some rows and columns meet.

    Parameters
    ----------
    level : Tensor, shape (B, C, H, W)
    rows, columns : array_like of int

    Returns
    -------
    Tensor, shape (B, C, len(rows), len(columns))
        In the memory format of `level`.
    """
    down, across = (torch.as_tensor(cells) for cells in (rows, columns))
    size = (len(down), len(across))
    places = (down[:, None] * level.shape[3] + across).flatten().to(level.device)
    if level.is_contiguous(memory_format=torch.channels_last):
        # All channels of a cell lie together, so a cell is copied in one piece.
        cells = level.permute(0, 2, 3, 1).flatten(1, 2).index_select(1, places)
        return cells.reshape(len(level), *size, -1).permute(0, 3, 1, 2)
    return level.flatten(2).index_select(2, places).reshape(*level.shape[:2], *size)
