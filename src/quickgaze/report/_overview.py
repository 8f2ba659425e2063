"""A page of images and their maps that opens from disk, and `map_files`, which writes one."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import PIL.Image

from quickgaze.cams import CAMS
from quickgaze.errors import QuickgazeError, UndefinedMapWarning
from quickgaze.exports.targets import make_folder
from quickgaze.report._page import render
from quickgaze.report._picking import apart, left_out, pick
from quickgaze.saliency import FloatMap, SaliencyModel, SaliencyResult, colour, overlay
from quickgaze.stimuli import read_image
from quickgaze.stimuli.types import Image
from quickgaze.study import progress_bar

_THUMBNAIL = 640  # longest side in pixels of the pictures on the page
_PREDICTED = "predicted gaze"


@dataclass(frozen=True)
class Panel:
    """One picture of a card.

    Parameters
    ----------
    label : str
        What it shows: ``"image"``, ``"map"``, ``"density"``.
    file : str
        Path of the picture, relative to the page.

    Examples
    --------
    >>> Panel("image", "pictures/cat-image.jpg").file
    'pictures/cat-image.jpg'
    """

    label: str
    file: str


@dataclass(frozen=True)
class Card:
    """One stimulus: its pictures side by side.

    Parameters
    ----------
    title : str
        The stimulus's id or name.
    caption : str
        Its scores or other facts.
    panels : sequence of Panel

    Examples
    --------
    >>> card = Card("cat", "cc 0.62", [Panel("image", "pictures/cat-image.jpg")])
    >>> [panel.label for panel in card.panels]
    ['image']
    """

    title: str
    caption: str
    panels: Sequence[Panel]


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Parameters
    ----------
    title : str
    text : str
        What it shows, in a sentence or two.
    cards : sequence of Card
    columns : sequence of str
        Headings of a table above the cards; none by default.
    rows : sequence of sequence of str
        Its cells.

    Examples
    --------
    >>> section = Section("Rules", "Means.", columns=("rule", "cc"), rows=[("activation", "0.45")])
    >>> section.cards
    ()
    """

    title: str
    text: str
    cards: Sequence[Card] = ()
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()


@dataclass(frozen=True)
class Pictures:
    """Writes the pictures of a page.

    Parameters
    ----------
    folder : Path
        Folder of the page; pictures go into ``pictures`` below it.

    Examples
    --------
    >>> import tempfile
    >>> from skimage.data import chelsea
    >>> image = chelsea()
    >>> saliency = np.linspace(0, 1, 451, dtype=np.float32) * np.ones((300, 1), np.float32)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     panels = Pictures(Path(folder)).panels("cat", image, saliency)
    >>> [(panel.label, panel.file) for panel in panels][2]
    ('overlay', 'pictures/cat-overlay.jpg')
    """

    folder: Path

    def panels(
        self, stem: str, image: Image, saliency: FloatMap, **others: FloatMap
    ) -> Sequence[Panel]:
        """Write an image, its map and their overlay as small pictures.

        Parameters
        ----------
        stem : str
            Start of the file names; letters, digits and dashes.
        image : ndarray, shape (H, W, 3), uint8
        saliency : ndarray, shape (H, W)
            In [0, 1].
        **others : ndarray, shape (H, W)
            Further maps in [0, 1] by their label: ``density=...``.

        Returns
        -------
        sequence of Panel
        """
        pictures = {
            "image": PIL.Image.fromarray(image),
            "saliency map": PIL.Image.fromarray(colour(saliency)),
            "overlay": overlay(image, saliency),
        }
        pictures |= {label: PIL.Image.fromarray(colour(each)) for label, each in others.items()}
        return [
            Panel(label, self._write(f"{stem}-{label.replace(' ', '-')}", picture))
            for label, picture in pictures.items()
        ]

    def _write(self, stem: str, picture: PIL.Image.Image) -> str:
        folder = self.folder / "pictures"
        folder.mkdir(parents=True, exist_ok=True)
        picture.thumbnail((_THUMBNAIL, _THUMBNAIL))
        picture.save(folder / f"{stem}.jpg", quality=88)
        return f"pictures/{stem}.jpg"


def write_overview(folder: Path, title: str, text: str, sections: Sequence[Section]) -> Path:
    """Write the page ``index.html``.

    Parameters
    ----------
    folder : Path
        Where it goes, with the pictures that its cards name.
    title : str
    text : str
        What the page shows, in a sentence or two.
    sections : sequence of Section

    Returns
    -------
    Path
        The page. Names and texts are escaped.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page = write_overview(Path(folder), "Cats", "Where?", [Section("One", "A < B")])
    ...     page.name, "A &lt; B" in page.read_text(encoding="utf-8")
    ('index.html', True)
    """
    path = folder / "index.html"
    render("overview.html.j2", path, title=title, text=text, sections=sections)
    return path


@dataclass(frozen=True)
class Mapped:
    """The result of `map_files`.

    Parameters
    ----------
    count : int
        Number of files mapped.
    failures : tuple of (Path, str)
        The other files, and why they could not be mapped.
    page : Path
        The overview.
    skipped : tuple of Path
        Files in the folders that are not named like images, and were not looked at.

    Examples
    --------
    >>> Mapped(2, ((Path("notes.txt"), "not an image"),), Path("out/index.html")).count
    2
    """

    count: int
    failures: tuple[tuple[Path, str], ...]
    page: Path
    skipped: tuple[Path, ...] = ()

    def left_out(self) -> str:
        """Say which files were skipped.

        Returns
        -------
        str
            Their number, and the names of the first ones.
        """
        return left_out(self.skipped)


def map_files(
    model: SaliencyModel, paths: Sequence[Path], out: Path, arrays: bool = False
) -> Mapped:
    """Write a map, an overlay and an overview page for image files.

    Parameters
    ----------
    model : SaliencyModel
    paths : sequence of Path
        Images, or folders of images. Subfolders are entered; hidden files and folders are not,
        nor is `out`.
    out : Path
        Folder for ``<stem>_map.png``, ``<stem>_overlay.png``, in subfolders like those of the
        images, and ``index.html``. A model with a readout adds ``<stem>_density.png`` and
        ``<stem>_density_overlay.png``: where people are predicted to look.
    arrays : bool
        Whether to write the maps as ``<stem>_map.npy`` too, and densities, which sum to 1, as
        ``<stem>_density.npy``.

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
    picked = pick(paths, out)
    make_folder(out)
    pictures = Pictures(out)
    cards: list[Card] = []
    failures: list[tuple[Path, str]] = []
    with progress_bar(True) as bar:
        named = bar.track(list(zip(picked.files, picked.names, strict=True)), description="map")
        for number, (file, stem) in enumerate(named, 1):
            small = f"{number:04d}"
            try:
                image = read_image(file)
                with warnings.catch_warnings():
                    warnings.simplefilter("error", UndefinedMapWarning)
                    result = model(image)
                make_folder((out / stem).parent)
                write_maps(out, stem, image, result.map, arrays)
                others = {}
                if result.density is not None:
                    others = {_PREDICTED: result.density / result.density.max()}
                    _write_density(out, stem, image, result.density, arrays)
                panels = pictures.panels(small, image, result.map, **others)
                title = str(PurePosixPath(stem).with_name(file.name))
                cards.append(Card(title, _caption(result), panels))
            except (QuickgazeError, OSError, UndefinedMapWarning) as error:
                failures.append((file, str(error)))
    counts = f"{len(cards)} of {len(picked.files)} images"
    text = f"{counts}; {left_out(picked.skipped)}." if picked.skipped else f"{counts}."
    section = Section("Images", text, cards)
    looking = model.backbone.name if CAMS[model.cam].of_images is None else model.cam
    title = f"Where does {looking} look?"
    page = write_overview(out, title, _described(model), [section])
    return Mapped(len(cards), tuple(failures), page, picked.skipped)


def _caption(result: SaliencyResult) -> str:
    """Say what a map has: some CAMs are not components, or have no sign to choose."""
    parts = [f"{result.grid[0]} x {result.grid[1]} cells"]
    if not math.isnan(result.explained_variance):
        parts.append(f"explained variance {result.explained_variance:.0%}")
    if not math.isnan(result.orientation_margin):
        parts.append(f"orientation margin {result.orientation_margin:.2f}")
    return " · ".join(parts)


def _write_density(folder: Path, stem: str, image: Image, density: FloatMap, array: bool) -> None:
    shown = density / density.max()
    _write_pictures(folder, f"{stem}_density", f"{stem}_density_overlay", image, shown)
    if array:
        np.save(folder / f"{stem}_density.npy", density, allow_pickle=False)


def _write_pictures(folder: Path, grey: str, laid: str, image: Image, shown: FloatMap) -> None:
    values = np.round(np.nan_to_num(shown) * 255).astype(np.uint8)
    PIL.Image.fromarray(values).save(folder / f"{grey}.png")
    overlay(image, shown).save(folder / f"{laid}.png")


def _described(model: SaliencyModel) -> str:
    method = CAMS[model.cam]
    grid = f" on the grid {model.options.grid}" if method.has_grid else ""
    orientation = f", orientation {model.orientation}" if method.signed else ""
    described = f"{model.cam} ({method.summary}){grid}{orientation}."
    if model.readout is None:
        return described
    predicted = f"{_PREDICTED.capitalize()} is where people are expected to look"
    return f"{described} {predicted}, by a readout of {model.readout.card.title}."


def write_maps(folder: Path, stem: str, image: Image, saliency: FloatMap, array: bool) -> None:
    """Write a saliency map at full size: in grey and laid over the image.

    Parameters
    ----------
    folder : Path
    stem : str
        Start of the file names.
    image : ndarray, shape (H, W, 3), uint8
    saliency : ndarray, shape (H, W)
        In [0, 1].
    array : bool
        Whether to write the values as a NumPy file too.

    Examples
    --------
    >>> import tempfile
    >>> image, saliency = np.zeros((3, 4, 3), np.uint8), np.eye(3, 4, dtype=np.float32)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_maps(Path(folder), "cat", image, saliency, array=True)
    ...     sorted(path.name for path in Path(folder).iterdir())
    ['cat_map.npy', 'cat_map.png', 'cat_overlay.png']
    """
    _write_pictures(folder, f"{stem}_map", f"{stem}_overlay", image, saliency)
    if array:
        np.save(folder / f"{stem}_map.npy", saliency, allow_pickle=False)


def file_stems(paths: Iterable[Path]) -> list[str]:
    """Find a file name for each path, numbered where two would be the same.

    Parameters
    ----------
    paths : iterable of Path

    Returns
    -------
    list of str
        Without folder and ending; no two differ only in case.

    Examples
    --------
    >>> file_stems([Path("a/cat.jpg"), Path("b/Cat.png"), Path("dog.jpg")])
    ['cat', 'Cat-2', 'dog']
    """
    return apart(path.stem for path in paths)
