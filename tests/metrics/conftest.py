"""One tester that holds every metric, in every convention, against an independent reference.

The references are the obvious way to compute what the definitions say: SciPy and scikit-learn
where they have it, else one line of NumPy per step. They see one (H, W) map at a time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import floor

import numpy as np
import pytest
from scipy import ndimage, stats
from sklearn.metrics import mean_absolute_error, mean_squared_error, roc_auc_score

from quickgaze.metrics import METRICS

SIZE = (12, 17)


def scaled(array):
    extent = array.max() - array.min()
    return (array - array.min()) / extent if extent else np.zeros_like(array)


def shares(array, regularisation):
    array = array - min(array.min(), 0) + regularisation
    return array / array.sum() if array.any() else np.full_like(array, 1 / array.size)


def fixated_values(map_, fixations):
    height, width = map_.shape
    found = []
    for x, y in np.asarray(fixations, float):
        if not np.isfinite([x, y]).all():
            continue
        column, row = floor(x + 0.5), floor(y + 0.5)
        if 0 <= column < width and 0 <= row < height:
            found.append(map_[row, column])
    return np.array(found)


def cc_tuebingen(map_, density):
    if map_.max() == map_.min():
        return 0.0
    return stats.pearsonr(map_.ravel(), density.ravel()).statistic


def cc_cap6415(map_, density):
    return np.corrcoef(scaled(map_).ravel(), scaled(density).ravel())[0, 1]


def cc_union(map_, density):
    first, second = scaled(map_), scaled(density)
    union = (first > 1e-4) | (second > 1e-4)
    return stats.pearsonr(first[union], second[union]).statistic


def sim_tuebingen(map_, density):
    return np.minimum(shares(map_, 0), shares(density, 0)).sum()


def kld_tuebingen(map_, density):
    p, q = shares(map_, 1e-20), shares(density, 1e-20)
    return (np.exp(np.log(q)) * (np.log(q) - np.log(p))).sum()


def kld_cap6415(map_, density):
    p, g = (
        np.maximum(scaled(each) / (scaled(each).sum() + 1e-8), 1e-8) for each in (map_, density)
    )
    return (g * np.log(g / p)).sum()


def mae(map_, density):
    return mean_absolute_error(scaled(density).ravel(), scaled(map_).ravel())


def mse(map_, density):
    return mean_squared_error(scaled(density).ravel(), scaled(map_).ravel())


def nss_tuebingen(map_, fixations):
    if map_.max() == map_.min():
        return 0.0
    return fixated_values((map_ - map_.mean()) / map_.std(ddof=0), fixations).mean()


def nss_cap6415(map_, density):
    return ((map_ - map_.mean()) / (map_.std(ddof=0) + 1e-8))[density > 0].mean()


def auc_tuebingen(map_, fixations):
    positives = fixated_values(map_, fixations)
    labels = np.r_[np.ones(len(positives)), np.zeros(map_.size)]
    return roc_auc_score(labels, np.r_[positives, map_.ravel()])


def auc_cap6415(map_, density):
    return roc_auc_score(density.ravel() > 0, map_.ravel())


REFERENCES: dict[tuple[str, str], Callable] = {
    ("cc", "tuebingen"): cc_tuebingen,
    ("cc", "cap6415"): cc_cap6415,
    ("cc_union", "tuebingen"): cc_union,
    ("cc_union", "cap6415"): cc_union,
    ("sim", "tuebingen"): sim_tuebingen,
    ("kld", "tuebingen"): kld_tuebingen,
    ("kld", "cap6415"): kld_cap6415,
    ("mae", "tuebingen"): mae,
    ("mae", "cap6415"): mae,
    ("mse", "tuebingen"): mse,
    ("mse", "cap6415"): mse,
    ("nss", "tuebingen"): nss_tuebingen,
    ("nss", "cap6415"): nss_cap6415,
    ("auc", "tuebingen"): auc_tuebingen,
    ("auc", "cap6415"): auc_cap6415,
}
CASES = [(name, each) for name in METRICS.own for each in METRICS[name].conventions]


@dataclass
class MetricTester:
    """A metric in a convention, its reference, and inputs that fit it."""

    name: str
    convention: str

    @property
    def metric(self):
        return METRICS[self.name]

    @property
    def compares(self):
        return self.metric.compares[self.convention]

    def __call__(self, maps, target):
        return self.metric.function(maps, target, convention=self.convention)

    def reference(self, map_, target):
        reference = REFERENCES[self.name, self.convention]
        if self.compares == "density":
            target = np.asarray(target, np.float64)
        return reference(np.asarray(map_, np.float64), target)

    def target(self, seed, size=SIZE):
        """A density that is 0 in places, or fixations with repeats, some outside the image."""
        rng = np.random.default_rng(1000 + seed)
        if self.compares == "density":
            return np.maximum(smooth(rng, size) - 0.4, 0)
        points = rng.uniform(-2, 2 + np.array([size[1], size[0]]), (9 + seed, 2))
        return np.concatenate([points, points[:3], [[1, 2], [np.nan, 3]]])

    def assert_matches(self, map_, target):
        """One map, both ways of asking for it."""
        expected = self.reference(map_, target)
        assert self(map_, target) == pytest.approx(expected, rel=1e-12, abs=1e-12)
        assert self(map_[None], target) == pytest.approx([expected], rel=1e-12, abs=1e-12)


def smooth(rng, size):
    return scaled(ndimage.gaussian_filter(rng.random(size), 2.0))


def every_kind_of_map(size=SIZE):
    """Maps (kind, map): different in sign, scale, ties and dtype."""
    rng = np.random.default_rng(7)
    base = smooth(rng, size)
    yield "smooth", base
    yield "rectified", np.maximum(base - 0.5, 0)
    yield "8-bit", np.round(base * 255).astype(np.uint8)
    yield "signed", base - 0.7
    yield "unscaled", 1e4 * base + 3e4
    yield "in steps", np.floor(base * 3)
    yield "float32", base.astype(np.float32)
    yield "float16", base.astype(np.float16)


def pytest_generate_tests(metafunc):
    testers = [MetricTester(*case) for case in CASES]
    against_density = [each for each in testers if each.compares == "density"]
    for name, chosen in (("tester", testers), ("density_tester", against_density)):
        if name in metafunc.fixturenames:
            ids = [f"{each.name}-{each.convention}" for each in chosen]
            metafunc.parametrize(name, chosen, ids=ids)
    if "any_map" in metafunc.fixturenames:
        kinds, maps = zip(*every_kind_of_map(), strict=True)
        metafunc.parametrize("any_map", maps, ids=kinds)


@pytest.fixture
def batch():
    """Four maps of different images."""
    rng = np.random.default_rng(3)
    return np.stack([smooth(rng, SIZE) - 0.1 * i for i in range(4)])
