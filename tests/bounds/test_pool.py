"""The pooled gaze, against loops over the stimuli."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from math import floor

import numpy as np
import pytest

from quickgaze.bounds import GazePool
from quickgaze.bounds._pool import CANVAS, resized
from quickgaze.errors import UnknownNameError
from quickgaze.resampling import gaussian_blur
from quickgaze.stimuli.types import Stimulus

MakeStimulus = Callable[..., Stimulus]
SIZES = [(20, 30), (40, 30), (20, 30), (13, 17)]


@pytest.fixture
def stimuli(make: MakeStimulus) -> list[Stimulus]:
    return [make(f"s{i}", size, count=8 + 5 * i) for i, size in enumerate(SIZES)]


def counts_as_python_does(stimulus: Stimulus, size: tuple[int, int]) -> np.ndarray:
    """Fixations of one stimulus in the pixels of an image of another size, one by one."""
    counts = np.zeros(size)
    height, width = stimulus.size
    for x, y in stimulus.fixations.points:
        counts[int(max(y, 0) * (size[0] / height)), int(max(x, 0) * (size[1] / width))] += 1
    return counts


def counts_as_matlab_does(stimulus: Stimulus, size: tuple[int, int]) -> np.ndarray:
    """The same, of pixels that have whole numbers in their centres; what is none is dropped."""
    counts = np.zeros(size)
    height, width = stimulus.size
    for x, y in stimulus.fixations.points:
        if x < width - 0.5 and y < height - 0.5:
            row, column = (y + 0.5) * (size[0] / height), (x + 0.5) * (size[1] / width)
            counts[floor(row), floor(column)] += 1
    return counts


def counts_of_densities(stimulus: Stimulus, size: tuple[int, int]) -> np.ndarray:
    """The same, of the pixels whose centres are nearest."""
    counts = np.zeros(size)
    height, width = stimulus.size
    for x, y in stimulus.fixations.points:
        row, column = (y + 0.5) * (size[0] / height), (x + 0.5) * (size[1] / width)
        counts[min(floor(row), size[0] - 1), min(floor(column), size[1] - 1)] += 1
    return counts


@pytest.mark.parametrize(
    ("convention", "count"),
    [
        ("tuebingen", counts_as_python_does),
        ("salicon", counts_as_python_does),
        ("mit", counts_as_matlab_does),
        ("cap6415", counts_as_matlab_does),
    ],
)
@pytest.mark.parametrize("size", [(20, 30), (9, 50)])
def test_the_others_are_all_but_one(
    stimuli: list[Stimulus],
    size: tuple[int, int],
    convention: str,
    count: Callable[[Stimulus, tuple[int, int]], np.ndarray],
) -> None:
    pool = GazePool.read(stimuli)
    for left_out in stimuli:
        others = [each for each in stimuli if each is not left_out]
        expected = sum(count(each, size) for each in others)
        found = pool.counts_of_others(left_out.id, size, convention)
        np.testing.assert_array_equal(found, expected)


def test_the_last_half_pixel_is_inside_for_python_alone(looked: MakeStimulus) -> None:
    pool = GazePool.read([looked("edge", [[29.7, 3], [29.2, 19.9], [-0.4, -0.4], [3, 3]])])
    counts = pool.counts_of_others("another", (20, 30))
    assert [counts[3, 29], counts[19, 29], counts[0, 0], counts.sum()] == [1, 1, 1, 4]
    counts = pool.counts_of_others("another", (20, 30), "mit")
    assert [counts[0, 0], counts[3, 3], counts.sum()] == [1, 1, 2]
    # a scaled image has the same points, though rounding may carry one to its edge
    for size in ((7, 11), (60, 91)):
        assert pool.counts_of_others("another", size).sum() == 4
        assert pool.counts_of_others("another", size, "mit").sum() == 2


def test_an_unknown_convention_has_no_counts(stimuli: list[Stimulus]) -> None:
    with pytest.raises(UnknownNameError, match="unknown convention 'tubingen'"):
        GazePool.read(stimuli).counts_of_others("s0", (20, 30), "tubingen")


@pytest.mark.parametrize("sigma", [0.0, 2.5])
def test_every_other_stimulus_weighs_the_same(stimuli: list[Stimulus], sigma: float) -> None:
    pool = GazePool.read(stimuli)
    size = (20, 30)
    for left_out in stimuli:
        counts = [counts_of_densities(each, size) for each in stimuli if each is not left_out]
        mean = sum(gaussian_blur(each / each.sum(), sigma, axes=(0, 1)) for each in counts)
        found = pool.mean_of_others(left_out.id, size, sigma)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, mean / mean.max(), atol=1e-6)


def test_a_stimulus_outside_the_pool_is_held_against_all(stimuli: list[Stimulus]) -> None:
    pool = GazePool.read(stimuli)
    counts = pool.counts_of_others("unknown", (20, 30))
    assert counts.sum() == sum(len(stimulus.fixations) for stimulus in stimuli)
    assert pool.mean_of_others("unknown", (20, 30), 1.0) is not None
    assert pool.partner("unknown", 0) in stimuli


def test_what_cannot_be_read_is_left_out(stimuli: list[Stimulus], make: MakeStimulus) -> None:
    told = []
    pool = GazePool.read([make("broken", broken=True), *stimuli], told.append)
    assert sum(told) == 5
    assert [stimulus.id for stimulus in pool.stimuli] == [stimulus.id for stimulus in stimuli]


def test_a_single_stimulus_has_no_others(make: MakeStimulus) -> None:
    pool = GazePool.read([make("alone")])
    assert pool.counts_of_others("alone", (20, 30)) is None
    assert pool.mean_of_others("alone", (20, 30), 1.0) is None
    assert pool.partner("alone", 0) is None


def test_partners_are_others_and_each_is_one_once(make: MakeStimulus) -> None:
    stimuli = [make(f"{i:02}", count=9) for i in range(20)]
    pool = GazePool.read(stimuli)
    partners = [pool.partner(stimulus.id, 4).id for stimulus in stimuli]
    assert sorted(partners) == [stimulus.id for stimulus in stimuli]
    assert all(own.id != other for own, other in zip(stimuli, partners, strict=True))
    assert partners == [pool.partner(stimulus.id, 4).id for stimulus in stimuli]
    assert partners != [pool.partner(stimulus.id, 5).id for stimulus in stimuli]


def test_densities_stand_in_where_there_are_no_fixations(make: MakeStimulus) -> None:
    rng = np.random.default_rng(0)
    densities = [gaussian_blur(rng.random(size), 3.0, axes=(0, 1)) for size in SIZES]
    stimuli = [make(f"d{i}", density.shape, density=density) for i, density in enumerate(densities)]
    pool = GazePool.read(stimuli)
    assert pool.counts_of_others("d0", (20, 30)) is None
    planes = [resized(density, CANVAS) for density in densities[1:]]
    mean = resized(sum(plane / plane.sum() for plane in planes), (20, 30))
    found = pool.mean_of_others("d0", (20, 30), 99.0)
    np.testing.assert_allclose(found, mean / mean.max(), atol=1e-5)


def test_a_constant_density_is_left_out(make: MakeStimulus) -> None:
    flat = make("flat", density=np.ones((20, 30)))
    assert len(GazePool.read([flat])) == 0


def test_a_pool_travels_to_other_processes(stimuli: list[Stimulus]) -> None:
    pool = GazePool.read(stimuli)
    before = pool.counts_of_others("s1", (20, 30))
    copied = pickle.loads(pickle.dumps(pool))  # noqa: S301 - our own bytes
    np.testing.assert_array_equal(copied.counts_of_others("s1", (20, 30)), before)
    assert copied.partner("s1", 3).id == pool.partner("s1", 3).id


def test_shrinking_passes_over_no_pixel() -> None:
    spot = np.zeros((400, 400))
    spot[201, 203] = 1
    shrunk = resized(spot, (20, 20))
    assert shrunk.argmax() == 10 * 20 + 10
    assert 0.5 < shrunk.sum() * 400 < 2
