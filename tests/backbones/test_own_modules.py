"""What users wrap: every type of numbers, and modules that are not as a wrapper would have them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from torch import nn

from quickgaze import SaliencyModel, load_backbone, wrap_backbone
from quickgaze.backbones import Backbone, InputGeometry
from quickgaze.cams import CAMS, CamInput, CamOptions
from quickgaze.errors import OptionError, SlowPrecisionWarning

BATCH = torch.rand(2, 3, 48, 64, generator=torch.Generator().manual_seed(0))


def wrap(module: Any, layers: Any = ("1",), **options: Any) -> Backbone:
    given = {"name": "mine", "mean": (0.5, 0.5, 0.5), "std": (0.25, 0.25, 0.25), **options}
    return wrap_backbone(module, layers, **given)


def trunk(channels: int = 3) -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Conv2d(channels, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 6, 3, 2, 1))


# Types of numbers


@pytest.mark.filterwarnings("ignore::quickgaze.errors.SlowPrecisionWarning")
@pytest.mark.parametrize(
    ("number", "rounding"), [(torch.half, 2e-3), (torch.bfloat16, 2e-2), (torch.double, 1e-6)]
)
def test_a_module_is_given_its_own_type(number: torch.dtype, rounding: float) -> None:
    exact = wrap(trunk(), ["0", "2"])
    backbone = wrap(trunk().to(number), ["0", "2"])
    assert backbone.precision == str(number).removeprefix("torch.")
    assert backbone.weights_hash != exact.weights_hash
    expected = exact(BATCH)
    for name, level in backbone(BATCH).levels.items():
        assert level.dtype == torch.float32
        torch.testing.assert_close(level, expected.levels[name], rtol=rounding, atol=rounding)
    image = (BATCH[0].permute(1, 2, 0) * 255).byte().numpy()
    assert np.isfinite(SaliencyModel(backbone)(image).map).all()


@pytest.mark.filterwarnings("ignore::quickgaze.errors.SlowPrecisionWarning")
@pytest.mark.parametrize("number", [torch.half, torch.bfloat16, torch.double])
def test_a_gradient_cam_of_a_module_in_another_type(number: torch.dtype) -> None:
    layers = (*trunk(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4))
    module = nn.Sequential(*layers).to(number)
    backbone = wrap(module, ["1", "2"])
    cam = CAMS["hirescam"].compute(CamInput(backbone, BATCH), CamOptions())
    assert cam.projection.dtype == torch.float32
    assert cam.projection.isfinite().all()
    assert module[0].weight.dtype == number


def test_a_precision_that_the_module_does_not_have_is_refused() -> None:
    with pytest.raises(OptionError, match=r"'fp32', but the module's numbers are float16"):
        wrap(trunk().half(), precision="fp32")


def test_a_module_without_weights_sees_float32() -> None:
    module = nn.Sequential(nn.Identity(), nn.AvgPool2d(4))
    assert wrap(module)(BATCH).levels["1"].dtype == torch.float32


# Modules that cannot take such images


def test_a_network_for_grey_images_says_how_to_make_them_grey() -> None:
    with pytest.raises(OptionError, match=r"takes 1 channel, .*Grayscale\(\), module\)") as refusal:
        wrap(trunk(1))
    assert str(refusal.value).startswith("the Sequential does not take images (B, 3, H, W)")
    grey = nn.Sequential(torchvision.transforms.Grayscale(), trunk(1))
    levels = wrap(grey, ["1.0", "1.2"])(BATCH).levels
    assert [level.shape[1] for level in levels.values()] == [8, 6]


def test_a_network_for_other_channels_says_how_many() -> None:
    with pytest.raises(OptionError, match="takes 4 channels, and images have 3"):
        wrap(trunk(4))


def test_a_head_for_one_size_does_not_matter() -> None:
    head = nn.Sequential(*trunk(), nn.Flatten(), nn.Linear(6 * 8 * 8, 10))
    expected = wrap(trunk(), ["0", "2"])(BATCH)
    for name, level in wrap(head, ["0", "2"])(BATCH).levels.items():
        torch.testing.assert_close(level, expected.levels[name], rtol=0, atol=0)
    with pytest.raises(OptionError, match=r"fixed_size=\(HEIGHT, WIDTH\)"):
        wrap(head, ["0", "4"], reshape=lambda maps: maps)
    cam = CamInput(wrap(head, ["0", "2"]), BATCH)
    with pytest.raises(OptionError, match=r"Sequential cannot score images of .*48, 64"):
        CAMS["gradcam"].compute(cam, CamOptions())


class OneSize(nn.Module):
    """Takes one size alone, as many vision transformers do, and gives tokens."""

    def __init__(self, size: tuple[int, int]) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 5, 16, 16)
        self.places = nn.Parameter(torch.rand(size[0] * size[1] // 256, 5))
        self.tokens = nn.Identity()

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        maps: torch.Tensor = self.patches(batch).flatten(2).mT + self.places
        return self.tokens(maps)


def square(tokens: torch.Tensor) -> torch.Tensor:
    side = math.isqrt(tokens.shape[1])
    return tokens.mT.unflatten(2, (side, side))


def test_a_network_of_one_size_says_how_to_give_it() -> None:
    network = OneSize((64, 64))
    with pytest.raises(OptionError, match=r"256 x 384 pixels .*fixed_size=\(HEIGHT, WIDTH\)"):
        wrap(network, ["tokens"], reshape=square)
    geometry = InputGeometry(fixed_size=(64, 64))
    backbone = wrap(network, ["tokens"], reshape=square, geometry=geometry)
    assert backbone(BATCH).shape("tokens") == (2, 5, 4, 4)


def test_a_reshape_that_wants_a_square_says_so() -> None:
    tokens = nn.Sequential(nn.Conv2d(3, 5, 16, 16), nn.Flatten(2))
    with pytest.raises(OptionError, match=r"reshape fails on .*'1' gives .*\(1, 5, 384\)") as says:
        wrap(tokens, reshape=lambda flat: square(flat.mT))
    assert "not all square" in str(says.value)
    with pytest.raises(OptionError, match=r"\(1, 5, 16, 24\) for an input of 384 x 256 pixels"):
        wrap(tokens, reshape=lambda flat: flat.unflatten(2, (16, 24)))
    geometry = InputGeometry(fixed_size=(64, 64))
    options = {"reshape": lambda flat: square(flat.mT), "geometry": geometry}
    assert wrap(tokens, **options)(BATCH).shape("1") == (2, 5, 4, 4)


@pytest.mark.parametrize(
    "reshape", [lambda _: None, lambda maps: maps[0], lambda maps: maps[:, :0], torch.fft.fft]
)
def test_a_reshape_that_gives_no_maps_says_so(reshape: Callable[[Any], Any]) -> None:
    with pytest.raises(OptionError, match=r"layer '1' gives a .* not a tensor"):
        wrap(trunk(), reshape=reshape)


# Modules that cannot be watched or copied


@pytest.fixture(params=["script", "trace"])
def torchscript(request: pytest.FixtureRequest) -> torch.jit.ScriptModule:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if request.param == "script":
            return torch.jit.script(trunk())
        return torch.jit.trace(trunk(), torch.zeros(1, 3, 32, 32))


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")
def test_torchscript_is_refused(torchscript: torch.jit.ScriptModule) -> None:
    with pytest.raises(OptionError, match="the module is TorchScript; wrap"):
        wrap(torchscript)
    inside = nn.Sequential(torchscript, nn.Conv2d(6, 4, 1))
    with pytest.raises(OptionError, match=r"'0\.1' cannot be watched, because 0 is TorchScript"):
        wrap(inside, ["0.1"])
    # what stands behind it can be watched
    assert wrap(inside, ["1"])(BATCH).shape("1") == (2, 4, 12, 16)


def test_results_of_a_pass_do_not_hinder_a_copy() -> None:
    module = trunk()
    module.kept = module[0](BATCH)
    assert module.kept.requires_grad
    assert not module.kept.is_leaf
    torch.testing.assert_close(
        wrap(module)(BATCH).levels["1"], wrap(trunk())(BATCH).levels["1"], rtol=0, atol=0
    )
    assert module.kept.requires_grad


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_weights_that_are_computed_do_not_hinder_a_copy() -> None:
    module = trunk()
    expected = wrap(module)(BATCH).levels["1"]
    nn.utils.weight_norm(module[0])
    torch.testing.assert_close(wrap(module)(BATCH).levels["1"], expected)


def test_a_compiled_module_is_taken_as_it_was() -> None:
    compiled = torch.compile(trunk())
    expected = wrap(trunk())(BATCH).levels["1"]
    for layer in ("1", "_orig_mod.1"):
        backbone = wrap(compiled, {"fine": layer})
        torch.testing.assert_close(backbone(BATCH).levels["fine"], expected, rtol=0, atol=0)
    assert backbone.spec.architecture == "Sequential"


def test_a_module_made_in_inference_mode_works() -> None:
    with torch.inference_mode():
        module = nn.Sequential(*trunk(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4))
        backbone = wrap(module, ["2"])
    assert (
        CAMS["gradcam"].compute(CamInput(backbone, BATCH), CamOptions()).projection.isfinite().all()
    )


@pytest.mark.parametrize(
    ("module", "says"),
    [
        ("resnet18", r"takes a torch.nn.Module, not a str; quickgaze.load_backbone"),
        (lambda batch: batch, "not a function"),
        (trunk().to("meta"), "the Sequential has no weights yet"),
    ],
)
def test_what_is_no_module_with_weights_is_refused(module: Any, says: str) -> None:
    with pytest.raises(OptionError, match=says):
        wrap(module)


@pytest.mark.parametrize(
    "numbers", [{"mean": 0.5}, {"mean": (0.5,)}, {"std": (1, 1, 0)}, {"mean": (0, 0, math.nan)}]
)
def test_colours_have_three_numbers(numbers: dict[str, Any]) -> None:
    (name,) = numbers
    with pytest.raises(OptionError, match=f"{name} is .*; give "):
        wrap(trunk(), **numbers)
    assert wrap(trunk(), mean=np.zeros(3), std=torch.ones(3)).spec.std == (1, 1, 1)


@pytest.mark.parametrize("layers", [None, [0], 3, {"fine": None}])
def test_layers_are_names(layers: Any) -> None:
    with pytest.raises(OptionError, match=r"layers is .*; give names of module\.named_modules"):
        wrap(trunk(), layers)


def test_a_geometry_is_a_name_or_an_object() -> None:
    with pytest.raises(OptionError, match=r"geometry is \(224, 224\); .*fixed_size=\(HEIGHT"):
        wrap(trunk(), geometry=(224, 224))


@pytest.mark.parametrize("weights", [trunk().state_dict(), None, trunk()])
def test_weights_are_a_file(weights: Any) -> None:
    with pytest.raises(OptionError, match=r"weights is a .*; give 'default', 'none' or a file"):
        load_backbone("timm/test_resnet", weights)


def test_a_module_is_not_loaded_by_name() -> None:
    with pytest.raises(OptionError, match="not a Sequential; wrap_backbone takes a module"):
        load_backbone(trunk())  # type: ignore[arg-type]


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_quantised_head_does_not_matter() -> None:
    module = nn.Sequential(*trunk(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4))
    quantised = torch.ao.quantization.quantize_dynamic(module.eval(), {nn.Linear})
    backbone = wrap(quantised, ["2"])
    expected = wrap(trunk(), ["2"])(BATCH).levels["2"]
    torch.testing.assert_close(backbone(BATCH).levels["2"], expected, rtol=0, atol=0)
    assert len(backbone.weights_hash) == 64


def test_one_layer_may_be_a_string() -> None:
    assert wrap(trunk(), "1").level_names == ("1",)


# Batches


@pytest.mark.parametrize(
    ("batch", "says"),
    [
        (torch.zeros(1, 3, 0, 8), r"at least 1 x 1 pixel in it; it got \(1, 3, 0, 8\)"),
        (torch.zeros(0, 3, 8, 8), r"it got \(0, 3, 8, 8\)"),
        (torch.zeros(1, 3, 8, 0), r"it got \(1, 3, 8, 0\)"),
        (torch.zeros(1, 1, 8, 8), r"it got \(1, 1, 8, 8\)"),
        (np.zeros((1, 3, 8, 8)), "a torch tensor; it got a ndarray"),
    ],
)
def test_a_batch_without_an_image_is_refused(batch: Any, says: str) -> None:
    with pytest.raises(OptionError, match=says):
        wrap(trunk())(batch)


def test_a_batch_that_requires_a_gradient_is_taken() -> None:
    backbone = wrap(trunk())
    found = backbone(BATCH.clone().requires_grad_()).levels["1"]
    torch.testing.assert_close(found, backbone(BATCH).levels["1"], rtol=0, atol=0)
    assert not found.requires_grad


# Channels last


class Block(nn.Module):
    """Gives `maps` of an input of 256 x 384 pixels as a block that keeps channels last does."""

    def __init__(self, channels: int = 144, stride: int = 4) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, channels, stride, stride)
        self.last = nn.Identity()

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        maps: torch.Tensor = self.last(self.convolution(batch).permute(0, 2, 3, 1))
        return maps


@pytest.mark.parametrize(
    ("channels", "stride", "shape"),
    [
        (144, 4, r"\(1, 64, 96, 144\)"),  # passes for 64 channels at stride 3
        (36, 16, r"\(1, 16, 24, 36\)"),
        (72, 8, r"\(1, 32, 48, 72\)"),
        (143, 4, r"\(1, 64, 96, 143\)"),
    ],
)
def test_channels_that_are_last_are_found_out(channels: int, stride: int, shape: str) -> None:
    block = Block(channels, stride)
    with pytest.raises(OptionError, match=f"{shape}.* channels are last, give reshape="):
        wrap(block, ["last"])
    backbone = wrap(block, ["last"], reshape=lambda maps: maps.permute(0, 3, 1, 2))
    (level,) = backbone.spec.levels
    assert (level.channels, level.stride) == (channels, stride)


@pytest.mark.parametrize(
    "geometry",
    [
        InputGeometry(multiple=32),
        InputGeometry(fixed_size=(256, 384)),
        InputGeometry(fixed_size=(384, 384)),
    ],
)
@pytest.mark.parametrize("channels", [144, 96])
def test_channels_that_are_last_are_found_out_in_every_geometry(
    geometry: InputGeometry, channels: int
) -> None:
    with pytest.raises(OptionError, match="channels are last"):
        wrap(Block(channels), ["last"], geometry=geometry)


class OneShape(Block):
    """Such a block in a network that takes one size alone."""

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        if batch.shape[2:] != (256, 384):
            raise ValueError("one size only")
        return super().forward(batch)


def test_channels_that_are_last_are_guessed_where_one_size_is_all_there_is() -> None:
    geometry = InputGeometry(fixed_size=(256, 384))
    with pytest.raises(OptionError, match=r"\(1, 64, 96, 144\) .* channels seem to be last"):
        wrap(OneShape(), ["last"], geometry=geometry)
    backbone = wrap(OneShape(), ["convolution"], geometry=geometry)
    assert backbone.spec.levels[0].channels == 144


def test_a_layer_whose_size_does_not_follow_the_image_is_no_level() -> None:
    pooled = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d((8, 12)))
    with pytest.raises(OptionError, match=r"\(1, 4, 8, 12\) for an input of 384 x 256"):
        wrap(pooled)


# Precision


@pytest.mark.parametrize("number", [torch.bfloat16, torch.half, torch.float32])
def test_bfloat16_warns_where_the_processor_has_none(
    number: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quickgaze.backbones._speed._has_bf16", lambda: False)
    if number == torch.bfloat16:
        with pytest.warns(SlowPrecisionWarning, match="mine: this processor has no instructions"):
            wrap(trunk().to(number))
    else:
        wrap(trunk().to(number))
