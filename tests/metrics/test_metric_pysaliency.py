"""The convention ``"tuebingen"`` against pysaliency, which defines it."""

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from quickgaze.metrics import (
    METRICS,
    FixationCounts,
    auc_shuffled,
    cc,
    information_gain,
    kld,
    nss,
    score,
    sim,
)
from quickgaze.stimuli import load_dataset


def maps_and_densities():
    rng = np.random.default_rng(11)
    base = ndimage.gaussian_filter(rng.random((40, 52)), 3)
    other = ndimage.gaussian_filter(rng.random((40, 52)), 3)
    yield "smooth", base, other
    yield "signed", base - base.mean(), other
    yield "rectified", np.maximum(base - np.median(base), 0), np.maximum(other - other.mean(), 0)
    yield "8-bit", np.round(99 * base).astype(np.uint8), np.round(9e2 * other)
    yield "constant", np.full((40, 52), 0.3), other
    yield "zero", np.zeros((40, 52)), other


CASES = [pytest.param(map_, density, id=kind) for kind, map_, density in maps_and_densities()]


def points(rng, number, width, height):
    """Fixations in quickgaze's coordinates, from border to border."""
    return rng.uniform(-0.5, [width - 0.5, height - 0.5], (number, 2))


def as_pysaliency(pysaliency, sets):
    """Its pixels begin, not lie, on whole numbers, and it cuts the fraction off."""
    x, y = (np.concatenate([each[:, axis] + 0.5 for each in sets]) for axis in (0, 1))
    n = np.repeat(np.arange(len(sets)), [len(each) for each in sets])
    with np.errstate(invalid="ignore"):  # it multiplies memory that it has not set
        return pysaliency.Fixations.create_without_history(x, y, n)


def per_image(values, fixations, number):
    return [values[fixations.n == n].mean() for n in range(number)]


@pytest.mark.parametrize(("map_", "density"), CASES)
def test_map_against_density(pysaliency, map_, density):
    theirs = pysaliency.metrics
    assert cc(map_, density) == pytest.approx(theirs.CC(map_.astype(float), density), abs=1e-12)
    assert sim(map_, density) == pytest.approx(theirs.SIM(map_, density), abs=1e-12)
    with np.errstate(divide="ignore"):  # MIT_KLDiv takes the logarithm of 0
        for convention, function in (
            ("tuebingen", theirs.image_based_kl_divergence),
            ("mit", theirs.MIT_KLDiv),
            ("salicon", theirs.MIT_KLDiv),
        ):
            expected = pytest.approx(function(map_, density), rel=1e-12, abs=1e-12)
            assert kld(map_, density, convention) == expected


@pytest.mark.parametrize(("map_", "density"), CASES)
def test_map_against_fixations(pysaliency, map_, density):
    del density
    fixations = points(np.random.default_rng(0), 30, 52, 40)
    fixations = np.concatenate([fixations, fixations[:5], [[-0.5, -0.5], [51.49, 39.49]]])
    x, y = fixations.T + 0.5
    theirs = pysaliency.metrics.NSS(map_, x, y).mean()
    # the mean of a constant map may be off by a rounding step, and so its standard deviation
    if np.ptp(map_):
        assert nss(map_, fixations) == pytest.approx(theirs, abs=1e-12)
        assert nss(map_, fixations, "salicon") == pytest.approx(theirs, abs=1e-12)
    at_fixations = map_[y.astype(int), x.astype(int)].astype(float)
    area = pysaliency.roc.general_roc(at_fixations, map_.ravel().astype(float))[0]
    assert METRICS["auc"].function(map_, fixations) == pytest.approx(area, abs=1e-12)


@pytest.mark.parametrize(("map_", "density"), CASES)
def test_information_gain(pysaliency, map_, density):
    def density_of(array):
        return pysaliency.metrics.convert_saliency_map_to_density(array.astype(float), 1e-20)

    class Model(pysaliency.Model):
        def __init__(self, array):
            super().__init__()
            self.array = array

        def _log_density(self, stimulus):  # noqa: ARG002 - part of its interface
            return np.log(density_of(self.array))

    stimuli = pysaliency.Stimuli([np.zeros((40, 52, 3), np.uint8)])
    sets = [points(np.random.default_rng(1), 25, 52, 40)]
    fixations = as_pysaliency(pysaliency, sets)
    theirs = Model(map_).information_gain(stimuli, fixations, Model(density + 0.01))
    ours = information_gain(map_, sets[0], density + 0.01)
    assert ours == pytest.approx(theirs, rel=1e-10, abs=1e-10)


def test_shuffled_auc_with_images_of_different_sizes(pysaliency):
    rng = np.random.default_rng(2)
    sizes = [(30, 40), (40, 30), (25, 60), (30, 40)]
    # steps, so that there are ties
    maps = [np.round(9 * ndimage.gaussian_filter(rng.random(size), 2)) for size in sizes]
    sets = [points(rng, 12 + n, width, height) for n, (height, width) in enumerate(sizes)]
    images = [np.full((*size, 3), n, np.uint8) for n, size in enumerate(sizes)]

    class Model(pysaliency.SaliencyMapModel):
        def _saliency_map(self, stimulus):
            return maps[stimulus[0, 0, 0]]

    stimuli, fixations = pysaliency.Stimuli(images), as_pysaliency(pysaliency, sets)
    theirs = Model().AUCs(stimuli, fixations, nonfixations="shuffled")
    for n, (height, width) in enumerate(sizes):
        others = np.concatenate(
            [
                (each + 0.5) * [width / size[1], height / size[0]] - 0.5
                for m, (each, size) in enumerate(zip(sets, sizes, strict=True))
                if m != n
            ]
        )
        expected = pytest.approx(per_image(theirs, fixations, 4)[n], abs=1e-12)
        assert auc_shuffled(maps[n], sets[n], others) == expected
        counts = FixationCounts.of(others, (height, width))
        assert auc_shuffled(maps[n], sets[n], counts) == expected


def contrast_map(image):
    """A saliency map of sorts: how far each place differs from its surroundings."""
    grey = np.asarray(Image.fromarray(image).convert("L"), np.float32)
    difference = np.abs(grey - ndimage.gaussian_filter(grey, 40))
    return ndimage.gaussian_filter(difference, 12).astype(np.float32)


@pytest.mark.slow
@pytest.mark.parametrize("eight_bit", [False, True])
def test_osie(pysaliency, osie_sample, eight_bit):
    dataset = load_dataset("osie", osie_sample)
    images = [stimulus.image() for stimulus in dataset]
    maps = [contrast_map(image) for image in images]
    if eight_bit:
        maps = [np.round(255 * map_ / map_.max()).astype(np.uint8) for map_ in maps]
    sets = [stimulus.fixations.points for stimulus in dataset]
    place = {image.tobytes(): n for n, image in enumerate(images)}
    assert len(place) == 40

    class Model(pysaliency.SaliencyMapModel):
        def _saliency_map(self, stimulus):
            return maps[place[np.ascontiguousarray(stimulus).tobytes()]]

    stimuli, fixations, model = (
        pysaliency.Stimuli(images),
        as_pysaliency(pysaliency, sets),
        Model(),
    )
    theirs = {
        "auc": per_image(model.AUCs(stimuli, fixations), fixations, 40),
        "auc_shuffled": per_image(model.sAUCs(stimuli, fixations), fixations, 40),
        "nss": per_image(model.NSSs(stimuli, fixations), fixations, 40),
    }
    metrics = pysaliency.metrics
    for n, stimulus in enumerate(dataset):
        density = stimulus.density()
        others = np.concatenate([each for m, each in enumerate(sets) if m != n])
        ours = score(
            ["cc", "sim", "kld", "nss", "auc", "auc_shuffled"],
            maps[n][None],
            density,
            sets[n],
            others=others,
        ).values
        map_, human = maps[n].astype(float), density.astype(float)
        expected = {
            "cc": metrics.CC(map_, human),
            "sim": metrics.SIM(map_, human),
            "kld": metrics.image_based_kl_divergence(map_, human),
            **{name: values[n] for name, values in theirs.items()},
        }
        for name, value in expected.items():
            assert ours[name][0] == pytest.approx(value, abs=1e-6), (stimulus.id, name)
            # far closer in fact
            assert ours[name][0] == pytest.approx(value, abs=1e-9), (stimulus.id, name)
