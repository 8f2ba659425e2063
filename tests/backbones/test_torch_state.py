"""What a caller told torch reaches no map: the difference is exactly 0."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from skimage.data import chelsea
from torch import nn
from torchvision.models import get_model

from quickgaze import SaliencyModel, load_backbone, wrap_backbone
from quickgaze.backbones import Backbone, find_spec, plain_torch
from quickgaze.backbones._timm_specs import timm_spec
from quickgaze.cams import CAMS, CamInput, CamOptions
from quickgaze.errors import RandomWeightsWarning
from quickgaze.saliency import as_batch, saliency_maps

DETECTOR = "fasterrcnn_mobilenet_v3_large_320_fpn"
CAT = np.ascontiguousarray(chelsea()[::4, ::4])


@contextmanager
def told(setter: Callable[[Any], None], value: object, before: object) -> Iterator[None]:
    setter(value)
    try:
        yield
    finally:
        setter(before)


def default_type(number: torch.dtype) -> AbstractContextManager[None]:
    return told(torch.set_default_dtype, number, torch.float32)


STATES: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "autocast to half": lambda: torch.autocast("cpu", torch.half),
    "float64": lambda: default_type(torch.float64),
    "bfloat16": lambda: default_type(torch.bfloat16),
    "half": lambda: default_type(torch.half),
    "device": lambda: told(torch.set_default_device, "meta", None),
    "device block": lambda: torch.device("meta"),
    "products": lambda: told(torch.set_float32_matmul_precision, "medium", "highest"),
    "inference": torch.inference_mode,
    "gradients": torch.enable_grad,
    "deterministic": lambda: told(torch.use_deterministic_algorithms, True, False),
}
MAIN = ("autocast", "float64", "device")
each_state = pytest.mark.parametrize("state", STATES)


def network() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layers = nn.Conv2d(3, 64, 3, 2, 1), nn.ReLU(), nn.Conv2d(64, 96, 3, 2, 1), nn.ReLU()
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(96, 10))


def wrapped(module: nn.Module) -> Backbone:
    colours = {"mean": (0.5, 0.5, 0.5), "std": (0.25, 0.25, 0.25)}
    return wrap_backbone(module, ["1", "3"], name="mine", device="cpu", **colours)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Weights of whole models."""
    folder = tmp_path_factory.mktemp("weights")
    found = {}
    for name in ("timm/test_resnet", "timm/test_vit", DETECTOR):
        torch.manual_seed(1)
        model = (
            timm.create_model(name.removeprefix("timm/"))
            if name.startswith("timm/")
            else get_model(name, weights=None, weights_backbone=None)
        )
        found[name] = folder / f"{name.rpartition('/')[2]}.pth"
        torch.save(model.state_dict(), found[name])
    return found


@pytest.fixture(scope="module")
def loaders(files: dict[str, Path]) -> dict[str, Callable[[], Backbone]]:
    """Ways to a backbone of every family."""
    module = network()
    return {
        "lite0": lambda: load_backbone("efficientnet_lite0", device="cpu"),
        **{
            name: (lambda name=name, file=file: load_backbone(name, file, device="cpu"))
            for name, file in files.items()
        },
        "wrapped": lambda: wrapped(module),
    }


@pytest.fixture(scope="module")
def loaded(loaders: dict[str, Callable[[], Backbone]]) -> dict[str, Backbone]:
    return {name: load() for name, load in loaders.items()}


@pytest.fixture(scope="module")
def expected(loaded: dict[str, Backbone]) -> dict[str, dict[str, torch.Tensor]]:
    return {name: features(backbone) for name, backbone in loaded.items()}


def features(backbone: Backbone) -> dict[str, torch.Tensor]:
    """Every level, and a part of the finest, which a detector computes where it is read."""
    pyramid = backbone(as_batch([CAT]))
    part = pyramid.at(backbone.level_names[0], [0, 3, 4], [1, 2, 6])
    return {"part": part, **{name: pyramid.levels[name] for name in backbone.level_names}}


def same(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> bool:
    types = {level.dtype for level in found.values()}
    equal = [torch.equal(level, expected[name]) for name, level in found.items()]
    return types == {torch.float32} and all(equal)


FAMILIES = ("lite0", "timm/test_resnet", "timm/test_vit", DETECTOR, "wrapped")


@pytest.mark.parametrize(
    ("family", "state"),
    [("lite0", state) for state in STATES]
    + [(family, state) for family in FAMILIES[1:] for state in MAIN],
)
def test_the_features_are_the_same(state: str, family: str, loaded: Any, expected: Any) -> None:
    with STATES[state]():
        found = features(loaded[family])
    assert same(found, expected[family])


@pytest.mark.parametrize("state", MAIN)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_backbone_that_was_made_inside_is_the_same(
    state: str, family: str, loaders: Any, loaded: Any, expected: Any
) -> None:
    with STATES[state]():
        backbone = loaders[family]()
        found = features(backbone)
    assert same(found, expected[family])
    assert same(features(backbone), expected[family])
    assert backbone.weights_hash == loaded[family].weights_hash
    assert backbone.precision == "fp32"


OWN = ("eigen", "deviation", "activation", "gradcam", "eigengradcam", "layercam")


@pytest.mark.parametrize("cam", [*OWN, "center", "uniform", "spectral_residual"])
def test_the_maps_are_the_same(cam: str, loaded: Any) -> None:
    model = SaliencyModel(loaded["wrapped"], cam=cam, grid="finest")
    expected = model(CAT)
    for name, state in STATES.items():
        with state():
            found = model(CAT)
        assert found.map.dtype == found.cam.dtype == np.float32
        np.testing.assert_array_equal(found.cam, expected.cam, err_msg=name)
        np.testing.assert_array_equal(found.map, expected.map, err_msg=name)


@pytest.mark.parametrize("inside", [False, True])
def test_boxes_are_the_same(inside: bool, loaders: Any, loaded: Any) -> None:
    options, images = CamOptions(), as_batch([CAT])
    expected = CAMS["boxes"].compute(CamInput(loaded[DETECTOR], images), options).projection
    for name in ("float64",) if inside else STATES:
        with STATES[name]():
            detector = loaders[DETECTOR]() if inside else loaded[DETECTOR]
            found = CAMS["boxes"].compute(CamInput(detector, images), options).projection
        assert torch.equal(found, expected), name


@pytest.mark.parametrize("cam", ["eigen", "deviation", "activation"])
@pytest.mark.parametrize("fusion", ["concatenate", "mean"])
def test_cams_of_a_pyramid_are_the_same(cam: str, fusion: str, loaded: Any) -> None:
    options = CamOptions(fusion=fusion, grid="9x13", level_scale="std")
    rule = "lapack" if cam == "eigen" and fusion == "concatenate" else "activation"

    def made() -> tuple[torch.Tensor, torch.Tensor]:
        found = CAMS[cam].compute(CamInput(loaded[DETECTOR], as_batch([CAT])), options)
        oriented = found.oriented(rule)
        return oriented, saliency_maps(oriented, (60, 90))

    expected = made()
    for name, state in STATES.items():
        with state():
            found = made()
        assert all(map(torch.equal, found, expected)), name


@pytest.mark.parametrize("state", [*MAIN, "half", "inference"])
def test_a_model_by_name_is_the_same_inside(state: str) -> None:
    expected = SaliencyModel(device="cpu")(CAT)
    with STATES[state]():
        found = SaliencyModel(device="cpu")(CAT)
    np.testing.assert_array_equal(found.map, expected.map)
    assert found.explained_variance == expected.explained_variance
    assert found.orientation_margin == expected.orientation_margin


def test_random_weights_are_the_same() -> None:
    def made() -> str:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RandomWeightsWarning)
            return load_backbone("timm/test_vit", "none", device="cpu").weights_hash

    expected = made()
    for name, state in STATES.items():
        with state():
            assert made() == expected, name


@pytest.mark.parametrize("state", MAIN)
def test_a_description_is_the_same(state: str) -> None:
    name = "timm/test_efficientnet"
    timm_spec.cache_clear()
    expected = find_spec(name)
    timm_spec.cache_clear()
    with STATES[state]():
        assert find_spec(name) == expected


@each_state
def test_the_caller_has_its_state_back(state: str) -> None:
    def seen() -> tuple[object, ...]:
        return (
            torch.is_autocast_enabled("cpu"),
            torch.get_autocast_dtype("cpu"),
            torch.get_default_dtype(),
            torch.get_default_device(),
            torch.get_float32_matmul_precision(),
            torch.is_inference_mode_enabled(),
            torch.is_grad_enabled(),
            torch.are_deterministic_algorithms_enabled(),
        )

    outside = seen()
    with STATES[state]():
        before = seen()
        SaliencyModel(device="cpu")(CAT)
        assert seen() == before
        with plain_torch():
            assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32
            assert torch.zeros(1).device.type == "cpu"
        assert seen() == before
    assert seen() == outside


def test_states_add_up() -> None:
    expected = SaliencyModel(device="cpu")(CAT)
    with ExitStack() as stack:
        for state in STATES.values():
            stack.enter_context(state())
        found = SaliencyModel(device="cpu")(CAT)
    np.testing.assert_array_equal(found.map, expected.map)


def test_bf16_that_is_asked_for_is_not_undone() -> None:
    exact, rounded = (
        SaliencyModel(device="cpu", precision=precision)(CAT).map for precision in ("fp32", "bf16")
    )
    assert np.abs(exact - rounded).max() > 0
