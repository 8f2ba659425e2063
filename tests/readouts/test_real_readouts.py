"""Readouts of a trained network, on real gaze."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

import quickgaze as qg
from quickgaze.backbones import Backbone
from quickgaze.cams import Readout
from quickgaze.resampling import bilinear_matrix
from quickgaze.stimuli import Dataset

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return qg.load_backbone("efficientnet_lite0", device="cpu")


@pytest.fixture(scope="module")
def packaged() -> Readout:
    return qg.load_readout("osie")


def _scores(readout: Readout, backbone: Backbone, dataset: Dataset) -> dict[str, float]:
    """Mean scores at full resolution; the gain is over the centre bias of the fit."""
    rows = list(_of_each(readout, backbone, dataset))
    return dict(zip(("cc", "nss", "auc", "gain"), np.mean(rows, axis=0).tolist(), strict=True))


def _of_each(readout: Readout, backbone: Backbone, dataset: Dataset) -> Iterator[list[float]]:
    for stimulus in dataset:
        image = torch.from_numpy(stimulus.image()).permute(2, 0, 1)[None] / 255
        density = readout.density(backbone(image), stimulus.size)[0].double().numpy()
        down, across = map(bilinear_matrix, stimulus.size, readout.centre_bias.shape)
        bias = np.exp(down @ readout.centre_bias.double().numpy() @ across.T)
        points = stimulus.fixations.points
        yield [
            qg.metrics.cc(density, stimulus.density(dataset.density_sigma)),
            qg.metrics.nss(density, points),
            qg.metrics.auc(density, points),
            qg.metrics.information_gain(density, points, bias),
        ]


def test_the_one_that_comes_along_predicts_images_it_never_saw(
    packaged: Readout, backbone: Backbone, osie_sample: Path
) -> None:
    scores = _scores(packaged, backbone, qg.load_dataset("osie", osie_sample))
    assert scores["cc"] >= 0.81
    assert scores["nss"] >= 3.1
    assert scores["auc"] >= 0.91
    assert scores["gain"] >= 1.7


def test_it_predicts_another_data_set(
    packaged: Readout, backbone: Backbone, salicon_examples: Path
) -> None:
    scores = _scores(packaged, backbone, qg.load_dataset("salicon", salicon_examples))
    assert scores["cc"] >= 0.73


def test_it_is_small_and_says_what_it_is(packaged: Readout) -> None:
    folder = Path(qg.cams.__file__).parent / "readouts"
    file = folder / "efficientnet_lite0-osie.safetensors"
    assert file.stat().st_size < 150_000
    card = packaged.card
    assert (card.backbone, card.dataset, card.images, card.licence) == (
        "efficientnet_lite0", "osie", 360, "MIT",
    )  # fmt: skip
    assert card.folds == 10
    assert card.scores["cc"] >= 0.79
    page = file.with_suffix(".md").read_text(encoding="utf-8")
    assert f"cc {card.scores['cc']:.3f}" in page
    assert "What it is not" in page
