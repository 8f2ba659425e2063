"""Files here or elsewhere: paths on this machine and addresses such as ``s3://bucket/osie``."""

from __future__ import annotations

import os
import re
import secrets
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeAlias

from quickgaze.errors import DatasetError, OptionError, RunError

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

# Their file systems remember listings, and so would not notice that a file was replaced.
_OBJECT_STORES = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl"})

# Other file systems look first and write then, which two processes may do at once.
_EXCLUSIVE = _OBJECT_STORES | {"memory"}

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
    r"""Text of a path that can be printed and stored; bytes that are not UTF-8 become ``\xNN``."""
    text = os.fspath(path) if isinstance(path, str | os.PathLike) else str(path)
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def as_path(place: Root) -> AnyPath:
    """Make a path of what a user gives; a `pathlib.Path` for all that is on this machine."""
    if not isinstance(place, str | os.PathLike):
        if not hasattr(type(place), "fs"):
            raise OptionError(f"{place!r} is not a path or an address; give one as text, as in ./1")
        return _reachable(place)
    text = os.fspath(place)
    # pathlib.Path("s3://bucket") has folded the slashes of the address into one.
    if not isinstance(place, str) and _FOLDED.match(text) and not Path(text).exists():
        text = _FOLDED.sub(r"\1://", text, count=1)
    return _at_address(text) if _ADDRESS.match(text) else Path(text)


def _at_address(text: str) -> AnyPath:
    from upath import UPath  # noqa: PLC0415 - slow to import, and seldom needed

    protocol = _protocol(text)
    options: dict[str, Any] = {"use_listings_cache": False} if protocol in _OBJECT_STORES else {}
    try:
        path = UPath(text if text.endswith("://") else text.rstrip("/"), **options)
    except ValueError as error:
        raise OptionError(
            f"{readable(text)} is not an address that fsspec knows ({error}); check its beginning"
        ) from error
    return Path(path.path) if protocol in {"file", "local"} else _reachable(path)


def _protocol(text: str) -> str:
    return text.partition("://")[0].rpartition("::")[2].lower()


def _reachable(path: UPath) -> UPath:
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
    """Make the error for a place that does not answer."""
    return DatasetError(
        f"{readable(path)} cannot be reached ({type(error).__name__}: {error}); check the address, "
        "the connection and your credentials"
    )


def inside(root: AnyPath, path: Root) -> AnyPath:
    """Path of what a user names beside a root: relative to it, absolute, or an address."""
    given = as_path(path)
    if not isinstance(given, Path):
        return given
    return given if given.is_absolute() else root / given.as_posix()


def below(path: AnyPath, root: AnyPath) -> str:
    """Path of a file below a folder, with slashes; the file's name if it is not below it."""
    if isinstance(path, Path):
        local = isinstance(root, Path) and path.is_relative_to(root)
        return path.relative_to(root).as_posix() if local else path.name  # type: ignore[arg-type]
    folder = f"{str(root).rstrip('/')}/"
    text = str(path)
    return text[len(folder) :] if text.startswith(folder) else path.name


def list_files(folder: UPath, depth: int | None = None) -> Iterator[str]:
    """Paths of all files below a folder elsewhere, entering `depth` levels of subfolders."""
    start = folder.path.rstrip("/")
    try:
        found = folder.fs.find(start, maxdepth=None if depth is None else depth + 1, detail=True)
        there = bool(found) or folder.is_dir()
    except Exception as error:
        raise unreachable(folder, error) from error
    if not there:
        raise DatasetError(f"the folder {readable(folder)} cannot be listed: it does not exist")
    for name, facts in found.items():
        # Stores keep an empty object called "cats/" for a folder that was made by hand.
        if facts.get("type", "file") == "file" and name.startswith(f"{start}/"):
            yield name[len(start) + 1 :]


def problem_of(path: AnyPath) -> str:
    """Say why a local path cannot be read as a file; empty if no reason is known."""
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
    """Open a file for reading, or raise `OSError`; a pipe, which may never end, is refused."""
    if isinstance(path, Path):
        problem = problem_of(path)
        if problem:
            refusal = FileNotFoundError if problem == MISSING else OSError
            raise refusal(f"{readable(path)} {problem}")
        return path.open("rb")
    opened: IO[bytes] = _or_os_error(lambda: path.open("rb"))
    return opened


def read_bytes(path: AnyPath) -> bytes:
    """Read a whole file, or raise `OSError`."""
    if not isinstance(path, Path):
        return bytes(_or_os_error(lambda: path.fs.cat_file(path.path)))
    with open_file(path) as file:
        return file.read()


def read_spans(path: AnyPath, choose: Callable[[int], Sequence[Span]]) -> tuple[list[bytes], int]:
    """Read the parts of a file that `choose` names when told its length; the length comes along."""
    if not isinstance(path, Path):
        length = int(_or_os_error(path.stat).st_size)
        return _or_os_error(lambda: _fetch_spans(path, choose(length))), length
    with open_file(path) as file:
        length = file.seek(0, os.SEEK_END)
        return [_read_span(file, *span) for span in choose(length)], length


def _or_os_error(read: Callable[[], Any]) -> Any:
    """Call what may fail in any way that a file system's package has."""
    try:
        return read()
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


@dataclass(frozen=True)
class Storage:
    """The files of a run folder, here or elsewhere; names have ``/`` between their parts."""

    folder: AnyPath

    @property
    def place(self) -> str:
        """The folder as text."""
        return readable(self.folder)

    def read(self, name: str) -> bytes:
        """Read a file; `FileNotFoundError` if there is none."""
        return read_bytes(self.folder / name)

    def write(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all, or raise `RunError`; object stores do so by nature."""
        path = self.folder / name
        try:
            if isinstance(path, Path):
                _write_durably(path, content)
            else:
                path.fs.pipe_file(path.path, content)
        except OSError as error:
            raise unwritable(f"{self.place}/{name}", error) from error

    def create(self, name: str, content: bytes) -> bool:
        """Write a file unless it exists; `NotImplementedError` where two writers could both win."""
        path = self.folder / name
        if isinstance(path, Path) or path.protocol not in _EXCLUSIVE:
            raise NotImplementedError
        try:
            path.fs.pipe_file(path.path, content, mode="create")
        except FileExistsError:
            return False
        except OSError as error:
            # Of two at the same moment, one may be told of a conflict instead.
            if path.exists():
                return False
            raise unwritable(f"{self.place}/{name}", error) from error
        return True

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        path = self.folder / name
        if isinstance(path, Path):
            path.unlink(missing_ok=True)
            return
        with suppress(FileNotFoundError):
            path.fs.rm_file(path.path)

    def names(self, folder: str = "") -> list[str]:
        """List the files directly in a folder, sorted, without those that are being written."""
        path = self.folder / folder if folder else self.folder
        found = _names_here(path) if isinstance(path, Path) else _names_elsewhere(path)
        shown = sorted(name for name in found if not name.startswith("."))
        return [f"{folder}/{name}" if folder else name for name in shown]


def _names_here(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.is_file()] if folder.is_dir() else []


def _names_elsewhere(folder: UPath) -> list[str]:
    try:
        folder.fs.invalidate_cache(folder.path)  # others may have written since
        entries = folder.fs.ls(folder.path, detail=True)
    except FileNotFoundError:
        return []
    return [each["name"].rpartition("/")[2] for each in entries if each["type"] == "file"]


def open_storage(place: PathLike) -> Storage:
    """Find the files of a run folder, by its path or by its address."""
    try:
        return Storage(as_path(place))
    except DatasetError as error:
        raise RunError(str(error)) from error


def _write_durably(path: Path, content: bytes) -> None:
    """Write a file under another name, flush it to disk, and give it its name."""
    # A name of its own, so that two writers never share a half-written file.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        temporary.write_bytes(content)
        replace_durably(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def replace_durably(temporary: Path, path: Path) -> None:
    """Flush a complete file to disk and give it the name `path`, in the same folder."""
    with temporary.open("rb+") as file:
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def unwritable(name: str, error: OSError) -> RunError:
    """Make the error of a file that could not be written."""
    reason = error.strerror or str(error) or type(error).__name__
    return RunError(
        f"{name} cannot be written: {reason}. What was computed before is kept; free some space "
        "or change the permissions, then run the same command again to go on"
    )
