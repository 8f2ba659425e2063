"""The map that a density predicts to be best in a metric, held to the metrics themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import ndimage

import quickgaze as qg
from quickgaze.errors import OptionError, UnknownNameError
from quickgaze.readouts import best_map

SIZE = (24, 32)
SIGMA = 2.0


@pytest.fixture(scope="module")
def centre() -> np.ndarray:
    down, across = np.mgrid[: SIZE[0], : SIZE[1]]
    plane = np.exp(-(((down - 11.5) / 6) ** 2 + ((across - 15.5) / 8) ** 2) / 2) + 0.05
    return plane / plane.sum()


@pytest.fixture(scope="module")
def density(centre: np.ndarray) -> np.ndarray:
    generator = np.random.default_rng(0)
    plane = np.exp(4 * ndimage.gaussian_filter(generator.normal(size=SIZE), 1.5)) * centre
    return plane / plane.sum()


def _points(density: np.ndarray, count: int, seed: int) -> np.ndarray:
    cells = np.random.default_rng(seed).choice(density.size, count, p=density.ravel())
    rows, columns = np.divmod(cells, density.shape[1])
    return np.stack([columns, rows], axis=1).astype(float)


def _others(density: np.ndarray, centre: np.ndarray) -> dict[str, np.ndarray]:
    return {
        "itself": density,
        "blurred": ndimage.gaussian_filter(density, SIGMA, mode="reflect", truncate=4.0),
        "over the centre bias": density / centre,
        "flattened": density**0.5,
        "peaked": density**2,
    }


@pytest.mark.parametrize("metric", ["auc", "nss", "information_gain", "auc_shuffled"])
def test_on_many_fixations_no_other_map_is_better(
    metric: str, density: np.ndarray, centre: np.ndarray
) -> None:
    fixations = _points(density, 20_000, 1)
    elsewhere = _points(centre, 20_000, 2)

    def scored(plane: np.ndarray) -> float:
        if metric == "information_gain":
            return float(qg.metrics.information_gain(plane, fixations, centre))
        if metric == "auc_shuffled":
            return float(qg.metrics.auc_shuffled(plane, fixations, elsewhere))
        return float(getattr(qg.metrics, metric)(plane, fixations))

    best = scored(best_map(density, metric, sigma=SIGMA, centre_bias=centre))
    for name, other in _others(density, centre).items():
        assert best >= scored(other) - 1e-3, name


@pytest.mark.parametrize(("metric", "sign"), [("kld", -1), ("cc", 1), ("sim", 1)])
def test_on_blurred_fixations_no_other_map_is_better(
    metric: str, sign: int, density: np.ndarray, centre: np.ndarray
) -> None:
    human = np.zeros(SIZE)
    for x, y in _points(density, 20_000, 3).astype(int):
        human[y, x] += 1
    human = ndimage.gaussian_filter(human, SIGMA, mode="reflect", truncate=4.0)
    best = sign * getattr(qg.metrics, metric)(best_map(density, metric, sigma=SIGMA), human)
    for name, other in _others(density, centre).items():
        assert best >= sign * getattr(qg.metrics, metric)(other, human) - 1e-9, name


@pytest.mark.parametrize("metric", ["auc_judd", "auc_borji"])
def test_any_rising_function_of_the_density_would_do(metric: str, density: np.ndarray) -> None:
    assert best_map(3 * density, metric) == pytest.approx(density)


def test_its_sum_is_1(density: np.ndarray, centre: np.ndarray) -> None:
    for metric in ("auc", "cc", "auc_shuffled"):
        best = best_map(density * 255, metric, centre_bias=centre * 9)
        assert best.sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("given", "metric", "options", "error", "words"),
    [
        (np.ones((2, 3)), "nsss", {}, UnknownNameError, "'nss'"),
        (np.ones((2, 3)), "mae", {}, OptionError, "no best map is known for the metric 'mae'"),
        (np.ones((2, 3)), "auc_shuffled", {}, OptionError, "needs the centre_bias"),
        (
            np.ones((2, 3)),
            "auc_shuffled",
            {"centre_bias": np.ones((3, 2))},
            OptionError,
            "of the density's shape",
        ),
        (
            np.ones((2, 3)),
            "auc_shuffled",
            {"centre_bias": np.eye(2, 3)},
            OptionError,
            "above 0 everywhere",
        ),
        (np.zeros((2, 3)), "auc", {}, OptionError, "somewhere above 0"),
        (-np.ones((2, 3)), "auc", {}, OptionError, "nowhere negative"),
        (np.full((2, 3), np.nan), "auc", {}, OptionError, "be finite"),
        (np.ones((2, 3, 3)), "auc", {}, OptionError, "shape"),
        (np.ones((2, 3)), "cc", {"sigma": -1}, OptionError, "sigma is -1"),
    ],
)
def test_what_is_no_density_is_refused(
    given: np.ndarray, metric: str, options: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        best_map(given, metric, **options)
