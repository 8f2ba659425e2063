"""Finding and pairing the files of a data set."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, TypeVar

from quickgaze.errors import DatasetError
from quickgaze.places import AnyPath, list_files, readable

if TYPE_CHECKING:
    from upath import UPath

_IMAGES = "avif bmp gif jfif jp2 jpe jpeg jpg pbm pgm png pnm ppm tif tiff webp"

IMAGE_SUFFIXES = frozenset(f".{ending}" for ending in _IMAGES.split())
"""File name endings, in lower case, that are taken for images."""

DENSITY_SUFFIXES = IMAGE_SUFFIXES | {".npy"}
"""File name endings, in lower case, that are taken for human saliency maps."""

_SomePath = TypeVar("_SomePath", bound="Path | UPath")


def walk(folder: AnyPath, depth: int | None = None) -> Iterator[AnyPath]:
    """Files below a folder and `depth` levels of subfolders, sorted, without what is hidden.

    Links to folders are followed, each folder is visited once. What cannot be read is given too:
    dead links, pipes, and folders that are named like an image or a map and hold none.
    """
    if isinstance(folder, Path):
        yield from _walk(folder, depth, set())
        return
    names = (name.split("/") for name in list_files(folder, depth))
    shown = [parts for parts in names if not any(part.startswith(".") for part in parts)]
    for parts in sorted(shown, key=_files_first):
        yield folder / "/".join(parts)


def _files_first(parts: Sequence[str]) -> list[tuple[bool, str]]:
    """Order of paths in which the files of a folder come before those of its subfolders."""
    return [(place < len(parts) - 1, part) for place, part in enumerate(parts)]


def _walk(folder: Path, depth: int | None, visited: set[tuple[int, int]]) -> Iterator[Path]:
    try:
        status = folder.stat()
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise DatasetError(f"the folder {readable(folder)} cannot be listed: {error}") from error
    if (status.st_dev, status.st_ino) in visited:
        return
    visited.add((status.st_dev, status.st_ino))
    shown = [entry for entry in entries if not entry.name.startswith(".")]
    folders = [Path(entry.path) for entry in shown if _is_folder(entry)]
    yield from (Path(entry.path) for entry in shown if not _is_folder(entry))
    deeper = None if depth is None else depth - 1
    for inner in folders:
        found = [] if depth == 0 else list(_walk(inner, deeper, visited))
        yield from found
        if with_suffix([inner], DENSITY_SUFFIXES) and not with_suffix(found, DENSITY_SUFFIXES):
            yield inner


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def with_suffix(paths: Iterable[_SomePath], suffixes: frozenset[str]) -> list[_SomePath]:
    """Keep the paths that end in one of `suffixes`, in upper or lower case."""
    return [path for path in paths if path.suffix.lower() in suffixes]


def by_stem(paths: Iterable[_SomePath], what: str) -> dict[str, _SomePath]:
    """Key paths by their file name without its ending; no two may share one."""
    keyed: dict[str, _SomePath] = {}
    for path in paths:
        other = keyed.setdefault(readable(path.stem), path)
        if other is not path:
            raise DatasetError(
                f"two {what} are called {readable(path.stem)!r}: {readable(other)} and "
                f"{readable(path)}; rename or remove one, or say which folder holds the {what}"
            )
    return keyed


def stem_of_listed(name: str, listed_in: AnyPath) -> str:
    """Stem of an image file that a data set's own listing names, which must lie inside of it."""
    path = PurePosixPath(name)
    outside = path.is_absolute() or PureWindowsPath(name).drive or ".." in path.parts
    if outside or not path.stem or "\\" in name or "\0" in name:
        raise DatasetError(
            f"{readable(listed_in)} lists an image as {name!r}, which is not the name of a file "
            "inside the data set; the file is damaged or does not come from the data set's authors"
        )
    return path.stem


def unrecognised(name: str, root: AnyPath, layout: str) -> DatasetError:
    """Make the error for a root folder in which a data set is not found as its layout says."""
    return DatasetError(f"{readable(root)} does not hold {name}; expected {layout}")
