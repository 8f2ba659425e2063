"""Data sets: `Dataset`, and how one is described in the catalogue."""

from __future__ import annotations

import difflib
import hashlib
import inspect
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, overload

from quickgaze.errors import DatasetError
from quickgaze.stimuli.types import Stimulus

if TYPE_CHECKING:
    from quickgaze.stimuli._inspection import Check, Inspection
    from quickgaze.stimuli.sources import Source

_COMPARED = 200
"""Names of missing images that the nearest is looked for."""

_PART, _READERS = 32, 16  # stimuli that one thread fingerprints in a row, and threads


@dataclass(frozen=True, eq=False)
class Dataset(Sequence[Stimulus]):
    """A sequence of stimuli, and what must be known to read scores on them.

    Parameters
    ----------
    name : str
        Name of the data set, as in ``load_dataset(name)``.
    stimuli : tuple of Stimulus
        In a fixed order.
    edition : str
        Release or layout of the gaze data; scores on different editions cannot be compared.
    gaze : str
        What the points are: ``"fixations"``, ``"mouse samples"``, ...
    missing : tuple of str
        Ids that the gaze data list but whose image is not there.
    notes : tuple of str
        Sentences to be printed beside every result.
    density_sigma : float
        Standard deviation in pixels of the Gaussian that the data set's authors blur their
        fixations with; studies use it unless told otherwise.

    Raises
    ------
    DatasetError
        If two stimuli have the same id.

    Examples
    --------
    >>> import quickgaze as qg
    >>> displays = qg.load_dataset("popout", n=10)
    >>> len(displays), displays[0].id, displays[2:4]
    (10, 'popout-000000', Dataset('popout', 2 stimuli, edition 'generated, version 1'))
    """

    name: str
    stimuli: tuple[Stimulus, ...]
    edition: str
    gaze: str = "fixations"
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    density_sigma: float = 19.0

    def __post_init__(self) -> None:
        counts = Counter(stimulus.id for stimulus in self.stimuli)
        repeated = [identifier for identifier, count in counts.items() if count > 1]
        if repeated:
            raise DatasetError(
                f"{len(repeated):,} ids of {self.name} stand for several stimuli, the first is "
                f"{repeated[0]!r}; every stimulus needs an id of its own: rename the files"
            )

    @overload
    def __getitem__(self, index: int) -> Stimulus: ...
    @overload
    def __getitem__(self, index: slice) -> Dataset: ...
    def __getitem__(self, index: int | slice) -> Stimulus | Dataset:
        if isinstance(index, slice):
            return replace(self, stimuli=self.stimuli[index])
        return self.stimuli[index]

    def __len__(self) -> int:
        return len(self.stimuli)

    def __repr__(self) -> str:
        return f"Dataset({self.name!r}, {len(self)} stimuli, edition {self.edition!r})"

    def left_out(self) -> list[str]:
        """Say what is missing, each with the stimulus whose name is nearest.

        Returns
        -------
        list of str
            One line for each of `missing`.
        """
        # several spellings of thousands of names take a while to compare
        ids = [stimulus.id for stimulus in self.stimuli] if len(self.missing) <= _COMPARED else []
        return [f"{name!r} has no image here{_nearest(name, ids)}" for name in self.missing]

    def fingerprints(self) -> list[str]:
        """Fingerprint of every stimulus, in their order.

        Returns
        -------
        list of str
            As `Stimulus.fingerprint` gives them.
        """
        # Several threads, because files elsewhere answer slowly.
        parts = [
            self.stimuli[start : start + _PART] for start in range(0, len(self.stimuli), _PART)
        ]
        with ThreadPoolExecutor(_READERS, thread_name_prefix="fingerprint") as readers:
            prints = readers.map(lambda part: [each.fingerprint() for each in part], parts)
            return list(chain.from_iterable(prints))

    def fingerprint(self, prints: Sequence[str] | None = None) -> str:
        """Digest of name, edition and the fingerprints of all stimuli.

        Parameters
        ----------
        prints : sequence of str, optional
            What `fingerprints` gave, so that the files are not read again.

        Returns
        -------
        str
            64 hexadecimal digits.
        """
        lines = [self.name, self.edition, *(self.fingerprints() if prints is None else prints)]
        return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()


def _nearest(name: str, ids: Sequence[str]) -> str:
    found = difflib.get_close_matches(name, ids, n=1, cutoff=0.5)
    return f"; the nearest is {found[0]!r}" if found else ""


@dataclass(frozen=True)
class DatasetEntry:
    """How a data set is loaded, checked and fetched: its line in the catalogue.

    Parameters
    ----------
    load : callable
        Takes keyword options and gives a `Dataset`. A data set in files has the parameter `root`:
        the folder, a `pathlib.Path`, or a path of universal_pathlib for an address.
    summary : str
        The data set in one line.
    layout : str
        What the root folder holds, in words; empty for a data set without files.
    expect : callable, optional
        Takes the `Inspection` of a copy and gives a list of `Check`: counts, checksums and what
        else is known of this data set.
    source : Source, optional
        Where its public files come from.

    Examples
    --------
    >>> from quickgaze.stimuli import DATASETS
    >>> entry = DATASETS["popout"]
    >>> entry.needs_root, entry.options
    (False, ['n', 'seed', 'size', 'kinds', 'set_size'])
    """

    load: Callable[..., Dataset]
    summary: str
    layout: str = ""
    expect: Callable[[Inspection], list[Check]] | None = None
    source: Source | None = None

    @property
    def needs_root(self) -> bool:
        """Whether the data set lies in files."""
        return "root" in inspect.signature(self.load).parameters

    @property
    def options(self) -> list[str]:
        """Names of the keyword options."""
        return [name for name in inspect.signature(self.load).parameters if name != "root"]
