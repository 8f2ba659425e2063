"""Any timm model as a backbone, against timm itself."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Any

import huggingface_hub.errors
import pytest
import safetensors.torch
import timm
import torch
from torch import nn

from quickgaze.backbones import Backbone, find_spec, load_backbone
from quickgaze.backbones._timm_models import timm_network
from quickgaze.backbones._timm_specs import timm_spec
from quickgaze.backbones.backbone import prepare
from quickgaze.errors import OptionError, RandomWeightsWarning, UnknownNameError, WeightsError


def build(name: str, **options: Any) -> nn.Module:
    """A whole classifier with seeded weights, as timm builds it."""
    with torch.random.fork_rng():
        torch.manual_seed(5)
        return timm.create_model(name, **options).eval()


def saved(classifier: nn.Module, folder: Path) -> Path:
    file = folder / "weights.pth"
    torch.save(classifier.state_dict(), file)
    return file


def random_backbone(name: str, **options: Any) -> Backbone:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RandomWeightsWarning)
        return load_backbone(name, weights="none", device="cpu", **options)


@pytest.mark.parametrize(
    ("architecture", "stages"),
    [
        ("resnet18", {"s4": "layer1", "s8": "layer2", "s16": "layer3", "s32": "layer4"}),
        ("test_convnext", {"s4": "stages.0", "s8": "stages.1", "s32": "stages.3"}),
        ("test_efficientnet", {"s32": "blocks.4"}),
    ],
)
def test_levels_are_the_stages_of_the_classifier(
    architecture: str, stages: dict[str, str], tmp_path: Path
) -> None:
    classifier = build(architecture)
    backbone = load_backbone(f"timm/{architecture}", saved(classifier, tmp_path), device="cpu")
    batch = torch.rand(2, 3, 75, 110, generator=torch.Generator().manual_seed(0))
    seen: dict[str, torch.Tensor] = {}
    for level, path in stages.items():
        classifier.get_submodule(path).register_forward_hook(
            lambda _module, _inputs, output, level=level: seen.update({level: output})
        )
    with torch.inference_mode():
        classifier(prepare(batch, backbone.spec)[0])
    pyramid = backbone(batch)
    for level, expected in seen.items():
        torch.testing.assert_close(pyramid.levels[level], expected)
    assert pyramid.content == (75, 110)


@pytest.mark.parametrize("architecture", ["test_vit", "vit_tiny_patch16_224"])
def test_a_vision_transformer_gives_its_last_tokens_as_a_map(
    architecture: str, tmp_path: Path
) -> None:
    classifier = build(architecture, dynamic_img_size=True)
    backbone = load_backbone(f"timm/{architecture}", saved(classifier, tmp_path), device="cpu")
    batch = torch.rand(1, 3, 100, 170, generator=torch.Generator().manual_seed(0))
    pyramid = backbone(batch)
    assert (pyramid.input_size, pyramid.content) == ((112, 176), (100, 170))
    with torch.inference_mode():
        tokens = classifier.forward_features(prepare(batch, backbone.spec)[0])
    patches = tokens[:, classifier.num_prefix_tokens :]
    expected = patches.transpose(1, 2).unflatten(2, (7, 11))
    assert list(pyramid.levels) == ["s16"]
    torch.testing.assert_close(pyramid.levels["s16"], expected)
    assert pyramid.strides == {"s16": 16}


@pytest.mark.parametrize(
    ("architecture", "levels", "multiple", "fixed_size"),
    [
        ("resnet18", "s2 s4 s8 s16 s32", 1, None),
        ("tf_efficientnet_lite1", "s2 s4 s8 s16 s32", 1, None),
        ("convnext_tiny", "s4 s8 s16 s32", 32, None),
        ("swin_tiny_patch4_window7_224", "s4 s8 s16 s32", 32, None),
        ("vgg11", "s1 s2 s4 s8 s16 s32", 32, None),
        ("vit_small_patch16_224", "s16", 16, None),
        ("vit_small_patch14_dinov2", "s14", 14, None),
        ("mixer_s16_224", "s16", 1, (224, 224)),
        ("hiera_tiny_224", "s4 s8 s16 s32", 1, (224, 224)),
    ],
)
def test_specs_come_from_timms_own_data(
    architecture: str, levels: str, multiple: int, fixed_size: tuple[int, int] | None
) -> None:
    spec = find_spec(f"timm/{architecture}")
    config = timm.get_pretrained_cfg(architecture)
    assert [level.name for level in spec.levels] == levels.split()
    assert (spec.geometry.multiple, spec.geometry.fixed_size) == (multiple, fixed_size)
    assert (spec.geometry.short_side, spec.geometry.antialias) == (None, True)
    assert spec.only_size is (fixed_size is not None)
    assert (spec.mean, spec.std) == (config.mean, config.std)
    assert (spec.weights.tag, spec.weights.license) == (config.tag, config.license)
    assert spec.weights.hub == (config.hf_hub_id or None)


@pytest.mark.parametrize(
    "name",
    [
        "timm/test_resnet",
        pytest.param("timm/swin_tiny_patch4_window7_224", marks=pytest.mark.slow),
        pytest.param("timm/mixer_s16_224", marks=pytest.mark.slow),
        pytest.param("timm/hrnet_w18_small", marks=pytest.mark.slow),
    ],
)
def test_levels_are_what_the_spec_says(name: str) -> None:
    backbone = random_backbone(name)
    pyramid = backbone(torch.rand(1, 3, 150, 201))
    assert list(pyramid.levels) == [level.name for level in backbone.spec.levels]
    for level in backbone.spec.levels:
        cells = tuple(-(-side // level.stride) for side in pyramid.input_size)
        assert pyramid.levels[level.name].shape == (1, level.channels, *cells)


def test_describing_a_model_leaves_the_random_generator_alone() -> None:
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    find_spec("timm/test_byobnet")
    assert torch.equal(torch.rand(1), expected)


def test_random_weights_follow_the_seed() -> None:
    with pytest.warns(RandomWeightsWarning, match="timm/test_resnet"):
        hashes = [
            load_backbone("timm/test_resnet", "none", seed=seed).weights_hash for seed in (0, 0, 1)
        ]
    assert hashes[0] == hashes[1] != hashes[2]


def test_a_model_of_one_size_takes_no_other_geometry() -> None:
    with pytest.raises(OptionError, match="takes images of 224x224 only"):
        random_backbone("timm/mixer_s16_224", geometry="native")
    pyramid = random_backbone("timm/test_resnet", geometry="short:64")(torch.rand(1, 3, 32, 48))
    assert pyramid.content == (64, 96)


def test_safetensors_are_read(tmp_path: Path) -> None:
    classifier = build("test_resnet")
    file = tmp_path / "model.safetensors"
    safetensors.torch.save_file(classifier.state_dict(), file)
    found = load_backbone("timm/test_resnet", file, device="cpu")
    assert found.weights_hash == (
        load_backbone("timm/test_resnet", saved(classifier, tmp_path), device="cpu").weights_hash
    )
    file.write_bytes(b"no tensors")
    with pytest.raises(WeightsError, match=r"model\.safetensors could not be read"):
        load_backbone("timm/test_resnet", file)


@pytest.mark.parametrize("architecture", ["test_resnet", "test_vit"])
def test_default_weights_are_the_hubs(
    architecture: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    classifier = build(architecture)
    file = tmp_path / "model.safetensors"
    safetensors.torch.save_file(classifier.state_dict(), file)
    asked: list[str] = []

    def download(repo_id: str, filename: str, **_: object) -> str:
        asked.append(f"{repo_id}/{filename}")
        return str(file)

    monkeypatch.setattr("timm.models._hub.hf_hub_download", download)
    backbone = load_backbone(f"timm/{architecture}", device="cpu")
    config = timm.get_pretrained_cfg(architecture)
    assert asked == [f"{config.hf_hub_id}/model.safetensors"]
    assert backbone.weights == config.tag
    assert backbone.weights_hash == (
        load_backbone(f"timm/{architecture}", file, device="cpu").weights_hash
    )


def test_without_a_network_the_error_says_what_is_wanted_and_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def offline(*_: object, **__: object) -> str:
        raise huggingface_hub.errors.LocalEntryNotFoundError("no connection")

    monkeypatch.setattr("timm.models._hub.hf_hub_download", offline)
    with pytest.raises(WeightsError) as refusal:
        load_backbone("timm/resnet18")
    message = str(refusal.value)
    for part in (
        "timm/resnet18: the weights a1_in1k",
        "no connection",
        "timm/resnet18.a1_in1k on the Hugging Face hub",
        "model.safetensors",
        "weights=FILE",
        "weights='none'",
        str(huggingface_hub.constants.HF_HUB_CACHE),
    ):
        assert part in message


@pytest.mark.parametrize("where", ["huggingface_hub.utils._http", "timm.models._hub", "timm"])
def test_the_hubs_attempts_are_not_shown_before_the_error(
    where: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    def offline(*_: object, **__: object) -> str:
        for attempt in range(5):
            logging.getLogger(where).warning("Retrying in 1s [Retry %d/5].", attempt)
            logging.getLogger(where).error("no route to the hub")
        raise huggingface_hub.errors.LocalEntryNotFoundError("no connection")

    monkeypatch.setattr("timm.models._hub.hf_hub_download", offline)
    before = [logging.getLogger(name).level for name in ("huggingface_hub", "timm")]
    for name in ("timm/resnet18", "timm/test_vit"):
        with pytest.raises(WeightsError, match=r"no connection.*on the Hugging Face hub"):
            load_backbone(name)
    assert capfd.readouterr() == ("", "")
    assert not caplog.records
    assert before == [logging.getLogger(name).level for name in ("huggingface_hub", "timm")]
    logging.getLogger(where).warning("mine")
    assert [record.message for record in caplog.records] == ["mine"]


def test_the_head_is_fetched_as_quietly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "model.safetensors"
    safetensors.torch.save_file(build("test_resnet").state_dict(), file)
    monkeypatch.setattr("timm.models._hub.hf_hub_download", lambda *_, **__: str(file))
    backbone = load_backbone("timm/test_resnet", device="cpu")

    def offline(*_: object, **__: object) -> str:
        logging.getLogger("huggingface_hub.utils._http").warning("Retrying")
        raise huggingface_hub.errors.LocalEntryNotFoundError("no connection")

    monkeypatch.setattr("timm.models._hub.hf_hub_download", offline)
    with pytest.raises(WeightsError, match=r"timm/test_resnet: .*no connection"):
        _ = backbone.whole_model
    assert not caplog.records


def test_a_tag_chooses_the_weights() -> None:
    assert find_spec("timm/resnet18.tv_in1k").weights.hub == "timm/resnet18.tv_in1k"


def test_unknown_models_get_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="the nearest are: timm/resnet18,"):
        load_backbone("timm/resnt18")
    with pytest.raises(UnknownNameError, match=r"It has: .*resnet18\.a1_in1k"):
        load_backbone("timm/resnet18.of_mine")


def test_a_model_without_features_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> nn.Module:
        raise RuntimeError("features_only not implemented")

    monkeypatch.setattr(timm, "create_model", refuse)
    with pytest.raises(OptionError, match=r"no feature maps \(features_only .*wrap_backbone"):
        find_spec("timm/test_vit4")


def test_a_model_that_was_never_trained_says_so() -> None:
    with pytest.raises(WeightsError, match=r"no trained weights .*\(untrained\).*weights='none'"):
        load_backbone("timm/mixer_s16_224")


@pytest.mark.slow
@pytest.mark.parametrize("module", timm.list_modules())
def test_a_model_of_every_family_of_timm_gives_features(module: str) -> None:
    names = timm.list_models(module=module)
    if not names:
        pytest.skip("nothing is built by this module")
    spec = find_spec(f"timm/{min(names, key=len)}")
    assert spec.levels
    assert all(level.channels > 0 for level in spec.levels)


@pytest.mark.parametrize("architecture", ["test_resnet", "convnext_tiny", "mixer_s16_224"])
def test_a_model_of_timm_whose_channels_are_last_is_refused(
    architecture: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In every geometry that a model of timm may need: any size, multiples, one size."""

    def with_channels_last(spec: Any, *_: object, **__: object) -> nn.Module:
        return LastChannels(timm_network(spec))

    timm_spec.cache_clear()
    monkeypatch.setattr("quickgaze.backbones._timm_specs.timm_network", with_channels_last)
    with pytest.raises(OptionError, match=r"gives no feature maps \(B, C, H, W\)"):
        find_spec(f"timm/{architecture}")
    timm_spec.cache_clear()


class LastChannels(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, batch: torch.Tensor) -> dict[str, torch.Tensor]:
        levels = self.network(batch)
        return {name: level.permute(0, 2, 3, 1) for name, level in levels.items()}
