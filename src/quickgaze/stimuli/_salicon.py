"""SALICON: up to 20,000 images of everyday scenes with mouse-contingent gaze."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from quickgaze.catalogue import unknown_name
from quickgaze.errors import DatasetError, OptionError
from quickgaze.places import AnyPath, Root, as_path, readable
from quickgaze.stimuli._inspection import Check, Inspection, md5_check, md5_of, part_check
from quickgaze.stimuli._salicon_files import (
    AnnotatedSamples,
    Files,
    MatlabGaze,
    find_files,
    index_annotations,
    split_of,
)
from quickgaze.stimuli.dataset import Dataset, DatasetEntry
from quickgaze.stimuli.densities import DensityFile
from quickgaze.stimuli.files import by_stem, unrecognised
from quickgaze.stimuli.images import ImageFile
from quickgaze.stimuli.sources import RemoteFile, Source
from quickgaze.stimuli.types import FixationReader, Stimulus

_LAYOUT = (
    "images and fixations_{train,val}2014*.json (2015 release); or images/{train,val}/*.jpg with "
    "fixations/{train,val}/*.mat and maps/{train,val}/*.png (2017 release); or images in one "
    "folder and density maps of the same names in another, such as Images_val and Maps_val"
)

_Kind = Literal["json", "matlab", "maps", "images"]
"""What the gaze of the chosen files lies in."""

_NOTES = {
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

_IMAGES = {"train": 10_000, "val": 5_000, "test": 5_000}
_SIZE = (480, 640)

VALIDATION_POINTS = {
    "2015r1 mouse samples": 38_846_998,
    "2015 mouse samples": 38_846_998,
    "2015 fixations": 1_662_655,
    "2017 mouse samples": 121_898_426,
    "2017 fixations": 2_576_914,
}
"""Points on the whole validation set, by edition, those outside the image included."""

_ANNOTATIONS = {
    "fixations_val2014.json": "3224f8cf86ea8d248d93583866b60c5f",
    "fixations_train2014.json": "ab60a090ee31642fbb4aa41f4953b8bd",
}
"""MD5 digests of the 2015 release's annotation files."""

_EXAMPLES = "fixations_train2014examples.json"
_EXAMPLE_IMAGES, _EXAMPLE_POINTS = 10, 73_630


def _split_files(split: str, images: int, archive: str) -> tuple[RemoteFile, ...]:
    annotations = f"fixations_{split}2014.json"
    return (
        RemoteFile(
            f"{split}.zip",
            f"images-{split}.zip",
            archive,
            unpack_into=f"images/{split}",
            members=f"COCO_{split}2014_*.jpg",
            holds=images,
            split=split,
        ),
        RemoteFile(annotations, annotations, _ANNOTATIONS[annotations], split=split),
    )


_SOURCE = Source(
    "https://s3.amazonaws.com/salicon-dataset/2015r1",
    (
        *_split_files("val", _IMAGES["val"], "62cd6641a5354d3099a693ff90cb6dab"),
        *_split_files("train", _IMAGES["train"], "d549761c16e59b80cd5981373ada5e98"),
    ),
    "This is the 2015 release: images and mouse samples. The density maps of the CAP6415 study "
    "are the Google Drive file 1YWiwRNHokV2TIUBsNhAeRo1aqz8Iq0In, which has to be fetched by "
    "hand; so are the 2017 release and its maps, from the data set's home page.",
)


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
        map; other images are left out and counted in the notes. A map that is there is the
        stimulus's density. What is listed but has no image is `Dataset.missing`.

    References
    ----------
    .. [1] M. Jiang, S. Huang, J. Duan, Q. Zhao, "SALICON: Saliency in context", CVPR 2015.
    """
    _refuse_unknown("split", split, (*_IMAGES, "all"))
    _refuse_unknown("edition", edition, ("2015", "2017"))
    _refuse_unknown("kind of points", points, ("fixations", "samples"))
    root = as_path(root)
    every = find_files(root, images, maps, annotations)
    files = every.of_split(split) if split in _IMAGES else every
    if not files.images:
        raise _no_images(every, split)
    kind = _kind(files, edition)
    _refuse_unmet(kind, split, points, root)
    if split is None:
        files = files.of_split(_only_split(files, kind))
    gaze = _gaze(kind, files, "location" if points == "samples" else "fixations")
    return _dataset(kind, files, gaze, edition, points)


def _refuse_unknown(kind: str, name: str | None, known: tuple[str, ...]) -> None:
    if name is not None and name not in known:
        raise unknown_name(kind, str(name), known)


def _bearing(files: Files, kind: _Kind) -> list[AnyPath]:
    """Files that the gaze, or what there is instead, lies in."""
    return {
        "json": files.annotations,
        "matlab": files.matlab,
        "maps": files.maps,
        "images": files.images,
    }[kind]


def _only_split(files: Files, kind: _Kind) -> str:
    splits = files.splits(_bearing(files, kind))
    if len(splits) > 1:
        held = ", ".join(f"{split} ({count:,} files)" for split, count in sorted(splits.items()))
        raise DatasetError(
            f"{readable(files.root)} holds several splits of SALICON: {held}; choose one with "
            "split='...', or split='all' for them together"
        )
    return next(iter(splits), "")


def _no_images(every: Files, split: str | None) -> DatasetError:
    held = every.splits(every.images)
    if split in _IMAGES and held:
        return DatasetError(
            f"{readable(every.root)} holds no image of the split {split!r}; it holds "
            f"{', '.join(held)}"
        )
    return unrecognised("SALICON", every.root, _LAYOUT)


def _kind(files: Files, edition: str | None) -> _Kind:
    root = readable(files.root)
    if files.annotations and files.matlab and edition is None:
        raise DatasetError(
            f"{root} holds the 2015 release ({readable(files.annotations[0])}) and .mat files "
            f"({readable(files.matlab[0])}), whose points differ; choose with edition='2015' or "
            "edition='2017', or name the file or folder with annotations='...'"
        )
    if files.annotations and edition != "2017":
        return "json"
    if files.matlab:
        return "matlab"
    if files.annotations:
        raise OptionError(
            f"edition='2017' needs the .mat files of that release; {root} holds the annotations "
            f"of 2015 only ({readable(files.annotations[0])})"
        )
    return "maps" if files.maps else "images"


def _refuse_unmet(kind: _Kind, split: str | None, points: str | None, root: AnyPath) -> None:
    if kind == "images" and split not in _IMAGES:
        raise unrecognised("SALICON", root, _LAYOUT)
    if points is not None and kind in {"maps", "images"}:
        raise OptionError(f"points={points!r} cannot be met: {readable(root)} holds no points")
    if points == "fixations" and kind == "json":
        raise OptionError(
            "points='fixations' cannot be met: the annotations of 2015 hold mouse samples only; "
            "leave the option out"
        )


def _gaze(
    kind: _Kind, files: Files, field: Literal["fixations", "location"]
) -> dict[str, FixationReader | None]:
    """Gather who is known to have looked at what, by stem."""
    if kind == "json":
        return _annotated(files.annotations)
    what = {"matlab": "gaze files", "maps": "density maps", "images": "images"}[kind]
    bearing = by_stem(_bearing(files, kind), what)
    return {
        stem: MatlabGaze(path, field) if kind == "matlab" else None
        for stem, path in bearing.items()
    }


def _annotated(paths: list[AnyPath]) -> dict[str, FixationReader | None]:
    gaze: dict[str, FixationReader | None] = {}
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
    kind: _Kind,
    files: Files,
    gaze: Mapping[str, FixationReader | None],
    edition: str | None,
    points: str | None,
) -> Dataset:
    images, maps = by_stem(files.images, "images"), by_stem(files.maps, "density maps")
    stimuli = tuple(
        Stimulus(
            stem,
            ImageFile(images[stem]),
            gaze[stem],
            DensityFile(maps[stem]) if stem in maps else None,
            {"split": split} if (split := split_of(images[stem], files.root)) else {},
        )
        for stem in sorted(gaze)
        if stem in images
    )
    missing = tuple(stem for stem in sorted(gaze) if stem not in images)
    if not stimuli:
        raise DatasetError(
            f"{readable(files.root)} holds gaze on {len(missing):,} images but none of the images, "
            f"such as {missing[0]!r}; put them there, or name their folder with images='...'"
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
    kind: _Kind, edition: str | None, points: str | None
) -> tuple[str, str, tuple[str, ...]]:
    """Edition, what the points are, and notes."""
    if kind == "json":
        return "2015r1 mouse samples", "mouse samples", (_NOTES["samples"], _NOTES["editions"])
    if kind == "matlab":
        points = points or "fixations"
        what = "mouse samples" if points == "samples" else "fixations from mouse traces"
        assumed = () if edition else (_NOTES["assumed"],)
        label = "mouse samples" if points == "samples" else "fixations"
        return f"{edition or '2017'} {label}", what, (_NOTES[points], _NOTES["editions"], *assumed)
    if kind == "maps":
        return f"{edition or 'unknown'} release, density maps", "none", (_NOTES["maps"],)
    return "images only", "none", (_NOTES["images"],)


def expected_of_salicon(found: Inspection) -> list[Check]:
    """Check a copy of SALICON, whole or in part, in any of its releases."""
    stimuli = list(found.dataset)
    by_split = {
        split: [one for one in stimuli if one.attributes.get("split") == split] for split in _IMAGES
    }
    return [
        _check_edition(found),
        *(
            part_check(f"images of the split {split}", whole, len(part), len(part), whole)
            for split, whole in _IMAGES.items()
            if (part := by_split[split])
        ),
        Check.of_count("images of 480 x 640", sum(found.sizes.values()), found.sizes.get(_SIZE, 0)),
        *_validation_points(found, by_split["val"]),
        *(_check_annotations(path, found) for path in _annotation_files(stimuli)),
    ]


def _check_edition(found: Inspection) -> Check:
    edition = found.dataset.edition
    unknown = edition.startswith("unknown")
    note = (
        "density maps alone do not tell their release; say it with edition=..." if unknown else ""
    )
    return Check("edition", "a known release", edition, None if unknown else True, note)


def _validation_points(found: Inspection, stimuli: Sequence[Stimulus]) -> list[Check]:
    known = VALIDATION_POINTS.get(found.dataset.edition.partition(",")[0])
    if not stimuli or known is None:
        return []
    points = found.points_of(stimuli).total
    what = "points on the validation images"
    return [part_check(what, known, points, len(stimuli), _IMAGES["val"])]


def _annotation_files(stimuli: Sequence[Stimulus]) -> list[AnyPath]:
    gaze = (stimulus.gaze for stimulus in stimuli)
    return sorted({each.path for each in gaze if isinstance(each, AnnotatedSamples)}, key=str)


def _check_annotations(path: AnyPath, found: Inspection) -> Check:
    if path.name in _ANNOTATIONS:
        return md5_check(path, _ANNOTATIONS[path.name])
    if path.name == _EXAMPLES:
        mine = [one for one in found.dataset if getattr(one.gaze, "path", None) == path]
        points = found.points_of(mine).total
        return part_check(
            f"points in {_EXAMPLES}", _EXAMPLE_POINTS, points, len(mine), _EXAMPLE_IMAGES
        )
    note = "no checksum is known of a file of this name"
    return Check(f"md5 of {readable(path.name)}", "unknown", md5_of(path), None, note)


ENTRY = DatasetEntry(
    load_salicon,
    "SALICON: 20,000 everyday scenes (COCO), mouse-contingent gaze, in any of its releases",
    _LAYOUT,
    expected_of_salicon,
    _SOURCE,
)
