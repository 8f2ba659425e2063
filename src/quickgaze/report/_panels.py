"""Panels: image, CAM, saliency map and human density side by side, with id and score."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from quickgaze.catalogue import unknown_name
from quickgaze.errors import OptionError, QuickgazeError
from quickgaze.exports.targets import make_folder
from quickgaze.findings.selection import Chosen, check_metric
from quickgaze.places import PathLike
from quickgaze.report._originals import Original, find_originals
from quickgaze.report._overview import file_stems
from quickgaze.report._subjects import Subject, signs_of, subject_of
from quickgaze.report._words import number
from quickgaze.report.layers import DIVERGING, SEQUENTIAL
from quickgaze.stimuli import Dataset
from quickgaze.study import Run, progress_bar
from quickgaze.study.stored import StoredMap
from quickgaze.study.variants import Sign

_FORMATS = ("png", "pdf", "svg")
_BLUR = 19.0  # in pixels, of the saliency map of a variant without blur
_SIDE, _DPI = 2.6, 200  # side of one panel in inches, dots per inch


@dataclass(frozen=True)
class Panels:
    """Panels that were drawn.

    Parameters
    ----------
    files : tuple of Path
        In the order of the stimuli.
    failures : tuple of (str, str)
        Stimuli without a panel, and why.

    Examples
    --------
    >>> Panels((Path("panels/0001-cat.png"),), (("dog", "it has no map"),)).files[0].name
    '0001-cat.png'
    """

    files: tuple[Path, ...]
    failures: tuple[tuple[str, str], ...]


@dataclass(frozen=True, eq=False)
class _View:
    """One picture of a panel."""

    title: str
    values: npt.NDArray[Any]
    colours: str | None = None


def panels(
    run: Run,
    stimuli: Sequence[str] | None = None,
    out: PathLike = "panels",
    *,
    dataset: Dataset | None = None,
    images: PathLike | None = None,
    maps: PathLike | None = None,
    metric: str | None = None,
    variant: Chosen | None = None,
    bottom: int = 25,
    to: str = "png",
    progress: bool = True,
) -> Panels:
    """Draw image, CAM, saliency map and human density of stimuli side by side.

    Parameters
    ----------
    run : Run
        With maps.
    stimuli : sequence of str, optional
        Ids; by default those of least agreement.
    out : path
        Folder for one file per stimulus; made if missing.
    dataset : Dataset, optional
        The run's data set, for photographs and densities.
    images, maps : path, optional
        Instead of a data set: folders of photographs and of human densities.
    metric : str, optional
        Shown in the titles and used to find the least agreement; by default cc, or else the first.
    variant : mapping, optional
        Keys of the variant to draw; by default the first with the orientation ``activation``, or
        else the first.
    bottom : int
        Number of stimuli of least agreement, if no stimuli are named.
    to : {"png", "pdf", "svg"}
        Format.
    progress : bool
        Whether to show a progress bar, on standard error.

    Returns
    -------
    Panels
        A panel leaves out what there is no data for, such as photographs without a data set.

    Raises
    ------
    UnknownNameError
        If the run has no such metric, stimulus or variant.
    OptionError
        If the run has kept no maps, or an option cannot be used.

    Examples
    --------
    >>> import tempfile
    >>> import quickgaze as qg
    >>> displays = qg.load_dataset("popout", n=2, size=(120, 160))
    >>> study = qg.Study(displays, metrics=["cc"], orientations=["activation"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = study.run(f"{folder}/run", progress=False)
    ...     drawn = panels(run, ["popout-000000"], folder, dataset=displays, progress=False)
    ...     [file.name for file in drawn.files]
    ['0001-popout-000000.png']
    """
    if to not in _FORMATS:
        raise unknown_name("format", to, _FORMATS)
    subject = subject_of([run], metric, variant)
    check_metric(run, subject.metric)
    originals = find_originals(subject, dataset, images, maps).by_number
    chosen, table = subject.main_of(0), run.maps()
    rows = {row["stimulus"]: row for row in chosen.key.rows(table).iter_rows(named=True)}
    if not (rows or originals):
        raise OptionError(
            f"{run.place} has kept no maps of {chosen.label}, and no photographs were given, so "
            "there is nothing to draw"
        )
    signs = signs_of(subject, [table])[subject.main[0]]
    names = _chosen(subject, stimuli, bottom)
    folder = Path(out)
    make_folder(folder)
    files, failures = [], []
    with progress_bar(progress) as bar:
        named = bar.track(list(zip(names, _stems(names), strict=True)), description="panels")
        for place, (name, stem) in enumerate(named, 1):
            file = folder / f"{place:04d}-{stem}.{to}"
            try:
                original = originals.get(subject.number(0, name), Original())
                views = list(_views(subject, original, rows.get(name), signs.get(name)))
                _save(views, _title(subject, name), file)
                files.append(file)
            except (QuickgazeError, OSError) as error:
                failures.append((name, str(error)))
    return Panels(tuple(files), tuple(failures))


def _chosen(subject: Subject, stimuli: Sequence[str] | None, bottom: int) -> list[str]:
    if stimuli is None:
        if bottom < 1:
            raise OptionError(f"bottom is {bottom}; give at least 1, or name stimuli")
        return subject.least(0, bottom)
    known = {identifier for _, identifier in subject.keys}
    for name in stimuli:
        if name not in known:
            raise unknown_name("stimulus of the run", name, sorted(known)[:50])
    if not stimuli:
        raise OptionError("no stimulus is named; give the ids of the stimuli to draw")
    return list(dict.fromkeys(stimuli))


def _stems(names: Sequence[str]) -> list[str]:
    """File names of letters, digits and dashes alone."""
    return file_stems(Path(re.sub("[^A-Za-z0-9]", "-", name)[-80:] + ".x") for name in names)


def _title(subject: Subject, stimulus: str) -> str:
    scores = subject.scores_of(subject.main_of(0)).filter(pl.col("stimulus") == stimulus)
    score = scores[subject.metric][0] if scores.height else None
    return f"{stimulus}   {subject.metric} {number(score)}"


def _views(
    subject: Subject, original: Original, row: dict[str, Any] | None, sign: Sign | None
) -> Iterator[_View]:
    """Pictures of a stimulus, from left to right."""
    settings, sigma = subject.runs[0].plan.settings, subject.main_of(0).key.sigma or _BLUR
    image = original.read_image()
    if image is not None:
        yield _View("image", image)
    if row is not None and sign is not None:
        stored = StoredMap.of(row)
        oriented = stored.signed(sign)
        height, width = stored.cam.grid
        yield _View(f"CAM, {height} x {width}", oriented[0].numpy(), DIVERGING)
        smoothed = stored.saliency(oriented, sigma, settings.rectify)
        yield _View(f"saliency map, sigma {sigma:g}", smoothed, SEQUENTIAL)
    size = None if image is None else image.shape[:2]
    density = original.read_density(settings.density_sigma, size)
    if density is not None:
        yield _View("people", density, SEQUENTIAL)


def _save(views: Sequence[_View], title: str, file: Path) -> None:
    if not views:
        raise OptionError("it has neither a photograph nor a map")
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to import, and only panels need it

    # A CAM is shown at the shape of the other pictures.
    shaping = [view for view in views if view.colours != DIVERGING] or views[:1]
    shapes = [view.values.shape for view in shaping]
    ratio = min(max(0.3, *(height / width for height, width, *_ in shapes)), 3.0)
    figure = Figure(figsize=(_SIDE * len(views), _SIDE * ratio + 0.75), layout="constrained")
    # A dollar sign in an id does not start a formula.
    figure.suptitle(_printable(title), fontsize=9, parse_math=False)
    for axes, view in zip(figure.subplots(1, len(views), squeeze=False)[0], views, strict=True):
        high = 1.0  # ignored for photographs
        if view.colours == DIVERGING:
            high = float(np.nanmax(np.abs(view.values), initial=0)) or 1.0
        axes.imshow(
            view.values,
            cmap=view.colours,
            vmin=-high if view.colours == DIVERGING else 0.0,
            vmax=high,
            extent=(0, shapes[0][1], shapes[0][0], 0),
            interpolation="nearest",
        )
        axes.set_title(view.title, fontsize=8)
        axes.set_axis_off()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # ids may be in any script
        figure.savefig(file, dpi=_DPI)


def _printable(text: str) -> str:
    return "".join(each if each.isprintable() else "?" for each in text)
