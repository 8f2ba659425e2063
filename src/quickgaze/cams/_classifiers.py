"""Gradient CAMs of the classifier that a backbone's features were cut from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from quickgaze.backbones import Backbone, BackboneSpec, LevelSpec, Pyramid, plain_torch
from quickgaze.backbones.backbone import prepare
from quickgaze.backbones.wrapping import HookedFeatures
from quickgaze.cams._cam import Cam
from quickgaze.cams._features import plane_on_grid
from quickgaze.cams._gradient import gradient, require_library
from quickgaze.cams._method import CamInput, CamOptions
from quickgaze.catalogue import unknown_name
from quickgaze.errors import OptionError


def check_classifier(spec: BackboneSpec) -> None:
    """Refuse a backbone without a classifier head, or an installation without the library."""
    if spec.family not in ("timm", "module"):
        raise OptionError(
            f"{spec.name} has no classifier head on convolutional features, so there is no class "
            "for a gradient CAM to explain; take a classifier such as efficientnet_lite0, or "
            "timm/resnet18"
        )
    require_library()


def gradient_cam(method: str) -> Callable[[CamInput, CamOptions], Cam]:
    """Make the function that computes a gradient CAM on the coarsest of the chosen levels."""

    @plain_torch()
    def compute(given: CamInput, options: CamOptions) -> Cam:
        backbone = given.backbone
        check_classifier(backbone.spec)
        level = _coarsest(backbone.spec, options)
        layer = layers_of(backbone)[level.name]
        images, content = prepare(given.images.to(backbone.device).float(), backbone.spec)
        cam = gradient(backbone.whole_model, layer, images, method)
        plane = cam.projection
        pyramid = Pyramid(
            {level.name: plane[:, None]},
            {level.name: level.stride},
            (images.shape[-2], images.shape[-1]),
            content,
        )
        on_grid = plane_on_grid(pyramid, level.name, plane, pyramid.grid_size(level.name))
        return replace(cam, projection=on_grid)

    return compute


def layers_of(backbone: Backbone) -> Mapping[str, str]:
    """Names of the whole classifier's layers, by the level that each one gives."""
    if isinstance(backbone.network, HookedFeatures):
        if backbone.network.reshape is not None:
            raise OptionError(
                f"{backbone.name} reshapes what its layers give; gradient CAMs take layers that "
                "give (B, C, h, w) themselves"
            )
        return backbone.network.paths
    features: Any = backbone.whole_model.feature_info
    # Of several features with one stride the deepest is the level.
    by_stride = {info["reduction"]: str(info["module"]) for info in features}
    return {level.name: by_stride[level.stride] for level in backbone.spec.levels}


def _coarsest(spec: BackboneSpec, options: CamOptions) -> LevelSpec:
    if options.levels is None:
        return spec.levels[-1]
    by_name = {name: level for level in spec.levels for name in (level.name, f"s{level.stride}")}
    for name in options.levels:
        if name not in by_name:
            raise unknown_name("level", name, [level.name for level in spec.levels])
    return max((by_name[name] for name in options.levels), key=spec.levels.index)
