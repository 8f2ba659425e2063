"""Looking at everything that a data set holds: what opens, and how much of what there is."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from quickgaze.errors import DatasetError
from quickgaze.places import AnyPath, open_file, readable
from quickgaze.stimuli.types import Dataset, Size, Stimulus

Progress = Callable[[Sequence[Stimulus]], Iterable[Stimulus]]
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
        Whether the two agree; None where it cannot be told.
    note : str
        Why it cannot be told, or what else a reader should know.
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
class Points:
    """Numbers of points on some stimuli.

    Parameters
    ----------
    inside, outside : int
        Inside the image, and left out because they are not.
    observers : int
        Who looked, of one stimulus; of several, the sum.
    """

    inside: int = 0
    outside: int = 0
    observers: int = 0

    @property
    def total(self) -> int:
        """All points that were recorded."""
        return self.inside + self.outside

    def __add__(self, other: Points) -> Points:
        return Points(
            self.inside + other.inside,
            self.outside + other.outside,
            self.observers + other.observers,
        )


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
    >>> from quickgaze.stimuli.popout import load_popout
    >>> found = inspect(load_popout(n=2))
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
            Of the data set.

        Returns
        -------
        Points
            Those inside and outside the images, and observers; stimuli whose gaze cannot be read
            count nothing.
        """
        found = (self.points.get(stimulus.id, Points()) for stimulus in stimuli)
        return sum(found, Points())


@dataclass(eq=False)
class _Tally:
    """Counts while stimuli are read one by one."""

    sizes: Counter[Size] = field(default_factory=Counter)
    points: dict[str, Points] = field(default_factory=dict)
    maps: int = 0
    bad: dict[str, dict[str, str]] = field(
        default_factory=lambda: {"image": {}, "gaze": {}, "map": {}}
    )

    def attempt(self, stage: str, stimulus: Stimulus, read: Callable[[Stimulus], None]) -> None:
        """Read something, and keep what is wrong with it."""
        try:
            read(stimulus)
        except Exception as error:  # noqa: BLE001 - the sources of other packages raise anything
            self.bad[stage][stimulus.id] = str(error) or type(error).__name__

    def image(self, stimulus: Stimulus) -> None:
        height, width = stimulus.image().shape[:2]
        self.sizes[height, width] += 1

    def gaze(self, stimulus: Stimulus) -> None:
        fixations = stimulus.fixations
        if fixations is not None:
            observers = len(set(fixations.observer.tolist()))
            self.points[stimulus.id] = Points(len(fixations), fixations.dropped, observers)

    def map(self, stimulus: Stimulus) -> None:
        if stimulus.map is not None:
            stimulus.map.read(stimulus.size)
            self.maps += 1


def inspect(dataset: Dataset, root: AnyPath | None = None, progress: Progress = iter) -> Inspection:
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
        What cannot be read is in it; nothing is raised for it.

    Examples
    --------
    >>> from quickgaze.stimuli.popout import load_popout
    >>> found = inspect(load_popout(n=2))
    >>> found.points_of(found.dataset)
    Points(inside=2, outside=0, observers=2)
    """
    tally = _Tally()
    for stimulus in progress(dataset):
        tally.attempt("image", stimulus, tally.image)
        tally.attempt("gaze", stimulus, tally.gaze)
        tally.attempt("map", stimulus, tally.map)
    lines = {
        stage: tuple(f"{name}: {problem}" for name, problem in bad.items())
        for stage, bad in tally.bad.items()
    }
    bearing = {each.id for each in dataset if each.gaze is not None or each.map is not None}
    return Inspection(
        dataset,
        root,
        tally.sizes,
        tally.points,
        tally.maps,
        lines["image"],
        lines["gaze"],
        lines["map"],
        len(bearing - tally.bad["gaze"].keys() - tally.bad["map"].keys()),
    )


def md5_of(path: AnyPath) -> str:
    """MD5 digest of a file, as 32 hexadecimal digits.

    Raises
    ------
    DatasetError
        If the file cannot be read.
    """
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
    note = "" if found == expected else "not the authors' file, or damaged: fetch it again"
    return Check(f"md5 of {readable(path.name)}", expected, found, found == expected, note)
