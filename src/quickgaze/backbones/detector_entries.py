"""torchvision's detectors as data: their levels, geometry and weights, and nothing that runs.

The tests hold every entry against torchvision: weights, transform, levels and features.
"""

from __future__ import annotations

from quickgaze.backbones.geometry import InputGeometry
from quickgaze.backbones.spec import BackboneSpec, LevelSpec, Weights

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

_DETECTOR = InputGeometry(short_side=800, long_side=1333, multiple=32)
_SMALL_DETECTOR = InputGeometry(short_side=320, long_side=640, multiple=32)


def _pyramid(**strides: int) -> tuple[LevelSpec, ...]:
    """Levels of a feature pyramid network, of 256 channels each: ``_0=4`` is level "0"."""
    return tuple(LevelSpec(name.lstrip("_"), stride, 256) for name, stride in strides.items())


_RCNN = _pyramid(_0=4, _1=8, _2=16, _3=32, pool=64)
_MOBILENET = _pyramid(_0=32, _1=32, pool=64)
_ONE_STAGE = _pyramid(_0=8, _1=16, _2=32, p6=64, p7=128)
_SSD300 = tuple(
    # The last two levels come from unpadded convolutions; these are the steps of its anchors.
    LevelSpec(str(index), stride, channels)
    for index, (stride, channels) in enumerate(
        ((8, 512), (16, 1024), (32, 512), (64, 256), (100, 256), (300, 256))
    )
)
_SSDLITE = tuple(
    LevelSpec(str(index), stride, channels)
    for index, (stride, channels) in enumerate(
        ((16, 672), (32, 480), (64, 512), (128, 256), (256, 256), (512, 128))
    )
)


def _detector(
    name: str,
    file_name: str,
    summary: str,
    levels: tuple[LevelSpec, ...],
    geometry: InputGeometry = _DETECTOR,
    mean: tuple[float, float, float] = IMAGENET_MEAN,
    std: tuple[float, float, float] = IMAGENET_STD,
    frozen_norm_eps: float | None = None,
) -> BackboneSpec:
    return BackboneSpec(
        name=name,
        family="detector",
        architecture=name,
        levels=levels,
        geometry=geometry,
        mean=mean,
        std=std,
        weights=Weights(
            tag="COCO_V1",
            license="BSD-3-Clause",
            file_name=file_name,
            url=f"https://download.pytorch.org/models/{file_name}",
        ),
        summary=f"{summary}, COCO",
        frozen_norm_eps=frozen_norm_eps,
    )


FASTERRCNN_RESNET50_FPN = _detector(
    "fasterrcnn_resnet50_fpn",
    "fasterrcnn_resnet50_fpn_coco-258fb6c6.pth",
    "Faster R-CNN on ResNet-50",
    _RCNN,
    frozen_norm_eps=0.0,
)

DETECTORS = (
    FASTERRCNN_RESNET50_FPN,
    _detector(
        "fasterrcnn_resnet50_fpn_v2",
        "fasterrcnn_resnet50_fpn_v2_coco-dd69338a.pth",
        "Faster R-CNN on ResNet-50, improved",
        _RCNN,
    ),
    _detector(
        "fasterrcnn_mobilenet_v3_large_fpn",
        "fasterrcnn_mobilenet_v3_large_fpn-fb6a3cc7.pth",
        "Faster R-CNN on MobileNetV3-Large",
        _MOBILENET,
        frozen_norm_eps=1e-5,
    ),
    _detector(
        "fasterrcnn_mobilenet_v3_large_320_fpn",
        "fasterrcnn_mobilenet_v3_large_320_fpn-907ea3f9.pth",
        "Faster R-CNN on MobileNetV3-Large, for small images",
        _MOBILENET,
        _SMALL_DETECTOR,
        frozen_norm_eps=1e-5,
    ),
    _detector(
        "maskrcnn_resnet50_fpn",
        "maskrcnn_resnet50_fpn_coco-bf2d0c1e.pth",
        "Mask R-CNN on ResNet-50",
        _RCNN,
        frozen_norm_eps=0.0,
    ),
    _detector(
        "maskrcnn_resnet50_fpn_v2",
        "maskrcnn_resnet50_fpn_v2_coco-73cbd019.pth",
        "Mask R-CNN on ResNet-50, improved",
        _RCNN,
    ),
    _detector(
        "keypointrcnn_resnet50_fpn",
        "keypointrcnn_resnet50_fpn_coco-fc266e95.pth",
        "Keypoint R-CNN (people) on ResNet-50",
        _RCNN,
        frozen_norm_eps=0.0,
    ),
    _detector(
        "retinanet_resnet50_fpn",
        "retinanet_resnet50_fpn_coco-eeacb38b.pth",
        "RetinaNet on ResNet-50",
        _ONE_STAGE,
        frozen_norm_eps=0.0,
    ),
    _detector(
        "retinanet_resnet50_fpn_v2",
        "retinanet_resnet50_fpn_v2_coco-5905b1c5.pth",
        "RetinaNet on ResNet-50, improved",
        _ONE_STAGE,
    ),
    _detector(
        "fcos_resnet50_fpn",
        "fcos_resnet50_fpn_coco-99b0c9b7.pth",
        "FCOS on ResNet-50",
        _ONE_STAGE,
        frozen_norm_eps=1e-5,
    ),
    _detector(
        "ssd300_vgg16",
        "ssd300_vgg16_coco-b556d3b4.pth",
        "SSD on VGG-16, images stretched",
        _SSD300,
        InputGeometry(fixed_size=(300, 300)),
        (0.48235, 0.45882, 0.40784),
        (1 / 255, 1 / 255, 1 / 255),
    ),
    _detector(
        "ssdlite320_mobilenet_v3_large",
        "ssdlite320_mobilenet_v3_large_coco-a79551df.pth",
        "SSDlite on MobileNetV3-Large, images stretched",
        _SSDLITE,
        InputGeometry(fixed_size=(320, 320)),
        (0.5, 0.5, 0.5),
        (0.5, 0.5, 0.5),
    ),
)
