"""Where data sets lie: in folders of this machine, or at addresses such as ``s3://bucket/osie``."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeAlias

from quickgaze.errors import DatasetError, OptionError

if TYPE_CHECKING:
    from upath import UPath

PathLike = str | os.PathLike[str]

AnyPath: TypeAlias = "Path | UPath"
"""A `pathlib.Path` on this machine, or a path of universal_pathlib elsewhere."""

Root: TypeAlias = "PathLike | UPath"
"""What users give: a path, or the address of a place as fsspec takes it."""

Span = tuple[int, int]
"""Where a part of a file begins and ends, in bytes."""

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+(?:::[A-Za-z][A-Za-z0-9+.-]+)*://")
_FOLDED = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/(?!/)")
_EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs"}

# These remember what a folder held, and so would not notice that a file was replaced.
_REMEMBERING = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl"})

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}

MISSING = "does not exist"
"""What `problem_of` says of a file that is not there."""

_SPARSE = 4  # times the bytes that are needed, up to which one request fetches a whole extent


def readable(path: Root) -> str:
    r"""Text of a path that can be printed and stored, whatever bytes its name is made of.

    Parameters
    ----------
    path : path-like
        Any path, of which the file need not exist.

    Returns
    -------
    str
        The path, with what is not UTF-8 written as ``\xNN``.

    Examples
    --------
    >>> readable("caf\udce9.png")
    'caf\\xe9.png'
    """
    text = os.fspath(path) if isinstance(path, str | os.PathLike) else str(path)
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def as_path(place: Root) -> AnyPath:
    """Make a path of what a user gives: a path, an address, or a path of universal_pathlib.

    Parameters
    ----------
    place : path-like or UPath
        An address names its protocol: ``s3://bucket/osie``. One that was made a `pathlib.Path`,
        which folds its slashes into one, is understood unless there is such a local path.

    Returns
    -------
    Path or UPath
        A `pathlib.Path` for all that lies on this machine.

    Raises
    ------
    OptionError
        If the protocol is not known, or its package is not installed.
    DatasetError
        If the place cannot be reached.

    Examples
    --------
    >>> as_path("memory://pictures/cats").name, as_path("pictures").is_absolute()
    ('cats', False)
    """
    if not isinstance(place, str | os.PathLike):
        return _reachable(place)
    text = os.fspath(place)
    if not isinstance(place, str) and _FOLDED.match(text) and not Path(text).exists():
        text = _FOLDED.sub(r"\1://", text, count=1)
    return _at_address(text) if _ADDRESS.match(text) else Path(text)


def _at_address(text: str) -> AnyPath:
    from upath import UPath  # noqa: PLC0415 - slow to import, and seldom needed

    protocol = _protocol(text)
    options: dict[str, Any] = {"use_listings_cache": False} if protocol in _REMEMBERING else {}
    try:
        path = UPath(text if text.endswith("://") else text.rstrip("/"), **options)
    except ValueError as error:
        raise OptionError(
            f"{readable(text)} is not an address that fsspec knows: {error}"
        ) from error
    return Path(path.path) if protocol in {"file", "local"} else _reachable(path)


def _protocol(text: str) -> str:
    return text.partition("://")[0].rpartition("::")[2].lower()


def _reachable(path: UPath) -> UPath:
    """Give the path back if what its protocol needs is there."""
    try:
        _ = path.fs
    except ImportError as error:
        extra = _EXTRAS.get(_protocol(str(path)))
        advice = f"run: pip install 'quickgaze[{extra}]'" if extra else "install it"
        raise OptionError(
            f"{readable(path)} needs a package that is not installed ({error}); {advice}"
        ) from error
    except Exception as error:
        raise unreachable(path, error) from error
    return path


def unreachable(path: AnyPath, error: Exception) -> DatasetError:
    """Make the error for a place that does not answer, to be raised by the caller."""
    return DatasetError(
        f"{readable(path)} cannot be reached ({type(error).__name__}: {error}); check the address, "
        "the connection and your credentials"
    )


def inside(root: AnyPath, path: Root) -> AnyPath:
    """Path of what a user names beside a root: relative to it, absolute, or an address.

    Examples
    --------
    >>> inside(Path("data"), "maps").as_posix(), inside(Path("data"), "/maps").as_posix()
    ('data/maps', '/maps')
    """
    given = as_path(path)
    if not isinstance(given, Path):
        return given
    return given if given.is_absolute() else root / given.as_posix()


def below(path: AnyPath, root: AnyPath) -> str:
    """Path of a file below a folder, with slashes; the file's name if it is not below it.

    Examples
    --------
    >>> below(Path("data/cats/a.png"), Path("data")), below(Path("a.png"), Path("data"))
    ('cats/a.png', 'a.png')
    """
    if isinstance(path, Path):
        local = isinstance(root, Path) and path.is_relative_to(root)
        return path.relative_to(root).as_posix() if local else path.name  # type: ignore[arg-type]
    folder = f"{str(root).rstrip('/')}/"
    text = str(path)
    return text[len(folder) :] if text.startswith(folder) else path.name


def list_files(folder: UPath, depth: int | None = None) -> Iterator[str]:
    """Paths below a folder of all its files, as the place lists them.

    Parameters
    ----------
    folder : UPath
    depth : int, optional
        How many levels of subfolders to enter.

    Yields
    ------
    str

    Raises
    ------
    DatasetError
        If there is no such folder, or the place cannot be reached.
    """
    start = folder.path.rstrip("/")
    try:
        found = folder.fs.find(start, maxdepth=None if depth is None else depth + 1, detail=True)
        there = bool(found) or folder.is_dir()
    except Exception as error:
        raise unreachable(folder, error) from error
    if not there:
        raise DatasetError(f"the folder {readable(folder)} cannot be listed: it is not there")
    for name, facts in found.items():
        # Stores keep an empty object called "cats/" for a folder that was made by hand.
        if facts.get("type", "file") == "file" and name.startswith(f"{start}/"):
            yield name[len(start) + 1 :]


def problem_of(path: AnyPath) -> str:
    """Say what keeps a local path from being read as a file; nothing if nothing is known to.

    Raises
    ------
    OSError
        If it cannot be looked at.

    Examples
    --------
    >>> problem_of(Path("no/such/file")), problem_of(Path())
    ('does not exist', 'is a folder, not a file')
    """
    if not isinstance(path, Path):
        return ""
    try:
        kind = stat.S_IFMT(path.stat().st_mode)
    except OSError:
        if path.is_symlink():
            return "is a link that leads nowhere"
        if not path.exists():
            return MISSING
        raise
    return "" if kind == stat.S_IFREG else f"is {_KINDS.get(kind, 'something else')}, not a file"


def open_file(path: AnyPath) -> IO[bytes]:
    """Open a file for reading, here or elsewhere; a pipe is refused, which would wait for ever.

    Raises
    ------
    OSError
        If it cannot be opened.
    """
    if isinstance(path, Path):
        problem = problem_of(path)
        if problem:
            raise OSError(f"{readable(path)} {problem}")
        return path.open("rb")
    try:
        opened: IO[bytes] = path.open("rb")
    except OSError:
        raise
    except Exception as error:
        raise OSError(f"{type(error).__name__}: {error}") from error
    return opened


def read_bytes(path: AnyPath) -> bytes:
    """Read a whole file.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    try:
        with open_file(path) as file:
            return file.read()
    except OSError:
        raise
    except Exception as error:
        raise OSError(f"{type(error).__name__}: {error}") from error


def read_spans(path: AnyPath, choose: Callable[[int], Sequence[Span]]) -> tuple[list[bytes], int]:
    """Read parts of a file.

    Parameters
    ----------
    path : Path or UPath
    choose : callable
        Takes the length of the file and gives where each part begins and ends, in bytes.

    Returns
    -------
    (list of bytes, int)
        The parts, and the length of the file.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    try:
        if not isinstance(path, Path):
            length = int(path.stat().st_size)
            return _fetch_spans(path, choose(length)), length
        with open_file(path) as file:
            length = file.seek(0, os.SEEK_END)
            return [_read_span(file, *span) for span in choose(length)], length
    except OSError:
        raise
    except Exception as error:
        raise OSError(f"{type(error).__name__}: {error}") from error


def _read_span(file: IO[bytes], start: int, stop: int) -> bytes:
    file.seek(start)
    return file.read(stop - start)


def _fetch_spans(path: UPath, spans: Sequence[Span]) -> list[bytes]:
    """Read parts of a file elsewhere, in one request if they lie close together."""
    if not spans:
        return []
    first, last = min(start for start, _ in spans), max(stop for _, stop in spans)
    if last - first <= _SPARSE * sum(stop - start for start, stop in spans):
        extent = bytes(path.fs.cat_file(path.path, start=first, end=last))
        return [extent[start - first : stop - first] for start, stop in spans]
    starts, stops = (list(ends) for ends in zip(*spans, strict=True))
    paths = [path.path] * len(spans)
    parts: list[Any] = path.fs.cat_ranges(paths, starts, stops, on_error="raise")
    return [bytes(part) for part in parts]
