"""Names of images, and finding the image that a table or a map means by its own spelling."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import count

from quickgaze.errors import DatasetError
from quickgaze.places import AnyPath, below, readable
from quickgaze.stimuli.files import IMAGE_SUFFIXES


@dataclass(frozen=True)
class ImageNames:
    """Ids of images with their paths, and what else tables and maps may call them."""

    ids: Mapping[str, AnyPath]
    called: Mapping[str, str]
    ambiguous: frozenset[str]

    @classmethod
    def of(cls, paths: list[AnyPath], folder: AnyPath) -> ImageNames:
        """Name images by their path without ending; with it, or numbered, where that is shared."""
        full = [readable(below(path, folder)) for path in paths]
        stems = [without_ending(name) for name in full]
        counts, taken = Counter(stems), Counter(full)
        ids = _numbered(
            stem if counts[stem] == 1 and stem not in taken else name
            for stem, name in zip(stems, full, strict=True)
        )
        called = zip([*full, *ids], [*ids, *ids], strict=True)
        return cls(
            dict(zip(ids, paths, strict=True)),
            {name: identifier for name, identifier in called if taken[name] < 2},
            frozenset(name for name, times in (counts | taken).items() if times > 1),
        )

    def resolve(self, name: str, source: AnyPath) -> str:
        """Id of the image that `source` calls `name`; the name itself if there is none.

        Where no image is called exactly so, one will do that differs only in case, in how
        letters with accents are written, in slashes, in the ending, or in folders before it.
        """
        if name in self.called:
            return self.called[name]
        if name in self.ambiguous:
            raise DatasetError(
                f"{readable(source)} names {name!r}, which several images are called that differ "
                "in their ending or in bytes that are not UTF-8; name the image with its ending, "
                "or rename one"
            )
        found = self._alike(name)
        if len(found) > 1:
            first, second = sorted(found)[:2]
            raise DatasetError(
                f"{readable(source)} names {name!r}, which may be {first!r} or {second!r}; write "
                "the names as the files have them"
            )
        return next(iter(found), name)

    def _alike(self, name: str) -> set[str]:
        """Ids of the images whose name is alike; of the likest kind of names that there is."""
        for key in _keys(name):
            for part in _ends(key):
                whole = part == key
                for table in (self._by_path, self._by_end) if whole else (self._by_path,):
                    if part in table:
                        return table[part]
        return set()

    @cached_property
    def _by_path(self) -> Mapping[str, set[str]]:
        found = defaultdict(set)
        for name, identifier in self.called.items():
            for key in _keys(name):
                found[key].add(identifier)
        return dict(found)

    @cached_property
    def _by_end(self) -> Mapping[str, set[str]]:
        """Ids by the last parts of their paths."""
        found = defaultdict(set)
        for name, identifier in self.called.items():
            for key in _keys(name):
                for part in _ends(key):
                    found[part].add(identifier)
        return dict(found)


def _keys(name: str) -> list[str]:
    """Take from a name what spellings differ in; give it with and without an image's ending."""
    folded = unicodedata.normalize("NFC", name.strip().replace("\\", "/")).casefold()
    key = unicodedata.normalize("NFC", folded).removeprefix("./").lstrip("/")
    stem = without_ending(key)
    return [key, stem] if key[len(stem) :] in IMAGE_SUFFIXES else [key]


def _ends(path: str) -> Iterator[str]:
    """Give a path, and what is left of it without its first folders."""
    parts = path.split("/")
    return ("/".join(parts[start:]) for start in range(len(parts)))


def _numbered(names: Iterable[str]) -> list[str]:
    """Names with a number added to those that were there before."""
    taken: dict[str, None] = {}
    for name in names:
        made = (name if number == 1 else f"{name} ({number})" for number in count(1))
        taken[next(candidate for candidate in made if candidate not in taken)] = None
    return list(taken)


def without_ending(name: str) -> str:
    """Cut off what follows the last dot of a path's last part."""
    head, _, ending = name.rpartition(".")
    return head if head and "/" not in ending else name
