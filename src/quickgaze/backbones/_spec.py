"""Backbones as data: what they are made of, how they see images, what weights they have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from quickgaze.backbones._geometry import InputGeometry, choose_geometry
from quickgaze.errors import OptionError


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

    Examples
    --------
    >>> from quickgaze.backbones import find_spec
    >>> find_spec("efficientnet_lite0").levels[-1]
    LevelSpec(name='s32', stride=32, channels=320)
    """

    name: str
    stride: int
    channels: int


@dataclass(frozen=True)
class Weights:
    """Trained weights of a backbone.

    Parameters
    ----------
    tag : str
        Name that goes into every result.
    license : str
        Licence under which they may be used.
    file_name : str
        Name of the file that holds them.
    package : str, optional
        Installed package that carries the file.
    url : str, optional
        Where the file is downloaded from if no package carries it.
    hub : str, optional
        Repository that timm itself takes them from.

    Examples
    --------
    >>> from quickgaze.backbones import find_spec
    >>> weights = find_spec("fasterrcnn_resnet50_fpn").weights
    >>> weights.tag, weights.license
    ('COCO_V1', 'BSD-3-Clause')
    """

    tag: str
    license: str
    file_name: str
    package: str | None = None
    url: str | None = None
    hub: str | None = None


@dataclass(frozen=True)
class BackboneSpec:
    """What is known of a backbone before anything is loaded.

    Parameters
    ----------
    name : str
        As in ``load_backbone(name)``.
    family : {"timm", "timm_tokens", "detector", "module"}
        Who builds it: timm, torchvision, or the user.
    architecture : str
        Its name in timm or torchvision, or the name of the module's class.
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
    frozen_norm_eps : float, optional
        Epsilon of the frozen batch norms that the published weights were made with; None for
        ordinary batch norms.
    only_size : bool
        Whether the network takes only the input that `geometry` makes.
    options : mapping of str to object
        Arguments for timm.

    Examples
    --------
    >>> from quickgaze.backbones import find_spec
    >>> spec = find_spec("fasterrcnn_resnet50_fpn")
    >>> str(spec.geometry), [level.stride for level in spec.levels]
    ('short side 800, long side at most 1333', [4, 8, 16, 32, 64])
    """

    name: str
    family: Literal["timm", "timm_tokens", "detector", "module"]
    architecture: str
    levels: tuple[LevelSpec, ...]
    geometry: InputGeometry
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    weights: Weights
    summary: str
    frozen_norm_eps: float | None = None
    only_size: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)

    def at(self, geometry: str) -> BackboneSpec:
        """Give the same backbone with another geometry.

        Parameters
        ----------
        geometry : str
            As for `choose_geometry`.

        Returns
        -------
        BackboneSpec

        Raises
        ------
        UnknownNameError
            If there is no such geometry.
        OptionError
            If the network takes images of one size only.
        """
        chosen = choose_geometry(geometry, self.geometry)
        if self.only_size and geometry != "default":
            raise OptionError(
                f"{self.name} takes images of {self.geometry} only; leave geometry at 'default'"
            )
        return replace(self, geometry=chosen)


WeightsChoice = str | Path
"""``"default"``, ``"none"`` (random) or the path of a file."""
