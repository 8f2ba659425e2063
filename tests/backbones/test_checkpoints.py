"""Files that training programs write: what the features need is found, and nothing is executed."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import timm
import torch
from torch import nn
from torchvision.models import get_model

from quickgaze.backbones import Backbone, load_backbone
from quickgaze.backbones._weights import find_weights, read_state
from quickgaze.backbones.backbone import find_spec
from quickgaze.cams import CAMS, CamInput, CamOptions
from quickgaze.errors import WeightsError

State = Mapping[str, torch.Tensor]

RESNET = "timm/test_resnet"
VIT = "timm/test_vit"
LITE = "efficientnet_lite0"
DETECTOR = "fasterrcnn_mobilenet_v3_large_320_fpn"


def make(name: str, **options: Any) -> State:
    """Random weights of a whole model."""
    with torch.random.fork_rng():
        torch.manual_seed(7)
        if name == DETECTOR:
            return get_model(name, weights=None, weights_backbone=None, **options).state_dict()
        if name == LITE and not options:
            return read_state(find_weights(LITE, find_spec(LITE).weights))
        if name == LITE:
            return timm.create_model("tf_efficientnet_lite0", **options).state_dict()
        return timm.create_model(name.removeprefix("timm/"), **options).state_dict()


@pytest.fixture(scope="module")
def whole() -> dict[str, State]:
    return {name: make(name) for name in (RESNET, VIT, LITE, DETECTOR)}


HEADS = {RESNET: "fc.", VIT: "head.", LITE: "_fc.", DETECTOR: "roi_heads."}

each = pytest.mark.parametrize("name", HEADS)


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Backbone]:
    def write_and_load(name: str, content: object) -> Backbone:
        file = tmp_path / "weights.pth"
        torch.save(content, file)
        return load_backbone(name, file, device="cpu")

    return write_and_load


def renamed(state: State, prefix: str) -> State:
    return {prefix + name: tensor for name, tensor in state.items()}


@pytest.fixture(scope="module")
def hashes(whole: dict[str, State], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Hashes of the backbones that the whole models give."""
    file = tmp_path_factory.mktemp("whole") / "weights.pth"
    found = {}
    for name, state in whole.items():
        torch.save(dict(state), file)
        found[name] = load_backbone(name, file, device="cpu").weights_hash
    return found


@each
def test_a_file_without_a_head_gives_the_same_features(
    name: str, whole: dict[str, State], hashes: dict[str, str], load: Callable[..., Backbone]
) -> None:
    without = {key: value for key, value in whole[name].items() if HEADS[name] not in key}
    assert len(without) < len(whole[name])
    assert load(name, without).weights_hash == hashes[name]


@each
def test_a_head_of_another_shape_is_left_alone(
    name: str, whole: dict[str, State], hashes: dict[str, str], load: Callable[..., Backbone]
) -> None:
    tuned = {
        key: value[:10] if HEADS[name] in key and value.ndim else value
        for key, value in whole[name].items()
    }
    assert any(tuned[key].shape != whole[name][key].shape for key in tuned)
    assert load(name, tuned).weights_hash == hashes[name]
    another = {key.replace(HEADS[name], "my_head.1."): value for key, value in tuned.items()}
    assert load(name, another).weights_hash == hashes[name]


def test_ten_classes_as_timm_builds_them(
    whole: dict[str, State], hashes: dict[str, str], load: Callable[..., Backbone]
) -> None:
    tuned = dict(make(RESNET, num_classes=10))
    assert tuned["fc.weight"].shape[0] == 10
    tuned.update({key: value for key, value in whole[RESNET].items() if "fc." not in key})
    assert load(RESNET, tuned).weights_hash == hashes[RESNET]


@each
@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "model.", "net.module._orig_mod."])
def test_what_stands_before_the_names_is_left_out(
    name: str,
    prefix: str,
    whole: dict[str, State],
    hashes: dict[str, str],
    load: Callable[..., Backbone],
) -> None:
    assert load(name, renamed(whole[name], prefix)).weights_hash == hashes[name]


def test_a_part_that_was_compiled_has_its_usual_names(
    whole: dict[str, State], hashes: dict[str, str], load: Callable[..., Backbone]
) -> None:
    state = {
        key.replace("layer2.", "layer2._orig_mod."): value for key, value in whole[RESNET].items()
    }
    assert len(set(state) - set(whole[RESNET])) > 5
    assert load(RESNET, state).weights_hash == hashes[RESNET]


def test_the_features_of_a_detector_alone(
    whole: dict[str, State], hashes: dict[str, str], load: Callable[..., Backbone]
) -> None:
    body = {
        key.removeprefix("backbone."): value
        for key, value in whole[DETECTOR].items()
        if key.startswith("backbone.")
    }
    assert load(DETECTOR, body).weights_hash == hashes[DETECTOR]


CONTAINERS: dict[str, Callable[[State], object]] = {
    key: (lambda state, key=key: {"epoch": 3, key: state})
    for key in (
        "state_dict",
        "model",
        "model_state_dict",
        "net",
        "ema",
        "state_dict_ema",
        "generator",
    )
}
CONTAINERS |= {
    "nested": lambda state: {"model": {"state_dict": state}, "epoch": 1},
    "lightning": lambda state: {
        "state_dict": {**renamed(state, "model."), "loss.weight": torch.ones(2)},
        "optimizer_states": [{}],
    },
    "average": lambda state: {
        "model": state,
        "model_ema": {key: value + 1 for key, value in state.items()},
    },
    "counted": lambda state: {**state, "epoch": 3},
    "arguments": lambda state: {"state_dict": state, "args": argparse.Namespace(lr=0.1)},
}


@pytest.mark.parametrize("kind", CONTAINERS)
def test_a_state_is_found_in_a_checkpoint(
    kind: str, whole: dict[str, State], hashes: dict[str, str], load: Callable[..., Backbone]
) -> None:
    content = CONTAINERS[kind](whole[RESNET])
    assert load(RESNET, content).weights_hash == hashes[RESNET]


def test_a_checkpoint_with_its_optimizer(load: Callable[..., Backbone]) -> None:
    model = timm.create_model("test_resnet", num_classes=10)
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.rand(2, 3, 64, 64)).sum().backward()
    optimizer.step()
    checkpoint = {"epoch": 5, "optimizer": optimizer.state_dict()}
    state = model.state_dict()
    found = load(RESNET, {**checkpoint, "model": renamed(state, "module.")})
    assert found.weights_hash == load(RESNET, state).weights_hash


def test_safetensors_with_something_before_the_names(
    whole: dict[str, State], hashes: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "MODEL.SAFETENSORS"
    state = {key: value for key, value in whole[VIT].items() if not key.startswith("head.")}
    safetensors.torch.save_file(dict(renamed(state, "module.")), file)
    assert load_backbone(VIT, file, device="cpu").weights_hash == hashes[VIT]


# What the features need must fit


@each
def test_what_the_features_need_must_be_there(
    name: str, whole: dict[str, State], load: Callable[..., Backbone]
) -> None:
    needed = [key for key in whole[name] if HEADS[name] not in key and key.endswith("weight")]
    lost = needed[3]
    with pytest.raises(WeightsError, match=f"{name}: .* 1 missing"):
        load(name, {key: value for key, value in whole[name].items() if key != lost})
    with pytest.raises(WeightsError, match=f"{name}: .* 1 of another shape: .* is .*, not "):
        load(name, {**whole[name], lost: torch.ones(3, 3)})


def test_more_of_a_part_that_the_features_have_is_another_network(
    whole: dict[str, State], load: Callable[..., Backbone]
) -> None:
    with pytest.raises(WeightsError, match=r"1 left over: layer2\.9\.conv1\.weight"):
        load(RESNET, {**whole[RESNET], "layer2.9.conv1.weight": torch.ones(1)})
    with pytest.raises(WeightsError, match=r"left over: body\.99\.0\.weight"):
        load(DETECTOR, {**whole[DETECTOR], "backbone.body.99.0.weight": torch.ones(1)})


def test_weights_of_another_network_are_refused(
    whole: dict[str, State], load: Callable[..., Backbone]
) -> None:
    for name, other in ((RESNET, VIT), (VIT, RESNET), (DETECTOR, LITE), (LITE, RESNET)):
        with pytest.raises(
            WeightsError, match=f"{name}: the weights do not fit the network: .*missing"
        ):
            load(name, whole[other])


def test_two_sets_of_weights_in_one_state_are_refused(
    whole: dict[str, State], load: Callable[..., Backbone]
) -> None:
    both = {**renamed(whole[RESNET], "student."), **renamed(whole[RESNET], "teacher.")}
    with pytest.raises(WeightsError, match=r"several names: student\., teacher\.; save"):
        load(RESNET, both)


# The head, where it is needed


def test_a_gradient_cam_needs_the_head(
    whole: dict[str, State], load: Callable[..., Backbone]
) -> None:
    images = torch.rand(1, 3, 64, 64)
    without = {key: value for key, value in whole[RESNET].items() if not key.startswith("fc.")}
    for state, says in (
        (without, r"2 missing: fc\.weight, fc\.bias\. They give features, but this map needs the"),
        ({**whole[RESNET], "fc.weight": torch.ones(10, 96)}, r"fc\.weight is \(10, 96\), not "),
    ):
        backbone = load(RESNET, state)
        assert backbone(images).levels["s32"].isfinite().all()
        with pytest.raises(WeightsError, match=says):
            CAMS["gradcam"].compute(CamInput(backbone, images), CamOptions())
    prefixed = load(RESNET, {"model": renamed(whole[RESNET], "module.")})
    cam = CAMS["gradcam"].compute(CamInput(prefixed, images), CamOptions())
    assert cam.projection.isfinite().all()


def test_boxes_need_the_head(whole: dict[str, State], load: Callable[..., Backbone]) -> None:
    without = {key: value for key, value in whole[DETECTOR].items() if "roi_heads" not in key}
    given = CamInput(load(DETECTOR, without), torch.rand(1, 3, 64, 64))
    with pytest.raises(WeightsError, match=r"missing: roi_heads\..*this map needs the head too"):
        CAMS["boxes"].compute(given, CamOptions())


# Files that are refused


class Own(nn.Module):
    pass


def script(file: Path) -> None:
    module = torch.jit.trace(nn.Linear(1, 1), torch.zeros(1, 1))
    torch.jit.save(module, str(file))


def half(file: Path) -> None:
    torch.save({"weight": torch.ones(99)}, file)
    file.write_bytes(file.read_bytes()[:200])


def picture(file: Path) -> None:
    file.write_bytes(b"GIF89a hello")


REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "model": (
        lambda file: torch.save(timm.create_model("test_resnet"), file),
        r"an object of the class timm\.models\.resnet\.ResNet, which would run code",
    ),
    "own": (lambda file: torch.save({"model": Own()}, file), r"class .*Own, which would run code"),
    "script": (script, "a TorchScript archive"),
    "picture": (picture, "damaged, or not a file that torch"),
    "half": (half, "damaged, or not a file that torch"),
    "numbers": (
        lambda file: torch.save({"epoch": 3, "loss": 0.5}, file),
        "does not hold a state dictionary: .* but epoch, loss",
    ),
    "list": (lambda file: torch.save([torch.ones(1)], file), "does not hold a state dictionary"),
}


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_refused_is_refused_in_our_words(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "weights.pth"
    write, says = REFUSED[kind]
    write(file)
    with pytest.raises(WeightsError, match=says) as refusal:
        read_state(file)
    message = str(refusal.value)
    assert message.startswith(f"{file} ")
    assert "torch.save(model.state_dict(), FILE)" in message
    for unsafe in ("\x1b", "weights_only", "trusted", "arbitrary code", "safe_globals", "\n"):
        assert unsafe not in message
