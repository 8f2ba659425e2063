"""The calibration's model against a slow one in NumPy, and against what is known of its data."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from quickgaze.readouts._monotone import Monotone, find_knots, fit_monotone

CELLS = 300


def oracle(model: Monotone, maps: np.ndarray) -> np.ndarray:
    """The slow obvious way, cell by cell."""
    found = np.empty_like(maps)
    for image, plane in enumerate(maps):
        scores = []
        for cell, value in enumerate(plane):
            height = 0.0
            for start, end, rise in zip(
                model.knots[:-1], model.knots[1:], model.rises, strict=True
            ):
                height += rise * min(max((value - start) / (end - start), 0.0), 1.0)
            scores.append(height + model.centre_weight * model.centre[cell])
        density = 0.999 * np.exp(scores) / np.exp(scores).sum() + 0.001 / len(plane)
        found[image] = np.log(density)
    return found


def _drawn(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Maps, and the log of a centre bias."""
    generator = np.random.default_rng(seed)
    maps = generator.random((count, CELLS)) ** 2
    maps = (maps - maps.min(1, keepdims=True)) / np.ptp(maps, axis=1, keepdims=True)
    centre = np.exp(-(np.linspace(-2, 2, CELLS) ** 2))
    return maps, np.log(centre / centre.sum())


def test_it_is_the_slow_obvious_way() -> None:
    maps, centre = _drawn(3, 0)
    model = Monotone(np.array([0.0, 0.1, 0.5, 1.0]), np.array([0.5, 2.0, 0.0]), 0.7, centre)
    assert model.log_density(maps) == pytest.approx(oracle(model, maps), abs=1e-12)
    assert np.exp(model.log_density(maps)).sum(1) == pytest.approx(np.ones(3))


@settings(max_examples=20)
@given(seed=st.integers(0, 99), count=st.integers(1, 12))
def test_what_is_fitted_rises_and_is_finite(seed: int, count: int) -> None:
    maps, centre = _drawn(count, seed)
    generator = np.random.default_rng(seed)
    looked = generator.multinomial(9, np.full(CELLS, 1 / CELLS), size=count) / 9
    model = fit_monotone(maps, looked, centre)
    assert (model.rises >= 0).all()
    assert model.centre_weight >= 0
    assert (np.diff(model.knots) > 0).all()
    assert model.knots[[0, -1]].tolist() == [0, 1]
    assert np.isfinite(model.log_density(maps)).all()


def test_no_other_rises_are_more_likely() -> None:
    maps, centre = _drawn(8, 3)
    generator = np.random.default_rng(4)
    truth = np.exp(3 * maps + 0.5 * centre)
    looked = np.stack([generator.multinomial(40, p / p.sum()) / 40 for p in truth])
    model = fit_monotone(maps, looked, centre)
    smooth = 0.995 * looked + 0.005 / CELLS

    def loss(weights: np.ndarray) -> float:
        moved = Monotone(model.knots, weights[:-1], weights[-1], centre)
        return -float((smooth * moved.log_density(maps)).sum(1).mean())

    found = np.array([*model.rises, model.centre_weight])
    slow = optimize.minimize(loss, np.ones_like(found), bounds=[(0, None)] * len(found), tol=1e-10)
    assert loss(found) <= slow.fun + 1e-6


def test_a_density_is_recovered_from_its_cube() -> None:
    generator = np.random.default_rng(5)
    maps, centre = _drawn(60, 6)
    density = np.exp(2.5 * maps + 0.8 * centre)
    density /= density.sum(1, keepdims=True)
    looked = np.stack([generator.multinomial(500, p) / 500 for p in density])
    model = fit_monotone(maps**3, looked, centre)
    assert model.centre_weight == pytest.approx(0.8, abs=0.1)
    gap = (density * (np.log(density) - model.log_density(maps**3))).sum(1).mean()
    assert 0 <= gap < 0.005  # nats
    alone = (density * (np.log(density) - centre)).sum(1).mean()
    assert alone > 0.1


def test_a_map_that_says_the_opposite_is_not_turned_over() -> None:
    generator = np.random.default_rng(7)
    maps, centre = _drawn(30, 8)
    density = np.exp(-4 * maps + centre)
    looked = np.stack([generator.multinomial(200, p / p.sum()) / 200 for p in density])
    assert fit_monotone(maps, looked, centre).rises.max() < 1e-6


def test_nowhere_is_ruled_out_by_few_fixations() -> None:
    maps, centre = _drawn(2, 9)
    looked = np.zeros_like(maps)
    looked[[0, 1], maps.argmax(1)] = 1  # all at the very maximum
    model = fit_monotone(maps, looked, centre)
    assert model.log_density(maps).min() >= np.log(0.001 / CELLS)


@pytest.mark.parametrize(
    ("values", "count"),
    [
        (np.zeros((2, CELLS)), 2),
        (np.full((2, CELLS), 1.0), 2),
        (np.tile([0.0, 1.0], (2, CELLS // 2)), 2),
        (np.tile(np.linspace(0, 1, CELLS), (2, 1)), 12),
        (np.tile(np.repeat([0.0, 0.5, 1.0], CELLS // 3), (2, 1)), 3),
    ],
)
def test_knots_lie_where_values_are(values: np.ndarray, count: int) -> None:
    knots = find_knots(values)
    assert len(knots) == count
    assert (np.diff(knots) > 0).all()
    centre = np.full(CELLS, -np.log(CELLS))
    looked = np.full(values.shape, 1 / CELLS)
    density = np.exp(fit_monotone(values, looked, centre).log_density(values))
    assert density == pytest.approx(looked, abs=1e-4)
