"""Fetching the public files of a data set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from quickgaze.catalogue import unknown_name
from quickgaze.errors import DatasetError, OptionError
from quickgaze.places import PathLike, as_path, readable
from quickgaze.stimuli.downloading import Patience, already_right, download
from quickgaze.stimuli.loading import DATASETS
from quickgaze.stimuli.sources import RemoteFile, Source
from quickgaze.stimuli.unpacking import unpack

Progress = Callable[["PlannedFile", int, "int | None"], None]
"""Is told which file is being fetched, the bytes that are there, and those to come in all."""


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
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     planned = plan_fetch("osie", folder)[0]
    >>> planned.file.name, planned.target.name, planned.there
    ('eye/fixations.mat', 'fixations.mat', False)
    """

    file: RemoteFile
    address: str
    target: Path
    there: bool


def plan_fetch(
    name: str, root: PathLike, *, split: str | None = None, mirror: str | None = None
) -> list[PlannedFile]:
    """Say what would be fetched, without fetching anything.

    Parameters
    ----------
    name : str
        A data set with public files: ``"salicon"`` or ``"osie"``.
    root : path-like
        Folder for the data set; it need not be there.
    split : str, optional
        Only the files of this split, where there are splits.
    mirror : str, optional
        Address of a copy that has the same files below it. Checksums are held against it too.

    Returns
    -------
    list of PlannedFile

    Raises
    ------
    OptionError
        If the data set has no public files, or an option cannot be met.

    Examples
    --------
    >>> import tempfile
    >>> [file.address for file in plan_fetch("salicon", tempfile.mkdtemp(), split="val")]
    ... # doctest: +NORMALIZE_WHITESPACE
    ['https://s3.amazonaws.com/salicon-dataset/2015r1/val.zip',
     'https://s3.amazonaws.com/salicon-dataset/2015r1/fixations_val2014.json']
    """
    source = source_of(name)
    folder = _local(root)
    if mirror is not None and urlsplit(mirror).scheme not in {"http", "https"}:
        raise OptionError(f"the mirror {mirror!r} is not an address; give one with http or https")
    return [
        PlannedFile(
            file, source.address(file, mirror), folder / file.target, _is_there(file, folder)
        )
        for file in _of_split(name, source, split)
    ]


def fetch_dataset(
    name: str,
    root: PathLike,
    *,
    split: str | None = None,
    mirror: str | None = None,
    progress: Progress | None = None,
    patience: Patience | None = None,
) -> list[PlannedFile]:
    """Fetch the public files of a data set that are not there yet.

    Parameters
    ----------
    name, root, split, mirror
        As `plan_fetch` takes them.
    progress : callable
        Is told how far it has come.
    patience : Patience, optional
        How long to try where a server does not answer.

    Returns
    -------
    list of PlannedFile
        All files, with what had to be done.

    Raises
    ------
    OptionError
        If the data set has no public files, or an option cannot be met.
    DatasetError
        If a file cannot be fetched, is not the expected one, or cannot be unpacked. What has
        been fetched before stays, and is not fetched again.

    Examples
    --------
    >>> fetch_dataset("osie", "OSIE")  # doctest: +SKIP
    >>> fetch_dataset("popout", "displays")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    quickgaze.errors.OptionError: the data set 'popout' has no files to fetch; ...
    """
    planned = plan_fetch(name, root, split=split, mirror=mirror)
    folder = _local(root)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatasetError(f"{readable(folder)} cannot be made: {error}") from error
    for item in planned:
        if not item.there:
            _fetch(item, folder, progress, patience)
    return planned


def _local(root: PathLike) -> Path:
    folder = as_path(root)
    if not isinstance(folder, Path):
        raise OptionError(
            f"{readable(folder)} is not on this machine; fetch into a local folder, check it, and "
            "copy it there"
        )
    return folder.expanduser()


def source_of(name: str) -> Source:
    """Where the public files of a data set lie.

    Raises
    ------
    OptionError
        If it has none, or is not known.
    """
    source = DATASETS[name].source
    if source is None:
        able = ", ".join(each for each, entry in DATASETS.entries().items() if entry.source)
        raise OptionError(f"the data set {name!r} has no files to fetch; there are some of {able}")
    return source


def _of_split(name: str, source: Source, split: str | None) -> Sequence[RemoteFile]:
    if split is None:
        return source.files
    if not source.splits:
        raise OptionError(f"the data set {name!r} has no splits to fetch; leave out {split!r}")
    if split not in source.splits:
        raise unknown_name(f"split of the data set {name!r}", split, source.splits)
    return [file for file in source.files if file.split in {split, ""}]


def _is_there(file: RemoteFile, folder: Path) -> bool:
    target = folder / file.target
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


def _fetch(
    item: PlannedFile, folder: Path, progress: Progress | None, patience: Patience | None
) -> None:
    file, saved = item.file, folder / item.file.save_as

    def report(done: int, total: int | None) -> None:
        if progress is not None:
            progress(item, done, file.size if total is None else total)

    download(item.address, saved, file.md5, report=report, patience=patience)
    if file.unpack_into is None:
        return
    unpack(saved, item.target, file.members, file.holds)
    saved.unlink()
