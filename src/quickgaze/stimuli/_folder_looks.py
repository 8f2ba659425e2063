"""What the files of a folder look like: images, densities, points or tables."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
import PIL.Image
import scipy.ndimage

from quickgaze.errors import QuickgazeError
from quickgaze.places import AnyPath, list_files, open_file, readable
from quickgaze.stimuli._matlab import list_mat
from quickgaze.stimuli._point_pictures import (
    PICTURE_SUFFIXES,
    bare_stem,
    choose_matrix,
    holds_points,
    looks_smooth,
    read_picture,
)
from quickgaze.stimuli._sheets import TABLE_SUFFIXES
from quickgaze.stimuli.densities import array_header
from quickgaze.stimuli.files import IMAGE_SUFFIXES, walk, with_suffix
from quickgaze.stimuli.images import opened

IMAGES, DENSITIES, POINTS, TABLES = "images", "density maps", "pictures of points", "tables"

TABLE_LIKE = TABLE_SUFFIXES | {".json", ".xlsx", ".xls", ".ods"}
"""File name endings, in lower case, of files that may be tables, read or not."""

_LISTED = 2000  # files of a folder that are listed
_FOLDERS = 20  # of which so many are looked at
_OPENED = 5  # and those of them that are opened
_MANY = 0.2  # share of the files whose names must end in the same, unless that is known
_COLOUR = 24  # levels between red, green and blue of a pixel that is no shade of grey
_SIDE = 512  # pixels that are enough to tell an image from a density
_GREY = 0.03  # share of pixels that are neither black nor white, in masks at most
_DARK = 0.03  # share of the maximum below which half of a density lies, and of no photograph
_PEAKS = 0.006  # local maxima a pixel: fewer in a density, more in photographs
_AROUND = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], dtype=bool)
_HINTS = (
    (DENSITIES, ("map", "densit", "salienc", "heat", "fdm")),
    (POINTS, ("fix", "points", "pts", "locs")),
    (IMAGES, ("stimul", "image", "img", "photo", "picture", "original")),
)


def looks_like(folder: AnyPath) -> str:
    """Tell by a few of its files whether a folder holds images, density maps, points or tables.

    Gives ``"images"``, ``"density maps"``, ``"pictures of points"``, ``"tables"`` or ``""``.
    """
    return _looks_of(_files(folder), folder)


def explain_siblings(root: AnyPath) -> str:
    """Say which files below a folder look like what, where they are not all images.

    Files that a suffix or an ending tells from others of the same name count by themselves. Empty
    where there is nothing to say.
    """
    groups = _groups(root)
    seen = ((group, _looks_of(group.files, group.folder)) for group in groups)
    looks = {group: look for group, look in seen if look}
    shown = {stem for group, look in looks.items() if look != TABLES for stem in group.stems}
    # Tables of something else may lie beside images.
    looks = {group: look for group, look in looks.items() if look != TABLES or group.stems & shown}
    if len(set(looks.values())) < 2:
        return ""
    first, *others = looks.items()
    told = [f"{first[0].label} looks like {first[1]}"]
    told += [f"{group.label} like {look}" for group, look in others]
    return f"{', '.join(told)}{_advice(looks, root)}"


@dataclass(frozen=True, eq=False)
class _Group:
    """Files of a folder: all of them, or those whose names end alike; `stems` lack that `mark`."""

    folder: AnyPath
    label: str
    files: list[AnyPath]
    mark: str = ""

    @property
    def stems(self) -> set[str]:
        return {bare_stem(path.stem, self.mark or None) for path in self.files}


def _groups(root: AnyPath) -> list[_Group]:
    folders = list(_subfolders(root).items())[:_FOLDERS]
    below = [group for name, folder in folders for group in _split(folder, f"{name}/")]
    return [*below, *_split(root, "", depth=0)]


def _files(folder: AnyPath, depth: int | None = None) -> list[AnyPath]:
    return with_suffix(islice(walk(folder, depth), _LISTED), PICTURE_SUFFIXES | TABLE_LIKE)


def _split(folder: AnyPath, label: str, depth: int | None = None) -> list[_Group]:
    """Split the files of a folder by how their names end, where stems repeat without that."""
    files = _files(folder, depth)
    marks = _marks([path.stem for path in files])
    parts: dict[tuple[str, str], list[AnyPath]] = {}
    for path in files:
        parts.setdefault((marks[path.stem], path.suffix.lower()), []).append(path)
    groups = [
        _Group(folder, readable(f"{label}*{mark}{part[0].suffix}"), part, mark)
        for (mark, _), part in parts.items()
    ]
    stems = [stem for group in groups for stem in group.stems]
    if len(stems) > len(set(stems)):
        return groups
    return [_Group(folder, readable(label.rstrip("/") or "the folder itself"), files)]


def _marks(stems: list[str]) -> dict[str, str]:
    """Find what stems have after another one: a known suffix, or what many of them have."""
    every = set(stems)
    marks = {stem: stem[len(bare_stem(stem)) :] or _after_another(stem, every) for stem in stems}
    times = Counter(marks.values())
    return {
        stem: mark if bare_stem(stem) != stem or times[mark] > _MANY * len(stems) else ""
        for stem, mark in marks.items()
    }


def _after_another(stem: str, every: set[str]) -> str:
    cuts = (at for at in range(len(stem) - 1, 0, -1) if stem[at] in "_-. ")
    return next((stem[at:] for at in cuts if stem[:at] in every), "")


def _subfolders(root: AnyPath) -> dict[str, AnyPath]:
    if isinstance(root, Path):
        names = sorted(path.name for path in root.iterdir() if path.is_dir())
    else:
        names = sorted({name.split("/")[0] for name in list_files(root, 1) if "/" in name})
    return {name: root / name for name in names if not name.startswith(".")}


def _advice(looks: dict[_Group, str], root: AnyPath) -> str:
    """Options that name the folders, where each of these is the only one of its kind."""
    options = {"images": IMAGES, "maps": DENSITIES, "fixations": POINTS}
    named = {
        option: [group for group, look in looks.items() if look == kind]
        for option, kind in options.items()
    }
    chosen = {option: found[0] for option, found in named.items() if len(found) == 1}
    if "images" not in chosen or len(chosen) < 2:
        return ""
    others = [group for option, group in chosen.items() if option != "images"]
    if any(group.folder == chosen["images"].folder and not group.mark for group in others):
        return ": move each kind to a folder of its own, images/, maps/ or fixations/"
    given = {
        option: "." if group.folder == root else group.folder.name
        for option, group in chosen.items()
    }
    own = {group.mark for group in others if bare_stem(f"_{group.mark}") == f"_{group.mark}"} - {""}
    if len(own) == 1:
        given["suffix"] = own.pop()
    return f": give {' '.join(f'{option}={readable(name)}' for option, name in given.items())}"


def _looks_of(files: list[AnyPath], folder: AnyPath) -> str:
    spread = np.linspace(0, len(files) - 1, min(len(files), _OPENED)).astype(int).tolist()
    seen = Counter(look for index in spread if (look := _look_of_file(files[index])))
    if not seen:
        return ""
    most = max(seen.values())
    tied = [look for look, times in seen.items() if times == most]
    hinted = [look for look in _hints(folder, files) if look in tied]
    return (hinted or tied)[0]


def _hints(folder: AnyPath, files: list[AnyPath]) -> list[str]:
    """List the looks that names suggest, that of the folder before that of its first file."""
    names = [folder.name.lower(), *(path.stem.lower() for path in files[:1])]
    return [look for name in names for look, words in _HINTS if any(word in name for word in words)]


def _look_of_file(path: AnyPath) -> str:
    """Look of a file; empty if it cannot be read."""
    suffix = path.suffix.lower()
    if suffix in TABLE_LIKE:
        return TABLES
    try:
        if suffix in IMAGE_SUFFIXES:
            return _look_of_image(path)
        shape = _shape_of(path)
        if len(shape) != 2:
            return IMAGES if len(shape) == 3 and shape[2] in {1, 3, 4} else ""
        if 2 in shape:
            return TABLES
        return _look_of_values(read_picture(path, (shape[0], shape[1]), readable(path)))
    except (QuickgazeError, OSError, ValueError):
        return ""


def _shape_of(path: AnyPath) -> tuple[int, ...]:
    if path.suffix.lower() == ".mat":
        return choose_matrix(list_mat(path)).shape
    with open_file(path) as file:
        return array_header(file)[0]


def _look_of_image(path: AnyPath) -> str:
    with opened(path) as image:
        small = image.convert("RGB")
        small.thumbnail((_SIDE, _SIDE), PIL.Image.Resampling.NEAREST)
        channels = np.asarray(small, dtype=np.float64)
        if np.mean(np.ptp(channels, axis=2) > _COLOUR) > 0.01:
            return IMAGES
        grey = np.asarray(image.convert("F" if image.mode in {"I", "F"} else "L"), dtype=np.float64)
    return _look_of_values(grey)


def _look_of_values(values: npt.NDArray[np.float64]) -> str:
    most = values.max()
    if not most > 0:
        return ""
    if holds_points(values):
        return POINTS
    if not looks_smooth(values) and np.mean((values > most / 8) & (values < most * 7 / 8)) < _GREY:
        return ""  # a mask
    return DENSITIES if np.median(values) < _DARK * most or _is_blurred(values) else IMAGES


def _is_blurred(values: npt.NDArray[np.float64]) -> bool:
    """Whether there are few local maxima, as after a blur; photographs have them everywhere."""
    shown = values > values.max() / 8
    peaks = values > scipy.ndimage.maximum_filter(values, footprint=_AROUND)
    return bool(np.count_nonzero(peaks & shown) < _PEAKS * np.count_nonzero(shown))
