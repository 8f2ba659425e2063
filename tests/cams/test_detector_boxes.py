"""Boxes as maps, literally, and against torchvision's detector used directly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from skimage.data import chelsea
from torch import nn
from torchvision.models import get_model

import quickgaze as qg
from quickgaze.cams import CAMS, CamInput, CamOptions, boxes
from quickgaze.errors import OptionError
from quickgaze.saliency import as_batch, saliency_maps

NAME = "fasterrcnn_mobilenet_v3_large_320_fpn"


class Finds(nn.Module):
    """Finds what it is told to."""

    def __init__(self, *found: list[tuple[float, list[float]]]) -> None:
        super().__init__()
        self.found = found

    def forward(self, images: list[torch.Tensor]) -> list[dict[str, torch.Tensor]]:
        assert all(image.ndim == 3 for image in images)
        return [
            {
                "boxes": torch.tensor([box for _, box in each]).reshape(-1, 4),
                "scores": torch.tensor([score for score, _ in each]),
            }
            for each in self.found
        ]


def test_a_literal_map() -> None:
    # 128 x 128 pixels are 64 x 64 cells of two pixels.
    found = [(0.9, [0.0, 0.0, 4.0, 2.0]), (0.5, [2.0, 0.0, 5.0, 3.0])]
    cam = boxes(Finds(found, []), torch.zeros(2, 3, 128, 128))
    expected = torch.zeros(64, 64)
    expected[0, :3] = torch.tensor([0.9, 0.9 + 0.5, 0.5 / 2])
    expected[1, 1:3] = torch.tensor([0.5 / 2, 0.5 / 4])
    torch.testing.assert_close(cam.projection[0], expected)
    assert not cam.signed
    assert cam.explained_variance.isnan().all()


def test_an_image_without_boxes_has_a_constant_map() -> None:
    cam = boxes(Finds([]), torch.zeros(1, 3, 40, 60))
    assert (saliency_maps(cam.projection, (40, 60)) == 0).all()


def test_coverage_equals_counting_pixels() -> None:
    generator = np.random.default_rng(0)
    expected = np.zeros((96, 64 * 6))
    found = []
    for _ in range(5):
        x0, x1 = sorted(generator.integers(0, 64 * 6 + 1, 2))
        y0, y1 = sorted(generator.integers(0, 97, 2))
        score = float(generator.random())
        expected[y0:y1, x0:x1] += score
        found.append((score, [float(edge) for edge in (x0, y0, x1, y1)]))
    cells = expected.reshape(16, 6, 64, 6).mean((1, 3))
    cam = boxes(Finds(found), torch.zeros(1, 3, 96, 64 * 6))
    np.testing.assert_allclose(cam.projection[0], cells, atol=1e-6)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights of a whole detector that is sure of one class everywhere."""
    torch.manual_seed(0)
    detector = get_model(NAME, weights=None, weights_backbone=None)
    with torch.no_grad():
        detector.roi_heads.box_predictor.cls_score.bias[17] = 4.0
    file = tmp_path_factory.mktemp("weights") / "detector.pth"
    torch.save(detector.state_dict(), file)
    return file


def test_the_whole_detector_is_the_one_of_the_weights(weights: Path) -> None:
    backbone = qg.load_backbone(NAME, weights, device="cpu")
    images = as_batch([np.ascontiguousarray(chelsea()[::2, ::2])])
    direct = get_model(NAME, weights=None, weights_backbone=None)
    direct.load_state_dict(torch.load(weights, weights_only=True))
    with torch.inference_mode():
        found = direct.eval()(list(images))[0]
    assert len(found["boxes"]) > 0
    cam = CAMS["boxes"].compute(CamInput(backbone, images), CamOptions())
    told = [
        (score.item(), box.tolist())
        for score, box in zip(found["scores"], found["boxes"], strict=True)
    ]
    torch.testing.assert_close(cam.projection, boxes(Finds(told), images).projection)
    assert cam.projection.max() > 0
    assert backbone.whole_model is backbone.whole_model


def test_other_backbones_have_no_boxes() -> None:
    displays = qg.load_dataset("popout", n=1)
    with pytest.raises(OptionError, match="efficientnet_lite0 is not a detector"):
        qg.Study(displays, cams=["boxes"])
    with pytest.raises(OptionError, match="efficientnet_lite0 is not a detector"):
        qg.SaliencyModel(cam="boxes")


@pytest.mark.filterwarnings("ignore::quickgaze.errors.RandomWeightsWarning")
def test_random_weights_find_nothing() -> None:
    backbone = qg.load_backbone(NAME, "none", device="cpu")
    with pytest.raises(OptionError, match="random weights and finds nothing"):
        CAMS["boxes"].compute(CamInput(backbone, torch.zeros(1, 3, 64, 64)), CamOptions())


class Scores(nn.Module):
    def forward(self, images: list[torch.Tensor]) -> list[dict[str, torch.Tensor]]:
        return [{"scores": torch.ones(1)} for _ in images]


@pytest.mark.parametrize(
    ("module", "says"),
    [
        (nn.Conv2d(3, 4, 3), r"Conv2d does not take a list of images"),
        (Scores(), "Scores does not give 'boxes' and 'scores'"),
        (nn.Identity(), "Identity does not give 'boxes' and 'scores'"),
    ],
)
def test_a_module_that_finds_no_boxes_is_refused(module: nn.Module, says: str) -> None:
    with pytest.raises(OptionError, match=says):
        boxes(module, torch.rand(1, 3, 16, 16))
