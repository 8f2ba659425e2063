"""Gradient CAMs: literal maps of a tiny classifier, and the grad-cam library used directly."""

from __future__ import annotations

import sys
from typing import Any, ClassVar

import numpy as np
import pytest
import pytorch_grad_cam
import torch
from pytorch_grad_cam.utils.image import scale_cam_image
from torch import nn

from quickgaze.cams import GRADIENT_METHODS, gradient
from quickgaze.errors import OptionError, UnknownNameError

METHODS = pytest.mark.parametrize("method", list(GRADIENT_METHODS))


class Tiny(nn.Module):
    """Two channels, red and minus blue; two classes, each the mean of a channel, weighted."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Conv2d(3, 2, 1, bias=False)
        self.head = nn.Linear(2, 2, bias=False)
        with torch.no_grad():
            self.features.weight.copy_(torch.tensor([[1.0, 0, 0], [0, 0, -1]])[:, :, None, None])
            self.head.weight.copy_(torch.tensor([[2.0, 1.0], [0.5, 0.0]]))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        scores: torch.Tensor = self.head(self.features(images).mean((2, 3)))
        return scores


@pytest.fixture
def tiny() -> Tiny:
    return Tiny()


@pytest.fixture
def small() -> nn.Module:
    """A classifier with random weights, batch norm and in-place activations."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1),
        nn.BatchNorm2d(6),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 8, 3, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Linear(32, 5),
    ).eval()


# A 2 x 2 image: red 1, 2, 3, 4 and blue 1, 0, 0, 1. Its top class is the first, whose gradient is
# 2 / 4 at every cell of the first channel and 1 / 4 at every cell of the second.
RED = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
BLUE = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
IMAGE = torch.stack([RED, torch.zeros(2, 2), BLUE])[None]


@pytest.mark.parametrize(
    ("method", "weights"),
    [
        ("gradcam", (0.5, 0.25)),
        ("hirescam", (0.5, 0.25)),
        ("layercam", (0.5, 0.25)),
    ],
)
def test_literal_maps(tiny: Tiny, method: str, weights: tuple[float, float]) -> None:
    cam = gradient(tiny, "features", IMAGE, method)
    expected = weights[0] * RED - weights[1] * BLUE
    torch.testing.assert_close(cam.projection[0], expected, atol=1e-4, rtol=1e-4)
    assert not cam.signed
    assert cam.explained_variance.isnan().all()


def test_a_literal_ablationcam(tiny: Tiny) -> None:
    # With blue negative, the least feature is 0, and so is what a channel is replaced by. The top
    # score is 2 * 2.5 + 0.5 = 5.5; without a channel it is 0.5 and 5.
    cam = gradient(tiny, "features", IMAGE * torch.tensor([1, 1, -1])[:, None, None], "ablationcam")
    torch.testing.assert_close(cam.projection[0], 5 / 5.5 * RED + 0.5 / 5.5 * BLUE)


def test_a_literal_scorecam(tiny: Tiny) -> None:
    # Each channel, scaled to [0, 1], masks the image: red by (0, 1, 2, 3) / 3 has a mean of 5 / 3
    # and blue of 1 / 4, so the score is 2 * 5 / 3 - 1 / 4. Minus blue by (0, 1, 1, 0) leaves the
    # red of two cells, a mean of 5 / 4, and no blue.
    cam = gradient(tiny, "features", IMAGE, "scorecam")
    first, second = torch.softmax(torch.tensor([2 * 5 / 3 - 1 / 4, 2 * 5 / 4]), 0)
    torch.testing.assert_close(cam.projection[0], first * RED - second * BLUE)


def test_a_literal_eigengradcam(tiny: Tiny) -> None:
    # Features times gradients: (0.5, 1, 1.5, 2) and (-0.25, 0, 0, -0.25).
    rows = np.array([[0.5, -0.25], [1.0, 0.0], [1.5, 0.0], [2.0, -0.25]])
    centred = rows - rows.mean(0)
    _, values, right = np.linalg.svd(centred, full_matrices=False)
    expected = torch.tensor(centred @ right[0]).float().reshape(2, 2)
    cam = gradient(tiny, "features", IMAGE, "eigengradcam")
    rising = expected * torch.sign(expected[1, 1])
    torch.testing.assert_close(cam.oriented("activation")[0], rising, atol=1e-5, rtol=0)
    assert cam.explained_variance.item() == pytest.approx(values[0] ** 2 / (values**2).sum())
    torch.testing.assert_close(cam.oriented("lapack"), cam.projection)
    hirescam = gradient(tiny, "features", IMAGE, "hirescam").projection
    pair = torch.stack([cam.oriented("activation"), hirescam]).flatten(1)
    assert torch.corrcoef(pair)[0, 1] == pytest.approx(cam.margin("activation").item())


def direct(model: nn.Module, layer: str, batch: torch.Tensor, method: str) -> Any:
    """What the library itself gives: clipped, resized to the image and scaled."""
    library_class = getattr(pytorch_grad_cam, GRADIENT_METHODS[method].library_name)
    with library_class(model=model, target_layers=[model.get_submodule(layer)]) as maker:
        return maker(input_tensor=batch, targets=None)


@METHODS
@pytest.mark.parametrize("layer", ["4", "3"])
def test_equals_the_library(small: nn.Module, method: str, layer: str) -> None:
    batch = torch.randn(3, 3, 12, 16, generator=torch.Generator().manual_seed(1))
    cam = gradient(small, layer, batch, method)
    assert cam.grid == (6, 8)
    clipped = np.maximum(cam.projection.numpy(), 0)
    found = scale_cam_image(np.maximum(scale_cam_image(clipped, (16, 12)), 0))
    np.testing.assert_allclose(found, direct(small, layer, batch, method), atol=2e-4)
    assert cam.projection.dtype == torch.float32


@METHODS
def test_the_batch_changes_nothing(small: nn.Module, method: str) -> None:
    batch = torch.randn(3, 3, 12, 16, generator=torch.Generator().manual_seed(2))
    together = gradient(small, "4", batch, method)
    for image in range(3):
        alone = gradient(small, "4", batch[image : image + 1], method)
        torch.testing.assert_close(
            alone.projection[0], together.projection[image], atol=1e-5, rtol=1e-4
        )


@METHODS
def test_one_bad_image_does_not_spoil_its_batch(small: nn.Module, method: str) -> None:
    batch = torch.randn(3, 3, 12, 16, generator=torch.Generator().manual_seed(3))
    expected = gradient(small, "4", batch, method).projection
    batch[1] = torch.nan
    found = gradient(small, "4", batch, method)
    assert found.projection[1].isnan().all()
    for image in (0, 2):
        torch.testing.assert_close(found.projection[image], expected[image])


def state(model: nn.Module) -> list[object]:
    """Everything of a classifier that making a map could change."""
    return [
        [(name, id(module), module.training) for name, module in model.named_modules()],
        [(len(m._forward_hooks), len(m._backward_hooks)) for m in model.modules()],
        [
            (p.requires_grad, None if p.grad is None else p.grad.tolist())
            for p in model.parameters()
        ],
        [value.tolist() for value in model.state_dict().values()],
    ]


@METHODS
def test_the_classifier_is_left_as_it_was(small: nn.Module, method: str) -> None:
    small.train()
    parameters = list(small.parameters())
    parameters[0].requires_grad_(False)
    parameters[1].grad = torch.ones_like(parameters[1])
    small[4].register_forward_hook(lambda *_: None)  # type: ignore[operator]
    before = state(small)
    batch = torch.randn(2, 3, 12, 16)
    original = batch.clone()
    gradient(small, "4", batch, method)
    assert state(small) == before
    torch.testing.assert_close(batch, original)
    assert not batch.requires_grad


class Stumbles(nn.Module):
    """Fails in its n-th pass from now on."""

    passes: ClassVar[list[int]] = []

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        # A list of the class, so that a copy counts on.
        self.passes.append(len(features))
        if len(self.passes) > 2:
            raise RuntimeError("out of memory")
        return features


@METHODS
def test_nothing_stays_after_a_failure(
    small: nn.Module, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Stumbles, "passes", [])
    model = nn.Sequential(*small[:6], Stumbles(), *small[6:])  # type: ignore[index]
    if not GRADIENT_METHODS[method].by_passes:
        Stumbles.passes.append(0)
    before = state(model)
    with pytest.raises(RuntimeError, match="out of memory"):
        gradient(model, "4", torch.randn(2, 3, 12, 16), method)
    assert state(model) == before
    for name in ("score_cam", "ablation_cam"):
        module = sys.modules[f"pytorch_grad_cam.{name}"]
        assert module.tqdm.__name__ == "tqdm"


@METHODS
def test_no_progress_bar_is_drawn(
    small: nn.Module, method: str, capsys: pytest.CaptureFixture[str]
) -> None:
    gradient(small, "4", torch.randn(1, 3, 12, 16), method)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_gradients_flow_where_they_are_turned_off(small: nn.Module) -> None:
    batch = torch.randn(1, 3, 12, 16)
    expected = gradient(small, "4", batch).projection
    with torch.inference_mode():
        torch.testing.assert_close(gradient(small, "4", batch).projection, expected)


def test_what_is_no_classifier_is_refused(small: nn.Module) -> None:
    batch = torch.randn(1, 3, 12, 16)
    with pytest.raises(OptionError, match=r"gives \(1, 8, 6, 8\), not one score for each class"):
        gradient(nn.Sequential(*small[:6]), "4", batch)  # type: ignore[index]
    with pytest.raises(OptionError, match=r"layer '7' gives .*32.*, not features"):
        gradient(small, "7", batch)
    with pytest.raises(UnknownNameError, match="unknown layer '44'"):
        gradient(small, "44", batch)
    with pytest.raises(UnknownNameError, match="did you mean 'gradcam'"):
        gradient(small, "4", batch, "gardcam")


def test_a_missing_library_is_named(small: nn.Module, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pytorch_grad_cam", None)
    with pytest.raises(OptionError, match=r"pip install 'quickgaze\[gradcam\]'"):
        gradient(small, "4", torch.randn(1, 3, 12, 16))


@pytest.mark.parametrize("shape", [(0, 3, 16, 16), (1, 3, 0, 16), (3, 16, 16)])
def test_images_that_are_none_are_refused(shape: tuple[int, ...]) -> None:
    layers = nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    with pytest.raises(OptionError, match=r"takes images .*, at least one; it got"):
        gradient(nn.Sequential(*layers), "0", torch.zeros(shape))


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_a_torchscript_classifier_is_refused() -> None:
    layers = nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    scripted = torch.jit.script(nn.Sequential(*layers))
    with pytest.raises(OptionError, match="the classifier is TorchScript"):
        gradient(scripted, "0", torch.zeros(1, 3, 16, 16))
