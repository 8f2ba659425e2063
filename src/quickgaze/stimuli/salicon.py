"""SALICON: up to 20,000 images of everyday scenes with mouse-contingent gaze."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from quickgaze.catalogue import unknown_name
from quickgaze.errors import DatasetError, OptionError
from quickgaze.places import AnyPath, Root, as_path, below, inside, readable
from quickgaze.stimuli.densities import DensityFile
from quickgaze.stimuli.files import (
    DENSITY_SUFFIXES,
    IMAGE_SUFFIXES,
    by_stem,
    unrecognised,
    walk,
    with_suffix,
)
from quickgaze.stimuli.images import ImageFile
from quickgaze.stimuli.salicon_gaze import MatlabGaze, index_annotations
from quickgaze.stimuli.types import Dataset, FixationSource, Stimulus

LAYOUT = (
    "images and fixations_{train,val}2014*.json (2015 release); or images/{train,val}/*.jpg with "
    "fixations/{train,val}/*.mat and maps/{train,val}/*.png (2017 release); or images in one "
    "folder and density maps of the same names in another, such as Images_val and Maps_val"
)

SPLITS = ("train", "val", "test")

Kind = Literal["json", "matlab", "maps", "images"]
"""What the gaze of the chosen files lies in."""

NOTES = {
    "samples": "The points are mouse samples, not fixations: scores against points (NSS, AUC, "
    "information gain) cannot be compared with scores against fixations.",
    "fixations": "The points are fixations extracted from mouse traces, not eye movements.",
    "editions": "The 2015 and the 2017 release extract fixations differently: a score holds for "
    "its edition only.",
    "assumed": "The .mat files do not tell their release; it is taken for 2017. If they are those "
    "of 2015, load them with edition='2015'.",
    "maps": "There are density maps but no points: scores against points are undefined.",
    "images": "There is no gaze on these images: nothing can be scored.",
}

_DEPTH = 3
_SPLIT_IN_NAME = re.compile(r"(?:COCO|fixations)_(train|val|test)2014")
_SPLIT_IN_FOLDER = re.compile(r"(?:^|[_\W])(train|val|test)(?:$|[_\W\d])", re.IGNORECASE)
_MAP_FOLDER = re.compile(r"(?:^|/)(?:density[_ -]?)?maps?(?:[_ -][^/]*)?(?:/|$)", re.IGNORECASE)


@dataclass(frozen=True)
class _Files:
    """The files of a root folder, by what they hold."""

    images: list[AnyPath]
    maps: list[AnyPath]
    annotations: list[AnyPath]
    matlab: list[AnyPath]

    def of_split(self, split: str, root: AnyPath) -> _Files:
        """Keep the files of one split and those that do not tell theirs; all if it is empty."""
        if not split:
            return self
        kept = (
            [path for path in paths if _split_of(path, root) in {split, ""}]
            for paths in (self.images, self.maps, self.annotations, self.matlab)
        )
        return _Files(*kept)

    def bearing(self, kind: Kind) -> list[AnyPath]:
        """Files that the gaze, or what there is instead, lies in."""
        return {
            "json": self.annotations,
            "matlab": self.matlab,
            "maps": self.maps,
            "images": self.images,
        }[kind]


def load_salicon(
    root: Root,
    *,
    images: Root | None = None,
    maps: Root | None = None,
    annotations: Root | None = None,
    split: Literal["train", "val", "test", "all"] | None = None,
    edition: Literal["2015", "2017"] | None = None,
    points: Literal["fixations", "samples"] | None = None,
) -> Dataset:
    """Load SALICON (Jiang et al., 2015) from any of the layouts in which it is found.

    Parameters
    ----------
    root : path-like or address
        Folder in which images, gaze and maps are looked for, three levels deep.
    images, maps : path-like or address, optional
        The folders of the images and of the density maps, where they should not be guessed.
        Relative paths start from `root`.
    annotations : path-like or address, optional
        The annotation file (``.json``) or the folder of ``.mat`` files.
    split : {"train", "val", "test", "all"}, optional
        Needed where gaze or maps of several splits are there. The gaze on the test images is
        not public: that split has images only.
    edition : {"2015", "2017"}, optional
        Release of the gaze; needed where both are there. Files in JSON are always of 2015,
        ``.mat`` files exist of both and are taken for 2017 unless told otherwise.
    points : {"fixations", "samples"}, optional
        What to read from ``.mat`` files: fixations extracted from mouse traces (default), or
        the mouse samples. Files in JSON hold samples only.

    Returns
    -------
    Dataset
        In the order of the ids, the file names without their ending. Stimuli are the images
        that the annotations list, or that have a ``.mat`` file, or (where there is neither) a
        map; other images are left out and counted in the notes. Where a map is there, it is
        the stimulus's density. What is listed but has no image is `Dataset.missing`.

    Raises
    ------
    DatasetError
        If nothing is recognised, files are damaged, or it is open which files are meant.
    OptionError
        If an option cannot be met.

    References
    ----------
    .. [1] M. Jiang, S. Huang, J. Duan, Q. Zhao, "SALICON: Saliency in context", CVPR 2015.
    """
    _refuse_unknown("split", split, (*SPLITS, "all"))
    _refuse_unknown("edition", edition, ("2015", "2017"))
    _refuse_unknown("kind of points", points, ("fixations", "samples"))
    root = as_path(root)
    every = _find(root, images, maps, annotations)
    files = every.of_split(split, root) if split in SPLITS else every
    if not files.images:
        raise _no_images(every, split, root)
    kind = _kind(files, edition, root)
    _refuse_unmet(kind, split, points, root)
    if split is None:
        files = files.of_split(_only_split(files.bearing(kind), root), root)
    gaze = _gaze(kind, files, "location" if points == "samples" else "fixations")
    return _dataset(kind, files, gaze, edition, points, root)


def _refuse_unknown(kind: str, name: str | None, known: tuple[str, ...]) -> None:
    if name is not None and name not in known:
        raise unknown_name(kind, str(name), known)


def _find(
    root: AnyPath,
    images: Root | None,
    maps: Root | None,
    annotations: Root | None,
) -> _Files:
    beneath = list(walk(root, _DEPTH))
    pictures, densities = _tell_apart(beneath, root)
    if images is not None:
        pictures = with_suffix(walk(inside(root, images), _DEPTH), IMAGE_SUFFIXES)
    if maps is not None:
        densities = with_suffix(walk(inside(root, maps), _DEPTH), DENSITY_SUFFIXES)
    if images is not None or maps is not None:
        taken = set(densities)
        pictures = [path for path in pictures if path not in taken]
    if annotations is None:
        gaze = [path for path in beneath if path.suffix == ".mat" or _is_annotations(path)]
    else:
        given = inside(root, annotations)
        gaze = [given] if given.is_file() else list(walk(given, _DEPTH))
    return _Files(
        pictures,
        densities,
        [path for path in gaze if path.suffix == ".json"],
        [path for path in gaze if path.suffix == ".mat"],
    )


def _is_annotations(path: AnyPath) -> bool:
    return path.suffix == ".json" and path.name.startswith("fixations")


def _tell_apart(paths: list[AnyPath], root: AnyPath) -> tuple[list[AnyPath], list[AnyPath]]:
    """Images and maps: by their folder or, side by side, by being the photograph or its twin."""
    apart = {path for path in paths if _MAP_FOLDER.search("/".join(_folders(path, root)))}
    photographs = {path.stem for path in paths if path.suffix.lower() in {".jpg", ".jpeg"}}
    images: list[AnyPath] = []
    maps: list[AnyPath] = []
    for path in with_suffix(paths, DENSITY_SUFFIXES):
        photograph = path.suffix.lower() in {".jpg", ".jpeg"}
        twin = not photograph and path.stem in photographs
        (maps if path in apart or twin or path.suffix.lower() == ".npy" else images).append(path)
    return images, maps


def _folders(path: AnyPath, root: AnyPath) -> tuple[str, ...]:
    name = below(path, root)
    beneath = "/" in name or path.parent == root
    return tuple(name.split("/")[:-1] if beneath else path.parts[-2:-1])


def _split_of(path: AnyPath, root: AnyPath) -> str:
    named = _SPLIT_IN_NAME.match(path.name) or _SPLIT_IN_FOLDER.search(
        "/".join(reversed(_folders(path, root)))
    )
    return named[1].lower() if named else ""


def _splits(paths: Iterable[AnyPath], root: AnyPath) -> Counter[str]:
    return Counter(split for split in (_split_of(path, root) for path in paths) if split)


def _only_split(bearing: list[AnyPath], root: AnyPath) -> str:
    splits = _splits(bearing, root)
    if len(splits) > 1:
        held = ", ".join(f"{split} ({count:,} files)" for split, count in sorted(splits.items()))
        raise DatasetError(
            f"{readable(root)} holds several splits of SALICON: {held}; choose one with "
            "split='...', or split='all' for them together"
        )
    return next(iter(splits), "")


def _no_images(every: _Files, split: str | None, root: AnyPath) -> DatasetError:
    held = _splits(every.images, root)
    if split in SPLITS and held:
        return DatasetError(
            f"{readable(root)} holds no image of the split {split!r}; it holds {', '.join(held)}"
        )
    return unrecognised("SALICON", root, LAYOUT)


def _kind(files: _Files, edition: str | None, root: AnyPath) -> Kind:
    if files.annotations and files.matlab and edition is None:
        raise DatasetError(
            f"{readable(root)} holds the 2015 release ({readable(files.annotations[0])}) and "
            f".mat files ({readable(files.matlab[0])}), whose points differ; choose with "
            "edition='2015' or edition='2017', or name the file or folder with annotations='...'"
        )
    if files.annotations and edition != "2017":
        return "json"
    if files.matlab:
        return "matlab"
    if files.annotations:
        raise OptionError(
            f"edition='2017' needs the .mat files of that release; {readable(root)} holds the "
            f"annotations of 2015 only ({readable(files.annotations[0])})"
        )
    return "maps" if files.maps else "images"


def _refuse_unmet(kind: Kind, split: str | None, points: str | None, root: AnyPath) -> None:
    if kind == "images" and split not in SPLITS:
        raise unrecognised("SALICON", root, LAYOUT)
    if points is not None and kind in {"maps", "images"}:
        raise OptionError(f"points={points!r} cannot be met: {readable(root)} holds no points")
    if points == "fixations" and kind == "json":
        raise OptionError(
            "points='fixations' cannot be met: the annotations of 2015 hold mouse samples only; "
            "leave the option out"
        )


def _gaze(
    kind: Kind, files: _Files, field: Literal["fixations", "location"]
) -> dict[str, FixationSource | None]:
    """Gather who is known to have looked at what, by stem."""
    if kind == "json":
        return _annotated(files.annotations)
    what = {"matlab": "gaze files", "maps": "density maps", "images": "images"}[kind]
    bearing = by_stem(files.bearing(kind), what)
    return {
        stem: MatlabGaze(path, field) if kind == "matlab" else None
        for stem, path in bearing.items()
    }


def _annotated(paths: list[AnyPath]) -> dict[str, FixationSource | None]:
    gaze: dict[str, FixationSource | None] = {}
    for path in paths:
        samples = index_annotations(path)
        twice = next((stem for stem in samples if stem in gaze), None)
        if twice is not None:
            others = ", ".join(readable(other) for other in paths)
            raise DatasetError(
                f"{twice!r} is listed by more than one of {others}; choose one with "
                "annotations='...'"
            )
        gaze.update((stem, made if made.workers else None) for stem, made in samples.items())
    return gaze


def _dataset(
    kind: Kind,
    files: _Files,
    gaze: Mapping[str, FixationSource | None],
    edition: str | None,
    points: str | None,
    root: AnyPath,
) -> Dataset:
    images, maps = by_stem(files.images, "images"), by_stem(files.maps, "density maps")
    stimuli = tuple(
        Stimulus(
            stem,
            ImageFile(images[stem]),
            gaze[stem],
            DensityFile(maps[stem]) if stem in maps else None,
            {"split": split} if (split := _split_of(images[stem], root)) else {},
        )
        for stem in sorted(gaze)
        if stem in images
    )
    missing = tuple(stem for stem in sorted(gaze) if stem not in images)
    if not stimuli:
        raise DatasetError(
            f"{readable(root)} holds gaze on {len(missing):,} images but none of the images, such "
            f"as {missing[0]!r}; put them there, or name their folder with images='...'"
        )
    counted = _counted(stimuli, len(images))
    label, what, notes = _labels(kind, edition, points)
    label += ", density maps" if maps and kind != "maps" else ""
    return Dataset("salicon", stimuli, label, what, missing, (*notes, *counted))


def _counted(stimuli: tuple[Stimulus, ...], images: int) -> list[str]:
    notes = []
    if images > len(stimuli):
        notes.append(f"{images - len(stimuli):,} images without gaze were left out.")
    mapped = sum(stimulus.map is not None for stimulus in stimuli)
    if 0 < mapped < len(stimuli):
        notes.append(
            f"{len(stimuli) - mapped:,} of {len(stimuli):,} images have no density map; their "
            "density is their points, blurred."
        )
    return notes


def _labels(
    kind: Kind, edition: str | None, points: str | None
) -> tuple[str, str, tuple[str, ...]]:
    """Edition, what the points are, and notes."""
    if kind == "json":
        return "2015r1 mouse samples", "mouse samples", (NOTES["samples"], NOTES["editions"])
    if kind == "matlab":
        points = points or "fixations"
        what = "mouse samples" if points == "samples" else "fixations from mouse traces"
        assumed = () if edition else (NOTES["assumed"],)
        label = "mouse samples" if points == "samples" else "fixations"
        return f"{edition or '2017'} {label}", what, (NOTES[points], NOTES["editions"], *assumed)
    if kind == "maps":
        return f"{edition or 'unknown'} release, density maps", "none", (NOTES["maps"],)
    return "images only", "none", (NOTES["images"],)
