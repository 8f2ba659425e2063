"""Which files `map_files` maps: those that are named, and the images in folders."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from quickgaze.errors import StimulusError
from quickgaze.places import below, readable
from quickgaze.stimuli.files import IMAGE_SUFFIXES, walk, with_suffix

_LISTED = 5  # files that are named of those left out


@dataclass(frozen=True)
class Picked:
    """Files to map, the start of the names of what is written for each, and files left out."""

    files: tuple[Path, ...]
    names: tuple[str, ...]
    skipped: tuple[Path, ...]


def pick(paths: Sequence[Path], out: Path) -> Picked:
    """Find the images of folders and their subfolders, without hidden files and what `out` holds.

    Files are taken as they are named. Raises `StimulusError` if there is none.
    """
    files: list[Path] = []
    names: list[str] = []
    skipped: list[Path] = []
    for path in paths:
        if not path.is_dir():
            files.append(path)
            names.append(path.stem)
            continue
        inner = (Path(str(each)) for each in walk(path))
        found = [each for each in inner if not _inside(each, out, path)]
        images = with_suffix(found, IMAGE_SUFFIXES)
        files += images
        names += [str(PurePosixPath(below(image, path)).with_suffix("")) for image in images]
        skipped += sorted(set(found) - set(images))
    if not files:
        here = ", ".join(map(readable, paths))
        raise StimulusError(
            f"there is no image in {here}{f'; {left_out(skipped)}' * bool(skipped)}"
        )
    return Picked(tuple(files), tuple(apart(names)), tuple(skipped))


def _inside(file: Path, out: Path, folder: Path) -> bool:
    """Whether a file was written by an earlier call into a folder within the folder of images."""
    place = out.resolve()
    return place != folder.resolve() and file.resolve().is_relative_to(place)


def apart(names: Iterable[str]) -> list[str]:
    """Add numbers to names that differ at most in case from one before."""
    taken: set[str] = set()
    found = []
    for name in names:
        each, number = name, 1
        while each.lower() in taken:
            number += 1
            each = f"{name}-{number}"
        taken.add(each.lower())
        found.append(each)
    return found


def left_out(skipped: Sequence[Path]) -> str:
    """Say which files are not named like images."""
    shown = ", ".join(readable(file.name) for file in skipped[:_LISTED])
    more = f" and {len(skipped) - _LISTED:,} more" if len(skipped) > _LISTED else ""
    what = "file that is" if len(skipped) == 1 else "files that are"
    return f"left out {len(skipped):,} {what} not named like an image: {shown}{more}"
