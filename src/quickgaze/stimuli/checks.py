"""Checking a data set against what is known of it."""

from __future__ import annotations

from typing import Any

from quickgaze.places import Root
from quickgaze.stimuli.inspection import Check, Inspection, Progress, inspect
from quickgaze.stimuli.loading import DATASETS, expanded, load_dataset


def check_dataset(
    name: str, root: Root | None = None, *, progress: Progress = iter, **options: Any
) -> list[Check]:
    """Load a data set, read all of it, and check it against what is known of it.

    Parameters
    ----------
    name : str
        One of `list_datasets`.
    root : path-like or address, optional
        Folder that holds the data set, for those that lie in files.
    progress : callable
        Takes the sequence of stimuli and gives them one after the other.
    **options
        As `load_dataset` takes them.

    Returns
    -------
    list of Check
        First what holds for any data set (images open, gaze can be read, maps have their
        image's size), then what the catalogue's entry expects: counts, sizes, checksums.

    Raises
    ------
    OptionError, DatasetError
        If the data set cannot be loaded.

    Examples
    --------
    >>> checks = check_dataset("popout", n=2)
    >>> [(check.what, check.found, check.verdict) for check in checks][:2]
    [('images that open', '2', 'ok'), ('ids', '2 different', 'ok')]
    """
    dataset = load_dataset(name, root, **options)
    place = None if root is None else expanded(root)
    found = inspect(dataset, place, progress)
    expect = DATASETS[name].expect
    return [*_general(found), *([] if expect is None else expect(found))]


def _general(found: Inspection) -> list[Check]:
    dataset = found.dataset
    ids = len({stimulus.id for stimulus in dataset})
    checks = [
        Check(
            "images that open",
            f"{len(dataset):,}",
            f"{sum(found.sizes.values()):,}",
            not found.bad_images,
            details=found.bad_images,
        ),
        Check("ids", "all different", f"{ids:,} different", ids == len(dataset)),
        Check("image sizes", "any", sizes_in_words(found), True),
        _gaze(found),
        _points(found),
    ]
    maps = sum(stimulus.map is not None for stimulus in dataset)
    if maps:
        what = "density maps of their image's size"
        read = f"{found.maps:,}"
        checks.append(Check(what, f"{maps:,}", read, not found.bad_maps, details=found.bad_maps))
    if dataset.missing:
        checks.append(
            Check(
                "listed images that are not there",
                "0",
                f"{len(dataset.missing):,}",
                None,
                "they are left out; what is there is checked",
            )
        )
    return checks


def sizes_in_words(found: Inspection) -> str:
    """Heights and widths of images, the most frequent first, with their numbers."""
    ordered = sorted(found.sizes.items(), key=lambda item: (-item[1], item[0]))
    shown = [f"{height} x {width} ({count:,})" for (height, width), count in ordered[:3]]
    more = [f"{len(ordered) - 3:,} other sizes"] if len(ordered) > 3 else []
    return ", ".join([*shown, *more]) or "none"


def _gaze(found: Inspection) -> Check:
    """Whether the gaze that images are paired with can be read."""
    bearing = sum(
        stimulus.gaze is not None or stimulus.map is not None for stimulus in found.dataset
    )
    bare = len(found.dataset) - bearing
    note = f"{bare:,} images have neither points nor a density map" if bare else ""
    details = (*found.bad_gaze, *found.bad_maps)
    passed = False if details else (True if bearing else None)
    return Check(
        "images whose gaze can be read",
        f"{bearing:,}",
        f"{found.readable_gaze:,}",
        passed,
        note,
        details,
    )


def _points(found: Inspection) -> Check:
    points = found.points_of(found.dataset)
    note = "those outside are dropped and counted" if points.outside else ""
    passed: bool | None = points.inside > 0 or points.outside == 0
    if not points.total:
        passed, note = None, "there are no points"
    words = f"{points.inside:,} inside, {points.outside:,} outside"
    return Check("points", "inside the images", words, passed, note)
