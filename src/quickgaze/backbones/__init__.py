"""Networks that turn an image batch into a feature pyramid."""

from quickgaze.backbones.backbone import (
    Backbone,
    find_device,
    list_backbones,
    load_backbone,
)
from quickgaze.backbones.entries import BACKBONES
from quickgaze.backbones.pyramid import Pyramid, check_grid
from quickgaze.backbones.spec import BackboneSpec, InputGeometry, LevelSpec, Weights

__all__ = [
    "BACKBONES",
    "Backbone",
    "BackboneSpec",
    "InputGeometry",
    "LevelSpec",
    "Pyramid",
    "Weights",
    "check_grid",
    "find_device",
    "list_backbones",
    "load_backbone",
]
