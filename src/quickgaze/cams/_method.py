"""What a CAM is made from, and what makes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch

from quickgaze.backbones import Backbone, BackboneSpec, Pyramid
from quickgaze.cams._cam import Cam
from quickgaze.options import FeatureOptions, ModelOptions, documented, options_of


@documented(FeatureOptions)
@dataclass(frozen=True)
class CamOptions(FeatureOptions):
    """How features become a map.

    Parameters
    ----------
    grid : str
        Where the levels are brought together: a level's name, ``"coarsest"``, ``"finest"``, a
        stride (``"s32"``) or height x width (``"30x40"``).
    component : int
        Which principal component, from 0.
    {options}

    Examples
    --------
    >>> CamOptions(grid="s16", levels=("s8", "s16")).component
    0
    """

    grid: str = ModelOptions.grid
    component: int = ModelOptions.component

    @classmethod
    def of(cls, given: FeatureOptions, grid: str, component: int) -> CamOptions:
        """Take the options of features from those of a model or a study.

        Parameters
        ----------
        given : FeatureOptions
            Options of a model or a study.
        grid, component
            As above.

        Returns
        -------
        CamOptions
        """
        features = {each.name: getattr(given, each.name) for each, _ in options_of(FeatureOptions)}
        return cls(grid, component, **features)


@dataclass(frozen=True, eq=False)
class CamInput:
    """A batch of images and the network that looks at them.

    Parameters
    ----------
    backbone : Backbone
    images : Tensor, shape (B, 3, H, W), float32
        RGB in [0, 1], all of one size.

    Examples
    --------
    >>> from quickgaze.backbones import load_backbone
    >>> given = CamInput(load_backbone("efficientnet_lite0"), torch.zeros(2, 3, 64, 96))
    >>> len(given.pyramid), given.pyramid.shape("s32")
    (2, (2, 320, 2, 3))
    """

    backbone: Backbone
    images: torch.Tensor

    @cached_property
    def pyramid(self) -> Pyramid:
        """Features of the images; computed once, when they are first asked for."""
        return self.backbone(self.images)


@dataclass(frozen=True)
class CamMethod:
    """A way to make maps.

    Parameters
    ----------
    name : str
        Goes into every result: letters, digits, dots, dashes and underscores.
    summary : str
        What the map shows, in one line.
    compute : callable
        From `CamInput` and `CamOptions` to the `Cam` of the batch.
    signed : bool
        Whether the map's sign is open, so that an orientation rule has to fix it. Other methods
        are scored once, under the orientation ``"none"``.
    has_grid : bool
        Whether it follows the option `grid`. Other methods are computed once, under the grid
        ``"own"``.
    has_components : bool
        Whether there are several components to choose from.
    check : callable, optional
        Raises an `OptionError`, before any work, for a backbone that the map cannot be made
        with.
    of_images : callable, optional
        From images (B, 3, H, W) to the `Cam` of the batch, for maps in which no backbone takes
        part. A study computes them once, under the backbone ``"none"``.
    backbone : str, optional
        The only backbone that it is made for; a study leaves it out for its others.

    Examples
    --------
    >>> from quickgaze.cams import Cam, CAMS
    >>> CAMS["deviation"].signed
    False
    >>> def brightness(given: CamInput, options: CamOptions) -> Cam:
    ...     return Cam.unsigned(given.images.mean(1))
    >>> CamMethod("brightness", "how bright the image is", brightness, False, False, False).name
    'brightness'
    """

    name: str
    summary: str
    compute: Callable[[CamInput, CamOptions], Cam]
    signed: bool = True
    has_grid: bool = True
    has_components: bool = True
    check: Callable[[BackboneSpec], None] | None = None
    of_images: Callable[[torch.Tensor], Cam] | None = None
    backbone: str | None = None
