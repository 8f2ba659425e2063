"""One tester that holds every metric, in every convention, against an independent reference.

The references are the obvious way to compute what the definitions say: SciPy and scikit-learn
where they have it, else one line of NumPy per step, or the loops of the original programs. They
see one (H, W) map at a time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, floor, nan

import numpy as np
import pytest
from scipy import ndimage, optimize, stats
from scipy.spatial.distance import cdist
from sklearn.metrics import (
    f1_score,
    jaccard_score,
    mean_absolute_error,
    mean_squared_error,
    roc_auc_score,
)

from quickgaze.metrics import METRICS, undefined_reason

SEED = 0
"""The seed that metrics have by default."""

SIZE = (34, 66)
"""Two by three cells of EMD."""


def scaled(array):
    extent = array.max() - array.min()
    return (array - array.min()) / extent if extent else np.zeros_like(array)


def shares(array, regularisation):
    array = array - min(array.min(), 0) + regularisation
    return array / array.sum() if array.any() else np.full_like(array, 1 / array.size)


def nearest(coordinate):
    """The pixel in MATLAB, which counts from 1 and rounds halves away from 0."""
    return floor(coordinate + 1 + 0.5) - 1


def fixated_pixels(map_, fixations, pixel):
    """Row and column of each fixation that lies inside; `pixel` takes a coordinate to its own."""
    height, width = map_.shape
    found = []
    for x, y in np.asarray(fixations, float):
        if not np.isfinite([x, y]).all():
            continue
        column, row = pixel(x), pixel(y)
        if 0 <= column < width and 0 <= row < height:
            found.append((row, column))
    return found


def fixated_values(map_, fixations):
    """The map at each fixation, as Python code takes them."""
    return np.array([map_[pixel] for pixel in fixated_pixels(map_, fixations, int)])


def fixation_map(map_, fixations):
    """1 where anybody looked, as the MATLAB code takes fixations."""
    found = np.zeros(map_.shape)
    for pixel in fixated_pixels(map_, fixations, nearest):
        found[pixel] = 1
    return found


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


def spearman(map_, density):
    if np.ptp(map_) == 0:
        return nan
    return stats.spearmanr(map_.ravel(), density.ravel()).statistic


def highest_tenth(array):
    ranked = sorted(array.ravel(), reverse=True)
    return array > ranked[ceil(array.size / 10)]


def iou(map_, density):
    first, second = highest_tenth(map_), highest_tenth(density)
    if not first.any() or not second.any():
        return nan
    return jaccard_score(second.ravel(), first.ravel())


def dice(map_, density):
    first, second = highest_tenth(map_), highest_tenth(density)
    if not first.any() or not second.any():
        return nan
    return f1_score(second.ravel(), first.ravel())


def cells(array):
    """Every pixel cut into small ones, so that cells have a whole number of them."""
    height, width = array.shape
    rows, columns = ceil(height / 32), ceil(width / 32)
    small = np.repeat(np.repeat(shares(array, 0), rows, axis=0), columns, axis=1)
    return small.reshape(rows, height, columns, width).sum(axis=(1, 3)) / (rows * columns)


def emd_mit(map_, density):
    """The transport problem as a linear programme: mass from each cell to each."""
    given, taken = cells(map_), cells(density)
    places = np.argwhere(np.ones(given.shape))
    number = len(places)
    leaves = np.kron(np.eye(number), np.ones(number))
    arrives = np.kron(np.ones(number), np.eye(number))
    found = optimize.linprog(
        cdist(places, places).ravel(),
        A_eq=np.r_[leaves, arrives],
        b_eq=np.r_[given.ravel(), taken.ravel()],
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    return found.fun


def sim_mit(map_, density):
    return np.minimum(shares(scaled(map_), 0), shares(scaled(density), 0)).sum()


def kld_mit(map_, density):
    epsilon = 2.2204e-16
    p, g = shares(map_, 0), shares(density, 0)
    return sum(
        each_g * np.log(epsilon + each_g / (each_p + epsilon))
        for each_p, each_g in zip(p.ravel(), g.ravel(), strict=True)
    )


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


def nss_mit(map_, fixations):
    if map_.max() == map_.min():
        return 0.0
    z_scored = (map_ - map_.mean()) / map_.std(ddof=1)
    return z_scored[fixation_map(map_, fixations) > 0].mean()


def auc_judd_mit(map_, fixations):
    """Transcribed from MATLAB."""
    jittered = map_.ravel() + np.random.default_rng(SEED).random(map_.size) * 1e-7
    values = scaled(jittered)
    fixated = values[fixation_map(map_, fixations).ravel() > 0]
    tp, fp = [0.0], [0.0]
    for i, threshold in enumerate(sorted(fixated, reverse=True), start=1):
        above = (values >= threshold).sum()
        tp.append(i / len(fixated))
        fp.append((above - i) / (len(values) - len(fixated)))
    return np.trapezoid([*tp, 1.0], [*fp, 1.0])


def curve_area(positives, negatives, thresholds):
    """Area of one split, as both MATLAB and the SALICON code compute it."""
    tp, fp = [0.0], [0.0]
    for threshold in thresholds[::-1]:
        tp.append((positives >= threshold).sum() / len(positives))
        fp.append((negatives >= threshold).sum() / len(negatives))
    return np.trapezoid([*tp, 1.0], [*fp, 1.0])


def tenths_up_to(largest):
    return np.array([k / 10 for k in range(11) if k / 10 <= largest])


def auc_borji_mit(map_, fixations):
    values = scaled(map_).ravel()
    fixated = values[fixation_map(map_, fixations).ravel() > 0]
    areas = []
    for drawn in np.random.default_rng(SEED).integers(map_.size, size=(100, len(fixated))):
        thresholds = tenths_up_to(max(fixated.max(), values[drawn].max()))
        areas.append(curve_area(fixated, values[drawn], thresholds))
    return np.mean(areas)


def auc_shuffled_mit(map_, fixations, others):
    values = scaled(map_).ravel()
    fixated = values[fixation_map(map_, fixations).ravel() > 0]
    available = values[fixation_map(map_, others).ravel() > 0]
    rng, areas = np.random.default_rng(SEED), []
    for _ in range(100):
        number = min(len(fixated), len(available))
        negatives = available[rng.choice(len(available), number, replace=False)]
        thresholds = tenths_up_to(max(fixated.max(), negatives.max()))
        areas.append(curve_area(fixated, negatives, thresholds))
    return np.mean(areas)


def auc_shuffled_tuebingen(map_, fixations, others):
    positives, negatives = fixated_values(map_, fixations), fixated_values(map_, others)
    labels = np.r_[np.ones(len(positives)), np.zeros(len(negatives))]
    return roc_auc_score(labels, np.r_[positives, negatives])


def auc_salicon(map_, fixations):
    """Transcribed from the challenge's Python code."""
    values = scaled(map_).ravel()
    positives = fixated_values(scaled(map_), fixations)
    negatives = values[np.random.default_rng(SEED).integers(map_.size, size=100_000)]
    largest = max(positives.max(), negatives.max())
    return curve_area(positives, negatives, np.arange(0, largest, 0.01))


def information_gain_tuebingen(map_, fixations, baseline):
    log_p, log_b = np.log2(shares(map_, 1e-20)), np.log2(shares(baseline, 1e-20))
    return fixated_values(log_p - log_b, fixations).mean()


def information_gain_mit(map_, fixations, baseline):
    epsilon = 2.2204e-16
    fixated = fixation_map(map_, fixations) > 0
    p, b = shares(scaled(map_), 0)[fixated], shares(scaled(baseline), 0)[fixated]
    return (np.log2(epsilon + p) - np.log2(epsilon + b)).mean()


def auc_tuebingen(map_, fixations):
    positives = fixated_values(map_, fixations)
    labels = np.r_[np.ones(len(positives)), np.zeros(map_.size)]
    return roc_auc_score(labels, np.r_[positives, map_.ravel()])


def auc_cap6415(map_, density):
    return roc_auc_score(density.ravel() > 0, map_.ravel())


REFERENCES: dict[tuple[str, str], Callable] = {
    ("cc", "tuebingen"): cc_tuebingen,
    ("cc", "mit"): cc_tuebingen,
    ("cc", "salicon"): cc_tuebingen,
    ("cc", "cap6415"): cc_cap6415,
    ("sim", "tuebingen"): sim_tuebingen,
    ("sim", "mit"): sim_mit,
    ("kld", "tuebingen"): kld_tuebingen,
    ("kld", "mit"): kld_mit,
    ("kld", "salicon"): kld_mit,
    ("kld", "cap6415"): kld_cap6415,
    ("emd", "mit"): emd_mit,
    ("nss", "tuebingen"): nss_tuebingen,
    ("nss", "mit"): nss_mit,
    ("nss", "salicon"): nss_tuebingen,
    ("nss", "cap6415"): nss_cap6415,
    ("auc", "tuebingen"): auc_tuebingen,
    ("auc", "salicon"): auc_salicon,
    ("auc", "cap6415"): auc_cap6415,
    ("auc_judd", "mit"): auc_judd_mit,
    ("auc_borji", "mit"): auc_borji_mit,
    ("auc_shuffled", "tuebingen"): auc_shuffled_tuebingen,
    ("auc_shuffled", "mit"): auc_shuffled_mit,
    ("information_gain", "tuebingen"): information_gain_tuebingen,
    ("information_gain", "mit"): information_gain_mit,
    **{
        (name, convention): reference
        for name, reference in {
            "cc_union": cc_union,
            "mae": mae,
            "mse": mse,
            "spearman": spearman,
            "iou": iou,
            "dice": dice,
        }.items()
        for convention in ("tuebingen", "mit", "salicon", "cap6415")
    },
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

    @property
    def beside(self):
        """What the metric needs beside its target: by the name of the option."""
        need = self.metric.needs.get(self.convention)
        rng = np.random.default_rng(2000)
        if need == "others":
            points = rng.uniform(-3, 3 + np.array([SIZE[1], SIZE[0]]), (60, 2))
            return {"others": np.concatenate([points, points[:20], points[:5]])}
        return {"baseline": smooth(rng, SIZE) + 0.1} if need == "baseline" else {}

    def __call__(self, maps, target):
        return self.metric.function(maps, target, *self.beside.values(), convention=self.convention)

    def reference(self, map_, target):
        reference = REFERENCES[self.name, self.convention]
        if self.compares == "density":
            target = np.asarray(target, np.float64)
        return reference(np.asarray(map_, np.float64), target, *self.beside.values())

    def reason(self, map_, target):
        return undefined_reason(self.name, map_, target, self.convention, **self.beside)

    def close(self, expected):
        """Equal but for rounding; linear programmes are solved to a tolerance."""
        tolerance = 1e-9 if self.name == "emd" else 1e-12
        return pytest.approx(expected, rel=tolerance, abs=tolerance, nan_ok=True)

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
        assert self(map_, target) == self.close(expected)
        assert self(map_[None], target) == self.close([expected])


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
