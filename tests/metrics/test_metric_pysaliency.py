"""The convention ``"tuebingen"`` against pysaliency, which defines it."""

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from quickgaze.bounds import GazePool
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
from quickgaze.stimuli.types import Fixations, Stimulus


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
    """Fixations from border to border, with all fractions."""
    return rng.uniform(-0.5, [width, height], (number, 2))


def as_pysaliency(pysaliency, sets):
    """Its pixel of a coordinate is ``int(x)``."""
    x, y = (np.concatenate([each[:, axis] for each in sets]) for axis in (0, 1))
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
    fixations = np.concatenate([fixations, fixations[:5], [[-0.9, -0.5], [51.99, 39.7], [51, 39]]])
    x, y = fixations.T
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
                each * [width / size[1], height / size[0]]
                for m, (each, size) in enumerate(zip(sets, sizes, strict=True))
                if m != n
            ]
        )
        expected = pytest.approx(per_image(theirs, fixations, 4)[n], abs=1e-12)
        assert auc_shuffled(maps[n], sets[n], others) == expected
        counts = FixationCounts.of(others, (height, width))
        assert auc_shuffled(maps[n], sets[n], counts) == expected


def stimulus(name, size, points):
    """A stimulus without an image, which nobody asks for."""

    class Known:
        def read(self, size):
            return Fixations.inside(points[:, 0], points[:, 1], ["ann"] * len(points), size)

        def size(self):
            return size

    return Stimulus(name, Known(), Known())


def test_pooled_gaze_of_images_of_different_sizes(pysaliency):
    """The negatives of a run are pysaliency's, scaled to the image and then cut off."""
    rng = np.random.default_rng(4)
    sizes = [(30, 40), (40, 30), (25, 60), (30, 40)]
    # pysaliency wraps what is below 0
    sets = [rng.uniform(0, [w, h], (30 + n, 2)) for n, (h, w) in enumerate(sizes)]
    stimuli = pysaliency.Stimuli([np.full((*size, 3), n, np.uint8) for n, size in enumerate(sizes)])
    provide = pysaliency.saliency_map_models.FullShuffledNonfixationProvider(
        stimuli, as_pysaliency(pysaliency, sets)
    )
    pool = GazePool.read([stimulus(str(n), size, sets[n]) for n, size in enumerate(sizes)])
    for n, size in enumerate(sizes):
        expected = np.zeros(size, int)
        x, y = provide.nonfixations_for_image(n)
        np.add.at(expected, (y, x), 1)
        np.testing.assert_array_equal(pool.counts_of_others(str(n), size), expected)


@pytest.fixture(scope="module")
def osie(osie_sample):
    """Points with fractions, as recorded, and a map by chance of some size, of each image."""
    dataset = load_dataset("osie", osie_sample)
    rng = np.random.default_rng(14)
    sets = [each.fixations.points for each in dataset]
    assert np.mean(np.concatenate(sets) % 1 > 0) > 0.5
    maps = [
        np.repeat(np.repeat(rng.random((60, 80), np.float32), 10, 0), 10, 1) + each
        for each in rng.random((len(sets), 600, 800), np.float32)
    ]
    return dataset, sets, maps


def test_osie_as_recorded(pysaliency, osie):
    """Fractions of a pixel decide about the values at fixations, in which each map differs."""
    dataset, sets, maps = osie
    number = 6
    images = [np.full((600, 800, 3), n, np.uint8) for n in range(number)]
    baseline = ndimage.gaussian_filter(maps[-1], 9)

    class Given(pysaliency.SaliencyMapModel):
        def _saliency_map(self, stimulus):
            return maps[stimulus[0, 0, 0]]

    class Dense(pysaliency.Model):
        def __init__(self, choose):
            super().__init__()
            self.choose = choose

        def _log_density(self, stimulus):
            array = self.choose(stimulus).astype(float)
            convert = pysaliency.metrics.convert_saliency_map_to_density
            return np.log(convert(array, 1e-20))

    stimuli, model = pysaliency.Stimuli(images), Given()
    fixations = as_pysaliency(pysaliency, sets[:number])
    dense = Dense(lambda stimulus: maps[stimulus[0, 0, 0]])
    gains = dense.information_gains(stimuli, fixations, Dense(lambda _: baseline))
    expected = {
        "nss": per_image(model.NSSs(stimuli, fixations), fixations, number),
        "auc": per_image(model.AUCs(stimuli, fixations), fixations, number),
        "auc_shuffled": per_image(model.sAUCs(stimuli, fixations), fixations, number),
        "information_gain": per_image(gains, fixations, number),
    }
    pool = GazePool.read(dataset[:number])
    for n in range(number):
        counts = FixationCounts(pool.counts_of_others(dataset[n].id, (600, 800)))
        beside = {"others": counts, "baseline": baseline}
        found = score(list(expected), maps[n][None], None, sets[n], **beside).values
        rounded = np.floor(sets[n] + 0.5)
        for name, values in expected.items():
            assert found[name][0] == pytest.approx(values[n], rel=1e-9, abs=1e-9), name
            other = score([name], maps[n][None], None, rounded, **beside).values
            assert other[name][0] != pytest.approx(values[n], abs=1e-6), name


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
