"""The whole classifier that a backbone's features were cut from, and gradient CAMs with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import timm
import torch
from torch import nn

from quickgaze.backbones import Backbone, BackboneSpec, LevelSpec, Pyramid
from quickgaze.backbones.backbone import prepare
from quickgaze.backbones.timm_models import load_classifier
from quickgaze.backbones.weights import find_weights, read_state
from quickgaze.backbones.wrapping import HookedFeatures
from quickgaze.cams.cam import Cam
from quickgaze.cams.gradient import gradient, require_library
from quickgaze.cams.method import CamInput, CamOptions
from quickgaze.cams.planes import plane_on_grid
from quickgaze.catalogue import unknown_name
from quickgaze.errors import OptionError


@dataclass(frozen=True, eq=False)
class Classifier:
    """A classifier, and the layers of it that are levels of a backbone.

    Parameters
    ----------
    network : nn.Module
        Gives scores (B, K) of a batch that is prepared as for the backbone.
    layers : mapping of str to str
        Names of its layers, by level.
    """

    network: nn.Module
    layers: Mapping[str, str]


_classifiers: WeakKeyDictionary[Backbone, Classifier] = WeakKeyDictionary()


def check_classifier(spec: BackboneSpec) -> None:
    """Refuse a backbone that gradient CAMs cannot be made with.

    Parameters
    ----------
    spec : BackboneSpec

    Raises
    ------
    OptionError
        If the backbone has no classifier head, or the grad-cam library is not installed.
    """
    if spec.family not in ("timm", "module"):
        raise OptionError(
            f"{spec.name} has no classifier head on convolutional features, so there is no class "
            "for a gradient CAM to explain; take a classifier such as efficientnet_lite0, or "
            "timm/resnet18"
        )
    require_library()


def classifier_of(backbone: Backbone) -> Classifier:
    """Give the classifier that a backbone's features were cut from; loaded once.

    Parameters
    ----------
    backbone : Backbone
        Of timm, or a classifier of the user's own.

    Returns
    -------
    Classifier
        With the backbone's weights, on its device, in float32.

    Raises
    ------
    OptionError
        If it has no head, or random weights.
    WeightsError
        If the weights cannot be found or do not fit.
    """
    if backbone not in _classifiers:
        # Tensors that were made in inference mode never carry a gradient.
        with torch.inference_mode(False):
            _classifiers[backbone] = _load(backbone)
    return _classifiers[backbone]


def gradient_cam(method: str) -> Callable[[CamInput, CamOptions], Cam]:
    """Make the function that computes a gradient CAM of a backbone's classifier.

    Parameters
    ----------
    method : str
        As for `gradient`.

    Returns
    -------
    callable
        From `CamInput` and `CamOptions` to a `Cam` on the grid of the coarsest of the levels
        that are chosen, the layer that it is made of. Padding is left out.
    """

    def compute(given: CamInput, options: CamOptions) -> Cam:
        backbone = given.backbone
        check_classifier(backbone.spec)
        classifier = classifier_of(backbone)
        images, content = prepare(given.images.to(backbone.device, torch.float32), backbone.spec)
        level = _coarsest(backbone.spec, options)
        cam = gradient(classifier.network, classifier.layers[level.name], images, method)
        plane = cam.projection
        pyramid = Pyramid(
            {level.name: plane[:, None]},
            {level.name: level.stride},
            (images.shape[-2], images.shape[-1]),
            content,
        )
        plane = plane_on_grid(pyramid, level.name, plane, pyramid.grid_size(level.name))
        return Cam(plane, cam.explained_variance, cam.evidence, 0)

    return compute


def _load(backbone: Backbone) -> Classifier:
    spec = backbone.spec
    if isinstance(backbone.network, HookedFeatures):
        if backbone.network.reshape is not None:
            raise OptionError(
                f"{spec.name} reshapes what its layers give; gradient CAMs take layers that give "
                "(B, C, h, w) themselves"
            )
        return Classifier(backbone.network.network, backbone.network.paths)
    if backbone.weights == "none":
        raise OptionError(
            f"{spec.name} has random weights, so its classifier knows no class that a gradient "
            "CAM could explain; take weights='default' or a file"
        )
    network = _trained(backbone)
    features: Any = network.feature_info
    # Of several features with one stride the deepest is the level.
    by_stride = {info["reduction"]: str(info["module"]) for info in features}
    layers = {level.name: by_stride[level.stride] for level in spec.levels}
    return Classifier(network.eval().requires_grad_(False).to(backbone.device), layers)


def _trained(backbone: Backbone) -> nn.Module:
    spec = backbone.spec
    if backbone.weights != spec.weights.tag:
        return load_classifier(spec, read_state(backbone.weights))
    if spec.weights.hub is None:
        return load_classifier(spec, read_state(find_weights(spec.name, spec.weights)))
    options = {name: value for name, value in spec.options.items() if name != "out_indices"}
    network: nn.Module = timm.create_model(spec.architecture, pretrained=True, **options)
    return network


def _coarsest(spec: BackboneSpec, options: CamOptions) -> LevelSpec:
    if options.levels is None:
        return spec.levels[-1]
    by_name = {name: level for level in spec.levels for name in (level.name, f"s{level.stride}")}
    for name in options.levels:
        if name not in by_name:
            raise unknown_name("level", name, [level.name for level in spec.levels])
    return max((by_name[name] for name in options.levels), key=spec.levels.index)
