"""What a user's folder holds, and where: images, density maps, points as pictures, a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from quickgaze.errors import DatasetError, OptionError
from quickgaze.places import AnyPath, below, inside, readable
from quickgaze.stimuli._folder_looks import TABLE_LIKE, explain_siblings
from quickgaze.stimuli._gaze_tables import may_be_gaze
from quickgaze.stimuli._point_pictures import PICTURE_SUFFIXES, POINT_SUFFIXES, bare_stem
from quickgaze.stimuli._sheets import TABLE_SUFFIXES
from quickgaze.stimuli._spelling import ImageNames, without_ending
from quickgaze.stimuli.files import (
    DENSITY_SUFFIXES,
    IMAGE_SUFFIXES,
    unrecognised,
    walk,
    with_suffix,
)

LAYOUT = (
    "images/ (or images in the folder itself), and where there is gaze: maps/ with a density of "
    "the same name for each image (an image file in shades of grey, or .npy); fixations/ with a "
    "picture of points for each (.png, .jpg, .mat, .npy); or a table fixations.csv, .tsv, .txt or "
    ".parquet with the columns stimulus, observer, x, y and, if known, duration"
)

_NONE = "none"
_TABLE_STEMS = frozenset({"fixations", "fixation"})
_GAZE_WORDS = ("fixation", "gaze", "scanpath", "eyetrack", "eye_track", "eyedata", "eye_data")
_OTHERS = ".mat .npy .npz .asc .edf .feather .h5 .hdf5 .pkl .zip .gz"
_DATA_SUFFIXES = TABLE_LIKE | frozenset(_OTHERS.split())


@dataclass(frozen=True)
class Places:
    """Where a user says that things lie below the root; None to look, ``"none"`` for nowhere."""

    images: str | None = None
    maps: str | None = None
    fixations: str | None = None
    table: str | None = None
    suffix: str | None = None


@dataclass(frozen=True)
class FolderFiles:
    """The files of a folder: images by id, maps and pictures of points by id, and the table."""

    names: ImageNames
    maps: dict[str, AnyPath]
    pictures: dict[str, AnyPath]
    table: AnyPath | None
    unread: list[AnyPath] = field(default_factory=list)  # files that look like gaze

    @property
    def gaze_is_there(self) -> bool:
        """Whether anything says where people looked."""
        return bool(self.maps or self.pictures or self.table)


def find_files(root: AnyPath, places: Places) -> FolderFiles:
    """Find all files, or raise `DatasetError` where it is not clear what they are."""
    folder = _images_folder(root, places)
    maps_folder = _folder_of(root, places.maps, "maps")
    points_folder = _folder_of(root, places.fixations, "fixations")
    found = _images(folder, [each for each in (maps_folder, points_folder) if each], root)
    images = _without_partners(found, places)
    names = ImageNames.of(images, folder)
    if not names.ids:
        raise unrecognised("images", root, LAYOUT)
    table, unread = _table(root, places)
    pair = _Pairing(names, places.suffix)
    maps = pair.files(maps_folder, DENSITY_SUFFIXES, "maps", lambda path: not _marks_points(path))
    pictures = pair.files(points_folder, PICTURE_SUFFIXES, "pictures of points", _may_be_points)
    _refuse_tables_in(points_folder, pictures)
    _refuse_unread(maps_folder, maps, "maps")
    _refuse_unread(points_folder, pictures, "fixations")
    if not (maps or pictures or table or unread) and places.table is None:
        unread = _tables_of_gaze(root)
    files = FolderFiles(names, maps, pictures, table, unread)
    if table is not None and pictures:
        raise DatasetError(
            f"{readable(root)} holds both {readable(table.name)} and pictures of points in "
            f"{readable(below(points_folder, root) if points_folder else '')}; say which is meant "
            "with table=none or fixations=none"
        )
    if not files.gaze_is_there and not files.unread and places.images is None:
        _refuse_unlike_siblings(root, folder)
    return files


def _images_folder(root: AnyPath, places: Places) -> AnyPath:
    if places.images is not None:
        return _named_folder(root, places.images, "images")
    return _usual_folder(root, "images") or root


def _folder_of(root: AnyPath, given: str | None, usual: str) -> AnyPath | None:
    if given == _NONE:
        return None
    return _usual_folder(root, usual) if given is None else _named_folder(root, given, usual)


def _named_folder(root: AnyPath, given: str, option: str) -> AnyPath:
    folder = root if given in {".", ""} else inside(root, given)
    if not folder.is_dir():
        raise DatasetError(
            f"{readable(folder)} is not a folder; {option}= names one below {readable(root)}"
        )
    return folder


def _usual_folder(root: AnyPath, name: str) -> AnyPath | None:
    """Find a folder by its usual name, in upper or lower case."""
    if (root / name).is_dir():
        return root / name
    alike = [path for path in root.iterdir() if path.name.lower() == name and path.is_dir()]
    return alike[0] if alike else None


def _images(folder: AnyPath, others: list[AnyPath], root: AnyPath) -> list[AnyPath]:
    """Images of a folder that do not lie in another's, which may be the same or around it."""
    apart = [other for other in others if other not in {folder, root}]
    found = with_suffix(walk(folder), IMAGE_SUFFIXES)
    return [path for path in found if not any(_lies_in(path, other) for other in apart)]


def _lies_in(path: AnyPath, folder: AnyPath) -> bool:
    return path == folder or folder in path.parents


def _without_partners(images: list[AnyPath], places: Places) -> list[AnyPath]:
    """Images without those that are the map or the points of another, by their names."""
    stems = {(path.parent, path.stem) for path in images}
    partners = [
        path
        for path in images
        if (bare := bare_stem(path.stem, places.suffix)) != path.stem
        and {(path.parent, bare), (path.parent.parent, bare)} & stems
    ]
    together = [path for path in partners if (path.parent, bare_stem(path.stem)) in stems]
    if together and places.maps is None and places.fixations is None and places.images is None:
        first = together[0]
        raise DatasetError(
            f"{readable(first.parent)} holds images and their maps or points together, such as "
            f"{readable(first.name)}; move those to maps/ or fixations/, or name the folder of "
            "each, as in images=. maps=."
        )
    return [path for path in images if path not in set(partners)]


@dataclass(frozen=True)
class _Pairing:
    """Finds the image that a map or a picture of points belongs to."""

    names: ImageNames
    suffix: str | None

    def files(
        self,
        folder: AnyPath | None,
        suffixes: frozenset[str],
        what: str,
        fits: Callable[[AnyPath], bool],
    ) -> dict[str, AnyPath]:
        """Files of a folder by the id of their image."""
        paired: dict[str, AnyPath] = {}
        own = set(self.names.ids.values())
        for path in with_suffix(() if folder is None else walk(folder), suffixes):
            if folder is None or path in own or not fits(path):
                continue
            identifier = self._image_of(path, folder)
            other = paired.setdefault(identifier, path)
            if other is not path:
                raise DatasetError(
                    f"{readable(other)} and {readable(path)} are both {what} of {identifier!r}; "
                    "keep one"
                )
        if folder is not None:
            refuse_strangers(paired, self.names, folder)
        return paired

    def _image_of(self, path: AnyPath, folder: AnyPath) -> str:
        name = without_ending(readable(below(path, folder)))
        before, slash, stem = name.rpartition("/")
        bare = bare_stem(stem, self.suffix)
        identifier = self.names.resolve(name, path)
        if identifier in self.names.ids or bare == stem:
            return identifier
        identifier = self.names.resolve(f"{before}{slash}{bare}", path)
        if identifier in self.names.ids or not before:
            return identifier
        above = before.rpartition("/")[0]  # CAT2000 has its maps in a folder below the images'
        return self.names.resolve(f"{above}/{bare}" if above else bare, path)


def _marks_points(path: AnyPath) -> bool:
    return path.stem.lower().endswith(tuple(suffix.lower() for suffix in POINT_SUFFIXES))


def _may_be_points(path: AnyPath) -> bool:
    """Whether a file's name does not say that it is a map."""
    return bare_stem(path.stem) == path.stem or _marks_points(path)


def refuse_strangers(found: Iterable[str], names: ImageNames, source: AnyPath) -> None:
    """Refuse gaze none of whose names is an image's."""
    called = set(found)
    if called and not called & names.ids.keys():
        raise DatasetError(
            f"{readable(source)} names no image that is there: it calls them "
            f"{min(called)!r}, the images are called {min(names.ids)!r}; use the same names"
        )


def _table(root: AnyPath, places: Places) -> tuple[AnyPath | None, list[AnyPath]]:
    """Find the table of fixations, and files that look like gaze but are not read."""
    if places.table == _NONE:
        return None, []
    if places.table is not None:
        return _named_table(root, places.table), []
    files = list(walk(root, 0))
    tables = [
        path
        for path in with_suffix(files, TABLE_SUFFIXES)
        if path.stem.lower() in _TABLE_STEMS and path.is_file()
    ]
    if len(tables) > 1:
        listed = " and ".join(readable(path.name) for path in tables)
        raise DatasetError(
            f"{readable(root)} holds both {listed}; keep the one that is meant, or name it with "
            "table=FILE"
        )
    alike = [
        path
        for path in with_suffix(files, _DATA_SUFFIXES)
        if any(word in path.stem.lower() for word in _GAZE_WORDS) and path not in tables
    ]
    return (tables[0] if tables else None), alike


def _named_table(root: AnyPath, given: str) -> AnyPath:
    path = inside(root, given)
    if not path.is_file():
        raise DatasetError(f"{readable(path)} is not a file; table= names one")
    if path.suffix.lower() not in TABLE_SUFFIXES:
        raise OptionError(
            f"{readable(path)} cannot be read as a table; table= takes files that end in "
            f"{', '.join(sorted(TABLE_SUFFIXES))}"
        )
    return path


def _refuse_tables_in(folder: AnyPath | None, pictures: dict[str, AnyPath]) -> None:
    tables = [] if folder is None or pictures else with_suffix(walk(folder), _DATA_SUFFIXES)
    if tables:
        raise DatasetError(
            f"{readable(folder or '')} holds {readable(tables[0].name)}, where pictures of points "
            "are expected; put all fixations into one table and name it with table=FILE, or leave "
            "the folder out with fixations=none"
        )


def _refuse_unread(folder: AnyPath | None, found: dict[str, AnyPath], option: str) -> None:
    """Refuse a folder for gaze that holds files, none of which is read."""
    others = (
        []
        if folder is None or found
        else with_suffix(walk(folder), _DATA_SUFFIXES | IMAGE_SUFFIXES)
    )
    if others:
        what, endings = _EXPECTED[option]
        raise DatasetError(
            f"{readable(folder or '')} holds {readable(others[0].name)}, but no {what}; expected "
            f"one for each image, of the same name: an image file{endings}; {option}=none leaves "
            "the folder out"
        )


_EXPECTED = {
    "maps": ("density maps", " or .npy"),
    "fixations": ("pictures of points", ", .mat or .npy"),
}


_MOST_TABLES = 20  # tables to look into


def _tables_of_gaze(root: AnyPath) -> list[AnyPath]:
    """Tables that are not named like gaze, but have columns like it."""
    tables = [path for path in with_suffix(walk(root, 0), TABLE_SUFFIXES) if path.is_file()]
    return [path for path in tables if may_be_gaze(path)] if len(tables) <= _MOST_TABLES else []


_MOST_SIBLINGS = 20  # folders to look into


def _refuse_unlike_siblings(root: AnyPath, images: AnyPath) -> None:
    """Refuse subfolders of which some look like gaze, where no option says what they are."""
    if isinstance(root, Path) and sum(path.is_dir() for path in root.iterdir()) > _MOST_SIBLINGS:
        return
    told = explain_siblings(root)
    if told:
        name = "." if images == root else readable(below(images, root))
        raise DatasetError(
            f"it is not clear what {readable(root)} holds: {told}; images={name} alone takes "
            "all files in it for images, without gaze"
        )
