"""`SaliencyModel`: images in, saliency maps out."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, overload

import PIL.Image

from quickgaze.backbones import Backbone, check_grid, load_backbone, plain_torch
from quickgaze.cams import (
    ORIENTATIONS,
    CamInput,
    CamOptions,
    Readout,
    as_cam,
    as_readout,
    check_cam,
    why_undefined,
)
from quickgaze.errors import OptionError, UndefinedMapWarning
from quickgaze.options import ModelOptions, check, documented, takes
from quickgaze.resampling import check_sigma
from quickgaze.saliency._inputs import ImageLike, as_batch, as_image, batches_by_size
from quickgaze.saliency._maps import FloatMap, colour, overlay, saliency_maps
from quickgaze.saliency._presets import PRESETS
from quickgaze.stimuli.types import Image


@dataclass(frozen=True, eq=False)
class SaliencyResult:
    """What a `SaliencyModel` says of one image.

    Parameters
    ----------
    map : ndarray, shape (H, W), float32
        Saliency map at the image's size, in [0, 1]; NaN where it is undefined.
    cam : ndarray, shape (h, w), float32
        The CAM on its grid, signed, with the orientation applied.
    grid : (int, int)
        Height and width of the grid in cells.
    explained_variance : float
        Share of the features' variance that the component explains, in [0, 1].
    orientation_margin : float
        How clear the sign is, in [0, 1]; near 0 it is a coin toss.
    density : ndarray, shape (H, W), float32, optional
        Where a readout predicts that people look: a density that sums to 1, without the model's
        `sigma`, as a readout has a blur of its own. None without a readout; NaN for an image whose
        features are not finite.

    Examples
    --------
    >>> from skimage.data import chelsea
    >>> result = SaliencyModel("efficientnet_lite0")(chelsea())
    >>> result.map.shape, result.cam.shape, float(result.map.min()), float(result.map.max())
    ((300, 451), (10, 15), 0.0, 1.0)
    >>> result.overlay(chelsea()).size
    (451, 300)
    """

    map: FloatMap
    cam: FloatMap
    grid: tuple[int, int]
    explained_variance: float
    orientation_margin: float
    density: FloatMap | None = None

    def overlay(
        self, image: ImageLike, opacity: float = 0.6, colormap: str = "inferno"
    ) -> PIL.Image.Image:
        """Lay the saliency map over the image in colour.

        Parameters
        ----------
        image : path, PIL image, array or tensor
            The image that the map was made from.
        opacity : float
            Opacity of the map, in [0, 1].
        colormap : str
            Name of a matplotlib colour map.

        Returns
        -------
        PIL.Image.Image
            RGB, of the image's size.

        Raises
        ------
        OptionError
            If the image is not of the map's size, or the colour map is not known.
        """
        return overlay(as_image(image), self.map, opacity, colormap)

    def _repr_png_(self) -> bytes:
        """Show the map in colour, for notebooks."""
        file = io.BytesIO()
        PIL.Image.fromarray(colour(self.map)).save(file, "PNG")
        return file.getvalue()


@documented(ModelOptions)
class SaliencyModel:
    """A vision model as a saliency model: images in, saliency maps out.

    `list_backbones` gives the names of networks; `load_backbone` and `wrap_backbone` give objects.

    Parameters
    ----------
    {options}

    Raises
    ------
    UnknownNameError
        If one of the names is not known; the message offers the nearest.
    OptionError
        If an option cannot be used, or the readout belongs to another network.
    WeightsError
        If the weights cannot be found or do not fit.

    References
    ----------
    .. [1] M. B. Muhammad, M. Yeasin, "Eigen-CAM: class activation map using principal components",
       International Joint Conference on Neural Networks (IJCNN), 2020.

    Examples
    --------
    >>> from skimage.data import chelsea
    >>> model = SaliencyModel("efficientnet_lite0")
    >>> result = model(chelsea())
    >>> result.map.shape, result.grid
    ((300, 451), (10, 15))
    """

    @takes(ModelOptions)
    def __init__(self, given: ModelOptions) -> None:
        rule = ORIENTATIONS[given.orientation]
        if rule.needs_density:
            raise OptionError(
                f"orientation {rule.name!r} needs the human density, which a model does not "
                "have; score it in a Study"
            )
        check_sigma(given.sigma)
        check(given)
        self._method = as_cam(given.cam)
        self.backbone = _loaded(given)
        self.readout: Readout | None = None
        if given.readout is not None:
            self.readout = as_readout(given.readout, self.backbone.name)
            self.readout.check(self.backbone)
            # a CAM that was given as an object has a readout of its own
            self._method = self.readout.method() if given.cam == "readout" else self._method
        check_cam(self._method, self.backbone.spec)
        check_grid(given.grid, self.backbone.level_names)
        self.cam = self._method.name
        self.options = CamOptions.of(given, given.grid, given.component)
        self.orientation, self.sigma = given.orientation, given.sigma
        self.rectify, self.batch_size = given.rectify, given.batch_size

    @classmethod
    def from_preset(cls, name: str, **options: Any) -> SaliencyModel:
        """Make the model of a published study.

        Parameters
        ----------
        name : str
            One of `PRESETS`: ``"cap6415"``.
        **options
            Options of `SaliencyModel` that differ from the preset: ``sigma=0`` for its raw map.

        Returns
        -------
        SaliencyModel

        Raises
        ------
        UnknownNameError
            If there is no such preset.
        OptionError, WeightsError
            As for `SaliencyModel`.

        Examples
        --------
        >>> SaliencyModel.from_preset("cap6415", backbone="efficientnet_lite0", grid="s32").sigma
        19.0
        """
        return cls(**{**PRESETS[name].model_options(), **options})

    @overload
    def __call__(self, image: ImageLike) -> SaliencyResult: ...
    @overload
    def __call__(self, image: list[ImageLike]) -> list[SaliencyResult]: ...
    def __call__(self, image: ImageLike | list[ImageLike]) -> SaliencyResult | list[SaliencyResult]:
        """Map one image or several.

        Parameters
        ----------
        image : path, PIL image, array, tensor, or list of these
            Arrays are (H, W, 3), or grey (H, W), of uint8 or of floats in [0, 1]; tensors are
            (3, H, W), of floats in [0, 1].

        Returns
        -------
        SaliencyResult, or a list of them in the order of the images
            The batch size changes no value beyond float rounding.

        Raises
        ------
        StimulusError
            If a file cannot be read as an image.
        OptionError
            If something is not an image, or the orientation gives no sign on this grid.

        Warns
        -----
        UndefinedMapWarning
            If a map is NaN, with the reason: features that are 0, do not vary, or are not finite,
            or an image of a single cell.
        """
        if not isinstance(image, list):
            return self._map_batch([as_image(image)], [""])[0]
        images = [as_image(item) for item in image]
        results: dict[int, SaliencyResult] = {}
        for batch in batches_by_size([item.shape[:2] for item in images], self.batch_size):
            called = [f"image {index + 1} of {len(images)}: " for index in batch]
            mapped = self._map_batch([images[index] for index in batch], called)
            results.update(zip(batch, mapped, strict=True))
        return [results[index] for index in range(len(images))]

    @plain_torch()
    def _map_batch(self, images: Sequence[Image], called: Sequence[str]) -> list[SaliencyResult]:
        given = CamInput(self.backbone, as_batch(images, self.backbone.device))
        cam = self._method.compute(given, self.options)
        oriented = cam.oriented(self.orientation)
        margin = cam.margin(self.orientation)
        undefined = cam.projection.isnan().flatten(1).any(1)
        undecided = cam.sign(self.orientation).isnan() & ~undefined
        if bool(undecided.any()):
            raise OptionError(
                f"orientation {self.orientation!r} gives no sign on the "
                f"{cam.grid[0]}x{cam.grid[1]} grid; take another rule or a finer grid"
            )
        for index in undefined.nonzero().flatten().tolist():
            reason = why_undefined(given.pyramid, cam, index, self.options.levels)
            warnings.warn(
                f"{called[index]}the map is undefined (NaN): {reason}",
                UndefinedMapWarning,
                stacklevel=4,
            )
        height, width = images[0].shape[:2]
        maps = saliency_maps(oriented, (height, width), self.sigma, self.rectify, cam.density)
        density = None
        if self.readout is not None:
            density = self.readout.density(given.pyramid, (height, width)).cpu().numpy()
        return [
            SaliencyResult(
                maps[index].cpu().numpy(),
                oriented[index].cpu().numpy(),
                cam.grid,
                cam.explained_variance[index].item(),
                margin[index].item(),
                None if density is None else density[index],
            )
            for index in range(len(images))
        ]


def _loaded(given: ModelOptions) -> Backbone:
    backbone = given.backbone
    if isinstance(backbone, str):
        return load_backbone(
            backbone, given.weights, given.device, given.precision, geometry=given.geometry
        )
    if not isinstance(backbone, Backbone):
        raise OptionError(
            f"{backbone!r} is not a backbone; give a name, or what load_backbone or wrap_backbone "
            "gave"
        )
    for option in ("weights", "device", "precision", "geometry"):
        if getattr(given, option) not in ("default", "auto"):
            raise OptionError(
                f"{option} is {str(getattr(given, option))!r}, but the backbone {backbone.name} is "
                f"loaded already; give {option} where it is loaded or wrapped"
            )
    return backbone
