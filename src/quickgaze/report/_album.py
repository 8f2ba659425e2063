"""The picture files of a report: one small set of layers for each stimulus, safely named."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import polars as pl

from quickgaze.errors import QuickgazeError, StimulusError
from quickgaze.report import layers
from quickgaze.report._originals import Original, Originals
from quickgaze.report._subjects import ShownVariant, Subject, signs_of
from quickgaze.saliency import FloatMap
from quickgaze.stimuli.types import Size
from quickgaze.study import progress_bar
from quickgaze.study.stored import StoredMap
from quickgaze.study.variants import UNKNOWN, CamKey, Sign

_PICTURES = "pictures"
LONGEST = 480
"""Longest side in pixels of a report's pictures."""

_QUALITY, _EFFORT = 82, 1  # of WebP; a higher effort doubles the time to save a few per cent


@dataclass(frozen=True, eq=False)
class Album:
    """Which pictures a report has. Made by `write_album`."""

    count: int  # of stimuli
    image: frozenset[int] = frozenset()  # numbers of the stimuli that have one
    density: frozenset[int] = frozenset()
    signs: Sequence[str] = ()  # for each variant, the sign of each stimulus's CAM
    cams: Sequence[str] = ()  # for each variant, the name of its CAM, without the sign
    maps: Sequence[str] = ()
    failures: Sequence[tuple[int, str]] = ()

    @property
    def empty(self) -> bool:
        """Whether there is no picture at all."""
        drawn = any(letters.strip(UNKNOWN) for letters in self.signs)
        return not (self.image or self.density or drawn)

    def name(self, number: int) -> str:
        """File name of a stimulus, whatever its id."""
        return file_name(number, self.count)

    def map_file(self, variant: int, number: int, layer: str = "map") -> str | None:
        """Path of a variant's saliency map or other layer; None if there is none."""
        sign = self.signs[variant][number]
        if sign == UNKNOWN or (layer == "difference" and number not in self.density):
            return None
        folder = self.cams[variant] if layer == "cam" else self.maps[variant]
        return f"{_PICTURES}/{layer}/{folder}{sign}/{self.name(number)}"

    def image_file(self, number: int) -> str | None:
        """Path of the photograph; None if there is none."""
        return f"{_PICTURES}/image/{self.name(number)}" if number in self.image else None

    def density_file(self, number: int) -> str | None:
        """Path of the human density; None if there is none."""
        return f"{_PICTURES}/density/{self.name(number)}" if number in self.density else None


def file_name(number: int, count: int) -> str:
    """File name of a stimulus by its number from 0, among `count`."""
    return f"{number + 1:0{max(4, len(str(count)))}d}.webp"


def no_album(subject: Subject) -> Album:
    """Album of a report without pictures."""
    count = len(subject.stimuli)
    empty = [""] * len(subject.variants)
    return Album(count, signs=[UNKNOWN * count] * len(empty), cams=empty, maps=empty)


def write_album(
    subject: Subject, originals: Originals, folder: Path, *, longest: int, progress: bool
) -> Album:
    """Draw all layers of all stimuli below ``pictures``, in several threads."""
    tables = [run.maps() for run in subject.runs]
    drawer = _Drawer(
        subject,
        originals,
        folder / _PICTURES,
        longest,
        [table.partition_by("stimulus", as_dict=True) for table in tables],
        signs_of(subject, tables),
        _numbered("c", map(_cam, subject.variants)),
        _numbered("m", map(_blurred, subject.variants)),
    )
    count = len(subject.stimuli)
    with progress_bar(progress) as bar, ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        drawing = threads.map(drawer.draw, range(count))
        drawn = list(bar.track(drawing, total=count, description="pictures"))
    return Album(
        count,
        frozenset(place for place, one in enumerate(drawn) if one.image),
        frozenset(place for place, one in enumerate(drawn) if one.density),
        [
            "".join(one.signs.get(variant, UNKNOWN) for one in drawn)
            for variant in range(len(subject.variants))
        ],
        [drawer.cams[_cam(variant)] for variant in subject.variants],
        [drawer.maps[_blurred(variant)] for variant in subject.variants],
        [(place, reason) for place, one in enumerate(drawn) for reason in one.failures],
    )


def _cam(variant: ShownVariant) -> tuple[int, CamKey]:
    """Identify a CAM."""
    return variant.run, variant.key.cam_key


def _blurred(variant: ShownVariant) -> tuple[int, CamKey, float]:
    """Identify a saliency map, except for its sign."""
    return *_cam(variant), variant.key.sigma


def _numbered(letter: str, keys: Iterable[tuple[Any, ...]]) -> dict[tuple[Any, ...], str]:
    return {key: f"{letter}{place}" for place, key in enumerate(dict.fromkeys(keys))}


@dataclass(eq=False)
class _Drawn:
    """What has been drawn of one stimulus."""

    image: bool = False
    density: bool = False
    signs: dict[int, Sign] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    @contextmanager
    def going_on(self, what: str = "") -> Iterator[None]:
        """Note a failure and go on."""
        try:
            yield
        except (QuickgazeError, OSError) as error:
            self.failures.append(f"{what}{error}")


@dataclass(frozen=True, eq=False)
class _Drawer:
    """Draws one stimulus after the other."""

    subject: Subject
    originals: Originals
    folder: Path
    longest: int
    tables: Sequence[Mapping[tuple[Any, ...], pl.DataFrame]]  # of each run's maps, by stimulus
    signs: Sequence[Mapping[str, Sign]]
    cams: Mapping[tuple[Any, ...], str]  # short names
    maps: Mapping[tuple[Any, ...], str]

    def draw(self, number: int) -> _Drawn:
        """Draw all layers of a stimulus, and go on after what cannot be drawn."""
        drawn = _Drawn()
        stimulus = self.subject.keys[number][1]
        kept = [
            (run, StoredMap.of(row))
            for run, tables in enumerate(self.tables)
            for row in tables.get((stimulus,), pl.DataFrame()).iter_rows(named=True)
        ]
        original = self.originals.by_number.get(number, Original())
        size: Size | None = None
        with drawn.going_on():
            image = original.read_image()
            if image is not None:
                size = image.shape[:2]
                self._save(layers.photograph(image, self.longest), "image", number)
                drawn.image = True
        density = None
        with drawn.going_on():
            found = self._density(number, original, size)
            if found is not None:
                sizes = {layers.small_size(each.size, self.longest)[::-1] for _, each in kept}
                if sizes - {found.shape}:
                    raise StimulusError(
                        f"{stimulus}: the human density and the scored image differ in size; give "
                        "the data set that the run was computed on"
                    )
                self._save(layers.map_picture(found), "density", number)
                density, drawn.density = found, True
        for run, stored in kept:
            if bool(stored.cam.projection.isnan().any()):
                continue  # there is no map to draw
            done: set[str] = set()
            for place, variant in enumerate(self.subject.variants):
                sign = self.signs[place].get(stimulus)
                if _cam(variant) == (run, stored.key) and sign is not None:
                    with drawn.going_on(f"{variant.label}: "):
                        self._draw_variant(number, stored, variant, sign, density, done)
                        drawn.signs[place] = sign
        return drawn

    def _density(self, number: int, original: Original, size: Size | None) -> FloatMap | None:
        name = self.subject.keys[number][0]
        run = next(run for run in self.subject.runs if run.plan.dataset.name == name)
        density = original.read_density(run.plan.settings.density_sigma, size)
        return None if density is None else layers.shrunk(density, self.longest)

    def _draw_variant(
        self,
        number: int,
        stored: StoredMap,
        variant: ShownVariant,
        sign: Sign,
        density: FloatMap | None,
        done: set[str],
    ) -> None:
        oriented = stored.signed(sign)
        cam = f"cam/{self.cams[_cam(variant)]}{sign}"
        if cam not in done:
            picture = layers.cam_picture(oriented[0].numpy(), stored.size, self.longest)
            self._save(picture, cam, number)
            done.add(cam)
        name = f"{self.maps[_blurred(variant)]}{sign}"
        if name in done:
            return
        rectify = self.subject.runs[variant.run].plan.settings.rectify
        full = stored.saliency(oriented, variant.key.sigma, rectify)
        saliency = layers.shrunk(full, self.longest)
        self._save(layers.map_picture(saliency), f"map/{name}", number)
        if density is not None:
            difference = layers.difference_picture(np.subtract(saliency, density))
            self._save(difference, f"difference/{name}", number)
        done.add(name)

    def _save(self, picture: PIL.Image.Image, layer: str, number: int) -> None:
        path = self.folder / layer / file_name(number, len(self.subject.stimuli))
        path.parent.mkdir(parents=True, exist_ok=True)
        cells = layer.startswith("cam/")  # with sharp edges
        rgb = picture.convert("RGB")
        rgb.save(path, "WEBP", quality=_QUALITY, method=_EFFORT, lossless=cells)
