"""File names for stimuli: the ids themselves, made safe where they would not be."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from unicodedata import normalize
from urllib.parse import quote, unquote

from quickgaze.errors import OptionError

SUFFIX = ".png"

LONGEST = 255
"""Bytes that file systems allow for the name of a file or folder."""

_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f%\\:*?"<>|]')
_NOT_LOWER = re.compile(r"[^a-z0-9._ /%-]")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # on Windows


def file_names(stimuli: Iterable[str]) -> dict[str, str]:
    """Name a PNG file for each stimulus.

    Parameters
    ----------
    stimuli : iterable of str
        Ids, each once.

    Returns
    -------
    dict of str to str
        By id: a path below some folder, with ``/`` between folders. It is the id and ``.png``
        where that is safe everywhere. Elsewhere characters are written as in a URL, ``%`` and
        two hexadecimal digits a byte, so that no name leads out of the folder, none is that of
        another stimulus on a file system that takes upper for lower case, and `stimulus_named`
        gives the id back.

    Raises
    ------
    OptionError
        If an id is empty, or longer than file systems allow.

    Examples
    --------
    >>> file_names(["1001", "indoor/cat", "../cat"])
    {'1001': '1001.png', 'indoor/cat': 'indoor/cat.png', '../cat': '%2E%2E/cat.png'}
    >>> file_names(["Cat", "cat"])
    {'Cat': '%43at.png', 'cat': 'cat.png'}
    """
    safe = {stimulus: _safe(stimulus) for stimulus in stimuli}
    spellings = Counter(
        _folded(path) for path in {path for name in safe.values() for path in _paths(name)}
    )
    names = {}
    for stimulus, name in safe.items():
        # Folders count too: on some systems, "Cat" and "cat" are one folder.
        shared = any(spellings[_folded(path)] > 1 for path in _paths(name))
        names[stimulus] = (_NOT_LOWER.sub(_escaped, name) if shared else name) + SUFFIX
        if max(len(part.encode()) for part in names[stimulus].split("/")) > LONGEST:
            raise OptionError(
                f"the id {stimulus[:60]!r}… has {len(stimulus):,} characters, too many for a file "
                "name; export the maps as HDF5"
            )
    return names


def stimulus_named(name: str) -> str:
    """Give the id of the stimulus that a file was named for.

    Parameters
    ----------
    name : str
        As `file_names` gave it.

    Returns
    -------
    str

    Examples
    --------
    >>> stimulus_named("%2E%2E/cat.png")
    '../cat'
    """
    return unquote(name.removesuffix(SUFFIX), errors="strict")


def _safe(stimulus: str) -> str:
    """Escape what is unsafe; a slash between two folders is left as it is."""
    if not stimulus:
        raise OptionError("a stimulus has an empty id, which no file can be named for")
    parts = stimulus.split("/")
    if not all(parts):
        # No file system keeps a folder without a name, so these slashes part nothing.
        return _safe_part(stimulus)
    return "/".join([*(_safe_folder(part) for part in parts[:-1]), _safe_part(parts[-1])])


def _safe_part(part: str) -> str:
    safe = _UNSAFE.sub(_escaped, part).replace("/", "%2F")
    # A leading dot hides a file, two of them lead out of the folder.
    kept = safe.lstrip(".")
    safe = "%2E" * (len(safe) - len(kept)) + kept
    if _RESERVED.fullmatch(safe):
        safe = _hex(safe[0]) + safe[1:]
    return safe


def _safe_folder(part: str) -> str:
    safe = _safe_part(part)
    if safe.lower().endswith(SUFFIX):
        # It must not be called as the map of a stimulus beside it.
        safe = f"{safe[: -len(SUFFIX)]}%2E{safe[1 - len(SUFFIX) :]}"
    if safe.endswith((" ", ".")):
        # Windows cuts them off.
        safe = safe[:-1] + _hex(safe[-1])
    return safe


def _escaped(found: re.Match[str]) -> str:
    return _hex(found[0])


def _hex(character: str) -> str:
    """Write a character as in a URL, also one that `quote` would leave."""
    quoted = quote(character, safe="")
    return quoted if quoted.startswith("%") else f"%{ord(character):02X}"


def _folded(name: str) -> str:
    return normalize("NFC", normalize("NFC", name).casefold())


def _paths(name: str) -> list[str]:
    """List a path and the folders that it lies in."""
    parts = name.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
