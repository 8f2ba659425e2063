"""The catalogue of data sets, and the one function that loads any of them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quickgaze.catalogue import Catalogue, unknown_name
from quickgaze.errors import DatasetError, OptionError
from quickgaze.places import AnyPath, Root, as_path, readable, unreachable
from quickgaze.stimuli import folder, osie, popout, pysaliency_data, salicon, sources
from quickgaze.stimuli.inspection import Check, Inspection
from quickgaze.stimuli.osie_checks import expected_of_osie
from quickgaze.stimuli.salicon_checks import expected_of_salicon
from quickgaze.stimuli.types import Dataset


@dataclass(frozen=True)
class DatasetEntry:
    """How a data set is loaded, and what is told about it.

    Parameters
    ----------
    load : callable
        Takes the root folder as `root`, if the data set lies in files (a `pathlib.Path`, or a
        path of universal_pathlib for an address), and keyword options; gives a `Dataset`.
    summary : str
        The data set in one line.
    layout : str
        What the root folder holds, in words; empty for a data set without files.
    expect : callable, optional
        Takes the `Inspection` of a copy and gives a list of `Check`: what is known of this
        data set beyond what holds for any, such as counts and checksums.
    source : Source, optional
        Where its public files lie.

    Examples
    --------
    >>> entry = DATASETS["popout"]
    >>> entry.needs_root, entry.options
    (False, ['n', 'seed', 'size', 'kinds', 'set_size'])
    """

    load: Callable[..., Dataset]
    summary: str
    layout: str = ""
    expect: Callable[[Inspection], list[Check]] | None = None
    source: sources.Source | None = None

    @property
    def needs_root(self) -> bool:
        """Whether the data set lies in files."""
        return "root" in inspect.signature(self.load).parameters

    @property
    def options(self) -> list[str]:
        """Names of the keyword options."""
        return [name for name in inspect.signature(self.load).parameters if name != "root"]


DATASETS: Catalogue[DatasetEntry] = Catalogue(
    "data set",
    "quickgaze.datasets",
    {
        "salicon": DatasetEntry(
            salicon.load_salicon,
            "SALICON: 20,000 everyday scenes (COCO), mouse-contingent gaze, in any of its releases",
            salicon.LAYOUT,
            expected_of_salicon,
            sources.SALICON,
        ),
        "osie": DatasetEntry(
            osie.load_osie,
            "OSIE: 700 scenes rich in objects, 15 observers, lab eye tracker",
            osie.LAYOUT,
            expected_of_osie,
            sources.OSIE,
        ),
        "folder": DatasetEntry(
            folder.load_folder,
            "your own images, with density maps or a table of fixations where you have them",
            folder.LAYOUT,
        ),
        "popout": DatasetEntry(
            popout.load_popout,
            "generated search displays with a known target (colour, orientation, size, shape)",
        ),
        "pysaliency": DatasetEntry(
            pysaliency_data.load_pysaliency,
            "HDF5 files of pysaliency, in which it keeps MIT1003, CAT2000, FIGRIM and others",
            pysaliency_data.LAYOUT,
        ),
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
        Folder that holds the data set, for those that lie in files. ``~`` is the home folder.
        It may lie elsewhere, at any address that fsspec can read from and list, such as
        ``s3://bucket/osie``; files are then fetched each time that they are read, by whichever
        process reads them.
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
        if option not in entry.options:
            raise _unknown_option(name, option, entry)
    if not entry.needs_root:
        if root is not None:
            raise OptionError(f"the data set {name!r} has no files: leave out root={str(root)!r}")
        return entry.load(**options)
    if root is None:
        raise OptionError(
            f"the data set {name!r} needs root=..., the folder that holds it: {entry.layout}"
        )
    return entry.load(root=_folder(root, name, entry), **options)


def _unknown_option(name: str, option: str, entry: DatasetEntry) -> OptionError:
    if not entry.options:
        return OptionError(f"the data set {name!r} takes no options; leave out {option!r}")
    return unknown_name(f"option of the data set {name!r}:", option, entry.options)


def expanded(root: Root) -> AnyPath:
    """Path of a root folder, in which ``~`` is the home folder."""
    path = as_path(root)
    return path.expanduser() if isinstance(path, Path) else path


def _folder(root: Root, name: str, entry: DatasetEntry) -> AnyPath:
    path = expanded(root)
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
