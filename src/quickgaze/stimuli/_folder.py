"""A user's own folder: images, with density maps, pictures of points or a table of fixations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from quickgaze.errors import DatasetError, OptionError, QuickgazeError
from quickgaze.places import AnyPath, Root, as_path, readable
from quickgaze.stimuli._folder_files import (
    LAYOUT,
    FolderFiles,
    Places,
    find_files,
    refuse_strangers,
)
from quickgaze.stimuli._gaze_columns import read_columns
from quickgaze.stimuli._gaze_tables import GazeTable, read_gaze_table
from quickgaze.stimuli._placement import Direction, Origin, Placement, Units, read_placement
from quickgaze.stimuli._point_pictures import PointPicture
from quickgaze.stimuli._spelling import ImageNames
from quickgaze.stimuli.dataset import Dataset, DatasetEntry
from quickgaze.stimuli.densities import DensityFile
from quickgaze.stimuli.images import ImageFile
from quickgaze.stimuli.points import CORNER, ENOUGH
from quickgaze.stimuli.types import FixationReader, RecordedPoints, Size, Stimulus


def load_folder(
    root: Root,
    *,
    origin: Origin | None = None,
    units: Units | None = None,
    screen: str | tuple[int, int] | None = None,
    y: Direction | None = None,
    columns: str | Mapping[str, str] | None = None,
    table: str | None = None,
    images: str | None = None,
    maps: str | None = None,
    fixations: str | None = None,
    suffix: str | None = None,
) -> Dataset:
    """Load a folder of images, with or without gaze.

    Parameters
    ----------
    root : path-like or address
        Holds the images in ``images/`` or, if there is no such folder, itself. Subfolders are
        entered; hidden files and folders are not.
    origin : {0, 1, "center"}, optional
        Where the table's coordinates are counted from; needed for pixels. With 0, the centre of
        the upper left pixel is at x = 0, y = 0 (Python); with 1, at x = 1, y = 1 (MATLAB); with
        ``"center"``, the middle of the image or screen is at x = 0, y = 0 (PsychoPy).
    units : {"pixels", "fraction", "percent"}, optional
        What the table's coordinates are: pixels unless a known export has others, or parts of
        the image's or the screen's width and height, in [0, 1] or [0, 100].
    screen : str or (int, int), optional
        Width and height in pixels of the screen that the coordinates are of, as ``"1920x1080"``.
        Each image was as large as fits on it, and in its centre.
    y : {"down", "up"}, optional
        In which direction y grows; down unless a known export has it otherwise.
    columns : str or mapping, optional
        Names of the table's columns, as ``"x=FPOGX,y=FPOGY,stimulus=MEDIA_NAME,observer=USER"``.
        The usual exports of Tobii, Gazepoint, Pupil, EyeLink, BIDS and REFLACX are recognised.
    table : str, optional
        The table, below `root`; ``fixations`` with an ending of a table by default.
    images, maps, fixations : str, optional
        Folders below `root` with the images, with one density for each, and with one picture of
        points for each; ``images``, ``maps`` and ``fixations`` by default. ``"none"`` leaves
        table, maps or fixations out.
    suffix : str, optional
        What the names of maps and pictures of points have after the name of their image; usual
        ones such as ``_fixMap``, ``_fixPts`` and ``_SaliencyMap`` are known.

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
    x or y is missing count as outside the image. Table and maps may spell the names of images
    in another way, as long as it is clear which is meant.
    """
    root = as_path(root)
    names = {"images": images, "maps": maps, "fixations": fixations, "table": table}
    names["suffix"] = suffix
    files = find_files(root, Places(**{name: _as_name(name, names[name]) for name in names}))
    given = {"origin": origin, "units": units, "screen": screen, "y": y, "columns": columns}
    gaze: Mapping[str, FixationReader] = {
        name: PointPicture(path) for name, path in files.pictures.items()
    }
    described, screen_notes = "", tuple[str, ...]()
    if files.table is None:
        _refuse_ignored(given, files, root)
    else:
        read = _read_table(files.table, files.names, given)
        gaze, described, screen_notes = read.points(files.names), read.edition, read.notes
    stimuli = tuple(
        Stimulus(
            identifier,
            ImageFile(path),
            gaze.get(identifier),
            DensityFile(files.maps[identifier]) if identifier in files.maps else None,
        )
        for identifier, path in sorted(files.names.ids.items())
    )
    missing = tuple(sorted((files.maps.keys() | gaze.keys()) - files.names.ids.keys()))
    what = "fixations" if files.table or files.pictures else "none"
    edition = _edition(files, described)
    notes = _notes(stimuli, files) + screen_notes
    return Dataset("folder", stimuli, edition, what, missing, notes)


def _as_name(option: str, given: Any) -> str | None:
    """Take a name of a file or folder; the command line reads ``images=2014`` as a number."""
    if given is None or isinstance(given, str):
        return given
    if isinstance(given, int) and not isinstance(given, bool):
        return str(given)
    raise OptionError(f"{option} is {given!r}; give one name, as text")


@dataclass(frozen=True, eq=False)
class _Table:
    """A table of fixations, and what its coordinates mean."""

    path: AnyPath
    table: GazeTable
    placement: Placement

    @property
    def edition(self) -> str:
        """What the table is, in words."""
        export = f" of {self.table.export}" if self.table.export else ""
        return f"{readable(self.path.name)}{export} with {self.placement.in_words()}"

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know of places on a screen whose size was not given."""
        if not self.table.of_screen or self.placement.screen is not None:
            return ()
        note = (
            f"{readable(self.path.name)} holds places on a screen; without screen=WIDTHxHEIGHT "
            "they count as if each image had filled it."
        )
        return (note,)

    def points(self, names: ImageNames) -> dict[str, FixationReader]:
        """Points by the id of their image, or by a name that no image has."""
        rows = self.table.rows
        identifiers = {
            name: names.resolve(name, self.path) for name in rows["stimulus"].unique().to_list()
        }
        rows = rows.with_columns(
            pl.col("stimulus").replace_strict(identifiers, return_dtype=pl.String)
        )
        grouped = rows.group_by("stimulus", maintain_order=True)
        found: dict[str, FixationReader] = {
            str(name): self._recorded(part) for (name,), part in grouped
        }
        refuse_strangers(found, names, self.path)
        return found

    def _recorded(self, rows: pl.DataFrame) -> RecordedPoints:
        observers, looked = np.unique(
            rows["observer"].to_numpy().astype(np.str_), return_inverse=True
        )
        numbers = {
            name: rows[name].fill_null(np.nan).to_numpy()
            for name in ("x", "y", "duration")
            if name in rows.columns
        }
        return RecordedPoints(
            numbers["x"],
            numbers["y"],
            observers,
            looked,
            duration=numbers.get("duration"),
            placement=self.placement,
        )


def _read_table(
    path: AnyPath,
    names: ImageNames,
    given: Mapping[str, Any],
) -> _Table:
    """Read a table, with what a user says of its coordinates or, else, what its export tells."""
    columns = None if given["columns"] is None else read_columns(given["columns"])
    table = read_gaze_table(path, columns)
    placement = read_placement(
        readable(path),
        table.units if given["units"] is None else given["units"],
        given["origin"],
        table.y if given["y"] is None else given["y"],
        given["screen"],
    )
    read = _Table(path, table, placement)
    if given["units"] is None:
        _refuse_corner(read, names)
    return read


def _refuse_corner(read: _Table, names: ImageNames) -> None:
    """Refuse pixels all of which lie in the upper left corner of much larger images."""
    points = read.table.rows.select("x", "y").drop_nulls().to_numpy()
    if read.placement.units != "pixels" or len(points) < ENOUGH:
        return
    reach = np.abs(points).max()
    if reach <= CORNER and min(_first_size(names)) > 10 * CORNER:
        raise OptionError(
            f"all {len(points):,} points of {readable(read.path)} lie within {reach:.3g} pixels of "
            "one place, the corner or the centre; if they are fractions of the image, give "
            "units=fraction (with screen=WIDTHxHEIGHT if of the screen), and if they are right, "
            "units=pixels"
        )


def _first_size(names: ImageNames) -> Size:
    """Height and width of the first image that opens; 0 if none does."""
    for path in names.ids.values():
        try:
            return ImageFile(path).size()
        except QuickgazeError:  # noqa: PERF203 - one damaged image says nothing
            continue
    return 0, 0


def _refuse_ignored(given: Mapping[str, Any], files: FolderFiles, root: AnyPath) -> None:
    """Refuse options for a table that is not there, and gaze that nobody would read."""
    unread = ", ".join(readable(path.name) for path in files.unread)
    looks = f"{unread} may hold gaze, but {'is' if len(files.unread) == 1 else 'are'} not read"
    ways = (
        "save the fixations as fixations.csv, name another table with table=FILE, or leave it out "
        "with table=none"
    )
    options = [f"{name}={value}" for name, value in given.items() if value is not None]
    if options:
        raise OptionError(
            f"{', '.join(options)} is for a table of fixations, and {readable(root)} has none"
            + (f": {looks}; {ways}" if unread else f"; expected {LAYOUT}")
        )
    if unread and not files.gaze_is_there:
        raise DatasetError(f"{readable(root)}: {looks}; {ways}")


def _edition(files: FolderFiles, table: str) -> str:
    pictures = "pictures of points" if files.pictures else ""
    parts = ["density maps" if files.maps else "", pictures, table]
    return " and ".join(filter(None, parts)) or "images only"


def _notes(stimuli: Sequence[Stimulus], files: FolderFiles) -> tuple[str, ...]:
    if not files.gaze_is_there:
        return ("There is no gaze on these images: nothing can be scored.",)
    notes = [f"{readable(path.name)} is not read." for path in files.unread]
    pointless = files.table is None and not files.pictures
    if pointless:
        notes.append("There are density maps but no points: scores against points are undefined.")
    bare = sum(stimulus.gaze is None and stimulus.map is None for stimulus in stimuli)
    if bare:
        notes.append(f"There is no gaze on {bare:,} of {len(stimuli):,} images.")
    blurred = sum(stimulus.gaze is not None and stimulus.map is None for stimulus in stimuli)
    if files.maps and blurred:
        notes.append(
            f"{blurred:,} of {len(stimuli):,} images have no density map; their density is their "
            "fixations, blurred."
        )
    return tuple(notes)


ENTRY = DatasetEntry(
    load_folder,
    "your own images, with density maps, points or a table of fixations where you have them",
    LAYOUT,
)
