"""What the files of a folder look like: images, densities, points or tables."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
import PIL.Image

from quickgaze.errors import QuickgazeError
from quickgaze.places import AnyPath, list_files, open_file, readable
from quickgaze.stimuli._matlab import list_mat
from quickgaze.stimuli._point_pictures import (
    PICTURE_SUFFIXES,
    bare_stem,
    choose_matrix,
    looks_smooth,
    read_picture,
)
from quickgaze.stimuli.densities import array_header
from quickgaze.stimuli.files import IMAGE_SUFFIXES, walk, with_suffix
from quickgaze.stimuli.images import opened

IMAGES, DENSITIES, POINTS, TABLES = "images", "density maps", "pictures of points", "tables"

_TABLE_SUFFIXES = frozenset({".csv", ".tsv", ".txt", ".parquet", ".json", ".xlsx", ".xls"})
_LISTED = 2000  # files of a folder that are listed
_OPENED = 5  # and those of them that are opened
_COLOUR = 24  # levels between red, green and blue of a pixel that is no shade of grey
_SIDE = 512  # pixels that are enough to tell an image from a density
_HINTS = (
    (POINTS, ("fixpts", "fixloc", "fixation", "points", "_pts", "locs")),
    (DENSITIES, ("map", "densit", "salienc", "heat", "fdm")),
    (IMAGES, ("stimul", "image", "img", "photo", "picture", "original")),
)


def looks_like(folder: AnyPath) -> str:
    """Tell by a few of its files whether a folder holds images, density maps, points or tables.

    Gives ``"images"``, ``"density maps"``, ``"pictures of points"``, ``"tables"`` or ``""``.
    """
    return _looks_of(_files(folder), folder)


def explain_siblings(root: AnyPath) -> str:
    """Say which subfolder looks like what, where several hold files of the same names.

    Empty where there is nothing to say.
    """
    folders = _subfolders(root)
    files = {name: _files(folder) for name, folder in folders.items()}
    looks = {name: _looks_of(files[name], folders[name]) for name in folders}
    looks = {name: look for name, look in looks.items() if look}
    if len(looks) < 2 or not (_share_stems([files[name] for name in looks]) or _unlike(looks)):
        return ""
    told = [f"{readable(name)} looks like {look}" for name, look in looks.items()]
    return f"{', '.join(told)}{_advice(looks)}"


def _subfolders(root: AnyPath) -> dict[str, AnyPath]:
    if isinstance(root, Path):
        names = sorted(path.name for path in root.iterdir() if path.is_dir())
    else:
        names = sorted({name.split("/")[0] for name in list_files(root, 1) if "/" in name})
    return {name: root / name for name in names if not name.startswith(".")}


def _files(folder: AnyPath) -> list[AnyPath]:
    kept = PICTURE_SUFFIXES | _TABLE_SUFFIXES
    return with_suffix(islice(walk(folder), _LISTED), kept)


def _unlike(looks: dict[str, str]) -> bool:
    return len(set(looks.values())) > 1


def _share_stems(files: list[list[AnyPath]]) -> bool:
    stems = Counter(stem for paths in files for stem in {bare_stem(path.stem) for path in paths})
    return any(times > 1 for times in stems.values())


def _advice(looks: dict[str, str]) -> str:
    """Options that name the folders, where each of these is the only one of its kind."""
    options = {"images": IMAGES, "maps": DENSITIES, "fixations": POINTS}
    chosen = {
        option: names[0]
        for option, kind in options.items()
        if len(names := [name for name, look in looks.items() if look == kind]) == 1
    }
    if "images" not in chosen or len(chosen) < 2:
        return ""
    given = " ".join(f"{option}={readable(name)}" for option, name in chosen.items())
    return f": give {given}"


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
    if suffix in _TABLE_SUFFIXES:
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
    if not looks_smooth(values) and np.mean(values > most / 2) < 0.1:
        return POINTS
    return DENSITIES if _fades_to_black(values / most) else IMAGES


def _fades_to_black(shares: npt.NDArray[np.float64]) -> bool:
    """Whether values are mostly dark, and change little from pixel to pixel, as a blur does."""
    steps = np.abs(np.diff(shares, axis=1))
    return bool(np.median(shares) < 0.4 and np.quantile(steps, 0.99) < 0.2 and steps.mean() < 0.02)
