"""Networks that turn an image batch into a feature pyramid."""

from quickgaze.backbones._catalogue import BACKBONES, IMAGENET_MEAN, IMAGENET_STD
from quickgaze.backbones._geometry import GEOMETRIES, InputGeometry, choose_geometry
from quickgaze.backbones._spec import BackboneSpec, LevelSpec, Weights
from quickgaze.backbones._speed import keep_freed_memory
from quickgaze.backbones._torch_state import plain_torch
from quickgaze.backbones.backbone import (
    Backbone,
    find_device,
    find_spec,
    list_backbones,
    load_backbone,
)
from quickgaze.backbones.pyramid import Pyramid, check_grid
from quickgaze.backbones.wrapping import wrap_backbone

__all__ = [
    "BACKBONES",
    "GEOMETRIES",
    "IMAGENET_MEAN",
    "IMAGENET_STD",
    "Backbone",
    "BackboneSpec",
    "InputGeometry",
    "LevelSpec",
    "Pyramid",
    "Weights",
    "check_grid",
    "choose_geometry",
    "find_device",
    "find_spec",
    "keep_freed_memory",
    "list_backbones",
    "load_backbone",
    "plain_torch",
    "wrap_backbone",
]
