"""Handing a data set over to pysaliency: as its objects, or as its HDF5 files."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from quickgaze.errors import DatasetError, OptionError, require
from quickgaze.places import PathLike, readable
from quickgaze.stimuli._pysaliency_data import IDS
from quickgaze.stimuli._pysaliency_gaze import FACTS, OBSERVER, GazeTable
from quickgaze.stimuli.dataset import Dataset
from quickgaze.stimuli.types import Stimulus

_MILLISECONDS = 1000.0


def to_pysaliency(dataset: Dataset) -> tuple[Any, Any]:
    """Make objects of pysaliency from a data set.

    Parameters
    ----------
    dataset : Dataset
        With fixations on at least one stimulus.

    Returns
    -------
    (pysaliency.ObjectStimuli, pysaliency.Fixations)
        Images are read when they are asked for. The stimuli have the attribute ``stimulus``,
        their ids; the fixations ``observer``, and ``duration`` in seconds where durations are
        known. ``subjects`` (in later releases ``subject``) are the observers' own numbers, or
        count them in the order of their names where these are no numbers. A fixation's history
        is empty.

    Raises
    ------
    OptionError
        If pysaliency cannot be imported.
    DatasetError
        If there are no fixations.
    StimulusError
        If the size or the gaze of a stimulus cannot be read.

    Notes
    -----
    Coordinates are written as they are. Density maps, and points outside the image, stay behind.

    Examples
    --------
    >>> import quickgaze as qg
    >>> stimuli, fixations = to_pysaliency(qg.load_dataset("popout", n=2))  # doctest: +SKIP
    >>> len(stimuli), len(fixations.x)  # doctest: +SKIP
    (2, 2)
    """
    package = _pysaliency()
    gaze = _table_of(dataset)
    extra = _own_columns(gaze)

    class Lazy(package.datasets.Stimulus):  # type: ignore[misc, name-defined]
        """A stimulus whose pixels are read when they are asked for."""

        def __init__(self, stimulus: Stimulus) -> None:
            self._stimulus, self._stimulus_id = stimulus, None
            self._size = stimulus.size
            self._shape = (*self._size, 3)

        @property
        def stimulus_data(self) -> npt.NDArray[np.uint8]:
            return self._stimulus.image()

    stimuli = package.datasets.ObjectStimuli(
        [Lazy(stimulus) for stimulus in dataset],
        attributes={IDS: [stimulus.id for stimulus in dataset]},
    )
    fixations = package.Fixations.FixationsWithoutHistory(
        gaze.x, gaze.y, np.zeros(len(gaze.x)), gaze.stimulus, _subjects(gaze)
    )
    fixations.__attributes__ = [*fixations.__attributes__, *extra]
    for name, values in extra.items():
        setattr(fixations, name, values)
    return stimuli, fixations


def write_pysaliency_hdf5(dataset: Dataset, folder: PathLike) -> None:
    """Write a data set as files that pysaliency reads: ``stimuli.hdf5``, ``fixations.hdf5``.

    pysaliency itself is not needed, h5py is (``pip install 'quickgaze[hdf5]'``).

    Parameters
    ----------
    dataset : Dataset
        With fixations on at least one stimulus.
    folder : path-like
        Where to; it is made if need be. Files of these names are replaced, once both new ones
        are whole.

    Raises
    ------
    OptionError
        If h5py is not installed.
    DatasetError
        If there are no fixations, or the folder cannot be written to.
    StimulusError
        If an image or its gaze cannot be read; nothing has been written then.

    Notes
    -----
    The files hold what `to_pysaliency` gives, images included, and besides it what quickgaze
    knows of the data set (edition, kind of gaze, notes, blur), so that ``load_dataset(
    "pysaliency", root=folder)`` gives the same images and fixations. Density maps, and points
    outside the image, stay behind.

    Examples
    --------
    >>> import quickgaze as qg
    >>> displays = qg.load_dataset("popout", n=2, size=(120, 160))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_pysaliency_hdf5(displays, folder)
    ...     len(qg.load_dataset("pysaliency", root=folder)), sorted(os.listdir(folder))
    (2, ['fixations.hdf5', 'stimuli.hdf5'])
    """
    h5py = require("h5py", "hdf5", "writing pysaliency's files")
    gaze = _table_of(dataset)
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".writing-") as unfinished:
            with h5py.File(Path(unfinished, "stimuli.hdf5"), "w") as file:
                _write_stimuli(file, dataset, h5py)
            with h5py.File(Path(unfinished, "fixations.hdf5"), "w") as file:
                _write_fixations(file, dataset, gaze, h5py)
            for name in ("stimuli.hdf5", "fixations.hdf5"):
                Path(unfinished, name).replace(folder / name)
    except OSError as error:
        raise DatasetError(f"{readable(folder)} cannot be written to: {error}") from error


def _table_of(dataset: Dataset) -> GazeTable:
    """All fixations of a data set; a duration is NaN where only other stimuli have some."""
    read = [(index, stimulus.fixations) for index, stimulus in enumerate(dataset)]
    known = [(index, points) for index, points in read if points]
    if not known:
        raise DatasetError(
            f"there are no fixations inside the images of {dataset.name}, which pysaliency "
            "needs; density maps cannot be handed over"
        )
    parts = [points for _, points in known]
    durations = [
        np.full(len(points), np.nan) if points.duration is None else points.duration
        for points in parts
    ]
    timed = any(points.duration is not None for points in parts)
    return GazeTable(
        np.concatenate([points.x for points in parts]),
        np.concatenate([points.y for points in parts]),
        np.repeat([index for index, _ in known], [len(points) for points in parts]),
        np.concatenate([points.observer for points in parts]),
        np.concatenate(durations) if timed else None,
    )


def _subjects(gaze: GazeTable) -> npt.NDArray[np.int64]:
    """Numbers of the observers: their names, where all of these are plain numbers."""
    names, looked = np.unique(gaze.observer, return_inverse=True)
    plain = all(name.isascii() and name.isdigit() and len(name) < 10 for name in names)
    if plain and len({int(name) for name in names}) == len(names):
        return names.astype(np.int64)[looked]
    return looked.astype(np.int64)


def _own_columns(gaze: GazeTable) -> dict[str, npt.NDArray[Any]]:
    """Give what pysaliency keeps as attributes of fixations: names, and durations in seconds."""
    seconds = {} if gaze.duration is None else {"duration": gaze.duration / _MILLISECONDS}
    return {OBSERVER: np.asarray(gaze.observer), **seconds}


def _write_stimuli(file: Any, dataset: Dataset, h5py: ModuleType) -> None:
    _describe(file, "Stimuli", "1.1", [IDS])
    file.attrs["size"] = len(dataset)
    for index, stimulus in enumerate(dataset):
        file.create_dataset(str(index), data=stimulus.image(), compression="gzip")
    ids = [os.fsencode(stimulus.id).decode("utf-8", "backslashreplace") for stimulus in dataset]
    file.create_dataset(IDS, data=ids, dtype=h5py.string_dtype())


def _write_fixations(file: Any, dataset: Dataset, gaze: GazeTable, h5py: ModuleType) -> None:
    extra = _own_columns(gaze)
    _describe(file, "Fixations", "1.0", ["subjects", *extra])
    facts = {
        "edition": f"{dataset.name}, {dataset.edition}",
        "gaze": dataset.gaze,
        "notes": dataset.notes,
        "density_sigma": dataset.density_sigma,
    }
    file.attrs[FACTS] = json.dumps(facts)
    columns = {"x": gaze.x, "y": gaze.y, "t": np.zeros(len(gaze.x)), "n": gaze.stimulus}
    for name, values in {**columns, "subjects": _subjects(gaze)}.items():
        file.create_dataset(name, data=values)
    for name in ("x_hist", "y_hist", "t_hist"):
        file.create_dataset(name, data=np.full((len(gaze.x), 1), np.nan), compression="gzip")
    names = extra.pop(OBSERVER).astype(object)
    file.create_dataset(OBSERVER, data=names, dtype=h5py.string_dtype())
    for name, values in extra.items():
        file.create_dataset(name, data=values)


def _describe(file: Any, kind: str, version: str, attributes: list[str]) -> None:
    file.attrs["type"] = np.bytes_(kind)
    file.attrs["version"] = np.bytes_(version)
    file.attrs["__attributes__"] = np.bytes_(json.dumps(attributes))


def _pysaliency() -> ModuleType:
    try:
        return require("pysaliency", "pysaliency", "handing objects to pysaliency")
    except OptionError as error:
        if getattr(error.__cause__, "name", "") != "pkg_resources":
            raise
        raise OptionError(
            f"pysaliency cannot be imported ({error.__cause__}); its releases to 0.2.22 need a "
            "package that setuptools has left out since release 81; run: "
            "pip install 'setuptools<81'"
        ) from error
    except Exception as error:
        raise OptionError(
            f"pysaliency cannot be imported ({type(error).__name__}: {error}); it does not fit "
            "the installed NumPy or setuptools: write_pysaliency_hdf5 does without it"
        ) from error
