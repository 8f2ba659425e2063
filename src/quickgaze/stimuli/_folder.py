"""A user's own folder: images, with density maps and a table of fixations where there are any."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import IO, Literal

import numpy as np
import polars as pl

from quickgaze.errors import DatasetError, OptionError
from quickgaze.places import AnyPath, Root, as_path, below, read_bytes, readable
from quickgaze.stimuli.dataset import Dataset, DatasetEntry
from quickgaze.stimuli.densities import DensityFile
from quickgaze.stimuli.files import (
    DENSITY_SUFFIXES,
    IMAGE_SUFFIXES,
    unrecognised,
    walk,
    with_suffix,
)
from quickgaze.stimuli.images import ImageFile
from quickgaze.stimuli.types import RecordedPoints, Stimulus

_LAYOUT = (
    "images/ (or images in the folder itself), and where there is gaze: maps/ with a density of "
    "the same name for each image (an image file in shades of grey, or .npy), or a table "
    "fixations.csv or fixations.parquet with the columns stimulus, observer, x, y and, if known, "
    "duration"
)

_TABLES = ("fixations.csv", "fixations.parquet")

_REQUIRED = ("stimulus", "observer", "x", "y")


def load_folder(root: Root, *, origin: Literal[0, 1] | None = None) -> Dataset:
    """Load a folder of images, with or without gaze.

    Parameters
    ----------
    root : path-like or address
        Holds the images in ``images/`` or, if there is no such folder, itself. Subfolders are
        entered; hidden files and folders are not. Densities are looked for in ``maps/``, one
        of the same name and in the same subfolder for each image; fixations in
        ``fixations.csv`` or ``fixations.parquet``.
    origin : {0, 1}, optional
        What the table's coordinates count the first pixel as; needed with a table. With 0, the
        centre of the upper left pixel is at x = 0, y = 0 (Python); with 1, at x = 1, y = 1
        (MATLAB).

    Returns
    -------
    Dataset
        One stimulus an image, sorted by id: the path below the folder of images without its ending
        (``cats/tabby``). Where images differ in their ending alone, ids keep it (``tabby.jpg``);
        where names read alike because they are not UTF-8, ids are numbered (``tabby.jpg (2)``).
        What maps and table name but is not there is `Dataset.missing`.

    Notes
    -----
    Images and densities are not opened here; damaged ones fail when they are read. Rows whose
    x or y is empty count as outside the image.
    """
    if origin not in {None, 0, 1}:
        raise OptionError(f"origin is {origin!r}; give 0 or 1, the number of the first pixel")
    root = as_path(root)
    folder = root / "images" if (root / "images").is_dir() else root
    names = _Names.of(_images(folder, root), folder)
    if not names.ids:
        raise unrecognised("images", root, _LAYOUT)
    table = _table(root)
    maps = _maps(root / "maps", names)
    gaze = {} if table is None else _gaze(_read_table(table, origin), names, table)
    _refuse_strangers(maps, names, root / "maps")
    _refuse_strangers(gaze, names, table or root)
    stimuli = tuple(
        Stimulus(
            identifier,
            ImageFile(path),
            gaze.get(identifier),
            DensityFile(maps[identifier]) if identifier in maps else None,
        )
        for identifier, path in sorted(names.ids.items())
    )
    missing = tuple(sorted((maps.keys() | gaze.keys()) - names.ids.keys()))
    what = "fixations" if table else "none"
    edition = _edition(bool(maps), table, origin)
    return Dataset("folder", stimuli, edition, what, missing, _notes(stimuli, bool(maps), table))


@dataclass(frozen=True)
class _Names:
    """Ids of images, and what else tables and maps may call them."""

    ids: Mapping[str, AnyPath]
    called: Mapping[str, str]
    ambiguous: frozenset[str]

    @classmethod
    def of(cls, paths: list[AnyPath], folder: AnyPath) -> _Names:
        """Name images by their path without ending; with it, or numbered, where that is shared."""
        full = [readable(below(path, folder)) for path in paths]
        stems = [_without_ending(name) for name in full]
        counts, taken = Counter(stems), Counter(full)
        ids = _numbered(
            stem if counts[stem] == 1 and stem not in taken else name
            for stem, name in zip(stems, full, strict=True)
        )
        called = zip([*full, *ids], [*ids, *ids], strict=True)
        return cls(
            dict(zip(ids, paths, strict=True)),
            {name: identifier for name, identifier in called if taken[name] < 2},
            frozenset(name for name, times in (counts | taken).items() if times > 1),
        )

    def resolve(self, name: str, source: AnyPath) -> str:
        """Id of the image that `source` calls `name`; the name itself if there is none."""
        if name in self.called:
            return self.called[name]
        if name in self.ambiguous:
            raise DatasetError(
                f"{readable(source)} names {name!r}, which several images are called that differ "
                "in their ending or in bytes that are not UTF-8; name the image with its ending, "
                "or rename one"
            )
        return name


def _numbered(names: Iterable[str]) -> list[str]:
    """Names with a number added to those that were there before."""
    taken: dict[str, None] = {}
    for name in names:
        made = (name if number == 1 else f"{name} ({number})" for number in count(1))
        taken[next(candidate for candidate in made if candidate not in taken)] = None
    return list(taken)


def _without_ending(name: str) -> str:
    head, _, ending = name.rpartition(".")
    return head if head and "/" not in ending else name


def _images(folder: AnyPath, root: AnyPath) -> list[AnyPath]:
    found = with_suffix(walk(folder), IMAGE_SUFFIXES)
    return [
        path for path in found if folder != root or below(path, root).partition("/")[0] != "maps"
    ]


def _maps(folder: AnyPath, names: _Names) -> dict[str, AnyPath]:
    maps: dict[str, AnyPath] = {}
    paths = walk(folder) if folder.is_dir() else ()
    for path in with_suffix(paths, DENSITY_SUFFIXES):
        identifier = names.resolve(_without_ending(readable(below(path, folder))), path)
        other = maps.setdefault(identifier, path)
        if other is not path:
            raise DatasetError(
                f"{readable(other)} and {readable(path)} are both maps of {identifier!r}; keep one"
            )
    return maps


def _table(root: AnyPath) -> AnyPath | None:
    found = [root / name for name in _TABLES if (root / name).is_file()]
    if len(found) > 1:
        raise DatasetError(
            f"{readable(root)} holds both {' and '.join(_TABLES)}; keep the one that is meant"
        )
    return found[0] if found else None


def _read_table(path: AnyPath, origin: int | None) -> pl.DataFrame:
    if origin is None:
        raise OptionError(
            f"{readable(path)} needs origin=0 or origin=1: 0 if the centre of the upper left "
            "pixel is at x = 0, y = 0 (Python), 1 if it is at x = 1, y = 1 (MATLAB)"
        )
    try:
        file = io.BytesIO(read_bytes(path))
        table = _read_text(file) if path.suffix == ".csv" else pl.read_parquet(file)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DatasetError(f"{readable(path)} cannot be read as a table: {error}") from error
    lacking = [name for name in _REQUIRED if name not in table.columns]
    if lacking:
        raise DatasetError(
            f"{readable(path)} lacks the column{'s' * (len(lacking) > 1)} {', '.join(lacking)}; "
            f"it needs {', '.join(_REQUIRED)} and may have duration; it has "
            f"{', '.join(table.columns)}"
        )
    return _typed(table, path).with_columns(pl.col("x") - origin, pl.col("y") - origin)


def _read_text(file: IO[bytes]) -> pl.DataFrame:
    table = pl.read_csv(file, infer_schema=False).with_columns(pl.all().str.strip_chars())
    return table.with_columns(pl.col(name).replace("NA", None) for name in _numbers(table))


def _numbers(table: pl.DataFrame) -> list[str]:
    return [name for name in ("x", "y", "duration") if name in table.columns]


def _typed(table: pl.DataFrame, path: AnyPath) -> pl.DataFrame:
    numbers = _numbers(table)
    try:
        table = table.select(
            pl.col("stimulus", "observer").cast(pl.String), pl.col(numbers).cast(pl.Float64)
        )
    except pl.exceptions.PolarsError as error:
        raise DatasetError(
            f"{readable(path)} holds something else than numbers in x, y or duration: {error}"
        ) from error
    for name in ("stimulus", "observer"):
        empty = table[name].is_null().arg_true()
        if len(empty):
            raise DatasetError(
                f"{readable(path)} has no {name} in {len(empty):,} rows, the first is row "
                f"{empty[0] + 1} after the header; fill them in or remove them"
            )
    return table


def _gaze(table: pl.DataFrame, names: _Names, path: AnyPath) -> dict[str, RecordedPoints]:
    called = table["stimulus"].unique().to_list()
    identifiers = {name: names.resolve(name, path) for name in called}
    table = table.with_columns(
        pl.col("stimulus").replace_strict(identifiers, return_dtype=pl.String)
    )
    return {
        str(identifier): _points(rows)
        for (identifier,), rows in table.group_by("stimulus", maintain_order=True)
    }


def _points(rows: pl.DataFrame) -> RecordedPoints:
    observers, looked = np.unique(rows["observer"].to_numpy().astype(np.str_), return_inverse=True)
    numbers = {name: rows[name].fill_null(np.nan).to_numpy() for name in _numbers(rows)}
    return RecordedPoints(
        numbers["x"], numbers["y"], observers, looked, duration=numbers.get("duration")
    )


def _refuse_strangers(gaze: Mapping[str, object], names: _Names, source: AnyPath) -> None:
    if gaze and not gaze.keys() & names.ids.keys():
        raise DatasetError(
            f"{readable(source)} names no image that is there: it calls them "
            f"{min(gaze)!r}, the images are called {min(names.ids)!r}; use the same names"
        )


def _edition(maps: bool, table: AnyPath | None, origin: int | None) -> str:
    parts = ["density maps"] if maps else []
    if table is not None:
        parts.append(f"{table.name} with origin {origin}")
    return " and ".join(parts) or "images only"


def _notes(stimuli: Sequence[Stimulus], maps: bool, table: AnyPath | None) -> tuple[str, ...]:
    if table is None and not maps:
        return ("There is no gaze on these images: nothing can be scored.",)
    notes = []
    if table is None:
        notes.append("There are density maps but no points: scores against points are undefined.")
    bare = sum(stimulus.gaze is None and stimulus.map is None for stimulus in stimuli)
    if bare:
        notes.append(f"There is no gaze on {bare:,} of {len(stimuli):,} images.")
    blurred = sum(stimulus.gaze is not None and stimulus.map is None for stimulus in stimuli)
    if maps and blurred:
        notes.append(
            f"{blurred:,} of {len(stimuli):,} images have no density map; their density is their "
            "fixations, blurred."
        )
    return tuple(notes)


ENTRY = DatasetEntry(
    load_folder,
    "your own images, with density maps or a table of fixations where you have them",
    _LAYOUT,
)
