"""Finding and pairing the files of a data set."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, TypeVar, overload

from quickgaze.errors import DatasetError
from quickgaze.places import AnyPath, PathLike, list_files, readable

if TYPE_CHECKING:
    from upath import UPath

__all__ = [
    "DENSITY_SUFFIXES",
    "IMAGE_SUFFIXES",
    "PathLike",
    "by_stem",
    "readable",
    "stem_of_listed",
    "walk",
    "with_suffix",
]

IMAGE_SUFFIXES = frozenset(
    f".{ending}"
    for ending in ("bmp", "gif", "jp2", "jpe", "jpeg", "jpg", "pbm", "pgm", "png", "pnm", "ppm")
) | {".tif", ".tiff", ".webp"}
"""File name endings, in lower case, that are taken for images."""

DENSITY_SUFFIXES = IMAGE_SUFFIXES | {".npy"}
"""File name endings, in lower case, that are taken for human saliency maps."""

SomePath = TypeVar("SomePath", bound="Path | UPath")


@overload
def walk(folder: Path, depth: int | None = None) -> Iterator[Path]: ...
@overload
def walk(folder: AnyPath, depth: int | None = None) -> Iterator[AnyPath]: ...
def walk(folder: AnyPath, depth: int | None = None) -> Iterator[AnyPath]:
    """Files below a folder, sorted, without hidden files and hidden folders.

    Parameters
    ----------
    folder : Path or UPath
        Where to look. Links to folders are followed, each folder is visited once.
    depth : int, optional
        How many levels of subfolders to enter: all by default, 0 for none.

    Yields
    ------
    Path or UPath
        The files of a folder, then those of its subfolders; also what cannot be read: links
        that lead nowhere, pipes, and folders that are called as an image or a map and hold
        none.

    Raises
    ------
    DatasetError
        If a folder cannot be listed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("b.png", "a.png", ".hidden"):
    ...         Path(folder, name).touch()
    ...     [path.name for path in walk(Path(folder))]
    ['a.png', 'b.png']
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


def with_suffix(paths: Iterable[SomePath], suffixes: frozenset[str]) -> list[SomePath]:
    """Keep the paths that end in one of `suffixes`, in upper or lower case.

    Parameters
    ----------
    paths : iterable of Path
    suffixes : frozenset of str
        In lower case, with their dot.

    Returns
    -------
    list of Path
        In the order in which they were given.

    Examples
    --------
    >>> [path.name for path in with_suffix([Path("a.PNG"), Path("notes.txt")], IMAGE_SUFFIXES)]
    ['a.PNG']
    """
    return [path for path in paths if path.suffix.lower() in suffixes]


def by_stem(paths: Iterable[SomePath], what: str) -> dict[str, SomePath]:
    """Key paths by their file name without its ending, as `readable` gives it.

    Parameters
    ----------
    paths : iterable of Path
        Files, in any folders.
    what : str
        What they are, in words and in the plural, for the error.

    Returns
    -------
    dict of str to Path

    Raises
    ------
    DatasetError
        If two files have the same stem, so that it is open which one is meant.

    Examples
    --------
    >>> list(by_stem([Path("images/1001.jpg"), Path("images/1002.jpg")], "images"))
    ['1001', '1002']
    """
    keyed: dict[str, SomePath] = {}
    for path in paths:
        other = keyed.setdefault(readable(path.stem), path)
        if other is not path:
            raise DatasetError(
                f"two {what} are called {readable(path.stem)!r}: {readable(other)} and "
                f"{readable(path)}; rename or remove one, or say which folder holds the {what}"
            )
    return keyed


def stem_of_listed(name: str, listed_in: AnyPath) -> str:
    """Stem of an image file that a data set's own listing names.

    Parameters
    ----------
    name : str
        The file name as listed.
    listed_in : Path
        The file that holds the listing, for the error.

    Returns
    -------
    str
        The last part of the name, without its ending.

    Raises
    ------
    DatasetError
        If the name is empty or would lead out of the data set's folder.

    Examples
    --------
    >>> stem_of_listed("COCO_val2014_000000000042.jpg", Path("fixations.json"))
    'COCO_val2014_000000000042'
    """
    path = PurePosixPath(name)
    outside = path.is_absolute() or PureWindowsPath(name).drive or ".." in path.parts
    if outside or not path.stem or "\\" in name or "\0" in name:
        raise DatasetError(
            f"{readable(listed_in)} lists an image as {name!r}, which is not the name of a file "
            "inside the data set; the file is damaged or does not come from the data set's authors"
        )
    return path.stem


def unrecognised(name: str, root: AnyPath, layout: str) -> DatasetError:
    """Make the error for a root folder in which a data set cannot be found.

    Parameters
    ----------
    name : str
        The data set, in the words of its users.
    root : Path
        Where it was looked for.
    layout : str
        How it would lie there.

    Returns
    -------
    DatasetError
        To be raised by the caller.
    """
    return DatasetError(f"{readable(root)} does not hold {name}; expected {layout}")
