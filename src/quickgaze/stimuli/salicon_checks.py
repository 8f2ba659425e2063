"""What is known of SALICON, to be held against a copy of it."""

from __future__ import annotations

from collections.abc import Sequence

from quickgaze.places import AnyPath, readable
from quickgaze.stimuli.inspection import Check, Inspection, md5_check, md5_of
from quickgaze.stimuli.salicon_gaze import AnnotatedSamples
from quickgaze.stimuli.types import Stimulus

IMAGES = {"train": 10_000, "val": 5_000, "test": 5_000}
SIZE = (480, 640)

VALIDATION_POINTS = {
    "2015r1 mouse samples": 38_846_998,
    "2015 mouse samples": 38_846_998,
    "2015 fixations": 1_662_655,
    "2017 mouse samples": 121_898_426,
    "2017 fixations": 2_576_914,
}
"""Points on the whole validation set, by edition, those outside the image included."""

ANNOTATIONS = {
    "fixations_val2014.json": "3224f8cf86ea8d248d93583866b60c5f",
    "fixations_train2014.json": "ab60a090ee31642fbb4aa41f4953b8bd",
}
"""MD5 digests of the 2015 release's annotation files."""

EXAMPLES = "fixations_train2014examples.json"
EXAMPLE_IMAGES, EXAMPLE_POINTS = 10, 73_630


def expected_of_salicon(found: Inspection) -> list[Check]:
    """Check a copy of SALICON, whole or in part, in any of its releases.

    Parameters
    ----------
    found : Inspection

    Returns
    -------
    list of Check
        Counts that hold for a whole split only cannot be told of a part of it.
    """
    stimuli = list(found.dataset)
    by_split = {
        split: [one for one in stimuli if one.attributes.get("split") == split] for split in IMAGES
    }
    return [
        _edition(found),
        *(_images(split, len(part)) for split, part in by_split.items() if part),
        _sizes(found),
        *_validation_points(found, by_split["val"]),
        *(check for path in _annotations(stimuli) for check in _annotated(path, found)),
    ]


def _edition(found: Inspection) -> Check:
    edition = found.dataset.edition
    unknown = edition.startswith("unknown")
    note = (
        "density maps alone do not tell their release; say it with edition=..." if unknown else ""
    )
    return Check("edition", "a known release", edition, None if unknown else True, note)


def _images(split: str, count: int) -> Check:
    whole = IMAGES[split]
    note = f"only {count:,} of {whole:,} images" if count < whole else ""
    passed = None if count < whole else count == whole
    return Check(f"images of the split {split}", f"{whole:,}", f"{count:,}", passed, note)


def _sizes(found: Inspection) -> Check:
    fitting, opened = found.sizes.get(SIZE, 0), sum(found.sizes.values())
    return Check("images of 480 x 640", f"{opened:,}", f"{fitting:,}", fitting == opened)


def _validation_points(found: Inspection, stimuli: Sequence[Stimulus]) -> list[Check]:
    known = VALIDATION_POINTS.get(found.dataset.edition.partition(",")[0])
    if not stimuli or known is None:
        return []
    points = found.points_of(stimuli).total
    what = "points on the validation images"
    if len(stimuli) < IMAGES["val"]:
        note = f"only {len(stimuli):,} of {IMAGES['val']:,} images"
        return [Check(what, f"{known:,}", f"{points:,}", None, note)]
    return [Check.of_count(what, known, points)]


def _annotations(stimuli: Sequence[Stimulus]) -> list[AnyPath]:
    gaze = (stimulus.gaze for stimulus in stimuli)
    return sorted({each.path for each in gaze if isinstance(each, AnnotatedSamples)}, key=str)


def _annotated(path: AnyPath, found: Inspection) -> list[Check]:
    """Check an annotation file by its name."""
    if path.name in ANNOTATIONS:
        return [md5_check(path, ANNOTATIONS[path.name])]
    mine = [
        one
        for one in found.dataset
        if isinstance(one.gaze, AnnotatedSamples) and one.gaze.path == path
    ]
    if path.name == EXAMPLES:
        what, points = f"points in {EXAMPLES}", found.points_of(mine).total
        if len(mine) < EXAMPLE_IMAGES:
            note = f"only {len(mine):,} of {EXAMPLE_IMAGES:,} images"
            return [Check(what, f"{EXAMPLE_POINTS:,}", f"{points:,}", None, note)]
        return [Check.of_count(what, EXAMPLE_POINTS, points)]
    note = "no checksum is known of a file of this name"
    return [Check(f"md5 of {readable(path.name)}", "unknown", md5_of(path), None, note)]
