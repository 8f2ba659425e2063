"""The data sets by name: listing, loading, checking and fetching any of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from quickgaze.catalogue import Catalogue, unknown_name
from quickgaze.errors import DatasetError, OptionError
from quickgaze.places import AnyPath, PathLike, Root, as_path, readable, unreachable
from quickgaze.stimuli import _folder, _osie, _popout, _pysaliency_data, _salicon
from quickgaze.stimuli._inspection import Check, Reading, general_checks, inspect
from quickgaze.stimuli.dataset import Dataset, DatasetEntry
from quickgaze.stimuli.downloading import Patience
from quickgaze.stimuli.sources import (
    PlannedFile,
    Progress,
    RemoteFile,
    Source,
    fetch_file,
    is_there,
)

DATASETS: Catalogue[DatasetEntry] = Catalogue(
    "data set",
    "quickgaze.datasets",
    {
        "salicon": _salicon.ENTRY,
        "osie": _osie.ENTRY,
        "folder": _folder.ENTRY,
        "popout": _popout.ENTRY,
        "pysaliency": _pysaliency_data.ENTRY,
    },
)
"""The data sets by name; installed packages add theirs under ``quickgaze.datasets``."""


def list_datasets() -> list[str]:
    """Names that `load_dataset` takes.

    Returns
    -------
    list of str

    Examples
    --------
    >>> list_datasets()[:5]
    ['salicon', 'osie', 'folder', 'popout', 'pysaliency']
    """
    return DATASETS.names()


def load_dataset(name: str, root: Root | None = None, **options: Any) -> Dataset:
    """Load a data set.

    Parameters
    ----------
    name : str
        One of `list_datasets`.
    root : path-like or address, optional
        Folder that holds the data set, for those in files. ``~`` is the home folder. An address
        that fsspec can read from and list, such as ``s3://bucket/osie``, will do; its files are
        fetched each time that they are read, by whichever process reads them.
    **options
        What the data set's own loader takes besides.

    Returns
    -------
    Dataset

    Raises
    ------
    OptionError
        If the name is not known (`UnknownNameError`), `root` is missing or not wanted, its
        protocol needs a package that is not installed, or the data set has no such option.
    DatasetError
        If the data set is not found in `root`, or is damaged, or `root` cannot be reached.

    Examples
    --------
    >>> load_dataset("popout", n=3)
    Dataset('popout', 3 stimuli, edition 'generated, version 1')
    """
    entry = DATASETS[name]
    for option in options:
        if not entry.options:
            raise OptionError(f"the data set {name!r} takes no options; leave out {option!r}")
        if option not in entry.options:
            raise unknown_name(f"option of the data set {name!r}:", option, entry.options)
    if not entry.needs_root:
        if root is not None:
            raise OptionError(f"the data set {name!r} has no files: leave out root={str(root)!r}")
        return entry.load(**options)
    if root is None:
        raise OptionError(
            f"the data set {name!r} needs root=..., the folder that holds it: {entry.layout}"
        )
    return entry.load(root=_existing(root, name, entry), **options)


def _expanded(root: Root) -> AnyPath:
    path = as_path(root)
    return path.expanduser() if isinstance(path, Path) else path


def _existing(root: Root, name: str, entry: DatasetEntry) -> AnyPath:
    path = _expanded(root)
    try:
        found, there = path.is_dir(), path.exists()
    except Exception as error:
        raise unreachable(path, error) from error
    if not found:
        what = "is not a folder" if there else "does not exist"
        raise DatasetError(
            f"{readable(path)} {what}; the data set {name!r} needs a folder with {entry.layout}"
        )
    return path


def check_dataset(
    name: str, root: Root | None = None, *, progress: Reading = iter, **options: Any
) -> list[Check]:
    """Load a data set, read all of it, and check it against what is known of it.

    Parameters
    ----------
    name : str
        One of `list_datasets`.
    root : path-like or address, optional
        Folder that holds the data set, for those in files.
    progress : callable
        Takes the sequence of stimuli and gives them one after the other.
    **options
        As `load_dataset` takes them.

    Returns
    -------
    list of Check
        First what holds for any data set (images open, gaze can be read, maps have their
        image's size), then what is known of this one: counts, sizes, checksums.

    Raises
    ------
    OptionError, DatasetError
        If the data set cannot be loaded.

    Examples
    --------
    >>> checks = check_dataset("popout", n=2)
    >>> [(check.what, check.found, check.verdict) for check in checks][:2]
    [('images that open', '2', 'ok'), ('ids', '2 different', 'ok')]
    """
    dataset = load_dataset(name, root, **options)
    found = inspect(dataset, None if root is None else _expanded(root), progress)
    expect = DATASETS[name].expect
    return [*general_checks(found), *([] if expect is None else expect(found))]


def plan_fetch(
    name: str, root: PathLike, *, split: str | None = None, mirror: str | None = None
) -> list[PlannedFile]:
    """Say what would be fetched, without fetching anything.

    Parameters
    ----------
    name : str
        A data set with public files: ``"salicon"`` or ``"osie"``.
    root : path-like
        Local folder for the data set; it need not be there.
    split : str, optional
        Only the files of this split, where there are splits.
    mirror : str, optional
        Address of a copy that has the same files below it, held against the same checksums.

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
    local = _local(root)
    if mirror is not None and urlsplit(mirror).scheme not in {"http", "https"}:
        raise OptionError(f"the mirror {mirror!r} is not an address; give one with http or https")
    return [
        PlannedFile(file, source.address(file, mirror), local / file.target, is_there(file, local))
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
        All files; `there` says which of them were there before.

    Raises
    ------
    OptionError
        If the data set has no public files, or an option cannot be met.
    DatasetError
        If a file cannot be fetched, is not the expected one, or cannot be unpacked. What has
        been fetched before stays, and is not fetched again.

    Examples
    --------
    >>> files = fetch_dataset("osie", "OSIE")  # doctest: +SKIP
    >>> fetch_dataset("popout", "displays")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    quickgaze.errors.OptionError: the data set 'popout' has no files to fetch; ...
    """
    planned = plan_fetch(name, root, split=split, mirror=mirror)
    local = _local(root)
    try:
        local.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatasetError(f"{readable(local)} cannot be made: {error}") from error
    for item in planned:
        if not item.there:
            fetch_file(item, local, progress, patience)
    return planned


def source_of(name: str) -> Source:
    """Where the public files of a data set come from; `OptionError` if it has none."""
    source = DATASETS[name].source
    if source is None:
        able = ", ".join(each for each, entry in DATASETS.entries().items() if entry.source)
        raise OptionError(f"the data set {name!r} has no files to fetch; there are some of {able}")
    return source


def _local(root: PathLike) -> Path:
    path = as_path(root)
    if not isinstance(path, Path):
        raise OptionError(
            f"{readable(path)} is not on this machine; fetch into a local folder, check it, and "
            "copy it there"
        )
    return path.expanduser()


def _of_split(name: str, source: Source, split: str | None) -> Sequence[RemoteFile]:
    if split is None:
        return source.files
    if not source.splits:
        raise OptionError(f"the data set {name!r} has no splits to fetch; leave out {split!r}")
    if split not in source.splits:
        raise unknown_name(f"split of the data set {name!r}", split, source.splits)
    return [file for file in source.files if file.split in {split, ""}]
