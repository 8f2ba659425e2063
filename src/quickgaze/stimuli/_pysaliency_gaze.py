"""The fixations of pysaliency's files and objects, as one table and by stimulus."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from quickgaze.catalogue import unknown_name
from quickgaze.places import AnyPath
from quickgaze.stimuli._hdf5 import (
    as_texts,
    attribute,
    kind_and_version,
    listed,
    numbers,
    opened_hdf5,
    own_item,
    texts,
)
from quickgaze.stimuli.types import ALL_OBSERVERS, RecordedPoints

OBSERVER = "observer"
"""Attribute of pysaliency's fixations in which quickgaze writes names, and looks for them."""

FACTS = "quickgaze"
"""Attribute of a file of fixations in which quickgaze writes what it knows of the data set."""

_VERSIONS = {
    "Fixations": ("1.0", "1.1", "1.2"),
    "FixationTrains": ("1.0", "1.1", "1.2", "1.3"),
    "ScanpathFixations": ("1.0",),
    "Scanpaths": ("1.0",),
}
_SUBJECTS = ("subject", "subjects")  # what later releases call them, and earlier ones
_DURATIONS = ("duration", "durations")
_UNITS = {"s": 1000.0, "ms": 1.0}

_Numbers = npt.NDArray[np.float64]


def scale_of_durations(unit: str) -> float:
    """Milliseconds in a unit: ``"s"`` or ``"ms"``."""
    if unit not in _UNITS:
        raise unknown_name("unit of durations", unit, _UNITS)
    return _UNITS[unit]


@dataclass(frozen=True, eq=False)
class GazeTable:
    """Fixations on all stimuli; durations are in milliseconds."""

    x: _Numbers
    y: _Numbers
    stimulus: npt.NDArray[np.int64]  # its index
    observer: Sequence[str] | npt.NDArray[np.str_]
    duration: _Numbers | None = None

    def __post_init__(self) -> None:
        columns = self.x, self.y, self.stimulus, self.observer, self.duration
        lengths = [len(column) for column in columns if column is not None]
        if len(set(lengths)) > 1:
            raise ValueError(
                f"x, y, n, subjects and durations differ in length: {', '.join(map(str, lengths))}"
            )

    def per_stimulus(self, count: int) -> list[RecordedPoints]:
        """Split by stimulus; `ValueError` if one is not there."""
        if len(self.stimulus) and not 0 <= self.stimulus.min() <= self.stimulus.max() < count:
            raise ValueError(
                f"there are fixations on stimuli {self.stimulus.min()} to {self.stimulus.max()}, "
                f"but {count:,} stimuli, counted from 0: the two do not belong together"
            )
        observers, looked = np.unique(np.asarray(self.observer, np.str_), return_inverse=True)
        order = np.argsort(self.stimulus, kind="stable")
        ends = np.searchsorted(self.stimulus[order], np.arange(1, count))
        parts = np.split(order, ends) if count else []
        return [
            RecordedPoints(
                self.x[part],
                self.y[part],
                observers,
                looked[part].astype(np.int32),
                None if self.duration is None else self.duration[part],
            )
            for part in parts
        ]


def table_of_object(fixations: Any, scale: float) -> GazeTable:
    """Read the fixations of an object of pysaliency; `scale` is milliseconds in its unit."""
    if not hasattr(fixations, "x") and hasattr(fixations, "xs"):
        raise AttributeError("these are scanpaths; give pysaliency.ScanpathFixations(scanpaths)")
    names = (OBSERVER, *_SUBJECTS)
    # The earlier name is not asked for where there is the later: pysaliency warns of it.
    subjects = next((getattr(fixations, name) for name in names if hasattr(fixations, name)), None)
    if subjects is None and not hasattr(fixations, _SUBJECTS[0]):
        raise AttributeError("the fixations have no 'subject' or 'subjects'")
    kept = (getattr(fixations, name, None) for name in _DURATIONS)
    durations = next((value for value in kept if value is not None), None)
    return GazeTable(
        np.asarray(fixations.x, dtype=np.float64),
        np.asarray(fixations.y, dtype=np.float64),
        np.asarray(fixations.n, dtype=np.int64),
        _unknown(len(fixations.x)) if subjects is None else as_texts(np.asarray(subjects)),
        None if durations is None else np.asarray(durations, dtype=np.float64) * scale,
    )


@dataclass(frozen=True, eq=False)
class FileGaze:
    """What a file of fixations holds; `facts` is what quickgaze has written of the data set."""

    kind: str
    points: Sequence[RecordedPoints]
    facts: str = ""


def read_gaze(path: AnyPath, count: int, scale: float) -> FileGaze:
    """Read a file of fixations on so many stimuli; `scale` is milliseconds in its unit."""
    what = "fixations of pysaliency"
    with opened_hdf5(path, what) as file:
        kind, version = kind_and_version(file, path, what, _VERSIONS)
        points = _READERS[kind](file, scale).per_stimulus(count)
        facts = attribute(file, FACTS) if FACTS in file.attrs else ""
    return FileGaze(f"{kind} {version}", points, facts)


def _unknown(count: int) -> list[str]:
    return [ALL_OBSERVERS] * count


def _fixations(file: Any, scale: float) -> GazeTable:
    observer = next((name for name in (OBSERVER, *_SUBJECTS) if name in file), None)
    if observer is None and attribute(file, "version") in {"1.0", "1.1"}:
        raise KeyError("subjects")
    duration = next((name for name in _DURATIONS if name in file), None)
    x = _array(file, "x", 1)
    return GazeTable(
        x,
        _array(file, "y", 1),
        _array(file, "n", 1).astype(np.int64),
        _unknown(len(x)) if observer is None else texts(file, observer),
        None if duration is None else _array(file, duration, 1) * scale,
    )


def _trains(file: Any, scale: float) -> GazeTable:
    xs = _array(file, "train_xs", 2)
    seen = _lengths(xs)
    duration = None
    if "scanpath_fixation_attributes" in file:
        mapping = _mapping(file, "scanpath_attribute_mapping")
        group = own_item(file, "scanpath_fixation_attributes")
        duration = _duration(group, mapping, seen, scale)
    flat = next((name for name in _DURATIONS if name in listed(file) and name in file), None)
    if duration is None and flat is not None:
        duration = _array(file, flat, 1) * scale
    subjects = texts(file, "train_subjects")
    return _flattened(
        xs, _array(file, "train_ys", 2), _array(file, "train_ns", 1), subjects, seen, duration
    )


def _scanpath_fixations(file: Any, scale: float) -> GazeTable:
    return _scanpaths(own_item(file, "scanpaths"), scale)


def _scanpaths(paths: Any, scale: float) -> GazeTable:
    lengths = _array(paths, "lengths" if "lengths" in paths else "length", 1).astype(np.int64)
    xs = _array(paths, "xs", 2)
    seen = _within(lengths, xs.shape)
    attributes = own_item(paths, "fixation_attributes")
    duration = _duration(attributes, _mapping(paths, "attribute_mapping"), seen, scale)
    named = own_item(paths, "scanpath_attributes")
    subjects = texts(named, "subject") if "subject" in named else _unknown(len(xs))
    return _flattened(xs, _array(paths, "ys", 2), _array(paths, "n", 1), subjects, seen, duration)


_READERS = {
    "Fixations": _fixations,
    "FixationTrains": _trains,
    "ScanpathFixations": _scanpath_fixations,
    "Scanpaths": _scanpaths,
}


def _flattened(
    xs: _Numbers,
    ys: _Numbers,
    stimulus: _Numbers,
    subjects: Sequence[str],
    seen: npt.NDArray[np.bool_],
    duration: _Numbers | None,
) -> GazeTable:
    """Table of the cells that are `seen`, from one row for each scanpath."""
    if not xs.shape == ys.shape == (len(stimulus), *xs.shape[1:]) or len(subjects) != len(xs):
        raise ValueError("coordinates, stimuli and subjects of the scanpaths differ in number")
    lengths = seen.sum(axis=1)
    return GazeTable(
        xs[seen],
        ys[seen],
        np.repeat(stimulus.astype(np.int64), lengths),
        np.repeat(np.array(subjects, dtype=np.str_), lengths),
        duration,
    )


def _lengths(xs: _Numbers) -> npt.NDArray[np.bool_]:
    """Which cells belong to a scanpath: all before the NaN at its end."""
    filled = ~np.isnan(xs)
    lengths = np.where(filled.any(axis=1), xs.shape[1] - np.argmax(filled[:, ::-1], axis=1), 0)
    return _within(lengths, xs.shape) if xs.size else filled


def _within(lengths: npt.NDArray[np.int64], shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    if len(lengths) != shape[0] or (len(lengths) and lengths.max() > shape[1]):
        raise ValueError("the lengths of the scanpaths do not fit their coordinates")
    return np.asarray(np.arange(shape[1]) < lengths[:, np.newaxis])


def _duration(
    group: Any, mapping: dict[str, str], seen: npt.NDArray[np.bool_], scale: float
) -> _Numbers | None:
    called = (name for name in listed(group) if mapping.get(name, name) in _DURATIONS)
    name = next((name for name in called if name in group), None)
    if name is None:
        return None
    padded = _array(group, name, 2)
    if padded.shape != seen.shape:
        raise ValueError(f"{name!r} has the shape {padded.shape}, the scanpaths {seen.shape}")
    return np.asarray(padded[seen] * scale)


def _mapping(group: Any, name: str) -> dict[str, str]:
    if name not in group.attrs:
        return {}
    return {str(key): str(value) for key, value in json.loads(attribute(group, name)).items()}


def _array(group: Any, name: str, dimensions: int) -> _Numbers:
    values = numbers(group, name).astype(np.float64)
    if values.ndim != dimensions:
        raise ValueError(f"{name!r} has {values.ndim} dimensions, not {dimensions}")
    return values
