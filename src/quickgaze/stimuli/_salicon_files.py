"""SALICON's files: which of them hold what, and reading those that hold gaze."""

from __future__ import annotations

import hashlib
import mmap
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from quickgaze.errors import DatasetError, StimulusError, first_line
from quickgaze.places import (
    AnyPath,
    Root,
    below,
    inside,
    open_file,
    read_bytes,
    read_spans,
    readable,
)
from quickgaze.stimuli._fingerprints import fingerprint_of_file
from quickgaze.stimuli._matlab import MatError, read_mat
from quickgaze.stimuli.files import (
    DENSITY_SUFFIXES,
    IMAGE_SUFFIXES,
    stem_of_listed,
    walk,
    with_suffix,
)
from quickgaze.stimuli.types import Fixations, Size, refuse_other_size

_DEPTH = 3
_SPLIT_IN_NAME = re.compile(r"(?:COCO|fixations)_(train|val|test)2014")
_SPLIT_IN_FOLDER = re.compile(r"(?:^|[_\W])(train|val|test)(?:$|[_\W\d])", re.IGNORECASE)
_MAP_FOLDER = re.compile(r"(?:^|/)(?:density[_ -]?)?maps?(?:[_ -][^/]*)?(?:/|$)", re.IGNORECASE)


@dataclass(frozen=True)
class Files:
    """The files of a root folder, by what they hold."""

    root: AnyPath
    images: list[AnyPath]
    maps: list[AnyPath]
    annotations: list[AnyPath]
    matlab: list[AnyPath]

    def of_split(self, split: str) -> Files:
        """Keep the files of one split and those that do not tell theirs; all if it is empty."""
        if not split:
            return self
        kept = (
            [path for path in paths if split_of(path, self.root) in {split, ""}]
            for paths in (self.images, self.maps, self.annotations, self.matlab)
        )
        return Files(self.root, *kept)

    def splits(self, paths: Iterable[AnyPath]) -> Counter[str]:
        """Numbers of files by split, of those that tell theirs."""
        return Counter(split for path in paths if (split := split_of(path, self.root)))


def find_files(
    root: AnyPath, images: Root | None, maps: Root | None, annotations: Root | None
) -> Files:
    """Find the files below a root folder; those of a kind in another place, where one is given."""
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
        gaze = [
            path for path in beneath if path.suffix == ".mat" or path.name.startswith("fixations")
        ]
    else:
        given = inside(root, annotations)
        gaze = [given] if given.is_file() else list(walk(given, _DEPTH))
    return Files(
        root,
        pictures,
        densities,
        [path for path in gaze if path.suffix == ".json"],
        [path for path in gaze if path.suffix == ".mat"],
    )


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


def split_of(path: AnyPath, root: AnyPath) -> str:
    """Split that the name of a file tells, or else its folders; empty if none does."""
    named = _SPLIT_IN_NAME.match(path.name) or _SPLIT_IN_FOLDER.search(
        "/".join(reversed(_folders(path, root)))
    )
    return named[1].lower() if named else ""


class _ListedImage(msgspec.Struct, frozen=True):
    """An image as the annotation file lists it."""

    id: int | str
    file_name: str
    height: int | None = None
    width: int | None = None


class _Annotation(msgspec.Struct, frozen=True):
    """One worker's samples on one image, not yet parsed."""

    id: int | str
    image_id: int | str
    fixations: msgspec.Raw
    worker_id: int | str | None = None


class _AnnotationFile(msgspec.Struct, frozen=True):
    """What is used of an annotation file."""

    images: list[_ListedImage]
    annotations: list[_Annotation]


_FILE = msgspec.json.Decoder(_AnnotationFile)
_POINTS = msgspec.json.Decoder(list[tuple[float, float]])


@dataclass(frozen=True, eq=False)
class AnnotatedSamples:
    """Mouse samples of one image, parsed from the annotation file when they are asked for.

    Each of n workers has a span, where in the file the list of points begins and ends, in bytes.
    """

    path: AnyPath
    length: int  # of the file when it was indexed
    workers: tuple[str, ...]
    spans: npt.NDArray[np.int64]  # (n, 2)
    size: Size | None  # of the image that was annotated, where the file tells
    digest: str = ""  # of the workers and the text of their points

    def read(self, size: Size) -> Fixations:
        """Parse the samples, with the workers as observers."""
        refuse_other_size(self.size, size, f"the gaze in {readable(self.path)}")
        points = self._points()
        row, column = np.concatenate([np.empty((0, 2)), *points]).T - 1
        workers = np.repeat(np.array(self.workers, dtype=np.str_), [len(part) for part in points])
        return Fixations.inside(column, row, workers, size)

    def _points(self) -> list[npt.NDArray[np.float64]]:
        try:
            texts, length = read_spans(self.path, lambda _: self.spans.tolist())
            points = [np.array(_POINTS.decode(text)).reshape(-1, 2) for text in texts]
        except OSError as error:
            raise StimulusError(f"{readable(self.path)} cannot be read: {error}") from error
        except msgspec.MsgspecError as error:
            raise StimulusError(
                f"an annotation in {readable(self.path)} is not a list of [row, column] pairs "
                f"({error}); fetch the file again"
            ) from error
        if length != self.length:
            raise StimulusError(
                f"{readable(self.path)} has changed since the data set was loaded; load it again"
            )
        return points

    def fingerprint(self) -> str:
        """Digest of the workers and their points, from when the file was indexed."""
        return f"{self.size}:{self.digest}"


def index_annotations(path: AnyPath) -> dict[str, AnnotatedSamples]:
    """Find out where an annotation file holds what, by image, without parsing its points."""
    try:
        text = _mapped(path) if isinstance(path, Path) else read_bytes(path)
        return _index(_FILE.decode(text), text, path)
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        raise DatasetError(
            f"{readable(path)} is not a file of SALICON annotations, or is damaged ({error}); "
            "fetch it again"
        ) from error


def _mapped(path: Path) -> mmap.mmap:
    with open_file(path) as file:
        # Not closed: it goes with the last annotation that points into it.
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _index(
    listing: _AnnotationFile, text: mmap.mmap | bytes, path: AnyPath
) -> dict[str, AnnotatedSamples]:
    annotations: dict[str, list[_Annotation]] = {str(image.id): [] for image in listing.images}
    for annotation in listing.annotations:
        image_id = str(annotation.image_id)
        if image_id not in annotations:
            raise DatasetError(
                f"{readable(path)} has an annotation ({annotation.id!r}) of an image that it does "
                f"not list ({annotation.image_id!r}); fetch it again"
            )
        annotations[image_id].append(annotation)
    gaze = {
        stem_of_listed(image.file_name, path): _samples(
            image, annotations[str(image.id)], text, path
        )
        for image in listing.images
    }
    if not len(gaze) == len(annotations) == len(listing.images):
        raise DatasetError(f"{readable(path)} lists an image twice; fetch it again")
    return gaze


def _samples(
    image: _ListedImage, annotations: list[_Annotation], text: mmap.mmap | bytes, path: AnyPath
) -> AnnotatedSamples:
    workers, spans, digest = [], [], hashlib.blake2b(digest_size=8)
    for annotation in annotations:
        known, points = annotation.worker_id is not None, memoryview(annotation.fixations)
        workers.append(str(annotation.worker_id) if known else f"annotation {annotation.id}")
        digest.update(f"{workers[-1]}\n{points.nbytes}\n".encode())
        digest.update(points)
        start = _address(points) - _address(text)
        spans.append((start, start + points.nbytes))
    return AnnotatedSamples(
        path,
        len(text),
        tuple(workers),
        np.array(spans, dtype=np.int64).reshape(-1, 2),
        None if image.height is None or image.width is None else (image.height, image.width),
        digest.hexdigest(),
    )


def _address(buffer: mmap.mmap | bytes | memoryview) -> int:
    return int(np.frombuffer(buffer, dtype=np.uint8).ctypes.data)


@dataclass(frozen=True)
class MatlabGaze:
    """Gaze on one image, in a MATLAB file of its own: fixations, or the samples they come from."""

    path: AnyPath
    field: Literal["fixations", "location"] = "fixations"

    def read(self, size: Size) -> Fixations:
        """Read the points; observers are counted from "1" within the file, which names none."""
        try:
            content = read_mat(self.path, "gaze", "resolution")
        except MatError as error:
            raise self._refusal(f"it {error}") from error
        try:
            observers = content["gaze"].ravel()
            points = [_pairs(observer[self.field]) for observer in observers]
            resolution = content.get("resolution", np.empty(0)).ravel().tolist()
        except Exception as error:
            raise self._refusal(
                f"its variable gaze holds something else ({first_line(error)}); give the file of "
                "the data set's authors"
            ) from error
        if len(resolution) == 2:
            recorded = int(resolution[0]), int(resolution[1])
            refuse_other_size(recorded, size, f"the gaze in {readable(self.path)}")
        x, y = np.concatenate([np.empty((0, 2)), *points]).T - 1
        numbers = np.arange(1, len(points) + 1).astype(np.str_)
        return Fixations.inside(x, y, np.repeat(numbers, [len(part) for part in points]), size)

    def _refusal(self, reason: str) -> StimulusError:
        return StimulusError(
            f"{readable(self.path)} does not hold SALICON gaze with {self.field!r}: {reason}"
        )

    def fingerprint(self) -> str:
        """Which points, the size of the file in bytes, and a digest of parts of it."""
        return f"{self.field}:{fingerprint_of_file(self.path)}"


def _pairs(field: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    values = np.asarray(field, dtype=np.float64)
    if values.size == 0:
        return np.empty((0, 2))
    if values.ndim != 2 or values.shape[1] != 2:
        raise ValueError(f"points have the shape {values.shape}, not (n, 2)")
    return values
