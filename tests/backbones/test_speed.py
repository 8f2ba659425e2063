"""What makes networks fast must not change what they say."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from skimage.data import astronaut, chelsea, coffee
from torch import nn

from quickgaze import SaliencyModel
from quickgaze.backbones import Backbone, load_backbone, wrap_backbone
from quickgaze.backbones._speed import computing_in, make_fast, warn_if_slow
from quickgaze.cams import eigen
from quickgaze.errors import RandomWeightsWarning, SlowPrecisionWarning
from quickgaze.saliency import as_batch


def detector(precision: str) -> Backbone:
    with pytest.warns(RandomWeightsWarning):
        return load_backbone(
            "fasterrcnn_resnet50_fpn", "none", "cpu", precision, geometry="short:320"
        )


def map_of(backbone: Backbone, image: np.ndarray) -> np.ndarray:
    cam = eigen(backbone(as_batch([image])), "coarsest")
    return cam.oriented("activation").numpy().ravel()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::quickgaze.errors.SlowPrecisionWarning")
def test_bf16_maps_of_a_detector_agree_with_fp32() -> None:
    exact, rounded = detector("fp32"), detector("bf16")
    for image in (astronaut(), chelsea(), coffee()):
        agreement = np.corrcoef(map_of(exact, image), map_of(rounded, image))[0, 1]
        assert 0.999 <= agreement < 1 - 1e-12


@pytest.mark.filterwarnings("ignore::quickgaze.errors.SlowPrecisionWarning")
def test_bf16_weights_are_rounded_once_and_known_by_what_they_were() -> None:
    exact, rounded = (load_backbone("efficientnet_lite0", precision=p) for p in ("fp32", "bf16"))
    assert exact.weights_hash == rounded.weights_hash
    types = {type(m) for m in rounded.network.modules() if isinstance(m, nn.Conv2d)}
    assert nn.Conv2d in types
    for module in rounded.network.modules():
        if type(module) is nn.Conv2d:
            assert module.weight.dtype == torch.bfloat16
    assert all(p.dtype == torch.float32 for p in exact.network.parameters())


def test_quickgazes_own_networks_keep_channels_last_and_have_no_norms() -> None:
    network = load_backbone("efficientnet_lite0").network
    convolution = network.get_submodule("network.blocks.2.0.conv_pw")
    assert convolution.weight.is_contiguous(memory_format=torch.channels_last)
    assert not any("BatchNorm" in type(module).__name__ for module in network.modules())


def test_a_module_of_the_users_stays_as_it_is() -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.ReLU()).eval()
    backbone = wrap_backbone(module, ["0", "2"], name="mine", mean=(0, 0, 0), std=(1, 1, 1))
    assert any(isinstance(part, nn.BatchNorm2d) for part in backbone.network.modules())
    assert make_fast(module, "bf16") is module
    assert {parameter.dtype for parameter in module.parameters()} == {torch.float32}


def processor(
    monkeypatch: pytest.MonkeyPatch, machine: str, amx: bool, avx: bool, kernels: bool
) -> None:
    """Make PyTorch say what instructions there are."""
    monkeypatch.setattr("platform.machine", lambda: machine)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx, raising=False)
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: kernels)


@pytest.mark.parametrize(
    ("machine", "amx", "avx", "kernels", "slow"),
    [
        ("x86_64", False, False, True, True),  # its kernels run with AVX-512 alone, slowly
        ("AMD64", False, False, False, True),
        ("aarch64", False, False, False, True),
        ("x86_64", True, False, True, False),
        ("x86_64", False, True, True, False),
        ("aarch64", False, False, True, False),
    ],
)
@pytest.mark.parametrize("precision", ["bf16", "fp32", "auto"])
def test_bf16_warns_on_a_processor_that_has_none(
    monkeypatch: pytest.MonkeyPatch,
    machine: str,
    amx: bool,
    avx: bool,
    kernels: bool,
    slow: bool,
    precision: str,
) -> None:
    processor(monkeypatch, machine, amx, avx, kernels)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        load_backbone("efficientnet_lite0", device="cpu", precision=precision)
    said = [str(each.message) for each in caught if each.category is SlowPrecisionWarning]
    assert len(said) == (slow and precision == "bf16")
    for message in said:
        assert message.startswith("efficientnet_lite0: this processor has no instructions for bf16")
        assert "precision='fp32'" in message


def test_a_gpu_is_never_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    processor(monkeypatch, "x86_64", amx=False, avx=False, kernels=False)
    warn_if_slow("net", "bf16", torch.device("cuda"))
    with pytest.warns(SlowPrecisionWarning):
        warn_if_slow("net", "bf16", torch.device("cpu"))


def test_a_saliency_model_warns_too(monkeypatch: pytest.MonkeyPatch) -> None:
    processor(monkeypatch, "x86_64", amx=False, avx=False, kernels=True)
    with pytest.warns(SlowPrecisionWarning, match="ten times slower"):
        SaliencyModel(device="cpu", precision="bf16")


@pytest.mark.parametrize(("precision", "allowed"), [("fp32", False), ("tf32", True)])
def test_fp32_is_not_tf32(precision: str, allowed: bool) -> None:
    cudnn = torch.backends.cudnn
    before = (cudnn.enabled, cudnn.benchmark, cudnn.deterministic, cudnn.allow_tf32)
    with computing_in(precision, torch.device("cuda")):
        assert cudnn.allow_tf32 is allowed
        assert before[:3] == (cudnn.enabled, cudnn.benchmark, cudnn.deterministic)
    assert before == (cudnn.enabled, cudnn.benchmark, cudnn.deterministic, cudnn.allow_tf32)
