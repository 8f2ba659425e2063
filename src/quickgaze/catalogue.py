"""Named things that users choose from, and that other packages can add to."""

from __future__ import annotations

import difflib
import re
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar

from quickgaze.errors import ExtensionError, ExtensionWarning, UnknownNameError

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


_NAME = re.compile(r"\w[\w.-]*")


@cache
def _installed(group: str) -> tuple[EntryPoint, ...]:
    # Reading what all packages declare takes longer than many a computation.
    return tuple(entry_points(group=group))


@dataclass(frozen=True)
class Catalogue(Generic[T]):
    """A table of named things, extended by installed packages through entry points.

    A package adds an entry under the name of its entry point. It is imported when it is first
    asked for, and must be of the type of quickgaze's own entries. Those keep their names.

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
        return [*self.own, *sorted(self._added())]

    def entries(self) -> dict[str, T]:
        """All entries that can be used, by name, in the order of `names`.

        Returns
        -------
        dict of str to T

        Warns
        -----
        ExtensionWarning
            For each entry of another package that cannot be used, so that it does not take the
            others with it.

        Examples
        --------
        >>> Catalogue("size", "quickgaze.example_sizes", {"small": 1, "large": 2}).entries()
        {'small': 1, 'large': 2}
        """
        found = dict(self.own)
        for name in sorted(self._added()):
            try:
                found[name] = self[name]
            except ExtensionError as error:  # noqa: PERF203 - each for itself
                warnings.warn(str(error), ExtensionWarning, stacklevel=2)
        for point in _installed(self.group):
            if point.name in self.own:
                warnings.warn(
                    f"{self._described(point)} is left out, because quickgaze has a {self.kind} "
                    "of that name; it needs another",
                    ExtensionWarning,
                    stacklevel=2,
                )
        return found

    def package(self, name: str) -> tuple[str, str] | None:
        """Name and version of the package that adds an entry; None for quickgaze's own.

        Parameters
        ----------
        name : str
            Of the entry.

        Returns
        -------
        (str, str) or None

        Examples
        --------
        >>> Catalogue("size", "quickgaze.example_sizes", {"small": 1}).package("small")
        """
        for point in self._added().get(name, ()):
            if point.dist is not None:
                return point.dist.name, point.dist.version
        return None

    def __getitem__(self, name: str) -> T:
        if name in self.own:
            return self.own[name]
        points = self._added().get(name, [])
        if not points:
            raise unknown_name(self.kind, name, self.names())
        if len(points) > 1:
            several = "; ".join(map(self._described, points))
            raise ExtensionError(
                f"several packages add a {self.kind} {name!r}; uninstall all but one: {several}"
            )
        return self._load(points[0])

    def _added(self) -> dict[str, list[EntryPoint]]:
        """Entry points of other packages by name, without the names that quickgaze has."""
        added: dict[str, list[EntryPoint]] = {}
        for point in _installed(self.group):
            if point.name not in self.own:
                added.setdefault(point.name, []).append(point)
        return added

    def _load(self, point: EntryPoint) -> T:
        described = self._described(point)
        if not _NAME.fullmatch(point.name):
            raise ExtensionError(
                f"{described} has a name that cannot be given in a list or to a file; use "
                "letters, digits, dots, dashes and underscores"
            )
        try:
            entry: T = point.load()
        except Exception as error:  # a package may fail in any way that there is
            raise ExtensionError(
                f"{described} cannot be imported ({type(error).__name__}: {error}); install a "
                "release of that package that fits, or uninstall it"
            ) from error
        wanted = {type(own) for own in self.own.values()}
        if not isinstance(entry, tuple(wanted)):
            raise ExtensionError(
                f"{described} is of the type {_public(type(entry))}; it has to be of "
                f"{' or '.join(sorted(map(_public, wanted)))}"
            )
        name = getattr(entry, "name", point.name)
        if name != point.name:
            raise ExtensionError(
                f"{described} calls itself {name!r}; entry point and entry need the same name"
            )
        return entry

    def _described(self, point: EntryPoint) -> str:
        """Say which entry it is and whose."""
        package = "" if point.dist is None else f" of {point.dist.name} {point.dist.version}"
        return f"the {self.kind} {point.name!r}{package} (entry point {self.group}: {point.value})"


def _public(kind: type) -> str:
    """Name of a type as users import it: from the folder, not from the file in it."""
    if kind.__module__ == "builtins":
        return kind.__qualname__
    return ".".join([*kind.__module__.split(".")[:2], kind.__qualname__])
