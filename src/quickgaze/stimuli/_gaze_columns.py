"""Which columns of a table of gaze play which part, and whose export it is."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from quickgaze.catalogue import unknown_name
from quickgaze.errors import DatasetError, OptionError
from quickgaze.places import AnyPath, readable
from quickgaze.stimuli._known_exports import KNOWN_EXPORTS, KnownExport, Points, plain

_NEEDED = ("stimulus", "observer", "x", "y")
_ROLES = (*_NEEDED, "duration")

# What columns are often called; only to offer the nearest.
_OTHER_NAMES = {
    "stimulus": ("image", "img", "media", "stim", "picture", "file", "photo", "scene", "trial"),
    "observer": ("participant", "subject", "user", "reader", "recording", "person", "viewer"),
    "x": (),
    "y": (),
}

# x alone, at the end as X, or before what it is
_AXIS = r"(?i:\b{0}\b|(?:^|[_\W]){0}(?:$|[_\W\d])|^{0}(?:pos|coord|loc|pix|px|gaze))|{1}$"

_MOST_NAMES = 12  # columns that a message lists


def read_columns(given: str | Mapping[str, str]) -> dict[str, str]:
    """Which columns play which part: ``x=FPOGX,stimulus=MEDIA_NAME``, or a mapping."""
    pairs = list(given.items() if isinstance(given, Mapping) else _pairs(str(given)))
    columns: dict[str, str] = {}
    for role, name in pairs:
        if role not in _ROLES:
            raise unknown_name("part of columns=", str(role), _ROLES)
        if not isinstance(name, str) or not name.strip():
            raise OptionError(f"columns= names no column for {role}; write {role}=NAME")
        if role in columns:
            raise OptionError(f"columns= names two columns for {role}; give one")
        if name in columns.values():
            raise OptionError(f"columns= names {name!r} twice; give each column one part")
        columns[role] = name
    return columns


def _pairs(given: str) -> Iterator[tuple[str, str]]:
    for part in given.split(","):
        role, equals, name = part.partition("=")
        if not equals:
            raise OptionError(
                f"columns= is {given!r}; write pairs with commas between them, such as "
                "x=FPOGX,y=FPOGY,stimulus=MEDIA_NAME,observer=USER (from Python, a dictionary "
                "takes names that hold commas)"
            )
        yield role.strip(), name.strip()


@dataclass(frozen=True)
class Found:
    """Places of the columns by their part, and the export whose they are.

    `extra` holds further columns of the export by their names, `milliseconds` is the duration's
    unit.
    """

    places: dict[str, int]
    extra: dict[str, int] = field(default_factory=dict)
    export: KnownExport | None = None
    points: Points | None = None
    milliseconds: float = 1


@dataclass(frozen=True)
class Finder:
    """Looks for columns among the names of a table."""

    path: AnyPath
    header: Sequence[str]
    named: Mapping[str, str]

    def find(self) -> Found:
        """Find all that is needed, or say what is lacking."""
        places = {role: self._named(role, name) for role, name in self.named.items()}
        own = {role: self.place(role, strict=True) for role in _ROLES}
        export, points = self._export(places, own)
        if export is None or points is None:
            places = {**{role: place for role, place in own.items() if place is not None}, **places}
            self._check(places, None)
            return Found(places)
        places.setdefault("x", self._known(points.x))
        places.setdefault("y", self._known(points.y))
        for role, names in (("stimulus", export.stimulus), ("observer", export.observer)):
            place = self._first((role, *names), set(places.values()))
            if role not in places and place is not None:
                places[role] = place
        self._check(places, export)
        milliseconds = self._duration(export, places)
        return Found(places, self._extra(export, places), export, points, milliseconds)

    def finds_nearly(self) -> bool:
        """Whether all that is needed is there, or something that may well be meant."""
        own = {role: self.place(role, strict=True) for role in _ROLES}
        places = {role: place for role, place in own.items() if place is not None}
        near = all(role in places or self._nearest(role, places) for role in _NEEDED)
        return near or self._export(places, own)[0] is not None

    def _named(self, role: str, name: str) -> int:
        place = self.place(name)
        if place is None:
            near = difflib.get_close_matches(name, self.header, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}? It" if near else "it"
            raise OptionError(
                f"{readable(self.path)} has no column {name!r}, which columns= names for {role}; "
                f"{hint} has {self._listed()}"
            )
        return place

    def place(self, name: str, *, strict: bool = False) -> int | None:
        """Place of a column, by its name, by its name in any case, or by letters and digits."""
        ways = (str, lambda text: " ".join(text.casefold().split()), plain)
        for way in ways[: 2 if strict else 3]:
            places = [at for at, each in enumerate(self.header) if way(each) == way(name)]
            if len(places) > 1 and way(name):
                names = " and ".join(f"{self.header[at]!r} (column {at + 1})" for at in places)
                raise DatasetError(
                    f"{readable(self.path)} has more than one column that is called {name}: "
                    f"{names}; rename or remove one"
                )
            if places:
                return places[0]
        return None

    def _known(self, name: str) -> int:
        place = self.place(name)
        assert place is not None  # noqa: S101 - the export was recognised by it
        return place

    def _first(self, names: Sequence[str], taken: set[int]) -> int | None:
        places = (self.place(name) for name in names)
        return next((at for at in places if at is not None and at not in taken), None)

    def _export(
        self, places: Mapping[str, int], own: Mapping[str, int | None]
    ) -> tuple[KnownExport | None, Points | None]:
        """Find the export whose columns hold the points, whether they were named or not."""
        usual = (own["x"], own["y"]) if None not in {own["x"], own["y"]} else (None, None)
        x, y = places.get("x", usual[0]), places.get("y", usual[1])
        for export in KNOWN_EXPORTS:
            if export.needs and self._first(export.needs, set()) is None:
                continue
            for points in export.points:
                here = self.place(points.x), self.place(points.y)
                if None not in here and x in {None, here[0]} and y in {None, here[1]}:
                    return export, points
        return None, None

    def _duration(self, export: KnownExport, places: dict[str, int]) -> float:
        """Add the place of the duration where there is one; the milliseconds in its unit."""
        for name, milliseconds in export.durations:
            place = self.place(name)
            if place is not None and places.get("duration", place) == place:
                places["duration"] = place
                return milliseconds
        own = self.place("duration", strict=True)
        if own is not None:
            places.setdefault("duration", own)
        return 1

    def _extra(self, export: KnownExport, places: Mapping[str, int]) -> dict[str, int]:
        """Further columns that say which rows are fixations, and how long they last."""
        span = export.span[:2] if export.span and "duration" not in places else ()
        names = [name for name, _ in export.only] + [*export.number, *export.within, *span]
        found = {name: self.place(name) for name in names}
        return {name: place for name, place in found.items() if place is not None}

    def _check(self, places: Mapping[str, int], export: KnownExport | None) -> None:
        """Refuse a table that lacks a column, with a way out."""
        lacking = [role for role in _NEEDED if role not in places]
        if not lacking:
            return
        if not self.named and any(_is_number(name) for name in self.header):
            raise DatasetError(
                f"{readable(self.path)} has no header: its first row is "
                f"{', '.join(self.header[:_MOST_NAMES])}; put a row above that names the columns, "
                "such as stimulus,observer,x,y"
            )
        near = {role: self._nearest(role, places) for role in lacking}
        kind = ""
        if export is not None:
            usual = {"stimulus": export.stimulus, "observer": export.observer}
            offers = " and ".join(usual[role][0] for role in lacking if role in usual)
            kind = f"; it is an export of {export.name}: export it with {offers}, add the columns"
        offered = ",".join(f"{role}={name or 'NAME'}" for role, name in near.items())
        close = ", ".join(f"{name!r} is near to {role}" for role, name in near.items() if name)
        raise DatasetError(
            f"{readable(self.path)} lacks the column{'s' * (len(lacking) > 1)} "
            f"{', '.join(lacking)}; it needs {', '.join(_NEEDED)} and may have duration; it has "
            f"{self._listed()}{f' ({close})' if close else ''}{kind}"
            f"{', or ' if kind else '; '}name the columns with columns={offered}"
        )

    def _nearest(self, role: str, places: Mapping[str, int]) -> str:
        """Find a column that may well be meant; empty if none comes near."""
        free = [name for at, name in enumerate(self.header) if at not in places.values() and name]
        words = _OTHER_NAMES[role]
        for name in free:
            low = name.casefold()
            if any(low.startswith(word) or low.endswith(word) for word in words):
                return name
            if role in {"x", "y"} and re.search(_AXIS.format(role, role.upper()), name):
                return name
        return next(iter(difflib.get_close_matches(role, free, n=1, cutoff=0.6)), "")

    def _listed(self) -> str:
        names = [name or "(no name)" for name in self.header]
        more = len(names) - _MOST_NAMES
        return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True
