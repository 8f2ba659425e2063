"""Backbones as data: what they are made of, what they read, where their weights come from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class LevelSpec:
    """One level of a backbone's pyramid.

    Parameters
    ----------
    name : str
        Its name in the pyramid.
    stride : int
        Input pixels per cell.
    channels : int
        Number of feature channels.
    """

    name: str
    stride: int
    channels: int


@dataclass(frozen=True)
class InputGeometry:
    """How an image is resized before the network sees it.

    Parameters
    ----------
    short_side : int, optional
        Pixels that the shorter side is brought to; None leaves the image at its own size.
    long_side : int
        Pixels that the longer side may not exceed; a longer image is reduced to it.
    multiple : int
        The input is padded with zeros, at the bottom and on the right, to a multiple of this.
    antialias : bool
        Whether reducing an image filters out what the smaller one cannot show.

    Examples
    --------
    >>> InputGeometry(800, 1333, 32).resized((480, 640))
    (800, 1066)
    >>> InputGeometry(None, 1333).resized((480, 640))
    (480, 640)
    """

    short_side: int | None
    long_side: int
    multiple: int = 1
    antialias: bool = False

    def resized(self, size: tuple[int, int]) -> tuple[int, int]:
        """Height and width in pixels that an image of `size` is resized to."""
        scale = min(
            1.0 if self.short_side is None else self.short_side / min(size),
            self.long_side / max(size),
        )
        height, width = (max(1, int(side * scale)) for side in size)
        return height, width


@dataclass(frozen=True)
class Weights:
    """Trained weights of a backbone.

    Parameters
    ----------
    tag : str
        Name that goes into every result.
    license : str
        Under which they may be used.
    file_name : str
        Name of the file that holds them.
    package : str, optional
        Installed package that carries the file.
    url : str, optional
        Where the file is downloaded from, where no package carries it.
    """

    tag: str
    license: str
    file_name: str
    package: str | None = None
    url: str | None = None


@dataclass(frozen=True)
class BackboneSpec:
    """What is known of a backbone before anything is loaded.

    Parameters
    ----------
    name : str
        As in ``load_backbone(name)``.
    family : {"timm", "detector"}
        Which adapter builds it.
    architecture : str
        The builder's own name for it, in timm or in torchvision.
    levels : tuple of LevelSpec
        From fine to coarse.
    geometry : InputGeometry
        How images are resized.
    mean, std : tuple of float
        Per channel, in units of [0, 1].
    weights : Weights
        The trained weights that ``weights="default"`` means.
    summary : str
        One line for lists.
    """

    name: str
    family: Literal["timm", "detector"]
    architecture: str
    levels: tuple[LevelSpec, ...]
    geometry: InputGeometry
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    weights: Weights
    summary: str


WeightsChoice = str | Path
"""``"default"``, ``"none"`` (random) or the path of a file."""
