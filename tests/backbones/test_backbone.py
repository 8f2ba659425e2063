"""The backbones, against the libraries that they come from."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch
from skimage.data import chelsea
from torch.nn import functional
from torchvision.models.detection import fasterrcnn_resnet50_fpn
from torchvision.models.detection.transform import GeneralizedRCNNTransform
from torchvision.ops import FrozenBatchNorm2d

from quickgaze.backbones import BACKBONES, Backbone, find_device, list_backbones, load_backbone
from quickgaze.backbones.backbone import prepare
from quickgaze.backbones.detectors import freeze_batch_norms
from quickgaze.backbones.entries import EFFICIENTNET_LITE0, FASTERRCNN_RESNET50_FPN
from quickgaze.backbones.timm_models import load_classifier, rename_efficientnet_lite
from quickgaze.backbones.weights import find_weights, read_state
from quickgaze.errors import OptionError, RandomWeightsWarning, UnknownNameError, WeightsError


@pytest.fixture(scope="module")
def lite0() -> Backbone:
    return load_backbone("efficientnet_lite0")


@pytest.fixture(scope="module")
def detector() -> torch.nn.Module:
    """A whole detector with seeded random weights, as torchvision builds it."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return fasterrcnn_resnet50_fpn(weights=None, weights_backbone=None).eval()


def test_the_packaged_weights_know_an_egyptian_cat() -> None:
    state = read_state(find_weights("efficientnet_lite0", EFFICIENTNET_LITE0.weights))
    classifier = load_classifier(EFFICIENTNET_LITE0, state)
    cat = PIL.Image.fromarray(chelsea()).resize((224, 224), PIL.Image.Resampling.BICUBIC)
    batch = torch.from_numpy(np.array(cat)).permute(2, 0, 1)[None] / 255
    with torch.inference_mode():
        probabilities = classifier((batch - 0.5) / 0.5).softmax(1)[0]
    assert probabilities.argmax().item() == 285
    assert probabilities[285].item() == pytest.approx(0.77, abs=0.01)


def test_all_296_tensors_are_renamed_and_one_too_few_or_many_is_refused() -> None:
    state = read_state(find_weights("efficientnet_lite0", EFFICIENTNET_LITE0.weights))
    assert len(state) == 296
    renamed = rename_efficientnet_lite(state, [1, 2, 2, 3, 3, 4, 1])
    assert set(renamed) == set(load_classifier(EFFICIENTNET_LITE0, state).state_dict())
    without = {name: tensor for name, tensor in state.items() if name != "_fc.bias"}
    with pytest.raises(WeightsError, match=r"1 missing: classifier\.bias"):
        load_classifier(EFFICIENTNET_LITE0, without)
    with pytest.raises(WeightsError, match=r"1 left over: _blocks\.16\._bn1\.weight"):
        load_classifier(EFFICIENTNET_LITE0, {**state, "_blocks.16._bn1.weight": torch.ones(1)})


def test_the_coarsest_level_is_what_the_classifier_computes(lite0: Backbone) -> None:
    state = read_state(find_weights("efficientnet_lite0", EFFICIENTNET_LITE0.weights))
    classifier = load_classifier(EFFICIENTNET_LITE0, state)
    batch = torch.rand(2, 3, 96, 128, generator=torch.Generator().manual_seed(0))
    seen: list[torch.Tensor] = []
    classifier.blocks.register_forward_hook(lambda *called: seen.append(called[2]))
    with torch.inference_mode():
        classifier((batch - 0.5) / 0.5)
    torch.testing.assert_close(lite0(batch).levels["s32"], seen[0])


@pytest.mark.parametrize("name", list_backbones())
def test_levels_are_what_the_catalogue_says(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RandomWeightsWarning)
        backbone = load_backbone(name, weights="none")
    pyramid = backbone(torch.rand(1, 3, 96, 128))
    spec = BACKBONES[name]
    assert list(pyramid.levels) == [level.name for level in spec.levels]
    for level in spec.levels:
        features = pyramid.levels[level.name]
        down, across = (-(-side // level.stride) for side in pyramid.input_size)
        assert features.shape == (1, level.channels, down, across)
        assert features.dtype == torch.float32
        assert not features.requires_grad


def test_detector_levels_of_a_480x640_image() -> None:
    with pytest.warns(RandomWeightsWarning, match="random"):
        backbone = load_backbone("fasterrcnn_resnet50_fpn", weights="none")
    pyramid = backbone(torch.rand(1, 3, 480, 640))
    sizes = [tuple(level.shape[-2:]) for level in pyramid.levels.values()]
    assert sizes == [(200, 272), (100, 136), (50, 68), (25, 34), (13, 17)]
    assert (pyramid.input_size, pyramid.content) == ((800, 1088), (800, 1066))


def test_a_detector_from_a_file_equals_torchvision(
    detector: torch.nn.Module, tmp_path: Path
) -> None:
    file = tmp_path / "detector.pth"
    torch.save(detector.state_dict(), file)
    backbone = load_backbone("fasterrcnn_resnet50_fpn", weights=file)
    image = torch.rand(3, 120, 200, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        images, _ = detector.transform([image])
        expected = detector.backbone(images.tensors)
    pyramid = backbone(image[None])
    assert pyramid.content == images.image_sizes[0]
    for name, level in expected.items():
        torch.testing.assert_close(pyramid.levels[name], level)


def test_frozen_batch_norms_are_used_for_files_that_count_no_batches(
    detector: torch.nn.Module, tmp_path: Path
) -> None:
    file = tmp_path / "detector.pth"
    state = detector.state_dict()
    torch.save({name: state[name] for name in state if "num_batches" not in name}, file)
    network = load_backbone("fasterrcnn_resnet50_fpn", weights=file).network
    norms = [module for module in network.modules() if isinstance(module, FrozenBatchNorm2d)]
    assert len(norms) == 53
    assert {norm.eps for norm in norms} == {0.0}


def test_freezing_keeps_what_a_norm_computes() -> None:
    norm = torch.nn.BatchNorm2d(4, eps=0.0)
    with torch.no_grad():
        for tensor in (norm.weight, norm.bias, norm.running_mean, norm.running_var):
            tensor.uniform_(0.5, 1.5)
    network = torch.nn.Sequential(norm).eval()
    batch = torch.rand(2, 4, 3, 3)
    expected = network(batch)
    state = {name: value for name, value in network.state_dict().items() if "num" not in name}
    freeze_batch_norms(network)
    network.load_state_dict(state)
    torch.testing.assert_close(network(batch), expected)


@pytest.mark.parametrize("size", [(480, 640), (640, 480), (300, 1000), (97, 31), (1200, 1600)])
def test_preparation_is_torchvisions_own(size: tuple[int, int]) -> None:
    spec = FASTERRCNN_RESNET50_FPN
    transform = GeneralizedRCNNTransform(800, 1333, list(spec.mean), list(spec.std)).eval()
    image = torch.rand(3, *size, generator=torch.Generator().manual_seed(2))
    expected, _ = transform([image])
    prepared, content = prepare(image[None], spec)
    assert content == expected.image_sizes[0]
    torch.testing.assert_close(prepared, expected.tensors, rtol=0, atol=1e-6)


def test_native_geometry_only_reduces_what_is_very_large() -> None:
    batch = torch.rand(1, 3, 40, 60)
    prepared, content = prepare(batch, EFFICIENTNET_LITE0)
    assert content == (40, 60)
    torch.testing.assert_close(prepared, (batch - 0.5) / 0.5)
    reduced, content = prepare(torch.rand(1, 3, 20, 2666), EFFICIENTNET_LITE0)
    assert content == tuple(reduced.shape[-2:]) == (10, 1333)


def test_random_weights_follow_the_seed_and_leave_the_generator_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    with pytest.warns(RandomWeightsWarning):
        hashes = {
            seed: load_backbone("efficientnet_lite0", "none", seed=seed).weights_hash
            for seed in (0, 1)
        }
    assert torch.equal(torch.rand(1), expected)
    with pytest.warns(RandomWeightsWarning):
        again = load_backbone("efficientnet_lite0", "none", seed=1)
    assert hashes[0] != hashes[1] == again.weights_hash


def test_bf16_stays_close_to_fp32(lite0: Backbone) -> None:
    image = torch.from_numpy(chelsea()).permute(2, 0, 1)[None] / 255
    half = load_backbone("efficientnet_lite0", precision="bf16")(image).levels["s32"]
    full = lite0(image).levels["s32"]
    assert half.dtype == torch.float32
    assert functional.cosine_similarity(half.flatten(), full.flatten(), dim=0) > 0.99


@pytest.mark.parametrize(
    "batch",
    [torch.zeros(3, 8, 8), torch.zeros(1, 1, 8, 8), torch.zeros(1, 3, 8, 8, dtype=torch.uint8)],
)
def test_a_batch_of_another_shape_or_type_is_refused(lite0: Backbone, batch: torch.Tensor) -> None:
    with pytest.raises(OptionError, match=r"float batch \(B, 3, H, W\)"):
        lite0(batch)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'efficientnet_lite0'"):
        load_backbone("efficientnet_lite")
    with pytest.raises(UnknownNameError, match="auto, fp32, bf16"):
        load_backbone("efficientnet_lite0", precision="fp8")
    with pytest.raises(OptionError, match="cannot be used"):
        find_device("abacus")
    with pytest.raises(OptionError, match="cannot be used"):
        find_device("cuda:99")
