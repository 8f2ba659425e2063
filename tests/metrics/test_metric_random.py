"""Metrics that draw random numbers: the same every time, and near what they estimate."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from quickgaze.metrics import auc, auc_borji, auc_judd, auc_shuffled

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
RNG = np.random.default_rng(8)
MAP = ndimage.gaussian_filter(RNG.random((120, 160)), 6)
POINTS = np.argwhere(np.quantile(MAP, 0.6) < MAP)[::35, ::-1]
OTHERS = RNG.integers(0, [160, 120], (5000, 2))


def shuffled(maps, fixations, convention="mit", **options):
    return auc_shuffled(maps, fixations, OTHERS, convention, **options)


def salicon(maps, fixations, **options):
    return auc(maps, fixations, "salicon", **options)


DRAWING = [auc_judd, auc_borji, shuffled, salicon]


@pytest.mark.parametrize("function", DRAWING)
def test_seeds(function):
    rough = np.round(MAP * 20)  # ties, which the jitter breaks
    values = [function(rough, POINTS[:9], seed=seed) for seed in range(3)]
    assert len(set(values)) == 3
    assert values[0] == function(rough, POINTS[:9]) == function(rough, POINTS[:9], seed=np.int64(0))


@pytest.mark.parametrize("function", DRAWING)
def test_each_map_draws_as_if_it_were_alone(function):
    maps = np.stack([MAP, MAP, np.round(20 * MAP), -MAP])
    sets = [POINTS, POINTS[:5], POINTS[3:9], POINTS]
    alone = [function(*pair, seed=3) for pair in zip(maps, sets, strict=True)]
    assert list(function(maps, sets, seed=3)) == alone


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("function", DRAWING)
def test_numpy_and_torch_draw_the_same(function, device):
    maps = np.stack([MAP, np.round(20 * MAP)])
    tensor = function(torch.asarray(maps, device=device), POINTS, seed=5)
    assert tensor.device.type == device
    assert tensor.tolist() == pytest.approx(list(function(maps, POINTS, seed=5)), abs=1e-12)


@pytest.mark.parametrize("function", DRAWING)
def test_the_global_generators_are_left_alone(function):
    np.random.seed(0)  # noqa: NPY002 - the state that must not change
    expected = np.random.random()  # noqa: NPY002
    np.random.seed(0)  # noqa: NPY002
    function(MAP, POINTS)
    assert np.random.random() == expected  # noqa: NPY002


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("function", "exact", "tolerance"),
    [
        # fixated pixels are no negatives
        (auc_judd, auc, 0.01),
        # eleven thresholds see less than all
        (auc_borji, auc, 0.03),
        (shuffled, lambda *given: shuffled(*given, "tuebingen"), 0.03),
        (salicon, auc, 0.005),
    ],
)
def test_estimates_are_near_the_exact_value(function, exact, tolerance, seed):
    expected = exact(MAP, POINTS)
    assert 0.75 < expected < 0.95
    assert function(MAP, POINTS, seed=seed) == pytest.approx(expected, abs=tolerance)


def test_jitter_decides_what_lies_closer_together():
    # the probabilities of a million pixels: the order is lost, as in the original
    faint = 1e-12 * MAP
    assert auc(faint, POINTS) == auc(MAP, POINTS)
    assert auc_judd(faint, POINTS) == pytest.approx(0.5, abs=0.1)
    assert auc_judd(MAP, POINTS) > 0.75


def test_judd_breaks_ties_at_random():
    flat = np.zeros((120, 160))
    values = [auc_judd(flat, POINTS[:40], seed=seed) for seed in range(100)]
    assert np.mean(values) == pytest.approx(0.5, abs=0.02)
    assert 0.02 < np.std(values) < 0.1
