"""The backbones, against the libraries that they come from."""

from __future__ import annotations

import numpy as np
import PIL.Image
import pytest
import torch
from skimage.data import chelsea
from torch.nn import functional
from torchvision.models.detection.transform import GeneralizedRCNNTransform

from quickgaze.backbones import (
    BACKBONES,
    Backbone,
    find_device,
    find_spec,
    list_backbones,
    load_backbone,
)
from quickgaze.backbones._catalogue import DETECTORS, EFFICIENTNET_LITE0
from quickgaze.backbones._timm_models import load_classifier, rename_efficientnet_lite
from quickgaze.backbones._weights import find_weights, read_state
from quickgaze.backbones.backbone import prepare
from quickgaze.errors import OptionError, RandomWeightsWarning, UnknownNameError, WeightsError


@pytest.fixture(scope="module")
def lite0() -> Backbone:
    return load_backbone("efficientnet_lite0")


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
    # Folded batch norms round elsewhere.
    torch.testing.assert_close(lite0(batch).levels["s32"], seen[0], rtol=1e-4, atol=1e-4)


def test_levels_are_what_the_catalogue_says(lite0: Backbone) -> None:
    pyramid = lite0(torch.rand(1, 3, 96, 128))
    spec = BACKBONES["efficientnet_lite0"]
    assert list(pyramid.levels) == [level.name for level in spec.levels]
    for level in spec.levels:
        features = pyramid.levels[level.name]
        down, across = (-(-side // level.stride) for side in pyramid.input_size)
        assert features.shape == (1, level.channels, down, across)
        assert features.dtype == torch.float32
        assert not features.requires_grad


@pytest.mark.parametrize("size", [(480, 640), (640, 480), (300, 1000), (97, 31), (1200, 1600)])
def test_preparation_is_torchvisions_own(size: tuple[int, int]) -> None:
    spec = BACKBONES["fasterrcnn_resnet50_fpn"]
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


@pytest.mark.filterwarnings("ignore::quickgaze.errors.SlowPrecisionWarning")
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


def test_the_catalogue_lists_what_it_describes() -> None:
    names = list_backbones()
    assert names == ["efficientnet_lite0", *(spec.name for spec in DETECTORS)]
    assert [find_spec(name).name for name in names] == names
    assert "timm/resnet18" not in names


def test_the_geometry_is_a_choice(lite0: Backbone) -> None:
    batch = torch.rand(1, 3, 60, 80)
    short = load_backbone("efficientnet_lite0", geometry="short:120")
    assert short(batch).content == (120, 160)
    assert short.weights_hash == lite0.weights_hash
    detector = load_backbone("efficientnet_lite0", geometry="detector")
    prepared, content = prepare(batch, detector.spec)
    assert content == (800, 1066)
    assert prepared.shape == (1, 3, 800, 1088)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(
        UnknownNameError, match="default, native, detector, detector-padded, short:N"
    ):
        load_backbone("efficientnet_lite0", geometry="big")
    with pytest.raises(UnknownNameError, match="timm has it: timm/resnet18"):
        load_backbone("resnet18")
    with pytest.raises(UnknownNameError, match="did you mean 'efficientnet_lite0'"):
        load_backbone("efficientnet_lite")
    with pytest.raises(UnknownNameError, match="auto, fp32, tf32, bf16"):
        load_backbone("efficientnet_lite0", precision="fp8")
    with pytest.raises(OptionError, match="cannot be used"):
        find_device("abacus")
    with pytest.raises(OptionError, match="cannot be used"):
        find_device("cuda:99")
