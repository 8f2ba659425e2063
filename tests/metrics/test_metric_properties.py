"""What must hold for any map."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import roc_auc_score

from quickgaze.metrics import (
    CONVENTIONS,
    METRICS,
    FixationCounts,
    auc,
    auc_judd,
    auc_shuffled,
    cc,
    cc_union,
    dice,
    iou,
    kld,
    nss,
    sim,
    spearman,
)

SIZES = hnp.array_shapes(min_dims=2, max_dims=2, max_side=7)
EIGHT_BIT = st.integers(0, 255).map(float)
FEW = st.integers(0, 2).map(float)


@st.composite
def two_maps(draw):
    size = draw(SIZES)
    elements = draw(st.sampled_from([EIGHT_BIT, FEW, st.floats(0, 1, width=32)]))
    return tuple(draw(hnp.arrays(np.float64, size, elements=elements)) for _ in range(2))


@st.composite
def map_and_pixels(draw):
    map_, _ = draw(two_maps())
    height, width = map_.shape
    pixels = st.tuples(st.integers(0, width - 1), st.integers(0, height - 1))
    return map_, np.array(draw(st.lists(pixels, min_size=1, max_size=12)))


@given(two_maps(), st.sampled_from(list(CONVENTIONS)))
@settings(deadline=None)
def test_correlations_and_overlaps_are_symmetric(maps, convention):
    first, second = maps
    for function in (cc, cc_union, spearman, iou, dice):
        one, other = function(first, second, convention), function(second, first, convention)
        assert one == other or np.isnan([one, other]).any()


@given(map_and_pixels())
@settings(deadline=None, max_examples=300)
def test_auc_is_exact_under_ties(given_):
    map_, fixations = given_
    positives = map_[fixations[:, 1], fixations[:, 0]]
    negatives = map_.ravel()
    larger = (positives[:, None] > negatives).sum() * 2 + (positives[:, None] == negatives).sum()
    value = auc(map_, fixations)
    assert value == larger / (2 * positives.size * negatives.size)
    labels = np.r_[np.ones(positives.size), np.zeros(negatives.size)]
    expected = roc_auc_score(labels, np.r_[positives, negatives])
    assert value == pytest.approx(expected, abs=1e-12)


@given(map_and_pixels(), st.integers(0, 9))
@settings(deadline=None, max_examples=300)
def test_shuffled_auc_is_exact_under_ties(given_, split):
    map_, pixels = given_
    fixations, others = pixels[: split + 1], pixels[split:]
    positives, negatives = (map_[each[:, 1], each[:, 0]] for each in (fixations, others))
    value = auc_shuffled(map_, fixations, others)
    if not len(others):
        assert np.isnan(value)
        return
    larger = (positives[:, None] > negatives).sum() * 2 + (positives[:, None] == negatives).sum()
    assert value == larger / (2 * positives.size * negatives.size)
    labels = np.r_[np.ones(positives.size), np.zeros(negatives.size)]
    expected = roc_auc_score(labels, np.r_[positives, negatives])
    assert value == pytest.approx(expected, abs=1e-12)


@given(map_and_pixels(), st.sampled_from(["tuebingen", "mit"]))
@settings(deadline=None)
def test_counts_are_as_good_as_points(given_, convention):
    map_, others = given_
    outside = np.concatenate([others, [[-1, 0], [0, 99], [np.nan, 0]]])
    counts = FixationCounts.of(outside, map_.shape)
    assert counts.counts.sum() == len(others)
    expected = auc_shuffled(map_, others[:2], outside, convention)
    assert auc_shuffled(map_, others[:2], counts, convention) == expected
    tensor = auc_shuffled(torch.asarray(map_), others[:2], counts, convention)
    assert tensor.item() == expected


@given(map_and_pixels(), st.integers(1, 5))
@settings(deadline=None)
def test_shuffled_auc_with_every_pixel_is_auc(given_, times):
    map_, fixations = given_
    everywhere = FixationCounts(np.full(map_.shape, times))
    assert auc_shuffled(map_, fixations, everywhere) == auc(map_, fixations)


@given(two_maps())
@settings(deadline=None)
def test_dice_follows_from_iou(maps):
    overlap = iou(*maps)
    expected = pytest.approx(2 * overlap / (1 + overlap), abs=1e-15, nan_ok=True)
    assert dice(*maps) == expected


@given(map_and_pixels(), st.integers(0, 3))
@settings(deadline=None)
def test_judd_area_is_exact_without_ties(given_, seed):
    map_, fixations = given_
    values = map_.ravel() + np.random.default_rng(seed).random(map_.size) * 1e-7
    fixated = np.zeros(map_.shape, bool)
    fixated[fixations[:, 1], fixations[:, 0]] = True
    if fixated.all():
        assert np.isnan(auc_judd(map_, fixations, seed=seed))
        return
    # straight lines between thresholds, of which each has one positive more than the last
    positives, negatives = np.sort(values[fixated.ravel()])[::-1], values[~fixated.ravel()]
    fp = np.r_[0, [(negatives >= each).mean() for each in positives], 1]
    tp = np.r_[np.linspace(0, 1, len(positives) + 1), 1]
    expected = pytest.approx(np.trapezoid(tp, fp), abs=1e-12)
    assert auc_judd(map_, fixations, seed=seed) == expected


@given(map_and_pixels())
@settings(deadline=None)
def test_auc_knows_only_the_order(given_):
    map_, fixations = given_
    _, ranks = np.unique(map_, return_inverse=True)
    ranks = ranks.reshape(map_.shape)
    assert auc(ranks, fixations) == auc(map_, fixations)
    assert auc(ranks.astype(np.float32), fixations) == auc(map_, fixations)
    assert auc(-ranks, fixations) == pytest.approx(1 - auc(map_, fixations), abs=1e-15)


@given(map_and_pixels())
@settings(deadline=None)
def test_nss_over_all_pixels_is_zero(given_):
    map_, _ = given_
    rows, columns = np.indices(map_.shape)
    every = np.stack([columns.ravel(), rows.ravel()], axis=1)
    assert nss(map_, every) == pytest.approx(0, abs=1e-12)


@given(two_maps(), st.floats(0.5, 8), st.floats(-3, 3))
@settings(deadline=None)
def test_scale_and_offset(maps, scale, offset):
    map_, density = maps
    changed = map_ * scale + offset
    if np.ptp(map_) < 1e-3 or np.ptp(density) == 0:
        return
    for name in ("cc", "mae", "mse"):
        function = METRICS[name].function
        assert function(changed, density) == pytest.approx(function(map_, density), abs=1e-9)
    assert nss(changed, [[0, 0]]) == pytest.approx(nss(map_, [[0, 0]]), abs=1e-9)
    assert sim(map_ * scale, density) == pytest.approx(sim(map_, density), abs=1e-12)


@given(two_maps())
@settings(deadline=None)
def test_perfect_prediction_is_best(maps):
    map_, density = maps
    # a division by a sum cannot be perfect where 1e-8 is added to it; the floor allows as much
    for name in ("cc", "cc_union", "sim", "kld", "mae", "mse", "spearman", "iou", "dice"):
        metric = METRICS[name]
        for convention in metric.conventions:
            best = metric.function(density, density, convention)
            other = metric.function(map_, density, convention)
            if np.isnan([best, other]).any() or (name == "cc_union" and best == 0):
                continue
            slack = 1e-8 * density.size if convention == "cap6415" else 0.0
            gain = best - other if metric.higher_is_better else other - best
            assert gain >= -slack - 1e-12
            perfect = metric.range[1] if metric.higher_is_better else metric.range[0]
            assert best == pytest.approx(perfect, abs=1e-12)


@given(map_and_pixels())
@settings(deadline=None, max_examples=300)
def test_no_map_beats_the_number_of_fixations_per_pixel(given_):
    map_, fixations = given_
    counts = np.zeros(map_.shape)
    np.add.at(counts, (fixations[:, 1], fixations[:, 0]), 1.0)
    assert METRICS["auc"].higher_is_better
    assert METRICS["nss"].higher_is_better
    assert auc(counts, fixations) >= auc(map_, fixations)
    assert nss(counts, fixations) >= nss(map_, fixations) - 1e-12


def test_kld_is_not_symmetric():
    first, second = np.array([[1.0, 2.0, 7.0]]), np.array([[3.0, 3.0, 4.0]])
    assert kld(first, second) != pytest.approx(kld(second, first), rel=1e-2)
