"""Unpacking zip archives that come from elsewhere, without trusting what they say of themselves."""

from __future__ import annotations

import shutil
import stat
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

from quickgaze.errors import DatasetError
from quickgaze.places import readable

_SMALL = 2**20  # bytes below which no ratio is a bomb


@dataclass(frozen=True)
class Limits:
    """What an archive may unpack to: members, bytes in all, and times its own size."""

    members: int = 100_000
    size: int = 100 * 2**30
    ratio: float = 100.0  # photographs are compressed already: theirs is about 1


def unpack(
    archive: Path,
    into: Path,
    members: str | None = None,
    holds: int | None = None,
    limits: Limits | None = None,
) -> int:
    """Unpack a zip file into a new folder, whole or not at all; gives the number of files.

    Of `members`, a pattern of paths, only those are taken, without their folders.
    """
    name = readable(archive.name)
    if into.exists():
        raise DatasetError(f"{readable(into)} is there already; move it away to unpack {name} anew")
    into.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(dir=into.parent, prefix=f".{into.name}-unpacking-"))
    try:
        # mkdtemp lets nobody else in; the finished folder is as any other.
        folder = unfinished / into.name
        folder.mkdir()
        with zipfile.ZipFile(archive) as content:
            _refuse_size(content.infolist(), archive, limits or Limits())
            claimed = sum(info.file_size for info in content.infolist())
            refuse_full_disk(folder, claimed, f"to unpack {name}")
            count = _unpack_members(content, name, folder, members, holds)
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


def _refuse_size(infos: Sequence[zipfile.ZipInfo], archive: Path, limits: Limits) -> None:
    """Refuse what is too much by its own account; zipfile reads no more of a member than that."""
    name, packed = readable(archive.name), archive.stat().st_size
    size = sum(info.file_size for info in infos)
    if len(infos) > limits.members:
        raise _refused(name, f"holds more than {limits.members:,} members")
    if size > limits.size:
        raise _refused(name, f"unpacks to more than {limits.size:,} bytes")
    if size > max(_SMALL, limits.ratio * packed):
        raise _refused(
            name,
            f"unpacks to more than {limits.ratio:g} times its own {packed:,} bytes, as archives do "
            "that are made to fill a disk",
        )


def _unpack_members(
    archive: zipfile.ZipFile, name: str, folder: Path, pattern: str | None, holds: int | None
) -> int:
    count = 0
    for info in archive.infolist():
        path = _path_of(info, name)
        if info.is_dir() or not (pattern is None or path.match(pattern)):
            continue
        if problem := _problem_of(info):
            raise _refused(name, f"holds {info.filename!r}, {problem}")
        target = folder / (path if pattern is None else path.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            raise _refused(name, f"holds {target.name!r} twice")
        with target.open("xb") as file, archive.open(info) as content:
            shutil.copyfileobj(content, file)
        count += 1
    if holds is not None and count != holds:
        raise DatasetError(
            f"{name} should hold {holds:,} files, but {count:,} of this kind were found in it; "
            "nothing was unpacked: check whether the authors have replaced it"
        )
    return count


def _path_of(info: zipfile.ZipInfo, name: str) -> PurePosixPath:
    path = PurePosixPath(info.filename)
    outside = path.is_absolute() or ".." in path.parts or PureWindowsPath(path).drive
    if outside or "\\" in info.filename or not (path.parts or info.is_dir()):
        raise _refused(name, f"holds {info.filename!r}, which leads out of its folder")
    return path


def _problem_of(info: zipfile.ZipInfo) -> str:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if stat.S_ISLNK(kind):
        return "a link"
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        return "which is neither a file nor a folder"
    return "which is encrypted" if info.flag_bits & 1 else ""


def _refused(name: str, why: str) -> DatasetError:
    return DatasetError(f"{name} {why}; it is not the data set's own archive: nothing was unpacked")


def refuse_full_disk(folder: Path, needed: int, what: str) -> None:
    """Refuse to begin something ("to unpack val.zip") that the folder's disk has no space for."""
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise DatasetError(
            f"{needed:,} bytes are needed {what}, but the disk of {readable(folder)} has only "
            f"{free:,} left; free some space, or choose another folder"
        )
