"""Unpacking archives that come from elsewhere, without trusting what they say of themselves."""

from __future__ import annotations

import shutil
import stat
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, Protocol

from quickgaze.errors import DatasetError
from quickgaze.places import readable

Open = Callable[[], IO[bytes]]

_BLOCK = 2**20
_SMALL = 2**20  # bytes below which no ratio is a bomb


@dataclass(frozen=True)
class Limits:
    """What an archive may unpack to.

    Parameters
    ----------
    members : int
        Number of members, folders included.
    size : int
        Bytes of all members together.
    ratio : float
        Times the archive's own size. Photographs are compressed already: theirs is about 1.
    """

    members: int = 100_000
    size: int = 100 * 2**30
    ratio: float = 100.0


@dataclass(frozen=True)
class _Member:
    """One entry of an archive, as it describes itself."""

    name: str
    size: int
    folder: bool
    problem: str = ""


class _Archive(Protocol):
    """Entries one after the other, each with a way to read it."""

    def entries(self) -> Iterator[tuple[_Member, Open]]:
        """Give each entry, and how its content is opened if it is a file."""

    def claimed(self) -> int:
        """Bytes that it says it unpacks to, as far as that is known beforehand."""


def unpack(
    archive: Path,
    into: Path,
    members: str | None = None,
    holds: int | None = None,
    limits: Limits | None = None,
) -> int:
    """Unpack a zip or tar archive into a new folder, whole or not at all.

    Parameters
    ----------
    archive : Path
        A zip file, or a tar file with any compression.
    into : Path
        The folder to make; it must not be there. It appears under this name when it is whole.
    members : str, optional
        Takes only the files whose path ends in this pattern, and leaves out their folders.
    holds : int, optional
        Number of files that have to come out.
    limits : Limits, optional
        Held against the bytes that come out, not only against what the archive says.

    Returns
    -------
    int
        Number of files.

    Raises
    ------
    DatasetError
        If the archive is damaged, encrypted or over a limit; if a member's path would lead out
        of the folder, or is there twice; if a member is a link or a device; if files are
        lacking; if the disk is full. Nothing is left behind.
    """
    limits = limits or Limits()
    name = readable(archive.name)
    if into.exists():
        raise DatasetError(f"{readable(into)} is there already; move it away to unpack {name} anew")
    into.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(dir=into.parent, prefix=f".{into.name}-unpacking-"))
    try:
        # mkdtemp lets nobody else in; the finished folder is as any other.
        folder = unfinished / into.name
        folder.mkdir()
        with _opened(archive) as content:
            count = _Unpacking(name, folder, members, limits, archive.stat().st_size).run(content)
        _refuse_lacking(name, count, holds)
        folder.rename(into)
    except DatasetError:
        raise
    except Exception as error:
        raise DatasetError(
            f"{name} cannot be unpacked ({type(error).__name__}: {error}); free some space if the "
            "disk is full, or else fetch it again"
        ) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return count


def _refuse_lacking(name: str, count: int, holds: int | None) -> None:
    if holds is not None and count != holds:
        raise DatasetError(
            f"{name} should hold {holds:,} files, but {count:,} of this kind were found in it; "
            "nothing was unpacked: look whether the authors have replaced it"
        )


@dataclass(eq=False)
class _Unpacking:
    """The state of one archive being unpacked."""

    name: str
    folder: Path
    pattern: str | None
    limits: Limits
    packed: int
    entries: int = 0
    files: int = 0
    claimed: int = 0
    written: int = 0

    def run(self, archive: _Archive) -> int:
        self._refuse_size(archive.claimed())
        refuse_full_disk(self.folder, archive.claimed(), f"to unpack {self.name}")
        for member, opened in archive.entries():
            self.entries += 1
            self.claimed += member.size
            if self.entries > self.limits.members:
                raise self._refused(f"holds more than {self.limits.members:,} members")
            self._refuse_size(self.claimed)
            path = self._path_of(member)
            if member.folder or not self._wanted(path):
                continue
            if member.problem:
                raise self._refused(f"holds {member.name!r}, {member.problem}")
            self._write(opened, self.folder / (path if self.pattern is None else path.name))
        return self.files

    def _wanted(self, path: PurePosixPath) -> bool:
        return self.pattern is None or path.match(self.pattern)

    def _path_of(self, member: _Member) -> PurePosixPath:
        name, path = member.name, PurePosixPath(member.name)
        outside = path.is_absolute() or ".." in path.parts or bool(PureWindowsPath(name).drive)
        if outside or "\\" in name or "\0" in name or not (path.parts or member.folder):
            raise self._refused(f"holds a member called {name!r}, which leads out of its folder")
        return path

    def _write(self, opened: Open, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            file = target.open("xb")
        except FileExistsError as error:
            raise self._refused(f"holds {target.name!r} twice") from error
        with file, opened() as content:
            while block := content.read(_BLOCK):
                self.written += len(block)
                self._refuse_size(self.written)
                file.write(block)
        self.files += 1

    def _refuse_size(self, size: int) -> None:
        if size > self.limits.size:
            raise self._refused(f"unpacks to more than {self.limits.size:,} bytes")
        if size > max(_SMALL, self.limits.ratio * self.packed):
            raise self._refused(
                f"unpacks to more than {self.limits.ratio:g} times its own {self.packed:,} bytes, "
                "as archives do that are made to fill a disk"
            )

    def _refused(self, why: str) -> DatasetError:
        return DatasetError(
            f"{self.name} {why}; it is not the data set's own archive: nothing was unpacked"
        )


@contextmanager
def _opened(archive: Path) -> Iterator[_Archive]:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as file:
            yield _Zip(file)
    else:
        # Read as a stream ("r|*"), a compressed archive that is cut off ends without an error.
        with tarfile.open(archive, "r:*") as tar:
            yield _Tar(tar)


@dataclass(frozen=True)
class _Zip:
    file: zipfile.ZipFile

    def entries(self) -> Iterator[tuple[_Member, Open]]:
        for info in self.file.infolist():
            member = _Member(info.filename, info.file_size, info.is_dir(), _problem_in_zip(info))
            yield member, partial(self.file.open, info)

    def claimed(self) -> int:
        return sum(info.file_size for info in self.file.infolist())


def _problem_in_zip(info: zipfile.ZipInfo) -> str:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if stat.S_ISLNK(kind):
        return "a link"
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        return "which is neither a file nor a folder"
    return "which is encrypted" if info.flag_bits & 1 else ""


@dataclass(frozen=True)
class _Tar:
    file: tarfile.TarFile

    def entries(self) -> Iterator[tuple[_Member, Open]]:
        for info in self.file:
            member = _Member(info.name, info.size, info.isdir(), _problem_in_tar(info))
            yield member, partial(self._open, info)

    def claimed(self) -> int:
        return 0

    def _open(self, info: tarfile.TarInfo) -> IO[bytes]:
        content = self.file.extractfile(info)
        if content is None:
            raise ValueError(f"{info.name!r} has no content")
        return content


def _problem_in_tar(info: tarfile.TarInfo) -> str:
    if info.issym() or info.islnk():
        return "a link"
    return "" if info.isfile() or info.isdir() else "which is neither a file nor a folder"


def refuse_full_disk(folder: Path, needed: int, what: str) -> None:
    """Refuse to begin what the disk has no room for.

    Parameters
    ----------
    folder : Path
        A folder on the disk.
    needed : int
        Bytes.
    what : str
        What they are needed for, in words: ``"to unpack val.zip"``.

    Raises
    ------
    DatasetError
    """
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise DatasetError(
            f"{needed:,} bytes are needed {what}, but the disk of {readable(folder)} has only "
            f"{free:,} left; free some space, or choose another folder"
        )
