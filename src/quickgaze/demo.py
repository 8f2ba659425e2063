"""The demonstration: the whole way of the data on displays and photographs that are at hand."""

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

BACKBONE = "efficientnet_lite0"
DISPLAYS = 12
PHOTOGRAPHS: Mapping[str, Callable[[], Image]] = {
    "Astronaut": data.astronaut,
    "Cat": data.chelsea,
    "Coffee": data.coffee,
    "Rocket": data.rocket,
    "Retina": data.retina,
    "Galaxies": data.hubble_deep_field,
}

LARGEST = 640
"""Longest side in pixels of the photographs that are mapped."""

SHOWN: Mapping[str, float] = {"Astronaut": 0.0, "Cat": 0.5, "Coffee": 0.5}
"""Photographs of the picture, and which part of their height or width is kept: 0 is the first."""

DISPLAY = 8
"""Place of the display that stands beside them: discs, one of which has another colour."""

WIDTH, MARGIN, GAP, TITLE, CORNER = 1600, 36, 14, 46, 28  # of the picture, in pixels
_DARK, _LIGHT, _FAINT = "#14161c", "#f2f3f5", "#a9afbc"


@dataclass(frozen=True)
class Demonstration:
    """What the demonstration left behind.

    Parameters
    ----------
    report : Report
        Everything that was found in the run, to be opened first.
    page : Path
        Photographs and displays with their maps, to be opened in a browser.
    picture : Path
        Some of them in one picture.
    run : Run
        The run over the pop-out displays.
    summary : polars.DataFrame
        Its scores by orientation rule.
    """

    report: Report
    page: Path
    picture: Path
    run: Run
    summary: pl.DataFrame


def demonstrate(folder: Path, progress: bool = True) -> Demonstration:
    """Score pop-out displays and report on that, map photographs, and show both on a page.

    Parameters
    ----------
    folder : Path
        Where everything goes; made if it is not there.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    Demonstration

    Raises
    ------
    OptionError
        If ``report`` in the folder is something else than a report.
    RunError
        If ``run`` in the folder is something else than this run.
    """
    displays = load_dataset("popout", n=DISPLAYS)
    run = Study(displays, backbones=[BACKBONE]).run(folder / "run", progress=progress)
    report = write_report(
        run,
        folder / "report",
        dataset=displays,
        command=f"quickgaze demo --out {folder}",
        overwrite=True,
        progress=progress,
    )
    photographs = {title: _reduced(read()) for title, read in PHOTOGRAPHS.items()}
    model = SaliencyModel(BACKBONE)
    results = {title: model(image) for title, image in photographs.items()}
    scores = summary(run)
    pictures = Pictures(folder)
    sections = [
        Section(
            "Which sign? Orientation rules on displays with one odd item",
            "A principal component has no sign of its own, so a rule has to choose one. Mean "
            "scores by rule; arrows point to better. The oracle looks at the answer: no rule can "
            "do better in cc.",
            columns=("orientation", *(f"{name} {arrow(name)}" for name in run.metrics)),
            rows=_orientation_rows(scores, run.metrics),
        ),
        Section(
            "Photographs",
            "The same model on photographs that come with scikit-image. No gaze was recorded "
            "for them.",
            cards=list(_photograph_cards(photographs, results, pictures)),
        ),
        Section(
            "Pop-out displays",
            "One item differs from all others, and people find it at once: where they look is "
            "known by construction. An auc of 0.5 is chance.",
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
    shown = {title: (photographs[title], results[title]) for title in SHOWN}
    display = displays[DISPLAY].image()
    shown["Pop-out display"] = (display, model(display))
    picture = folder / "overview.png"
    draw_overview(shown).save(picture, optimize=True)
    return Demonstration(report, page, picture, run, scores)


def _orientation_rows(scores: pl.DataFrame, metrics: list[str]) -> list[list[str]]:
    means = {
        (row["orientation"], row["metric"]): "undefined"
        if row["mean"] is None
        else f"{row['mean']:.3f}"
        for row in scores.iter_rows(named=True)
    }
    return [
        [f"{name}: {ORIENTATIONS[name].summary}", *(means[name, metric] for metric in metrics)]
        for name in scores["orientation"].unique(maintain_order=True)
    ]


def _display_cards(displays: Dataset, run: Run, pictures: Pictures) -> Iterator[Card]:
    chosen = run.scores().filter(pl.col("orientation") == "activation")
    scores = {row["stimulus"]: row for row in chosen.iter_rows(named=True)}
    maps = {row["stimulus"]: row for row in run.maps().iter_rows(named=True)}
    for stimulus in displays:
        if stimulus.id not in scores:
            continue
        score = scores[stimulus.id]
        target = stimulus.density(displays.density_sigma)
        if target is None:
            raise StimulusError(f"{stimulus.id}: a display without a target")
        saliency = stored_saliency(maps[stimulus.id])
        panels = pictures.panels(stimulus.id, stimulus.image(), saliency, target=target)
        caption = (
            f"odd in {stimulus.attributes['kind']} · cc {score['cc']:.2f} · "
            f"auc {score['auc']:.2f} · explained variance {score['explained_variance']:.0%}"
        )
        yield Card(stimulus.id, caption, panels)


def _reduced(image: Image) -> Image:
    """Make large photographs smaller, which would take as long as all others together."""
    picture = PIL.Image.fromarray(image)
    picture.thumbnail((LARGEST, LARGEST))
    return np.asarray(picture)


def _photograph_cards(
    photographs: Mapping[str, Image], results: Mapping[str, SaliencyResult], pictures: Pictures
) -> Iterator[Card]:
    for title, image in photographs.items():
        result = results[title]
        caption = (
            f"explained variance {result.explained_variance:.0%} · "
            f"orientation margin {result.orientation_margin:.2f}"
        )
        yield Card(title, caption, pictures.panels(title.lower(), image, result.map))


def draw_overview(shown: Mapping[str, tuple[Image, SaliencyResult]]) -> PIL.Image.Image:
    """Draw images, their CAMs and their saliency maps as one picture, a column for each image.

    Parameters
    ----------
    shown : mapping of str to (ndarray of shape (H, W, 3) and uint8, SaliencyResult)
        Images and what a model made of them, by title.

    Returns
    -------
    PIL.Image.Image
        RGBA, 1600 pixels wide: a dark card with round corners, so that it can stand on a page
        of any colour.
    """
    columns = [
        {
            "image": PIL.Image.fromarray(image),
            "CAM, signed": cam_picture(result.cam, image.shape[:2], max(image.shape)),
            "saliency": result.overlay(image),
        }
        for image, result in shown.values()
    ]
    left = MARGIN + TITLE
    width = (WIDTH - MARGIN - left - GAP * (len(columns) - 1)) // len(columns)
    size = (width, width * 3 // 4)
    step = (width + GAP, size[1] + GAP)
    card = PIL.Image.new(
        "RGB", (WIDTH, MARGIN + TITLE + step[1] * len(columns[0]) - GAP + MARGIN), _DARK
    )
    for column, (title, pictures) in enumerate(zip(shown, columns, strict=True)):
        x = left + step[0] * column
        _paste(card, _line(title, width, _LIGHT), (x, MARGIN - 10))
        for row, (label, picture) in enumerate(pictures.items()):
            y = MARGIN + TITLE + step[1] * row
            kept = PIL.ImageOps.fit(
                picture.convert("RGB"), size, centering=(0.5, SHOWN.get(title, 0.5))
            )
            _paste(card, _rounded(kept, CORNER // 2), (x, y))
            if column == 0:
                _paste(
                    card, _line(label, size[1], _FAINT).rotate(90, expand=True), (MARGIN - 14, y)
                )
    return _rounded(card, CORNER)


def _paste(card: PIL.Image.Image, picture: PIL.Image.Image, place: tuple[int, int]) -> None:
    card.paste(picture, place, picture)


def _line(text: str, width: int, colour: str) -> PIL.Image.Image:
    """Write a line of text in the middle of a transparent strip."""
    strip = PIL.Image.new("RGBA", (width, TITLE))
    font = PIL.ImageFont.load_default(27)
    PIL.ImageDraw.Draw(strip).text((width / 2, TITLE / 2), text, colour, font, "mm")
    return strip


def _rounded(picture: PIL.Image.Image, radius: int) -> PIL.Image.Image:
    """Round the corners off; what lies outside of them is transparent."""
    finer = 4
    mask = PIL.Image.new("L", (picture.width * finer, picture.height * finer))
    box = (0, 0, mask.width - 1, mask.height - 1)
    PIL.ImageDraw.Draw(mask).rounded_rectangle(box, radius * finer, fill=255)
    rounded = picture.convert("RGBA")
    rounded.putalpha(mask.resize(picture.size, PIL.Image.Resampling.LANCZOS))
    return rounded
