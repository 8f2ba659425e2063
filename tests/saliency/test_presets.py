"""The presets, against the libraries that the studies used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from pytorch_grad_cam import EigenCAM
from pytorch_grad_cam.utils.reshape_transforms import fasterrcnn_reshape_transform
from scipy import ndimage
from skimage.data import coffee, rocket
from torchvision.models.detection import fasterrcnn_resnet50_fpn

from quickgaze import SaliencyModel
from quickgaze.errors import UnknownNameError


@pytest.fixture(scope="module")
def detector() -> torch.nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(7)
        return fasterrcnn_resnet50_fpn(weights=None, weights_backbone=None).eval()


@pytest.fixture(scope="module")
def weights(detector: torch.nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("weights") / "detector.pth"
    torch.save(detector.state_dict(), file)
    return file


def library_map(detector: torch.nn.Module, image: np.ndarray) -> np.ndarray:
    """What the notebook called: the grad-cam library's EigenCAM on the whole detector."""
    batch = torch.from_numpy(image).permute(2, 0, 1)[None] / 255
    cam = EigenCAM(detector, [detector.backbone], reshape_transform=fasterrcnn_reshape_transform)
    cam.uses_gradients = False
    with torch.inference_mode():
        return cam(batch, targets=[lambda output: output])[0]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning:pytorch_grad_cam")
@pytest.mark.parametrize("photograph", [coffee, rocket])
def test_cap6415_is_the_libraries_own_map(
    detector: torch.nn.Module, weights: Path, photograph: object
) -> None:
    image = photograph()  # type: ignore[operator]
    expected = library_map(detector, image)
    result = SaliencyModel.from_preset("cap6415", sigma=0, weights=weights, device="cpu")(image)
    assert result.map.shape == expected.shape
    np.testing.assert_allclose(result.map, expected, atol=1e-3)

    # Its smoothed map: a Gaussian, and scaled again.
    smoothed = SaliencyModel.from_preset("cap6415", weights=weights, device="cpu")(image).map
    blurred = ndimage.gaussian_filter(expected.astype(float), 19)
    blurred = (blurred - blurred.min()) / (blurred.max() - blurred.min())
    np.testing.assert_allclose(smoothed, blurred, atol=2e-3)


@pytest.mark.slow
def test_cap6415_keeps_the_padding_that_the_default_cuts_off(weights: Path) -> None:
    image = np.ascontiguousarray(coffee()[:, :533])
    kept = SaliencyModel.from_preset("cap6415", weights=weights, sigma=0, device="cpu")
    cut = SaliencyModel.from_preset(
        "cap6415", weights=weights, sigma=0, device="cpu", geometry="detector"
    )
    assert kept(image).grid == cut(image).grid
    assert np.abs(kept(image).map - cut(image).map).max() > 0.01


def test_an_unknown_preset_gets_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'cap6415'"):
        SaliencyModel.from_preset("cap6451")
