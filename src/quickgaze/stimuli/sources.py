"""Where the public files of data sets come from, and fetching them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from quickgaze.errors import DatasetError
from quickgaze.places import readable
from quickgaze.stimuli._unpacking import unpack
from quickgaze.stimuli.downloading import Patience, already_right, download


@dataclass(frozen=True)
class RemoteFile:
    """A file that can be fetched.

    Parameters
    ----------
    name : str
        Its path below the source's address.
    save_as : str
        Its path below the data set's root folder; for an archive, until it is unpacked.
    md5 : str or None
        Its MD5 digest, as 32 hexadecimal digits, where it is known.
    size : int or None
        Its size in bytes, where it is known.
    unpack_into : str or None
        Folder below the root folder into which a zip file is unpacked.
    members : str or None
        Takes only these of the zip file's members, a pattern of the last parts of their path
        (``"stimuli/*.jpg"``), into one folder. None takes all, with their folders.
    holds : int or None
        Number of files that the zip file unpacks to.
    split : str
        Split of the data set that it belongs to, where there are splits.

    Examples
    --------
    >>> file = RemoteFile("val.zip", "images-val.zip", unpack_into="images/val")
    >>> file.target
    'images/val'
    """

    name: str
    save_as: str
    md5: str | None = None
    size: int | None = None
    unpack_into: str | None = None
    members: str | None = None
    holds: int | None = None
    split: str = ""

    @property
    def target(self) -> str:
        """What is there when it has been fetched: a file or a folder, below the root folder."""
        return self.unpack_into or self.save_as


@dataclass(frozen=True)
class Source:
    """The public files of one data set.

    Parameters
    ----------
    base : str
        Address that the files' names follow.
    files : tuple of RemoteFile
    note : str
        What a reader should know: what cannot be fetched, what cannot be verified.

    Examples
    --------
    >>> source = Source("https://example.org/data", (RemoteFile("val.zip", "val.zip"),))
    >>> source.address(source.files[0]), source.address(source.files[0], mirror="http://copy/")
    ('https://example.org/data/val.zip', 'http://copy/val.zip')
    """

    base: str
    files: tuple[RemoteFile, ...]
    note: str = ""

    @property
    def splits(self) -> tuple[str, ...]:
        """Splits that its files belong to, in their order."""
        return tuple(dict.fromkeys(file.split for file in self.files if file.split))

    def address(self, file: RemoteFile, mirror: str | None = None) -> str:
        """Address of a file, or of its copy at a mirror that has the same files below it.

        Parameters
        ----------
        file : RemoteFile
            One of the source's files.
        mirror : str, optional
            Address that takes the place of `base`.

        Returns
        -------
        str
        """
        return f"{(mirror or self.base).rstrip('/')}/{PurePosixPath(file.name)}"


@dataclass(frozen=True)
class PlannedFile:
    """A file of a data set, and whether it has to be fetched.

    Parameters
    ----------
    file : RemoteFile
    address : str
        Where it is fetched from.
    target : Path
        What is there when it has been fetched: a file, or the folder of an archive's files.
    there : bool
        Whether it is there and right, so that nothing is to be done.

    Examples
    --------
    >>> import tempfile
    >>> from quickgaze.stimuli import plan_fetch
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     planned = plan_fetch("osie", folder)[0]
    >>> planned.file.name, planned.target.name, planned.there
    ('eye/fixations.mat', 'fixations.mat', False)
    """

    file: RemoteFile
    address: str
    target: Path
    there: bool


Progress = Callable[[PlannedFile, int, "int | None"], None]
"""Is told which file is being fetched, the bytes that are there, and those to come in all."""


def fetch_file(
    item: PlannedFile, root: Path, progress: Progress | None, patience: Patience | None
) -> None:
    """Fetch a file into a root folder, and unpack it if it is an archive."""
    file, saved = item.file, root / item.file.save_as

    def report(done: int, total: int | None) -> None:
        if progress is not None:
            progress(item, done, file.size if total is None else total)

    download(item.address, saved, file.md5, report=report, patience=patience)
    if file.unpack_into is not None:
        unpack(saved, item.target, file.members, file.holds)
        saved.unlink()


def is_there(file: RemoteFile, root: Path) -> bool:
    """Whether a file has been fetched into a root folder before, and is right."""
    target = root / file.target
    if file.unpack_into is None:
        return already_right(target, file.md5)
    if not target.is_dir():
        return False
    held = sum(path.is_file() for path in target.rglob("*"))
    if file.holds is not None and held < file.holds:
        raise DatasetError(
            f"{readable(target)} holds {held:,} files, but {file.name} unpacks to {file.holds:,}; "
            "complete it, or move it away and fetch it anew"
        )
    return True
