"""`write_report`: from runs to one folder that opens from disk and can be mailed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import polars as pl

from quickgaze.errors import OptionError
from quickgaze.exports.targets import replaced_folder
from quickgaze.findings import image_attributes
from quickgaze.findings.selection import Chosen, check_installed
from quickgaze.places import PathLike, readable
from quickgaze.report._album import LONGEST, no_album, write_album
from quickgaze.report._contents import Bootstrap, Chapter
from quickgaze.report._gallery import gallery_data
from quickgaze.report._originals import Originals, find_originals
from quickgaze.report._page import GALLERY, write_page
from quickgaze.report._papers import write_figures, write_tables
from quickgaze.report._subjects import Subject, subject_of
from quickgaze.report.chapters._attributes import attributes_chapter, match_attributes
from quickgaze.report.chapters._calibrated import calibrated_chapters
from quickgaze.report.chapters._comparison import comparison_chapter
from quickgaze.report.chapters._dives import dive_chapter
from quickgaze.report.chapters._known import known_chapters
from quickgaze.report.chapters._means import means_chapter
from quickgaze.report.chapters._orientation import orientation_chapter
from quickgaze.report.chapters._records import failures_chapter, provenance_chapter
from quickgaze.report.chapters._spread import ranking_chapter, spread_chapter
from quickgaze.stimuli import Dataset, Stimulus
from quickgaze.study import Run
from quickgaze.study.variants import NO_BACKBONE

_MARK = "report.json"  # this file marks a folder as a report

_GALLERY_TEXT = (
    "Every stimulus, with what the model and people look at. Sort by any metric, filter by id or "
    "attribute, and switch between the layers; click a stimulus or press Enter to enlarge it."
)
_NO_PICTURES = (
    "There are no pictures: the runs have kept no maps, and no photographs were given (--dataset "
    "and --root, or --images and --maps). Ids, scores and attributes can still be sorted and "
    "filtered."
)


@dataclass(frozen=True)
class Report:
    """A report that has been written.

    Parameters
    ----------
    folder : Path
        All of it.
    page : Path
        The page, for a browser.
    stimuli : int
        Number of its stimuli.
    failures : tuple of (str, str)
        Stimuli without some picture, and why.

    Examples
    --------
    >>> folder = Path("report")
    >>> report = Report(folder, folder / "index.html", stimuli=3, failures=())
    >>> report.page.as_posix()
    'report/index.html'
    """

    folder: Path
    page: Path
    stimuli: int
    failures: tuple[tuple[str, str], ...]

    def _repr_html_(self) -> str:
        """Link to the page, for notebooks."""
        link = escape(self.page.resolve().as_uri(), quote=True)
        name = escape(readable(self.page))
        return f'Report on {self.stimuli:,} stimuli: <a href="{link}">{name}</a>'


def write_report(
    runs: Run | Sequence[Run],
    out: PathLike,
    *,
    dataset: Dataset | None = None,
    images: PathLike | None = None,
    maps: PathLike | None = None,
    attributes: Sequence[pl.DataFrame] = (),
    image_statistics: bool = False,
    metric: str | None = None,
    variant: Chosen | None = None,
    title: str | None = None,
    pictures: bool = True,
    picture_size: int = LONGEST,
    papers: bool = True,
    deep_dive: int = 25,
    resamples: int = 2000,
    seed: int = 0,
    command: str | None = None,
    overwrite: bool = False,
    progress: bool = True,
) -> Report:
    """Write the findings of runs as one folder that opens from disk, without any network.

    Parameters
    ----------
    runs : Run or sequence of Run
        Complete or not.
    out : path
        The folder: ``index.html``, ``pictures/``, ``figures/`` (SVG, PDF, PNG) and ``tables/``
        (CSV, LaTeX). It appears when it is complete.
    dataset : Dataset, optional
        The runs' data set, for photographs and human densities.
    images, maps : path, optional
        Instead of a data set: folders of photographs and of human densities, whose files are named
        like the stimuli.
    attributes : sequence of polars.DataFrame
        Attributes of the stimuli: each with a column ``stimulus``.
    image_statistics : bool
        Whether to measure how the photographs look, as attributes.
    metric : str, optional
        Metric that single findings are about; by default cc, or else the first.
    variant : mapping, optional
        Keys of the variant that single findings are about, such as ``{"orientation": "skew"}``.
    title : str, optional
        Title of the page.
    pictures : bool
        Whether to draw pictures.
    picture_size : int
        Longest side of a picture in pixels.
    papers : bool
        Whether to write figures and tables as files.
    deep_dive : int
        Number of stimuli of least agreement to look at.
    resamples, seed : int
        Draws of the bootstrap, and their seed.
    command : str, optional
        The command that wrote the report, for its provenance.
    overwrite : bool
        Whether to replace a report at `out`; nothing else is ever replaced.
    progress : bool
        Whether to show progress bars, on standard error.

    Returns
    -------
    Report

    Raises
    ------
    OptionError
        If an option cannot be used, or `out` cannot be written. Nothing is left at `out`.
    DatasetError
        If a folder of images or maps cannot be used.

    Examples
    --------
    >>> import tempfile
    >>> import quickgaze as qg
    >>> displays = qg.load_dataset("popout", n=3, size=(120, 160))
    >>> study = qg.Study(displays, metrics=["cc"], orientations=["activation"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = study.run(f"{folder}/run", progress=False)
    ...     report = write_report(
    ...         run, f"{folder}/report", dataset=displays, papers=False, progress=False
    ...     )
    ...     report.stimuli, sorted(path.name for path in report.folder.iterdir())
    (3, ['index.html', 'pictures', 'report.json'])
    """
    if picture_size < 32:
        raise OptionError(f"picture_size is {picture_size}; give at least 32 pixels")
    if deep_dive < 0:
        raise OptionError(f"deep_dive is {deep_dive}; give a number of stimuli, 0 for none")
    opened = [runs] if isinstance(runs, Run) else list(runs)
    for run in opened:
        check_installed(run, run.metrics)
    subject = subject_of(opened, metric, variant)
    originals = find_originals(subject, dataset, images, maps)
    tables = [*attributes, *_own_attributes(subject, originals)]
    known = match_attributes(subject, tables)
    target = Path(out)
    with replaced_folder(
        target, opened, "a report", overwrite=overwrite, refuse=_refuse_others
    ) as folder:
        if image_statistics:
            given = {name for table in tables for name in table.columns} - {"stimulus"}
            measured = _statistics(subject, originals).drop(given, strict=False)
            known = match_attributes(subject, [*tables, measured])
        album = (
            write_album(subject, originals, folder, longest=picture_size, progress=progress)
            if pictures
            else no_album(subject)
        )
        bootstrap = Bootstrap(resamples=resamples, seed=seed)
        chapters = [
            means_chapter(subject, bootstrap),
            *known_chapters(subject, bootstrap),
            *calibrated_chapters(subject, bootstrap),
            spread_chapter(subject),
            ranking_chapter(subject),
            orientation_chapter(subject),
            Chapter(GALLERY, "Gallery", _GALLERY_TEXT, missing=_NO_PICTURES if album.empty else ""),
            dive_chapter(subject, album, deep_dive),
            attributes_chapter(subject, known, bootstrap),
            comparison_chapter(subject, bootstrap),
            failures_chapter(subject, album),
            provenance_chapter(subject, originals.notes, command),
        ]
        if papers:
            parts = [part for chapter in chapters for part in chapter.parts]
            figures = [figure for part in parts for figure in part.figures]
            write_figures(figures, folder / "figures", progress)
            write_tables([each for part in parts for each in part.tables], folder / "tables")
        write_page(
            folder / "index.html",
            chapters,
            gallery_data(subject, album, known),
            title=title or _title(subject),
            text=_described(subject),
            stimuli={name: number for number, name in enumerate(subject.stimuli)},
            files_written=papers,
        )
        (folder / _MARK).write_text(json.dumps({"what": "quickgaze report"}), encoding="utf-8")
    failures = tuple((subject.stimuli[number], reason) for number, reason in album.failures)
    return Report(target, target / "index.html", len(subject.stimuli), failures)


def _title(subject: Subject) -> str:
    datasets = dict.fromkeys(run.plan.dataset.name for run in subject.runs)
    keys = [variant.key for variant in subject.variants]
    backbones = dict.fromkeys(key.backbone for key in keys if key.backbone != NO_BACKBONE)
    looking = backbones or dict.fromkeys(key.cam for key in keys)
    return f"Does {', '.join(looking)} look where people look? ({', '.join(datasets)})"


def _described(subject: Subject) -> str:
    runs, variants = _counted(len(subject.runs), "run"), _counted(len(subject.variants), "variant")
    editions = dict.fromkeys(run.plan.dataset.title for run in subject.runs)
    return (
        f"{len(subject.stimuli):,} stimuli of {'; '.join(editions)}. {runs}, "
        f"{variants}, metrics in the convention {subject.variants[0].key.convention}."
    )


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _own_attributes(subject: Subject, originals: Originals) -> list[pl.DataFrame]:
    """Gather the attributes that a data set gives its stimuli."""
    known = {
        place: original.stimulus.attributes
        for place, original in originals.by_number.items()
        if original.stimulus is not None and original.stimulus.attributes
    }
    if not known:
        return []
    names = dict.fromkeys(name for own in known.values() for name in own)
    identifiers = [subject.keys[place][1] for place in known]
    columns = (
        pl.Series(name, [own.get(name) for own in known.values()], strict=False) for name in names
    )
    return [pl.DataFrame({"stimulus": identifiers}).with_columns(columns)]


def _statistics(subject: Subject, originals: Originals) -> pl.DataFrame:
    """Measure how the photographs look."""
    stimuli = []
    for place, original in originals.by_number.items():
        if original.stimulus is not None:
            stimuli.append(original.stimulus)
        elif original.image is not None:
            stimuli.append(Stimulus(subject.keys[place][1], original.image))
    if not stimuli:
        raise OptionError(
            "image statistics need the photographs; give the data set, or the folder of images"
        )
    return image_attributes(stimuli)


def _refuse_others(folder: Path) -> None:
    if not (folder / _MARK).is_file():
        raise OptionError(
            f"{readable(folder)} holds something other than a report and is not overwritten; name "
            "another folder"
        )
