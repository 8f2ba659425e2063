"""The CAMs that quickgaze knows by name. A new one is one file and one entry here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch

from quickgaze.backbones import BackboneSpec
from quickgaze.cams._baselines import center, spectral_residual, uniform
from quickgaze.cams._cam import Cam
from quickgaze.cams._classifiers import check_classifier, gradient_cam
from quickgaze.cams._detector_boxes import boxes_cam, check_detector
from quickgaze.cams._eigen_cam import eigen
from quickgaze.cams._fusion import mean_over_levels
from quickgaze.cams._gradient import GRADIENT_METHODS
from quickgaze.cams._method import CamInput, CamMethod, CamOptions
from quickgaze.cams._readout_method import ReadoutMap, readout_method, refuse_without_file
from quickgaze.cams._sign_free import activation, deviation
from quickgaze.catalogue import Catalogue


def _over_levels(
    make: Callable[..., Cam], names: Sequence[str], given: CamInput, options: CamOptions
) -> Cam:
    """Make a map of a pyramid's levels, with the options of some names."""
    bound = partial(make, **{name: getattr(options, name) for name in names})
    if options.fusion == "mean":
        return mean_over_levels(bound, given.pyramid, options.grid, options.levels)
    return bound(given.pyramid.select(options.levels), options.grid)


def _from_images(compute: Callable[[torch.Tensor], Cam]) -> Callable[[CamInput, CamOptions], Cam]:
    return lambda given, _: compute(given.images)


_unsigned = partial(CamMethod, signed=False, has_components=False)
_METHODS = (
    CamMethod(
        "eigen",
        "the direction in which the features vary most",
        partial(_over_levels, eigen, ("component", "level_scale")),
    ),
    _unsigned(
        "deviation",
        "how far the features are from their mean over the image",
        partial(_over_levels, deviation, ("level_scale",)),
    ),
    _unsigned(
        "activation",
        "the mean of the absolute features over channels",
        partial(_over_levels, activation, ("level_scale",)),
    ),
    *(
        CamMethod(
            method.name,
            f"of the top class: {method.summary}",
            gradient_cam(method.name),
            signed=method.name == "eigengradcam",
            has_grid=False,
            has_components=False,
            check=check_classifier,
        )
        for method in GRADIENT_METHODS.values()
    ),
    _unsigned(
        "boxes",
        "what a detector finds: its boxes, each as strong as its score",
        boxes_cam,
        has_grid=False,
        check=check_detector,
    ),
    readout_method(refuse_without_file, refuse_without_file),
    *(
        _unsigned(
            name,
            f"baseline: {summary}",
            _from_images(compute),
            has_grid=False,
            of_images=compute,
        )
        for name, summary, compute in (
            ("center", "a Gaussian at the centre of the image", center),
            ("uniform", "every place alike", uniform),
            (
                "spectral_residual",
                "the image's spectrum less the smooth one of all images",
                spectral_residual,
            ),
        )
    ),
)

CAMS = Catalogue("CAM", "quickgaze.cams", {method.name: method for method in _METHODS})
"""CAMs by name; installed packages may add to them."""


def as_cam(given: object) -> CamMethod:
    """Look a CAM up by name, or take one of your own.

    Parameters
    ----------
    given : str or CamMethod
        One of `CAMS`, or an object with a name that none of them has.

    Returns
    -------
    CamMethod

    Raises
    ------
    UnknownNameError
        If there is no CAM of that name; offers the nearest.
    OptionError
        If the object has no name, or that of another CAM.

    Examples
    --------
    >>> def brightness(given: CamInput, options: CamOptions) -> Cam:
    ...     return Cam.unsigned(given.images.mean(1))
    >>> mine = CamMethod("brightness", "how bright the image is", brightness, signed=False)
    >>> as_cam("eigen").name, as_cam(mine) is mine
    ('eigen', True)
    """
    if isinstance(given, CamMethod) and isinstance(given.compute, ReadoutMap):
        return given  # it goes by the name of the catalogue's, which has no readout yet
    return CAMS.choose(given)


def check_cam(cam: str | CamMethod, spec: BackboneSpec) -> None:
    """Refuse a CAM that cannot be made with a backbone.

    Parameters
    ----------
    cam : str or CamMethod
        As for `as_cam`.
    spec : BackboneSpec

    Raises
    ------
    UnknownNameError
        If there is no such CAM.
    OptionError
        If it needs something that the backbone, or the installation, does not have.

    Examples
    --------
    >>> from quickgaze.backbones import find_spec
    >>> check_cam("eigen", find_spec("efficientnet_lite0"))
    >>> check_cam("boxes", find_spec("fasterrcnn_resnet50_fpn"))
    """
    check = as_cam(cam).check
    if check is not None:
        check(spec)
