"""The published results of the CAP6415 study, as an ordinary run folder."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from quickgaze.errors import DatasetError
from quickgaze.places import AnyPath, PathLike, open_storage, readable
from quickgaze.saliency import PRESETS, Preset
from quickgaze.stimuli.dataset import Dataset
from quickgaze.stimuli.densities import DensityFile
from quickgaze.stimuli.files import DENSITY_SUFFIXES, IMAGE_SUFFIXES, by_stem, walk, with_suffix
from quickgaze.stimuli.images import ImageFile
from quickgaze.stimuli.points import Points
from quickgaze.stimuli.types import Stimulus
from quickgaze.study._folder import begin, check_folder
from quickgaze.study._inputs import Failure
from quickgaze.study._lock import locked
from quickgaze.study._run import Run, open_run
from quickgaze.study._safe_pickle import LARGEST, read_object_array
from quickgaze.study._settings import Settings
from quickgaze.study._tables import Row, ShardTables, TableStore, write_json
from quickgaze.study.manifest import Manifest
from quickgaze.study.plan import DatasetFacts, Plan
from quickgaze.study.variants import Variant

METRICS: Mapping[str, str] = {
    "CC_standard": "cc",
    "CC_mask": "cc_union",
    "KLD": "kld",
    "MAE": "mae",
    "MSE": "mse",
    "NSS": "nss",
    "AUC-Judd": "auc",
}
"""The study's scores, and the metrics of the convention ``cap6415`` that are the same."""

_AXES = ("backbone", "cam", "grid", "component", "orientation")

EDITION = "unknown release, density maps"
"""Edition of the study's two folders of images and maps, as `load_dataset` names it."""

NOTES = (
    "Imported from the published results of the CAP6415 study; nothing was computed here.",
    "nss and auc hold the maps against the human map, not against fixations.",
)


def import_cap6415(
    path: PathLike,
    out: PathLike,
    *,
    images: PathLike | None = None,
    maps: PathLike | None = None,
) -> Run:
    """Turn the published results of the CAP6415 study into a run folder.

    The file holds a pickle, of which nothing is run: it may hold plain values only.

    Parameters
    ----------
    path : path
        The study's ``backup.npy``: for each image its scores before and after the blur.
    out : path
        The run folder; made if it is not there. An import of the same file that is there already
        is finished if need be, and returned.
    images : path, optional
        Folder of the images that the study scored. With it, the run has the fingerprint of a run
        over the same files; without it, that of `path`.
    maps : path, optional
        Folder of the human density maps. Like `images`, it is named in the manifest, and the
        notes say how many files are missing.

    Returns
    -------
    Run
        Complete: sigma 0 (raw) and 19 (smoothed), in the terms of the preset ``"cap6415"``.
        Its table of maps is empty, as the file holds none, and ``explained_variance`` and
        ``orientation_margin`` are NaN. Scores that are missing or not finite are NaN, with the
        reason in `Run.undefined`; images whose entry cannot be read are in `Run.failures`.

    Raises
    ------
    DatasetError
        If the file asks for something that could be run, which it names; if it is truncated,
        too large or holds something else; if a folder holds none of the images or maps.
    RunError
        If `out` holds something else, or an import of another file; says what differs.

    Notes
    -----
    The study's ``CC_mask`` is ``cc_union``, ``CC_standard`` is ``cc``, ``AUC-Judd`` is ``auc``;
    ``KLD``, ``MAE``, ``MSE`` and ``NSS`` keep their names. All follow the convention ``cap6415``.
    Any other score is dropped and named in the manifest under ``imported``: what the study calls
    shuffled AUC draws its negatives from the same image, which no metric here does. So are the
    paths in the file, which are those of its authors' machine.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> raw, smoothed = {"CC_mask": -0.5, "CC_standard": -0.25}, {"CC_mask": 0.5}
    >>> backup = np.array({"cat": ["cat.jpg", "cat.png", [raw, smoothed]]}, dtype=object)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(f"{folder}/backup.npy", backup)
    ...     run = import_cap6415(f"{folder}/backup.npy", f"{folder}/run")
    ...     run.scores().select("stimulus", "sigma", "cc_union", "cc").rows()
    [('cat', 0.0, -0.5, -0.25), ('cat', 19.0, 0.5, nan)]
    """
    started = datetime.now(timezone.utc)
    storage = open_storage(out)
    check_folder(storage)
    results = _read_results(Path(path))
    linked = [_linked(results.entries, images, "images"), _linked(results.entries, maps, "maps")]
    preset = PRESETS["cap6415"]
    settings = _settings(preset)
    dataset = DatasetFacts(
        "salicon",
        EDITION,
        fingerprint=_fingerprint(results, *linked),
        notes=(*NOTES, *(note for each in linked for note in each.notes())),
        imported_sha256=results.sha256,
    )
    stimuli = tuple(results.entries)
    plan = Plan(settings, dataset, {}, stimuli, shard_size=len(stimuli))
    with locked(storage):
        begin(storage, plan)
        run = open_run(storage)
        if run.complete:
            return run
        tables = _tables(results, preset)
        TableStore(storage, settings.metrics).write(0, tables)
        imported = {
            "what": "cap6415",
            "file": readable(Path(path).name),
            "sha256": results.sha256,
            "dropped_scores": results.dropped(),
            **{each.what: each.place for each in linked},
        }
        failed, undefined = len(tables.failures), len(tables.undefined)
        manifest = replace(
            Manifest.of(plan, failed, undefined, Points(), {}, started), imported=imported
        )
        write_json(storage, "manifest.json", manifest.to_json(plan))
    return run


@dataclass(frozen=True, eq=False)
class _Results:
    """The file's checksum, and its entries by stimulus: paths, and two dictionaries of scores."""

    sha256: str
    entries: dict[str, Any]

    def dropped(self) -> list[str]:
        """Names of scores that no metric here corresponds to."""
        every = (scores for entry in self.entries.values() for scores in _pair(entry) or ())
        unknown = set[str]().union(*every) - set(METRICS)
        return sorted(name if _is_text(name) else ascii(name) for name in unknown)


def _read_results(path: Path) -> _Results:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise DatasetError(
            f"{readable(path)} cannot be read ({error.strerror}); name the study's backup.npy"
        ) from error
    stored = read_object_array(content, readable(path))
    entries = stored.item() if stored.size == 1 else None
    if not isinstance(entries, dict) or not any(map(_pair, entries.values())):
        raise DatasetError(
            f"{readable(path)} does not hold the results of the CAP6415 study; it should hold a "
            "dictionary that gives for each image its path, its map's path and two dictionaries "
            "of scores, raw and smoothed"
        )
    for stimulus in entries:
        if not stimulus or not _is_text(stimulus):
            raise DatasetError(
                f"{readable(path)} calls an image {stimulus[:80]!a}, which is not a name; "
                "the file is damaged"
            )
    return _Results(hashlib.sha256(content).hexdigest(), entries)


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _pair(entry: object) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Raw and smoothed scores of an image; None if the entry holds something else."""
    match entry:
        case [_, _, [dict() as raw, dict() as smoothed]]:
            return raw, smoothed
    return None


@dataclass(frozen=True, eq=False)
class _Linked:
    """The files of a folder that belong to the stimuli, and how many stimuli have none."""

    what: str
    place: str | None
    files: Mapping[str, AnyPath]
    missing: int

    def notes(self) -> list[str]:
        if not self.missing:
            return []
        return [f"{self.missing:,} of the stimuli have none of the {self.what} in {self.place}."]


def _linked(stimuli: Iterable[str], folder: PathLike | None, what: str) -> _Linked:
    if folder is None:
        return _Linked(what, None, {}, 0)
    place = Path(folder).expanduser().resolve()
    if not place.is_dir():
        raise DatasetError(
            f"{readable(place)} is not a folder; name the folder of the study's {what}"
        )
    suffixes = IMAGE_SUFFIXES if what == "images" else DENSITY_SUFFIXES
    there = by_stem(with_suffix(walk(place), suffixes), what)
    names = list(stimuli)
    files = {name: there[name] for name in names if name in there}
    if not files:
        raise DatasetError(
            f"{readable(place)} holds none of the study's {len(names):,} {what}; the first is "
            f"called {names[0]!r}"
        )
    return _Linked(what, readable(place), files, len(names) - len(files))


def _fingerprint(results: _Results, images: _Linked, maps: _Linked) -> str:
    """Fingerprint of the images where they are at hand, and of the file elsewhere."""
    if not images.files:
        return results.sha256
    densities = {name: DensityFile(file) for name, file in maps.files.items()}
    stimuli = tuple(
        Stimulus(name, ImageFile(file), map=densities.get(name))
        for name, file in images.files.items()
    )
    return Dataset("salicon", stimuli, EDITION).fingerprint()


def _settings(preset: Preset) -> Settings:
    axes: dict[str, Any] = {f"{axis}s": (getattr(preset, axis),) for axis in _AXES}
    return Settings(
        **axes,
        sigmas=preset.sigmas,
        metrics=tuple(METRICS.values()),
        convention=preset.convention,
        density_sigma=19.0,
        geometry=preset.geometry,
    )


def _tables(results: _Results, preset: Preset) -> ShardTables:
    tables = ShardTables()
    shared = {axis: getattr(preset, axis) for axis in (*_AXES, "convention")}
    for stimulus, entry in results.entries.items():
        pair = _pair(entry)
        if pair is None:
            error = DatasetError("the study's results hold no raw and smoothed scores of it")
            tables.failures.append(Failure.of(stimulus, "score", error).row())
            continue
        for sigma, scores in zip(preset.sigmas, pair, strict=True):
            keys = {"stimulus": stimulus, **asdict(Variant(**shared, sigma=sigma))}
            _add_rows(tables, keys, scores)
    return tables


def _add_rows(tables: ShardTables, keys: Row, scores: Mapping[str, Any]) -> None:
    values = {}
    for name, metric in METRICS.items():
        values[metric], reason = _score(scores, name)
        if reason:
            tables.undefined.append({**keys, "metric": metric, "reason": reason})
    tables.scores.append(
        {**keys, **values, "explained_variance": math.nan, "orientation_margin": math.nan}
    )


def _score(scores: Mapping[str, Any], name: str) -> tuple[float, str]:
    """Give a score as a number, or NaN and the reason."""
    value = scores.get(name)
    if value is None:
        return math.nan, f"the study's results hold no {name}"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return math.nan, f"the study's results hold no number as {name}"
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        return math.nan, f"the study's results hold {number} as {name}"
    return number, ""
