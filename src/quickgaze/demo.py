"""The demonstration: a run, its report and maps, on images that need no download."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont
import PIL.ImageOps
import polars as pl
from skimage import data

from quickgaze.cams import ORIENTATIONS
from quickgaze.errors import StimulusError
from quickgaze.findings import summary
from quickgaze.report import Card, Pictures, Report, Section, arrow, write_overview, write_report
from quickgaze.report.layers import cam_picture
from quickgaze.saliency import SaliencyModel, SaliencyResult
from quickgaze.stimuli import Dataset, load_dataset
from quickgaze.stimuli.types import Image
from quickgaze.study import Run, Study, stored_saliency

_BACKBONE = "efficientnet_lite0"
_DISPLAYS = 12
_PHOTOGRAPHS: Mapping[str, Callable[[], Image]] = {
    "Astronaut": data.astronaut,
    "Cat": data.chelsea,
    "Coffee": data.coffee,
    "Rocket": data.rocket,
    "Retina": data.retina,
    "Galaxies": data.hubble_deep_field,
}

_LARGEST = 640  # longest side in pixels of the photographs that are mapped
# Photographs of the picture; where they are cropped, 0 keeps their top and 0.5 the middle.
_SHOWN: Mapping[str, float] = {"Astronaut": 0.0, "Cat": 0.5, "Coffee": 0.5}
_DISPLAY = 8  # the display beside them: discs, one of another colour

_WIDTH, _MARGIN, _GAP, _TITLE, _CORNER = 1600, 36, 14, 46, 28  # of the picture, in pixels
_DARK, _LIGHT, _FAINT = "#14161c", "#f2f3f5", "#a9afbc"


@dataclass(frozen=True)
class Demonstration:
    """What the demonstration has written, and the run with its summary."""

    report: Report
    page: Path
    picture: Path
    run: Run
    summary: pl.DataFrame


def demonstrate(folder: Path, progress: bool = True) -> Demonstration:
    """Score pop-out displays, report on that, map photographs, and show both on a page."""
    displays = load_dataset("popout", n=_DISPLAYS)
    run = Study(displays, backbones=[_BACKBONE]).run(folder / "run", progress=progress)
    report = write_report(
        run,
        folder / "report",
        dataset=displays,
        command=f"quickgaze demo --out {folder}",
        overwrite=True,
        progress=progress,
    )
    model = SaliencyModel(_BACKBONE)
    photographs = {title: _reduced(read()) for title, read in _PHOTOGRAPHS.items()}
    mapped = {title: (image, model(image)) for title, image in photographs.items()}
    scores = summary(run)
    pictures = Pictures(folder)
    sections = [
        Section(
            "Which sign? Orientation rules on displays with one odd item",
            "A principal component has no sign of its own, so a rule has to choose one. Mean "
            "scores by rule; arrows point to better ones. The oracle takes the sign from the human "
            "map, so no rule can reach a higher cc.",
            columns=("orientation", *(f"{name} {arrow(name)}" for name in run.metrics)),
            rows=_orientation_rows(scores, run.metrics),
        ),
        Section(
            "Photographs",
            "The same model on photographs that come with scikit-image. No gaze was recorded "
            "for them.",
            cards=[
                Card(title, _caption(result), pictures.panels(title.lower(), image, result.map))
                for title, (image, result) in mapped.items()
            ],
        ),
        Section(
            "Pop-out displays",
            "One item differs from all others and people find it at once, so where they look is "
            "known. An auc of 0.5 is chance.",
            cards=list(_display_cards(displays, run, pictures)),
        ),
    ]
    page = write_overview(
        folder,
        "Where does EfficientNet-Lite0 look?",
        "EigenCAM over all levels of the network, on the coarsest grid, with the sign that agrees "
        "with the mean activation. One forward pass an image; no gradients, no training.",
        sections,
    )
    display = displays[_DISPLAY].image()
    shown = {title: mapped[title] for title in _SHOWN}
    shown["Pop-out display"] = (display, model(display))
    picture = folder / "overview.png"
    draw_overview(shown).save(picture, optimize=True)
    return Demonstration(report, page, picture, run, scores)


def _orientation_rows(scores: pl.DataFrame, metrics: list[str]) -> list[list[str]]:
    texts = scores["mean"].map_elements("{:.3f}".format, pl.String).fill_null("undefined")
    keys = scores.select("orientation", "metric").iter_rows()
    means = dict(zip(keys, texts, strict=True))
    return [
        [f"{name}: {ORIENTATIONS[name].summary}", *(means[name, metric] for metric in metrics)]
        for name in scores["orientation"].unique(maintain_order=True)
    ]


def _display_cards(displays: Dataset, run: Run, pictures: Pictures) -> Iterator[Card]:
    scores = run.scores().filter(pl.col("orientation") == "activation")
    by_id = {stimulus.id: stimulus for stimulus in displays}
    maps = {row["stimulus"]: row for row in run.maps().iter_rows(named=True)}
    for score in scores.iter_rows(named=True):
        stimulus = by_id[score["stimulus"]]
        target = stimulus.density(displays.density_sigma)
        if target is None:
            raise StimulusError(f"{stimulus.id}: the display has no target; generate it again")
        saliency = stored_saliency(maps[stimulus.id])
        panels = pictures.panels(stimulus.id, stimulus.image(), saliency, target=target)
        caption = (
            f"odd in {stimulus.attributes['kind']} · cc {score['cc']:.2f} · "
            f"auc {score['auc']:.2f} · explained variance {score['explained_variance']:.0%}"
        )
        yield Card(stimulus.id, caption, panels)


def _reduced(image: Image) -> Image:
    picture = PIL.Image.fromarray(image)
    picture.thumbnail((_LARGEST, _LARGEST))
    return np.asarray(picture)


def _caption(result: SaliencyResult) -> str:
    return (
        f"explained variance {result.explained_variance:.0%} · "
        f"orientation margin {result.orientation_margin:.2f}"
    )


def draw_overview(shown: Mapping[str, tuple[Image, SaliencyResult]]) -> PIL.Image.Image:
    """Draw a column of image, CAM and saliency map per title, as one card: RGBA, 1600 px wide."""
    columns = [
        {
            "image": PIL.Image.fromarray(image),
            "CAM, signed": cam_picture(result.cam, image.shape[:2], max(image.shape)),
            "saliency": result.overlay(image),
        }
        for image, result in shown.values()
    ]
    left = _MARGIN + _TITLE
    width = (_WIDTH - _MARGIN - left - _GAP * (len(columns) - 1)) // len(columns)
    size = (width, width * 3 // 4)
    step = (width + _GAP, size[1] + _GAP)
    height = _MARGIN + _TITLE + step[1] * len(columns[0]) - _GAP + _MARGIN
    card = PIL.Image.new("RGB", (_WIDTH, height), _DARK)
    for column, (title, pictures) in enumerate(zip(shown, columns, strict=True)):
        x = left + step[0] * column
        _paste(card, _line(title, width, _LIGHT), (x, _MARGIN - 10))
        for row, (label, picture) in enumerate(pictures.items()):
            y = _MARGIN + _TITLE + step[1] * row
            centre = (0.5, _SHOWN.get(title, 0.5))
            kept = PIL.ImageOps.fit(picture.convert("RGB"), size, centering=centre)
            _paste(card, _rounded(kept, _CORNER // 2), (x, y))
            if column == 0:
                turned = _line(label, size[1], _FAINT).rotate(90, expand=True)
                _paste(card, turned, (_MARGIN - 14, y))
    return _rounded(card, _CORNER)


def _paste(card: PIL.Image.Image, picture: PIL.Image.Image, place: tuple[int, int]) -> None:
    card.paste(picture, place, picture)


def _line(text: str, width: int, colour: str) -> PIL.Image.Image:
    """Write text in the middle of a transparent strip."""
    strip = PIL.Image.new("RGBA", (width, _TITLE))
    font = PIL.ImageFont.load_default(27)
    PIL.ImageDraw.Draw(strip).text((width / 2, _TITLE / 2), text, colour, font, "mm")
    return strip


def _rounded(picture: PIL.Image.Image, radius: int) -> PIL.Image.Image:
    """Make the corners transparent."""
    finer = 4
    mask = PIL.Image.new("L", (picture.width * finer, picture.height * finer))
    box = (0, 0, mask.width - 1, mask.height - 1)
    PIL.ImageDraw.Draw(mask).rounded_rectangle(box, radius * finer, fill=255)
    rounded = picture.convert("RGBA")
    rounded.putalpha(mask.resize(picture.size, PIL.Image.Resampling.LANCZOS))
    return rounded
