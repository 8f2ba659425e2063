"""Gradient CAMs of a backbone's own classifier."""

from __future__ import annotations

import sys
from dataclasses import replace
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import pytest
import pytorch_grad_cam
import timm
import torch
from pytorch_grad_cam.utils.image import scale_cam_image
from skimage.data import chelsea
from torch import nn

import quickgaze as qg
from quickgaze.backbones import Backbone, InputGeometry
from quickgaze.backbones._timm_models import load_classifier
from quickgaze.backbones._weights import find_weights, read_state
from quickgaze.backbones.backbone import prepare
from quickgaze.cams import CAMS, CamInput, CamOptions
from quickgaze.cams._classifiers import layers_of
from quickgaze.errors import OptionError, UnknownNameError
from quickgaze.saliency import as_batch


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return qg.load_backbone("efficientnet_lite0", device="cpu")


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    cat = np.ascontiguousarray(chelsea()[::2, ::2])
    return as_batch([cat, np.ascontiguousarray(cat[:, ::-1])])


def test_layers_are_the_levels(backbone: Backbone, images: torch.Tensor) -> None:
    classifier = backbone.whole_model
    assert backbone.whole_model is classifier
    seen: dict[str, torch.Tensor] = {}
    handles = [
        classifier.get_submodule(layer).register_forward_hook(
            lambda _module, _inputs, output, level=level: seen.update({level: output})
        )
        for level, layer in layers_of(backbone).items()
    ]
    with torch.inference_mode():
        scores = classifier(prepare(images, backbone.spec)[0])
    for handle in handles:
        handle.remove()
    assert scores.shape == (2, 1000)
    # ImageNet's Egyptian cat: the head is trained, too.
    assert scores.argmax(1).tolist() == [285, 285]
    for level, features in backbone(images).levels.items():
        torch.testing.assert_close(seen[level], features, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(("levels", "layer"), [(None, "blocks.6"), (("s8", "s4"), "blocks.2")])
def test_equals_the_library_on_the_whole_network(
    backbone: Backbone, images: torch.Tensor, levels: tuple[str, ...] | None, layer: str
) -> None:
    cam = CAMS["gradcam"].compute(CamInput(backbone, images), CamOptions(levels=levels))
    spec = backbone.spec
    network = load_classifier(spec, read_state(find_weights(spec.name, spec.weights)))
    with pytorch_grad_cam.GradCAM(network, [network.get_submodule(layer)]) as maker:
        expected = maker(input_tensor=prepare(images, spec)[0], targets=None)
    height, width = images.shape[-2:]
    clipped = np.maximum(cam.projection.numpy(), 0)
    found = scale_cam_image(np.maximum(scale_cam_image(clipped, (width, height)), 0))
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_a_study_scores_them_once_each(tmp_path: Path) -> None:
    study = qg.Study(
        qg.load_dataset("popout", n=2, size=(120, 160)),
        cams=["gradcam", "eigengradcam"],
        grids=["s8", "s16"],
        components=[0, 1],
        orientations=["activation", "lapack"],
        metrics=["auc"],
    )
    run = study.run(tmp_path / "run", progress=False)
    assert run.failures().is_empty()
    keys = ["cam", "grid", "component", "orientation"]
    assert run.scores().select(keys).unique(maintain_order=True).rows() == [
        ("gradcam", "own", 0, "none"),
        ("eigengradcam", "own", 0, "activation"),
        ("eigengradcam", "own", 0, "lapack"),
    ]


def test_padding_is_left_out(backbone: Backbone, images: torch.Tensor) -> None:
    geometry = InputGeometry(multiple=128)
    padding = replace(backbone, spec=replace(backbone.spec, geometry=geometry))
    cam = CAMS["hirescam"].compute(CamInput(padding, images), CamOptions())
    pyramid = padding(images)
    assert pyramid.content != pyramid.input_size
    assert cam.grid == pyramid.grid_size("coarsest")
    assert cam.projection.isfinite().all()


def test_a_module_of_ones_own(images: torch.Tensor) -> None:
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(3, 8, 3, 2, 1),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3, 2, 1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 4),
    )
    own = qg.wrap_backbone(
        module, {"fine": "1", "coarse": "3"}, name="own", mean=(0, 0, 0), std=(1, 1, 1)
    )
    cam = CAMS["gradcam"].compute(CamInput(own, images), CamOptions())
    weights = module[6].weight
    with torch.no_grad():
        features = module[:4](images)
        top = module(images).argmax(1)
    # Behind a global mean, Grad-CAM's weights are the class's own, up to the number of cells.
    cells = features.shape[2] * features.shape[3]
    expected = torch.einsum("bchw,bc->bhw", features, weights[top]) / cells
    torch.testing.assert_close(cam.projection, expected, atol=1e-6, rtol=1e-3)


def test_a_backbone_without_a_head_is_refused_before_any_work(tmp_path: Path) -> None:
    displays = qg.load_dataset("popout", n=1)
    with pytest.raises(OptionError, match="fasterrcnn_resnet50_fpn has no classifier head"):
        qg.Study(displays, ["fasterrcnn_resnet50_fpn"], ["gradcam"])
    with pytest.raises(UnknownNameError, match="did you mean 'gradcam'"):
        qg.Study(displays, cams=["gradcm"])
    assert not (tmp_path / "run").exists()


@pytest.mark.filterwarnings("ignore::quickgaze.errors.RandomWeightsWarning")
def test_random_weights_know_no_class(images: torch.Tensor) -> None:
    random = qg.load_backbone("efficientnet_lite0", "none", device="cpu")
    with pytest.raises(OptionError, match="has random weights"):
        CAMS["gradcam"].compute(CamInput(random, images), CamOptions())


def test_weights_from_a_file_are_those_of_the_classifier(tmp_path: Path) -> None:
    torch.manual_seed(0)
    whole = timm.create_model("resnet18")
    torch.save(whole.state_dict(), tmp_path / "resnet18.pth")
    loaded = qg.load_backbone("timm/resnet18", tmp_path / "resnet18.pth", device="cpu")
    torch.testing.assert_close(loaded.whole_model.get_parameter("fc.weight"), whole.fc.weight)
    assert layers_of(loaded) == {
        "s2": "act1",
        "s4": "layer1",
        "s8": "layer2",
        "s16": "layer3",
        "s32": "layer4",
    }


def test_an_unknown_level_gets_the_nearest(backbone: Backbone, images: torch.Tensor) -> None:
    with pytest.raises(UnknownNameError, match="unknown level 's64'"):
        CAMS["gradcam"].compute(CamInput(backbone, images), CamOptions(levels=("s64",)))


def test_a_missing_library_ends_a_study_before_it_begins(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pytorch_grad_cam", None)
    with pytest.raises(OptionError, match=r"pip install 'quickgaze\[gradcam\]'"):
        qg.Study(qg.load_dataset("popout", n=1), cams=["gradcam"])
    with pytest.raises(OptionError, match=r"pip install 'quickgaze\[gradcam\]'"):
        qg.SaliencyModel(cam="layercam")
    assert distribution("grad-cam").version
