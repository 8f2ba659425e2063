"""The photographs and human densities that a report's pictures are drawn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from quickgaze.errors import DatasetError, OptionError, QuickgazeError
from quickgaze.places import AnyPath, PathLike, readable
from quickgaze.report._subjects import Subject
from quickgaze.stimuli import Dataset, Stimulus
from quickgaze.stimuli.densities import DensityFile
from quickgaze.stimuli.files import DENSITY_SUFFIXES, IMAGE_SUFFIXES, by_stem, walk, with_suffix
from quickgaze.stimuli.images import ImageFile
from quickgaze.stimuli.types import Density, Image, Size


@dataclass(frozen=True)
class Original:
    """Photograph and density of one stimulus, of a data set or in files; either may be missing."""

    stimulus: Stimulus | None = None
    image: ImageFile | None = None
    density: DensityFile | None = None

    def read_image(self) -> Image | None:
        """Read the photograph; None if there is none."""
        if self.stimulus is not None:
            return self.stimulus.image()
        return None if self.image is None else self.image.read()

    def read_density(self, sigma: float, size: Size | None) -> Density | None:
        """Read the human density (fixations blurred by `sigma` pixels); None if there is none."""
        if self.stimulus is not None:
            return self.stimulus.density(sigma)
        if self.density is None:
            return None
        # Without a photograph, the density keeps its own size.
        return self.density.read(size or ImageFile(self.density.path).size())


@dataclass(frozen=True, eq=False)
class Originals:
    """Originals by the stimulus's position, and notes to show beside the pictures."""

    by_number: Mapping[int, Original] = field(default_factory=dict)
    notes: Sequence[str] = ()


def find_originals(
    subject: Subject,
    dataset: Dataset | None = None,
    images: PathLike | None = None,
    maps: PathLike | None = None,
) -> Originals:
    """Find originals in a data set, or in folders whose files are named like the stimuli."""
    if dataset is None:
        return _of_folders(subject, images, maps)
    if images is not None or maps is not None:
        raise OptionError("give either a data set or folders of images and maps, not both")
    by_id = {stimulus.id: stimulus for stimulus in dataset}
    found = {
        place: Original(by_id[identifier])
        for place, (name, identifier) in enumerate(subject.keys)
        if name == dataset.name and identifier in by_id
    }
    if not found:
        ours = sorted({name for name, _ in subject.keys})
        raise OptionError(
            f"the data set {dataset.name!r} has none of the stimuli of the runs, which are of "
            f"{', '.join(ours)} and begin with {subject.keys[0][1]!r}; give the runs' data set"
        )
    return Originals(found, _changed(subject, dataset, by_id))


def _changed(subject: Subject, dataset: Dataset, by_id: Mapping[str, Stimulus]) -> list[str]:
    """Say whether the data set's stimuli still are those of the runs."""
    notes = []
    for name, run in zip(subject.names, subject.runs, strict=True):
        if run.plan.dataset.name != dataset.name:
            continue
        then = zip(run.plan.stimuli, run.plan.fingerprints, strict=False)
        # About 200 are enough: another copy or release differs in most files.
        known = [(each, print_) for each, print_ in then if each in by_id]
        looked_at = known[:: max(1, len(known) // 200)]
        changed = sum(by_id[each].fingerprint() != print_ for each, print_ in looked_at)
        if changed:
            notes.append(
                f"{changed} of {len(looked_at)} checked stimuli have changed since {name} was "
                "computed: pictures show today's files."
            )
    return notes


def _of_folders(subject: Subject, images: PathLike | None, maps: PathLike | None) -> Originals:
    pictures = _files(images, IMAGE_SUFFIXES, "images")
    densities = _files(maps, DENSITY_SUFFIXES, "maps")
    if images is None and maps is None:
        pictures, densities = _noted(subject, "images"), _noted(subject, "maps")
    found = {
        place: Original(
            image=ImageFile(pictures[name]) if name in pictures else None,
            density=DensityFile(densities[name]) if name in densities else None,
        )
        for place, (_, name) in enumerate(subject.keys)
        if name in pictures or name in densities
    }
    if not found and (images is not None or maps is not None):
        places = " and ".join(readable(each) for each in (images, maps) if each is not None)
        raise OptionError(
            f"{places}: no file is named like a stimulus of the runs, such as "
            f"{subject.keys[0][1]!r}; name the folders of their images and maps"
        )
    return Originals(found)


def _files(folder: PathLike | None, suffixes: frozenset[str], what: str) -> Mapping[str, AnyPath]:
    if folder is None:
        return {}
    place = Path(folder).expanduser()
    if not place.is_dir():
        raise DatasetError(f"{readable(place)} is not a folder; name the folder of the {what}")
    return by_stem(with_suffix(walk(place), suffixes), what)


def _noted(subject: Subject, what: str) -> Mapping[str, AnyPath]:
    """Files of the folders that imports have noted in their manifests."""
    found: dict[str, AnyPath] = {}
    for run in subject.runs:
        noted = run.manifest.imported.get(what) if run.complete else None
        if noted is None or not Path(noted).is_dir():
            continue
        suffixes = IMAGE_SUFFIXES if what == "images" else DENSITY_SUFFIXES
        try:
            found |= _files(noted, suffixes, what)
        except QuickgazeError:
            # The report is still useful without a folder that has changed since.
            continue
    return found
