"""The parts of a fit: folds, targets, and models that predict as their readouts do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from quickgaze.cams import ReadoutCard
from quickgaze.errors import OptionError
from quickgaze.readouts import _training
from quickgaze.readouts._folds import groups_of, inner_part, split
from quickgaze.readouts._models import Frame, Parameters
from quickgaze.readouts._targets import CANVAS, Gaze, centre_bias
from quickgaze.resampling import gaussian_blur
from quickgaze.stimuli import Fixations

Make = Callable[..., Any]


@pytest.mark.parametrize(("images", "folds"), [(10, 10), (23, 4), (2, 2), (360, 10)])
def test_parts_are_as_large_as_each_other(images: int, folds: int) -> None:
    parts = split(np.arange(images), folds, 0, "any")
    counts = np.bincount(parts, minlength=folds)
    assert counts.max() - counts.min() <= 1
    assert (parts == split(np.arange(images), folds, 0, "any")).all()
    if images > 10:
        assert (parts != split(np.arange(images), folds, 1, "any")).any()


def test_a_scene_is_in_one_part(drawing: Make) -> None:
    scenes = ["a", "b", "a", None, "c", "b", None, "a"]
    stimuli = [
        replace(drawing(number), attributes={} if scene is None else {"scene": scene})
        for number, scene in enumerate(scenes)
    ]
    groups = groups_of(stimuli)
    assert groups.tolist() == [0, 1, 0, 2, 3, 1, 4, 0]
    parts = split(groups, 5, 0, "any")
    assert len(set(parts)) == 5
    assert len(set(parts[[0, 2, 7]])) == len(set(parts[[1, 5]])) == 1
    with pytest.raises(OptionError, match="any has 5 scenes"):
        split(groups, 6, 0, "any")


@pytest.mark.parametrize(
    ("count", "held"), [(1, 1), (2, 1), (9, 1), (20, 2), (324, 32), (2000, 100)]
)
def test_a_tenth_is_held_out(count: int, held: int) -> None:
    images = np.arange(count) * 3
    learnt, inner = inner_part(images, np.arange(3 * count), 0)
    assert len(inner) == held
    if count > 1:
        assert sorted([*learnt, *inner]) == images.tolist()
    else:
        assert (learnt == inner).all()


def test_no_scene_is_on_both_sides_of_the_inner_part() -> None:
    groups = np.repeat(np.arange(8), 3)
    learnt, inner = inner_part(np.arange(24), groups, 0)
    assert not set(groups[learnt]) & set(groups[inner])
    assert len(inner) == 3


@pytest.mark.parametrize(
    ("x", "y", "cell"),
    [
        (-0.5, -0.5, (0, 0)),
        (9.4, 9.4, (0, 0)),
        (9.6, 9.4, (0, 1)),
        (39.9, 29.9, (2, 3)),
        (20.0, 10.0, (1, 2)),
    ],
)
def test_a_fixation_is_in_the_cell_that_its_place_lies_in(
    x: float, y: float, cell: tuple[int, int]
) -> None:
    fixations = Fixations.inside([x], [y], ["ann"], (30, 40))
    target = Gaze((30, 40), fixations).target((3, 4), 0)
    assert np.argwhere(target.grid).tolist() == [list(cell)]
    assert target.grid.sum() == target.canvas.sum() == 1
    assert target.grid.dtype == np.float32
    assert target.canvas.shape == CANVAS


@pytest.mark.parametrize("sigma", [0.0, 5.0, 18.0])
def test_fixations_are_blurred_for_teaching_alone(sigma: float) -> None:
    fixations = Fixations.inside([200.0], [150.0], ["ann"], (300, 400))
    target = Gaze((300, 400), fixations).target((30, 40), sigma)
    assert target.grid.max() == 1
    assert target.taught.sum() == pytest.approx(1, abs=1e-6)
    rows = np.arange(30)
    spread = (target.taught.sum(1) * (rows - 15) ** 2).sum()
    assert spread == pytest.approx((sigma / 10) ** 2, rel=0.05, abs=0.04)


def test_a_density_keeps_its_shares_on_the_grid() -> None:
    density = np.zeros((6, 8), np.float32)
    density[:3, :4], density[3:, 4:] = 1, 3
    target = Gaze((6, 8), density).target((2, 2), 0)
    assert np.allclose(target.grid, [[0.25, 0], [0, 0.75]])
    assert (target.taught == target.grid).all()


def test_the_centre_bias_is_a_blurred_mean_that_is_0_nowhere() -> None:
    canvases = np.zeros((2, *CANVAS))
    canvases[0, 30, 40] = canvases[1, 10, 20] = 1
    density = np.exp(centre_bias(canvases))
    assert density.sum() == pytest.approx(1)
    assert density.min() == pytest.approx(1 / 3 / 4800, rel=1e-3)
    assert density[30, 40] == pytest.approx(density[10, 20], rel=1e-6)
    assert density[30, 40] == pytest.approx(1 / 3 / (2 * np.pi * 9), rel=0.05)


@pytest.mark.parametrize(
    ("images", "passes", "repeats"),
    [(1, 20, 360), (100, 20, 4), (360, 20, 1), (1000, 8, 1), (100_000, 3, 1)],
)
def test_few_images_are_shown_more_often(
    monkeypatch: pytest.MonkeyPatch, images: int, passes: int, repeats: int
) -> None:
    monkeypatch.setattr(_training, "IN_A_PASS", 360)
    monkeypatch.setattr(_training, "_SHOWN", 7200)
    assert _training.passes_for(images) == passes
    assert _training.repeats_for(images) == repeats


def _models(hidden: int, models: int = 3, channels: int = 5) -> tuple[Parameters, Frame]:
    drawn = torch.Generator().manual_seed(1)
    frame = Frame(
        torch.randn(models, channels, generator=drawn),
        torch.rand(models, channels, generator=drawn) + 0.5,
        torch.randn(models, *CANVAS, generator=drawn).log_softmax(-1),
    )
    parameters = Parameters.begin(frame, hidden, 0)
    for each in parameters.tensors:
        each.add_(0.4 * torch.randn(each.shape, generator=drawn))
    return parameters, frame


@pytest.mark.parametrize("hidden", [0, 1, 16])
@pytest.mark.parametrize("grid", [(6, 9), (1, 4), (38, 50)])
def test_what_is_fitted_predicts_as_the_readout_that_is_kept(
    hidden: int, grid: tuple[int, int]
) -> None:
    parameters, frame = _models(hidden)
    features = torch.randn(2, 5, *grid, generator=torch.Generator().manual_seed(2))
    together = parameters.log_density(frame, features)
    card = ReadoutCard(
        backbone="any", weights="", weights_hash="", levels=("a",), grid="a", hidden=hidden,
        dataset="", edition="", gaze="", licence="", images=1, fingerprint="", seed=0, folds=0,
        scores={}, chosen={}, versions={},
    )  # fmt: skip
    for model in range(3):
        kept = parameters.readout(model, frame, card)
        alone = kept.log_density_of(features).flatten(1)
        assert torch.allclose(together[:, model], alone, atol=2e-5)


@pytest.mark.parametrize("sigma", [0.3, 1.0, 2.6, 8.0])
def test_the_blur_is_that_of_everything_else(sigma: float) -> None:
    parameters, frame = _models(0)
    parameters = replace(parameters, log_sigma=torch.full((3,), float(np.log(sigma))))
    impulse = torch.zeros(1, 5, 9, 7)
    impulse[0, :, 2, 6] = 1
    still = replace(parameters, centre_weight=torch.zeros(3))
    logits = still.log_density(frame, impulse)[0, 0].reshape(9, 7)
    height = (parameters.weights[0, 0] / frame.deviation[0]).sum().item()
    plane = np.zeros((9, 7))
    plane[2, 6] = height
    expected = gaussian_blur(plane, sigma, (0, 1))
    assert np.allclose(logits - logits.mean(), expected - expected.mean(), atol=1e-5)


def test_a_model_is_not_changed_by_those_beside_it() -> None:
    parameters, frame = _models(2)
    features = torch.randn(2, 5, 6, 9, generator=torch.Generator().manual_seed(2))
    together = parameters.log_density(frame, features)
    chosen = torch.tensor([2, 0])
    some = parameters.select(chosen).log_density(frame.select(chosen), features)
    assert torch.allclose(together[:, chosen], some, atol=1e-6)
