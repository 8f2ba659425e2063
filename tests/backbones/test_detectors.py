"""torchvision's detectors: every entry of the table against torchvision itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from torch import nn
from torchvision.models import get_model, get_model_weights
from torchvision.ops import FrozenBatchNorm2d

from quickgaze.backbones import BackboneSpec, find_spec, load_backbone
from quickgaze.backbones._catalogue import DETECTORS
from quickgaze.backbones._detectors import freeze_batch_norms, load_detector
from quickgaze.backbones._fitting import load_state
from quickgaze.backbones._weights import read_state
from quickgaze.backbones.backbone import prepare
from quickgaze.errors import OptionError, RandomWeightsWarning, WeightsError

SMALLEST = "fasterrcnn_mobilenet_v3_large_320_fpn"
FROZEN = {
    "fasterrcnn_resnet50_fpn": 0.0,
    "maskrcnn_resnet50_fpn": 0.0,
    "keypointrcnn_resnet50_fpn": 0.0,
    "retinanet_resnet50_fpn": 0.0,
    "fasterrcnn_mobilenet_v3_large_fpn": 1e-5,
    "fasterrcnn_mobilenet_v3_large_320_fpn": 1e-5,
    "fcos_resnet50_fpn": 1e-5,
}
"""Read off torchvision's builders: which freeze their norms, and where overwrite_eps is called."""

each_detector = pytest.mark.parametrize("spec", DETECTORS, ids=lambda spec: spec.name)


def build(name: str) -> nn.Module:
    """A whole detector with seeded weights and statistics, as torchvision builds it."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        detector = get_model(name, weights=None, weights_backbone=None).eval()
        for module in detector.modules():
            if isinstance(module, nn.BatchNorm2d):
                nn.init.uniform_(module.running_mean, -0.1, 0.1)
                nn.init.uniform_(module.running_var, 0.5, 1.5)
    return detector


@each_detector
def test_weights_are_torchvisions_default(spec: BackboneSpec) -> None:
    published = get_model_weights(spec.architecture).DEFAULT
    assert (spec.weights.tag, spec.weights.url) == (published.name, published.url)
    assert published.url.endswith(f"/{spec.weights.file_name}")


@each_detector
def test_norms_are_frozen_as_torchvision_freezes_them(spec: BackboneSpec) -> None:
    assert spec.frozen_norm_eps == FROZEN.get(spec.name)


@pytest.mark.slow
@each_detector
def test_input_and_features_equal_torchvision(spec: BackboneSpec, tmp_path: Path) -> None:
    detector = build(spec.architecture)
    file = tmp_path / "detector.pth"
    torch.save(detector.state_dict(), file)
    backbone = load_backbone(spec.name, weights=file, device="cpu")
    for size in ((120, 200), (300, 97)):
        image = torch.rand(3, *size, generator=torch.Generator().manual_seed(1))
        with torch.inference_mode():
            images, _ = detector.transform([image])
            expected = detector.backbone(images.tensors)
        prepared, content = prepare(image[None], spec)
        assert content == images.image_sizes[0]
        # SSD's numbers are of the size of 255, the others' of 1.
        torch.testing.assert_close(prepared, images.tensors, rtol=0, atol=1e-6 / min(spec.std))
        pyramid = backbone(image[None])
        assert (pyramid.input_size, pyramid.content) == (tuple(prepared.shape[-2:]), content)
        assert list(pyramid.levels) == list(expected) == [level.name for level in spec.levels]
        for level in spec.levels:
            found = pyramid.levels[level.name]
            # Folded norms round elsewhere, by so much of the largest feature.
            rounding = 1e-5 * expected[level.name].abs().max().item()
            torch.testing.assert_close(found, expected[level.name], rtol=1e-4, atol=rounding)
            cells = tuple(-(-side // level.stride) for side in pyramid.input_size)
            assert found.shape == (1, level.channels, *cells)


@pytest.mark.slow
def test_the_strides_of_ssd_are_the_steps_of_its_anchors() -> None:
    steps = build("ssd300_vgg16").anchor_generator.steps
    (spec,) = (spec for spec in DETECTORS if spec.name == "ssd300_vgg16")
    assert [level.stride for level in spec.levels] == steps


def test_detector_levels_of_a_480x640_image() -> None:
    with pytest.warns(RandomWeightsWarning, match="random"):
        backbone = load_backbone("fasterrcnn_resnet50_fpn", weights="none")
    pyramid = backbone(torch.rand(1, 3, 480, 640))
    sizes = [tuple(level.shape[-2:]) for level in pyramid.levels.values()]
    assert sizes == [(200, 272), (100, 136), (50, 68), (25, 34), (13, 17)]
    assert (pyramid.input_size, pyramid.content) == ((800, 1088), (800, 1066))


def test_the_image_fills_the_whole_input_of_an_ssd() -> None:
    with pytest.warns(RandomWeightsWarning):
        backbone = load_backbone("ssdlite320_mobilenet_v3_large", weights="none")
    pyramid = backbone(torch.rand(2, 3, 120, 200))
    assert pyramid.input_size == pyramid.content == (320, 320)
    assert pyramid.grid_size("finest") == (20, 20)


@pytest.mark.parametrize(
    ("name", "eps"), [("fasterrcnn_resnet50_fpn", 0.0), (SMALLEST, 1e-5), ("ssd300_vgg16", None)]
)
def test_files_that_count_no_batches_get_the_norms_they_were_made_with(
    name: str, eps: float | None, tmp_path: Path
) -> None:
    file = tmp_path / "detector.pth"
    state = build(name).state_dict()
    torch.save({key: state[key] for key in state if "num_batches" not in key}, file)
    # The whole detector, as a backbone's norms are folded into its convolutions.
    network = load_detector(find_spec(name), read_state(file))
    norms = [module for module in network.modules() if isinstance(module, FrozenBatchNorm2d)]
    assert {norm.eps for norm in norms} == (set() if eps is None else {eps})
    assert not any(isinstance(module, nn.BatchNorm2d) for module in network.modules())


def test_freezing_keeps_what_a_norm_computes() -> None:
    norm = nn.BatchNorm2d(4, eps=0.01)
    with torch.no_grad():
        for tensor in (norm.weight, norm.bias, norm.running_mean, norm.running_var):
            tensor.uniform_(0.5, 1.5)
    network = nn.Sequential(norm).eval()
    batch = torch.rand(2, 4, 3, 3)
    expected = network(batch)
    state = {name: value for name, value in network.state_dict().items() if "num" not in name}
    freeze_batch_norms(network, eps=0.01)
    network.load_state_dict(state)
    torch.testing.assert_close(network(batch), expected)


def as_published(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Names as in torchvision's oldest files, before its networks got nested convolutions."""
    renames = (
        (r"(fpn\.(?:inner|layer)_blocks\.\d+)\.0\.", r"\1."),
        (r"rpn\.head\.conv\.0\.0\.", r"rpn.head.conv."),
    )
    renamed = {}
    for name, tensor in state.items():
        old = name
        for new_form, old_form in renames:
            old = re.sub(new_form, old_form, old)
        renamed[old] = tensor
    return renamed


def test_torchvisions_oldest_names_are_read_and_a_wrong_one_is_still_refused() -> None:
    state = build(SMALLEST).state_dict()
    published = as_published(state)
    assert len(set(published) - set(state)) == 10
    detector = get_model(SMALLEST, weights=None, weights_backbone=None)
    load_state(detector, published, SMALLEST)
    for name, tensor in detector.state_dict().items():
        torch.testing.assert_close(tensor, state[name], msg=name)
    wrong = published.pop("backbone.fpn.inner_blocks.0.weight")
    with pytest.raises(WeightsError, match=r"1 missing: backbone\.fpn\.inner_blocks\.0\.0\.weight"):
        load_state(detector, published, SMALLEST)
    with pytest.raises(WeightsError, match=r"inner_blocks\.0\.0\.weight"):
        load_state(
            detector, {**published, "backbone.fpn.inner_blocks.0.weight": wrong[:1]}, SMALLEST
        )


def test_a_detector_can_look_at_images_in_their_own_size() -> None:
    with pytest.warns(RandomWeightsWarning):
        backbone = load_backbone(SMALLEST, weights="none", geometry="native")
    pyramid = backbone(torch.rand(1, 3, 100, 130))
    assert (pyramid.input_size, pyramid.content) == ((128, 160), (100, 130))
    with pytest.raises(OptionError, match="default, native, detector, detector-padded, short:N"):
        load_backbone(SMALLEST, weights="none", geometry="tiny")
