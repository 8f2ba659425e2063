"""Named things that users choose from, and that other packages can add to."""

from __future__ import annotations

import difflib
import re
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar, cast

from quickgaze.errors import ExtensionError, ExtensionWarning, OptionError, UnknownNameError

T = TypeVar("T")

_NAME = re.compile(r"\w[\w.-]*")
_ALLOWED = "letters, digits, dots, dashes and underscores"


def unknown_name(kind: str, name: str, known: Iterable[str]) -> UnknownNameError:
    """Make the error for an unknown name of some kind ("metric"); it offers the nearest known."""
    known = list(known)
    nearest = difflib.get_close_matches(str(name).lower(), known, n=1, cutoff=0.5)
    hint = f"; did you mean {nearest[0]!r}?" if nearest else "."
    return UnknownNameError(f"unknown {kind} {name!r}{hint} Known: {', '.join(known)}")


def check_known(kind: str, name: str, known: Iterable[str]) -> None:
    """Refuse a name of some kind that is not known."""
    if name not in known:
        raise unknown_name(kind, name, known)


@cache
def _installed(group: str) -> tuple[EntryPoint, ...]:
    # reading what all packages declare is slow
    return tuple(entry_points(group=group))


@dataclass(frozen=True)
class Catalogue(Generic[T]):
    """A table of named things, extended by installed packages through entry points.

    A package adds an entry under the name of its entry point. It is imported when it is first
    asked for, and must have the type of quickgaze's own entries, which keep their names.

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
        """All usable entries by name; an `ExtensionWarning` names each that is left out."""
        found = dict(self.own)
        for name in sorted(self._added()):
            try:
                found[name] = self[name]
            except ExtensionError as error:  # noqa: PERF203 - one must not take the others with it
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

    def choose(self, given: object) -> T:
        """Look a name up, or take an object of the entries' type that has a free name of its own.

        Raises `OptionError` for an object of another type, without a name, or with one of another
        entry's; `UnknownNameError` for a name that is not known.
        """
        if isinstance(given, str):
            return self[given]
        if not isinstance(given, self._types()):
            raise OptionError(
                f"{self.kind}: give a name or a {self._type_names()}, not a {type(given).__name__}"
            )
        name = getattr(given, "name", "")
        if name in self.names():
            if self[name] != given:
                raise OptionError(f"there is another {self.kind} {name!r}; give yours another name")
        elif not _NAME.fullmatch(name):
            raise OptionError(f"{self.kind}: {name!r} cannot be a name; use {_ALLOWED}")
        return cast("T", given)

    def package(self, name: str) -> tuple[str, str] | None:
        """Name and version of the package that adds an entry; None for quickgaze's own."""
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
                f"{described} has a name that cannot be used in lists and files; use {_ALLOWED}"
            )
        try:
            entry: T = point.load()
        except Exception as error:  # a package may fail in any way
            raise ExtensionError(
                f"{described} cannot be imported ({type(error).__name__}: {error}); install a "
                "release of that package that fits, or uninstall it"
            ) from error
        if not isinstance(entry, self._types()):
            raise ExtensionError(
                f"{described} is of the type {_public(type(entry))}; it has to be of "
                f"{self._type_names()}"
            )
        name = getattr(entry, "name", point.name)
        if name != point.name:
            raise ExtensionError(
                f"{described} calls itself {name!r}; entry point and entry need the same name"
            )
        return entry

    def _types(self) -> tuple[type, ...]:
        return tuple({type(entry) for entry in self.own.values()})

    def _type_names(self) -> str:
        return " or ".join(sorted(map(_public, self._types())))

    def _described(self, point: EntryPoint) -> str:
        """Which entry it is, and of which package."""
        package = "" if point.dist is None else f" of {point.dist.name} {point.dist.version}"
        return f"the {self.kind} {point.name!r}{package} (entry point {self.group}: {point.value})"


def _public(kind: type) -> str:
    """Name of a type as users import it: from the folder, not from the file in it."""
    if kind.__module__ == "builtins":
        return kind.__qualname__
    return ".".join([*kind.__module__.split(".")[:2], kind.__qualname__])
