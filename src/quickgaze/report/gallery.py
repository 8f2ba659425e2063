"""Maps of a user's own image files."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from quickgaze.cams import CAMS
from quickgaze.errors import OptionError, QuickgazeError, StimulusError
from quickgaze.report.overview import Card, Section, write_overview
from quickgaze.report.pictures import Pictures, file_stems, write_maps
from quickgaze.saliency import SaliencyModel, SaliencyResult
from quickgaze.stimuli import read_image
from quickgaze.stimuli.files import IMAGE_SUFFIXES, readable
from quickgaze.study import progress_bar


@dataclass(frozen=True)
class Mapped:
    """What became of the files.

    Parameters
    ----------
    count : int
        How many were mapped.
    failures : tuple of (Path, str)
        Files that could not be, and why.
    page : Path
        The overview.

    Examples
    --------
    >>> Mapped(2, ((Path("notes.txt"), "it is no image"),), Path("out/index.html")).count
    2
    """

    count: int
    failures: tuple[tuple[Path, str], ...]
    page: Path


def map_files(
    model: SaliencyModel, paths: Sequence[Path], out: Path, arrays: bool = False
) -> Mapped:
    """Write a map, an overlay and an overview page for image files.

    Parameters
    ----------
    model : SaliencyModel
    paths : sequence of Path
        Images, or folders whose images are taken.
    out : Path
        Folder for ``<stem>_map.png``, ``<stem>_overlay.png`` and ``index.html``.
    arrays : bool
        Whether to write the maps as ``<stem>_map.npy`` too.

    Returns
    -------
    Mapped

    Raises
    ------
    OptionError
        If `out` cannot be written.
    StimulusError
        If there is no file to map.

    Examples
    --------
    >>> import tempfile
    >>> import PIL.Image
    >>> from skimage.data import chelsea
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     photograph, out = Path(folder, "cat.png"), Path(folder, "out")
    ...     PIL.Image.fromarray(chelsea()).save(photograph)
    ...     mapped = map_files(SaliencyModel(), [photograph], out)
    ...     mapped.count, sorted(path.name for path in out.iterdir())
    (1, ['cat_map.png', 'cat_overlay.png', 'index.html', 'pictures'])
    """
    files = list(image_files(paths))
    if not files:
        raise StimulusError(f"there is no image in {', '.join(map(str, paths))}")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OptionError(f"{readable(out)} cannot be written: {error.strerror}") from error
    pictures = Pictures(out)
    cards: list[Card] = []
    failures: list[tuple[Path, str]] = []
    with progress_bar(True) as bar:
        task = bar.add_task("map", total=len(files))
        for number, (file, stem) in enumerate(zip(files, file_stems(files), strict=True), 1):
            try:
                image = read_image(file)
                result = model(image)
                write_maps(out, stem, image, result.map, arrays)
                panels = pictures.panels(f"{number:04d}", image, result.map)
                cards.append(Card(file.name, _caption(result), panels))
            except (QuickgazeError, OSError) as error:
                failures.append((file, str(error)))
            bar.advance(task)
    section = Section("Images", f"{len(cards)} of {len(files)} images.", cards)
    title = f"Where does {model.backbone.name} look?"
    page = write_overview(out, title, _described(model), [section])
    return Mapped(len(cards), tuple(failures), page)


def _caption(result: SaliencyResult) -> str:
    """Say what a map has: some CAMs are no component, or have no sign to choose."""
    parts = [f"{result.grid[0]} x {result.grid[1]} cells"]
    if not math.isnan(result.explained_variance):
        parts.append(f"explained variance {result.explained_variance:.0%}")
    if not math.isnan(result.orientation_margin):
        parts.append(f"orientation margin {result.orientation_margin:.2f}")
    return " · ".join(parts)


def _described(model: SaliencyModel) -> str:
    method = CAMS[model.cam]
    grid = f" on the grid {model.options.grid}" if method.has_grid else ""
    orientation = f", orientation {model.orientation}" if method.signed else ""
    return f"{model.cam} ({method.summary}){grid}{orientation}."


def image_files(paths: Sequence[Path]) -> Iterator[Path]:
    """Find the images that paths name.

    Parameters
    ----------
    paths : sequence of Path
        Files are taken as they are; of folders the files with an image's ending, sorted.

    Yields
    ------
    Path
    """
    for path in paths:
        if path.is_dir():
            yield from sorted(
                file for file in path.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES
            )
        else:
            yield path
