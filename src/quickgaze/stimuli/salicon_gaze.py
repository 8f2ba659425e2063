"""SALICON's gaze files: the 2015 annotations in JSON and the MATLAB files of one image each."""

from __future__ import annotations

import hashlib
import mmap
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt
import scipy.io

from quickgaze.errors import DatasetError, StimulusError
from quickgaze.places import AnyPath, open_file, read_bytes, read_spans, readable
from quickgaze.stimuli.files import stem_of_listed
from quickgaze.stimuli.fingerprints import fingerprint_of_file
from quickgaze.stimuli.types import Fixations, Size


class ListedImage(msgspec.Struct, frozen=True):
    """An image as the annotation file lists it."""

    id: int | str
    file_name: str
    height: int | None = None
    width: int | None = None


class Annotation(msgspec.Struct, frozen=True):
    """One worker's samples on one image, not yet parsed."""

    id: int | str
    image_id: int | str
    fixations: msgspec.Raw
    worker_id: int | str | None = None


class AnnotationFile(msgspec.Struct, frozen=True):
    """What is used of an annotation file."""

    images: list[ListedImage]
    annotations: list[Annotation]


_FILE = msgspec.json.Decoder(AnnotationFile)
_POINTS = msgspec.json.Decoder(list[tuple[float, float]])


@dataclass(frozen=True, eq=False)
class AnnotatedSamples:
    """Mouse samples of one image, parsed from the annotation file when they are asked for.

    Parameters
    ----------
    path : Path or UPath
        The annotation file.
    length : int
        Its length in bytes when it was indexed.
    workers : tuple of str, length n
        Who made each annotation.
    spans : ndarray, shape (n, 2), int64
        Where each annotation's list of points begins and ends in the file, in bytes.
    size : (int, int) or None
        Height and width of the image that was annotated, where the file tells.
    digest : str
        Of the workers and the text of their points when the file was indexed.
    """

    path: AnyPath
    length: int
    workers: tuple[str, ...]
    spans: npt.NDArray[np.int64]
    size: Size | None
    digest: str = ""

    def read(self, size: Size) -> Fixations:
        """Parse the samples.

        Parameters
        ----------
        size : (int, int)
            Height and width of the image.

        Returns
        -------
        Fixations
            With the workers as observers.

        Raises
        ------
        StimulusError
            If the file has changed or an annotation is not a list of (row, column) pairs, or
            if the image is not of the size that was annotated.
        """
        _refuse_other_size(self.size, size, self.path)
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
        """Digest of the workers and their points as they stood in the file."""
        return f"{self.size}:{self.digest}"


def index_annotations(path: AnyPath) -> dict[str, AnnotatedSamples]:
    """Find out where an annotation file holds what, without parsing or keeping its points.

    Parameters
    ----------
    path : Path or UPath
        A ``fixations_*.json`` of the 2015 release; half a gigabyte for the validation images.

    Returns
    -------
    dict of str to AnnotatedSamples
        By the listed images' file names without their ending. Images without annotations have
        no workers.

    Raises
    ------
    DatasetError
        If the file cannot be read, is damaged, lists an image twice or annotates an image that
        it does not list.
    """
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
    listing: AnnotationFile, text: mmap.mmap | bytes, path: AnyPath
) -> dict[str, AnnotatedSamples]:
    origin = _address(text)
    digests = {str(image.id): hashlib.blake2b(digest_size=8) for image in listing.images}
    workers: dict[str, list[str]] = {str(image.id): [] for image in listing.images}
    spans: dict[str, list[tuple[int, int]]] = {str(image.id): [] for image in listing.images}
    for annotation in listing.annotations:
        image = str(annotation.image_id)
        if image not in workers:
            raise DatasetError(
                f"{readable(path)} has an annotation ({annotation.id!r}) of an image that it does "
                f"not list ({annotation.image_id!r}); fetch it again"
            )
        worker = annotation.worker_id
        workers[image].append(f"annotation {annotation.id}" if worker is None else str(worker))
        points = memoryview(annotation.fixations)
        digests[image].update(f"{workers[image][-1]}\n{points.nbytes}\n".encode())
        digests[image].update(points)
        start = _address(points) - origin
        spans[image].append((start, start + points.nbytes))
    gaze = {
        stem_of_listed(image.file_name, path): AnnotatedSamples(
            path,
            len(text),
            tuple(workers[str(image.id)]),
            np.array(spans[str(image.id)], dtype=np.int64).reshape(-1, 2),
            None if image.height is None or image.width is None else (image.height, image.width),
            digests[str(image.id)].hexdigest(),
        )
        for image in listing.images
    }
    if not len(gaze) == len(workers) == len(listing.images):
        raise DatasetError(f"{readable(path)} lists an image twice; fetch it again")
    return gaze


def _address(buffer: mmap.mmap | bytes | memoryview) -> int:
    return int(np.frombuffer(buffer, dtype=np.uint8).ctypes.data)


@dataclass(frozen=True)
class MatlabGaze:
    """Gaze on one image, in a MATLAB file of its own.

    Parameters
    ----------
    path : Path or UPath
        A file with ``gaze`` (one struct an observer) and ``resolution``.
    field : {"fixations", "location"}
        Which points: fixations extracted from the mouse samples, or the samples.
    """

    path: AnyPath
    field: Literal["fixations", "location"] = "fixations"

    def read(self, size: Size) -> Fixations:
        """Read the points.

        Parameters
        ----------
        size : (int, int)
            Height and width of the image.

        Returns
        -------
        Fixations
            Observers are counted from ``"1"`` within the file, which does not name them.

        Raises
        ------
        StimulusError
            If the file cannot be read, or if the image is not of the file's ``resolution``.
        """
        try:
            with open_file(self.path) as file:
                content = scipy.io.loadmat(file, variable_names=["gaze", "resolution"])
            observers = content["gaze"].ravel()
            points = [_pairs(observer[self.field]) for observer in observers]
            resolution = content.get("resolution", np.empty(0)).ravel().tolist()
        except Exception as error:
            raise StimulusError(
                f"{readable(self.path)} does not hold SALICON gaze with {self.field!r}, or is "
                f"damaged ({type(error).__name__}: {error}); fetch it again"
            ) from error
        if len(resolution) == 2:
            _refuse_other_size((int(resolution[0]), int(resolution[1])), size, self.path)
        x, y = np.concatenate([np.empty((0, 2)), *points]).T - 1
        numbers = np.arange(1, len(points) + 1).astype(np.str_)
        return Fixations.inside(x, y, np.repeat(numbers, [len(part) for part in points]), size)

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


def _refuse_other_size(annotated: Size | None, size: Size, path: AnyPath) -> None:
    if annotated is not None and annotated != tuple(size):
        raise StimulusError(
            f"{readable(path)} holds gaze on an image of {annotated[0]} x {annotated[1]} pixels "
            f"(height x width), but the image has {size[0]} x {size[1]}; use the data set's "
            "own images, not resized ones"
        )
