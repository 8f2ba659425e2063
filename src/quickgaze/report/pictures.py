"""Saliency maps of photographs, as picture files and a page to look at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import PIL.Image

from quickgaze.report.overview import Panel
from quickgaze.saliency import FloatMap, colour, overlay
from quickgaze.stimuli.types import Image

THUMBNAIL = 640
"""Longest side in pixels of the pictures that stand on a page."""


@dataclass(frozen=True)
class Pictures:
    """Writes the pictures of a page into one folder.

    Parameters
    ----------
    folder : Path
        Of the page; pictures go into ``pictures`` below it.

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
        """Write an image, its map and both together as small pictures.

        Parameters
        ----------
        stem : str
            Start of the file names; letters, digits and dashes.
        image : ndarray, shape (H, W, 3), uint8
        saliency : ndarray, shape (H, W)
            In [0, 1].
        **others : ndarray, shape (H, W)
            Further maps in [0, 1], by what they show: ``density=...``.

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
        picture.thumbnail((THUMBNAIL, THUMBNAIL))
        picture.save(folder / f"{stem}.jpg", quality=88)
        return f"pictures/{stem}.jpg"


def write_maps(folder: Path, stem: str, image: Image, saliency: FloatMap, array: bool) -> None:
    """Write a saliency map at full size: as a grey picture and laid over the image.

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
    grey = np.round(np.nan_to_num(saliency) * 255).astype(np.uint8)
    PIL.Image.fromarray(grey).save(folder / f"{stem}_map.png")
    overlay(image, saliency).save(folder / f"{stem}_overlay.png")
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
        Each once, whatever the case of its letters; without folder and ending.

    Examples
    --------
    >>> file_stems([Path("a/cat.jpg"), Path("b/Cat.png"), Path("dog.jpg")])
    ['cat', 'Cat-2', 'dog']
    """
    taken: set[str] = set()
    stems = []
    for path in paths:
        stem, number = path.stem, 1
        while stem.lower() in taken:
            number += 1
            stem = f"{path.stem}-{number}"
        taken.add(stem.lower())
        stems.append(stem)
    return stems
