"""Looking at everything that a data set holds: what opens, and how much of what there is."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from quickgaze.errors import DatasetError
from quickgaze.places import AnyPath, open_file, readable
from quickgaze.stimuli.points import Points
from quickgaze.stimuli.types import Size, Stimulus

if TYPE_CHECKING:
    from quickgaze.stimuli.dataset import Dataset

Reading = Callable[[Sequence[Stimulus]], Iterable[Stimulus]]
"""Gives stimuli one after the other, and may show how far it has come."""

_BLOCK = 2**20


@dataclass(frozen=True)
class Check:
    """One thing that was looked at in a data set.

    Parameters
    ----------
    what : str
        What was looked at.
    expected, found : str
        What it should be, and what it is, in words.
    passed : bool or None
        Whether the two agree; None where that is not known.
    note : str
        Why it is not known, or what else a reader should know.
    details : tuple of str
        What differs, one by one.

    Examples
    --------
    >>> Check("images", "700", "40", None, "the others are not here").verdict
    'cannot be told'
    """

    what: str
    expected: str
    found: str
    passed: bool | None
    note: str = ""
    details: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """``"ok"``, ``"differs"`` or ``"cannot be told"``."""
        return {True: "ok", False: "differs", None: "cannot be told"}[self.passed]

    @classmethod
    def of_count(cls, what: str, expected: int, found: int, note: str = "") -> Check:
        """Compare two numbers.

        Parameters
        ----------
        what : str
            What was counted.
        expected, found : int
        note : str
            What else a reader should know.

        Returns
        -------
        Check
        """
        return cls(what, f"{expected:,}", f"{found:,}", expected == found, note)


@dataclass(frozen=True)
class Inspection:
    """What a data set was found to hold.

    Parameters
    ----------
    dataset : Dataset
    root : Path, UPath or None
        Where it lies.
    sizes : mapping of (int, int) to int
        Numbers of images by height and width, of those that open.
    points : mapping of str to Points
        By stimulus, of those whose gaze can be read.
    maps : int
        Number of density maps that can be read and have their image's size.
    bad_images, bad_gaze, bad_maps : tuple of str
        The stimulus and what is wrong, for each that cannot be read.
    readable_gaze : int
        Number of stimuli with points or a density map, or both, none of which is bad.

    Examples
    --------
    >>> import quickgaze as qg
    >>> found = inspect(qg.load_dataset("popout", n=2))
    >>> found.sizes, found.maps, found.bad_images
    (Counter({(480, 640): 2}), 0, ())
    """

    dataset: Dataset
    root: AnyPath | None
    sizes: Mapping[Size, int]
    points: Mapping[str, Points]
    maps: int
    bad_images: tuple[str, ...] = ()
    bad_gaze: tuple[str, ...] = ()
    bad_maps: tuple[str, ...] = ()
    readable_gaze: int = 0

    def points_of(self, stimuli: Iterable[Stimulus]) -> Points:
        """Count the points on some stimuli.

        Parameters
        ----------
        stimuli : iterable of Stimulus
            The stimuli of a data set.

        Returns
        -------
        Points
            Those inside and outside the images, and observers; stimuli whose gaze cannot be read
            count nothing.
        """
        found = (self.points.get(stimulus.id, Points()) for stimulus in stimuli)
        return sum(found, Points())


def inspect(dataset: Dataset, root: AnyPath | None = None, progress: Reading = iter) -> Inspection:
    """Read every image, all gaze and every density map of a data set, and count.

    Parameters
    ----------
    dataset : Dataset
    root : Path or UPath, optional
        Where it lies.
    progress : callable
        Gives the stimuli one after the other.

    Returns
    -------
    Inspection
        With what cannot be read; nothing is raised for it.

    Examples
    --------
    >>> import quickgaze as qg
    >>> found = inspect(qg.load_dataset("popout", n=2))
    >>> found.points_of(found.dataset).in_words()
    '0 of 2 points outside'
    """
    sizes: Counter[Size] = Counter()
    points: dict[str, Points] = {}
    maps = 0
    bad_images, bad_gaze, bad_maps = dict[str, str](), dict[str, str](), dict[str, str]()
    for stimulus in progress(dataset):
        with _noting(bad_images, stimulus):
            height, width = stimulus.image().shape[:2]
            sizes[height, width] += 1
        with _noting(bad_gaze, stimulus):
            fixations = stimulus.fixations
            if fixations is not None:
                points[stimulus.id] = Points.of(fixations, stimulus.size)
        with _noting(bad_maps, stimulus):
            if stimulus.map is not None:
                stimulus.map.read(stimulus.size)
                maps += 1
    bearing = {each.id for each in dataset if each.gaze is not None or each.map is not None}
    readable_gaze = len(bearing - bad_gaze.keys() - bad_maps.keys())
    bad = [
        tuple(f"{name}: {problem}" for name, problem in each.items())
        for each in (bad_images, bad_gaze, bad_maps)
    ]
    return Inspection(dataset, root, sizes, points, maps, bad[0], bad[1], bad[2], readable_gaze)


@contextmanager
def _noting(bad: dict[str, str], stimulus: Stimulus) -> Iterator[None]:
    """Note what cannot be read of a stimulus, and go on."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - readers of other packages raise anything
        bad[stimulus.id] = str(error) or type(error).__name__


def general_checks(found: Inspection) -> list[Check]:
    """Check what holds for any data set."""
    dataset = found.dataset
    ids = len({stimulus.id for stimulus in dataset})
    held, opened, bad = f"{len(dataset):,}", f"{sum(found.sizes.values()):,}", found.bad_images
    checks = [
        Check("images that open", held, opened, not bad, details=bad),
        Check("ids", "all different", f"{ids:,} different", ids == len(dataset)),
        Check("image sizes", "any", _sizes_in_words(found), True),
        _check_gaze(found),
        _check_points(found),
    ]
    maps = sum(stimulus.map is not None for stimulus in dataset)
    if maps:
        what = "density maps of their image's size"
        read = f"{found.maps:,}"
        checks.append(Check(what, f"{maps:,}", read, not found.bad_maps, details=found.bad_maps))
    if dataset.missing:
        note = "they are left out; what is there is checked"
        number = f"{len(dataset.missing):,}"
        lines = tuple(dataset.left_out())
        checks.append(Check("listed images that are not there", "0", number, None, note, lines))
    if dataset.notes:
        number, note = f"{len(dataset.notes):,}", " ".join(dataset.notes)
        checks.append(Check("notes on the data set", "any", number, True, note))
    return checks


def _sizes_in_words(found: Inspection) -> str:
    """Heights and widths of images, the most frequent first, with their numbers."""
    ordered = sorted(found.sizes.items(), key=lambda item: (-item[1], item[0]))
    shown = [f"{height} x {width} ({count:,})" for (height, width), count in ordered[:3]]
    more = [f"{len(ordered) - 3:,} other sizes"] if len(ordered) > 3 else []
    return ", ".join([*shown, *more]) or "none"


def _check_gaze(found: Inspection) -> Check:
    """Check whether the gaze that images are paired with can be read."""
    bare = sum(stimulus.gaze is None and stimulus.map is None for stimulus in found.dataset)
    bearing = len(found.dataset) - bare
    lacking = "1 image has" if bare == 1 else f"{bare:,} images have"
    note = f"{lacking} neither points nor a density map" if bare else ""
    details = (*found.bad_gaze, *found.bad_maps)
    passed = False if details else (True if bearing else None)
    read = f"{found.readable_gaze:,}"
    return Check("images whose gaze can be read", f"{bearing:,}", read, passed, note, details)


def _check_points(found: Inspection) -> Check:
    points = found.points_of(found.dataset)
    if not points.total:
        return Check("points", "inside the images", "none", None, "there are no points")
    kept = "those outside are dropped and counted" if points.outside else ""
    note = "; ".join(filter(None, [points.cause, kept]))
    words = points.counted
    return Check("points", "inside the images", words, not points.doubtful, note)


def md5_of(path: AnyPath) -> str:
    """MD5 digest of a file, as 32 hexadecimal digits."""
    digest = hashlib.md5(usedforsecurity=False)
    try:
        with open_file(path) as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    except OSError as error:
        raise DatasetError(f"{readable(path)} cannot be read: {error}") from error
    return digest.hexdigest()


def md5_check(path: AnyPath, expected: str) -> Check:
    """Compare a file with its known MD5 digest."""
    found = md5_of(path)
    note = "" if found == expected else "not the authors' file: another edition, or changed"
    return Check(f"md5 of {readable(path.name)}", expected, found, found == expected, note)


def part_check(what: str, expected: int, found: int, there: int, whole: int) -> Check:
    """Compare a count that is known of all images, and so cannot be checked on a part of them."""
    if there >= whole:
        return Check.of_count(what, expected, found)
    note = f"only {there:,} of {whole:,} images are there"
    return Check(what, f"{expected:,}", f"{found:,}", None, note)
