"""Named things that users choose from, and that other packages can add to."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar

from quickgaze.errors import UnknownNameError

T = TypeVar("T")


def unknown_name(kind: str, name: str, known: Iterable[str]) -> UnknownNameError:
    """Make the error for a name that is not known, with the nearest one that is.

    Parameters
    ----------
    kind : str
        What the name should have been, in words: ``"metric"``, ``"data set"``.
    name : str
        What was asked for.
    known : iterable of str
        What there is.

    Returns
    -------
    UnknownNameError
        To be raised by the caller.

    Examples
    --------
    >>> str(unknown_name("metric", "ncc", ["cc", "nss"]))
    "unknown metric 'ncc'; did you mean 'cc'? Known: cc, nss"
    """
    known = list(known)
    nearest = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.5)
    hint = f"; did you mean {nearest[0]!r}?" if nearest else "."
    return UnknownNameError(f"unknown {kind} {name!r}{hint} Known: {', '.join(known)}")


@cache
def _installed(group: str) -> tuple[EntryPoint, ...]:
    # Reading what all packages declare takes longer than many a computation.
    return tuple(entry_points(group=group))


@dataclass(frozen=True)
class Catalogue(Generic[T]):
    """A table of named things, extended by installed packages through entry points.

    Parameters
    ----------
    kind : str
        What the entries are, in words, for error messages.
    group : str
        The entry point group in which other packages may add entries.
    own : mapping of str to T
        The entries that quickgaze brings itself.

    Examples
    --------
    >>> sizes = Catalogue("size", "quickgaze.example_sizes", {"small": 1, "large": 2})
    >>> sizes["small"], sizes.names()
    (1, ['small', 'large'])
    """

    kind: str
    group: str
    own: Mapping[str, T]

    def names(self) -> list[str]:
        """Names of all entries: quickgaze's own first, then those of other packages."""
        added = {point.name for point in _installed(self.group)}
        return [*self.own, *sorted(added - set(self.own))]

    def __getitem__(self, name: str) -> T:
        if name in self.own:
            return self.own[name]
        for point in _installed(self.group):
            if point.name == name:
                entry: T = point.load()
                return entry
        raise unknown_name(self.kind, name, self.names())
