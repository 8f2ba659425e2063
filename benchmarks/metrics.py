"""The metrics beside pysaliency's, on one core, in one process.

    python benchmarks/metrics.py [--repeats N] [--others N]

Scores one float32 map of 480 x 640 pixels against 300 fixations, and against the fixations of
other images for sAUC. The two take turns, so that both meet the same machine; prints medians and
their ratios. pysaliency computes SIM and KLDiv in the precision of the map, quickgaze always in
float64; hence the column in which pysaliency is given float64.

OSIE has about 100,000 fixations, SALICON's 5,000 images for validation have 1,660,000.
"""

from __future__ import annotations

import os

# Before NumPy starts its threads.
os.environ.update(
    dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
)

import argparse
import statistics
import sys
import time
import types
import warnings
from collections.abc import Callable

import numpy as np
from scipy import ndimage

from quickgaze.metrics import (
    DEFAULT_METRICS,
    METRICS,
    FixationCounts,
    auc,
    auc_shuffled,
    cc,
    kld,
    nss,
    score,
    sim,
)

SIZE = (480, 640)
NUMBER = 300


def pysaliency() -> types.ModuleType:
    """Import pysaliency, whose release 0.2.22 asks for what newer libraries do not have."""
    if not hasattr(np, "trapz"):
        np.trapz = np.trapezoid  # noqa: NPY201
    if "pkg_resources" not in sys.modules:
        resources = types.ModuleType("pkg_resources")
        resources.resource_string = resources.resource_listdir = None
        sys.modules["pkg_resources"] = resources
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pysaliency as package  # noqa: PLC0415 - after what it needs is there
    return package


def medians(calls: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Median milliseconds of calls that take turns, after one round that is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(repeats + 1):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            if turn:
                seconds[name].append(time.perf_counter() - start)
    return {name: 1e3 * statistics.median(each) for name, each in seconds.items()}


class Scene:
    """A map, a density, fixations and those of other images, as both libraries take them.

    Parameters
    ----------
    others : int
        Number of fixations of other images.
    """

    def __init__(self, others: int) -> None:
        rng = np.random.default_rng(0)
        self.map = ndimage.gaussian_filter(rng.random(SIZE), 19).astype(np.float32)
        self.density = ndimage.gaussian_filter(rng.random(SIZE), 19).astype(np.float32)
        self.fixations = rng.integers(0, SIZE[::-1], (NUMBER, 2)).astype(np.float64)
        centre = np.array(SIZE[::-1]) / 2
        others_around = rng.normal(centre, centre / 2.5, (others, 2))
        inside = ((others_around >= 0) & (others_around < SIZE[::-1])).all(axis=1)
        self.others = np.floor(others_around[inside])
        self.counts = FixationCounts.of(self.others, SIZE)
        self.baseline = ndimage.gaussian_filter(self.counts.counts.astype(float), 19)


class Theirs:
    """The scene as pysaliency's models and fixations.

    Parameters
    ----------
    package : module
        pysaliency.
    scene : Scene
        What to score.
    dtype : type
        Precision of the maps.
    """

    def __init__(
        self, package: types.ModuleType, scene: Scene, dtype: type[np.floating] = np.float32
    ) -> None:
        class Given(package.SaliencyMapModel):
            def __init__(self, given: np.ndarray) -> None:
                super().__init__()
                self.given = given

            def _saliency_map(self, stimulus: np.ndarray) -> np.ndarray:  # noqa: ARG002
                return self.given

        def fixations(points: np.ndarray) -> object:
            with np.errstate(invalid="ignore"):  # it multiplies memory that it has not set
                return package.Fixations.create_without_history(
                    points[:, 0] + 0.5, points[:, 1] + 0.5, np.zeros(len(points), int)
                )

        self.stimuli = package.Stimuli([np.zeros((*SIZE, 3), np.uint8)])
        self.model, self.human = (Given(each.astype(dtype)) for each in (scene.map, scene.density))
        self.fixations, self.others = fixations(scene.fixations), fixations(scene.others)

    def auc(self) -> float:
        """All pixels as negatives."""
        return self.model.AUC(self.stimuli, self.fixations, average="image")

    def nss(self) -> float:
        """All fixations."""
        return self.model.NSS(self.stimuli, self.fixations, average="image")

    def cc(self) -> float:
        """Against the density."""
        return self.model.CC(self.stimuli, self.human)

    def sim(self) -> float:
        """Against the density."""
        return self.model.SIM(self.stimuli, self.human)

    def kld(self) -> float:
        """Against the density."""
        return self.model.KLDiv(self.stimuli, self.human)

    def shuffled(self) -> float:
        """Fixations of other images as negatives, found beforehand."""
        return self.model.AUC(
            self.stimuli, self.fixations, nonfixations=self.others, average="image"
        )

    def together(self) -> tuple[float, ...]:
        """All six."""
        return self.auc(), self.nss(), self.cc(), self.sim(), self.kld(), self.shuffled()


METHODS = {
    "AUC": Theirs.auc,
    "NSS": Theirs.nss,
    "CC": Theirs.cc,
    "SIM": Theirs.sim,
    "KLDiv": Theirs.kld,
    "sAUC": Theirs.shuffled,
    "all six": Theirs.together,
}


def ours(scene: Scene) -> dict[str, Callable[[], object]]:
    """Quickgaze's calls, by the names of `METHODS`."""
    map_, density, points = scene.map, scene.density, scene.fixations
    names = ("auc", "nss", "cc", "sim", "kld", "auc_shuffled")

    def together() -> tuple[float, ...]:
        found = score(names, map_[None], density, points, others=scene.counts)
        return tuple(found.values[name][0] for name in names)

    return {
        "AUC": lambda: auc(map_, points),
        "NSS": lambda: nss(map_, points),
        "CC": lambda: cc(map_, density),
        "SIM": lambda: sim(map_, density),
        "KLDiv": lambda: kld(map_, density),
        "sAUC": lambda: auc_shuffled(map_, points, scene.counts),
        "all six": together,
    }


def print_beside_pysaliency(scene: Scene, repeats: int) -> None:
    """Print the table of both."""
    package = pysaliency()
    single, double = (Theirs(package, scene, dtype) for dtype in (np.float32, np.float64))
    print("\n| metric | quickgaze, ms | pysaliency, ms | ratio | in float64, ms | ratio |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, call in ours(scene).items():
        calls = {
            "ours": call,
            "float32": lambda name=name: METHODS[name](single),
            "float64": lambda name=name: METHODS[name](double),
        }
        # Metrics that differed would be no comparison.
        np.testing.assert_allclose(calls["ours"](), calls["float64"](), rtol=1e-7)
        found = medians(calls, repeats)
        print(
            f"| {name} | {found['ours']:.1f} "
            f"| {found['float32']:.1f} | {found['float32'] / found['ours']:.1f} "
            f"| {found['float64']:.1f} | {found['float64'] / found['ours']:.1f} |"
        )


def print_each_metric(scene: Scene, repeats: int) -> None:
    """Print how long each metric takes in each convention."""
    print("\nevery metric alone, in ms")
    for name in METRICS.own:
        for convention in METRICS[name].conventions:

            def call(name: str = name, convention: str = convention) -> object:
                beside = {"others": scene.counts, "baseline": scene.baseline}
                maps = scene.map[None]
                return score([name], maps, scene.density, scene.fixations, convention, **beside)

            print(f"  {name:17} {convention:10} {medians({'': call}, repeats)['']:7.1f}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--others", type=int, default=100_000)
    arguments = parser.parse_args()
    scene = Scene(arguments.others)
    print(f"{SIZE[0]} x {SIZE[1]}, float32, {NUMBER} fixations, {len(scene.others):,} of others")
    print_beside_pysaliency(scene, arguments.repeats)

    def default_set() -> object:
        return score(DEFAULT_METRICS, scene.map[None], scene.density, scene.fixations)

    milliseconds = medians({"": default_set}, arguments.repeats)[""]
    print(f"\n{', '.join(DEFAULT_METRICS)} together: {milliseconds:.1f} ms")
    print_each_metric(scene, arguments.repeats)


if __name__ == "__main__":
    main()
