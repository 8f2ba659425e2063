"""The demonstration: the whole way of the data on displays and photographs that are at hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from skimage import data

from quickgaze.cams import ORIENTATIONS
from quickgaze.errors import StimulusError
from quickgaze.findings import summary
from quickgaze.report import Card, Pictures, Section, arrow, write_overview
from quickgaze.saliency import SaliencyModel
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


@dataclass(frozen=True)
class Demonstration:
    """What the demonstration left behind.

    Parameters
    ----------
    page : Path
        The overview, to be opened in a browser.
    run : Run
        The run over the pop-out displays.
    summary : polars.DataFrame
        Its scores by orientation rule.
    """

    page: Path
    run: Run
    summary: pl.DataFrame


def demonstrate(folder: Path, progress: bool = True) -> Demonstration:
    """Score pop-out displays, map photographs, and write a page that shows both.

    Parameters
    ----------
    folder : Path
        Where everything goes; made if it is not there.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    Demonstration
    """
    displays = load_dataset("popout", n=DISPLAYS)
    run = Study(displays, backbones=[BACKBONE]).run(folder / "run", progress=progress)
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
            cards=list(_photograph_cards(pictures)),
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
    return Demonstration(page, run, scores)


def _orientation_rows(scores: pl.DataFrame, metrics: list[str]) -> list[list[str]]:
    means = {
        (row["orientation"], row["metric"]): "undefined"
        if row["mean"] is None
        else f"{row['mean']:.3f}"
        for row in scores.iter_rows(named=True)
    }
    return [
        [f"{name}: {ORIENTATIONS[name].summary}", *(means[name, metric] for metric in metrics)]
        for name in ORIENTATIONS.names()
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


def _photograph_cards(pictures: Pictures) -> Iterator[Card]:
    model = SaliencyModel(BACKBONE)
    for title, photograph in PHOTOGRAPHS.items():
        image = photograph()
        result = model(image)
        caption = (
            f"explained variance {result.explained_variance:.0%} · "
            f"orientation margin {result.orientation_margin:.2f}"
        )
        yield Card(title, caption, pictures.panels(title.lower(), image, result.map))
