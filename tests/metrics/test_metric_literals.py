"""Values worked out by hand, and the traps of the field."""

from math import copysign, floor, log, log2, nan, sqrt

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from quickgaze.errors import UnknownNameError
from quickgaze.metrics import (
    FixatedPixels,
    FixationCounts,
    auc,
    auc_borji,
    auc_shuffled,
    cc,
    cc_union,
    dice,
    emd,
    information_gain,
    iou,
    kld,
    mae,
    mse,
    nss,
    pixel_places,
    sim,
    spearman,
    undefined_reason,
)


def row(*values):
    return np.array([values], dtype=float)


def close(expected):
    return pytest.approx(expected, rel=1e-14, abs=1e-14)


def test_cc():
    assert cc(row(1, 2, 3), row(1, 2, 4)) == close(3 / sqrt(28 / 3))
    assert cc(row(1, 2, 3), row(-1, -2, -4)) == close(-3 / sqrt(28 / 3))


def test_cc_union_leaves_out_pixels_where_both_are_zero():
    map_, density = row(0, 0, 0, 1, 2, 0), row(0, 0, 0, 0, 1, 1)
    # on the union: 1, 2, 0 against 0, 1, 1
    assert cc_union(map_, density) == close(0.0)
    # on all pixels the sums of x, y, xy, xx and yy are 3, 2, 2, 5 and 2
    assert cc(map_, density) == close((6 * 2 - 3 * 2) / sqrt((6 * 5 - 9) * (6 * 2 - 4)))


def test_cc_union_threshold_is_exclusive_and_on_scaled_maps():
    at_threshold = row(0, 1e-4, 1, 0.5)
    assert cc_union(10 * at_threshold, row(0, 0, 1, 2)) == close(-1.0)
    above = row(0, 1.1e-4, 1, 0.5)
    assert cc_union(10 * above, row(0, 0, 1, 2)) == close(cc(above[:, 1:], row(0, 1, 2)))


def test_cc_union_of_a_single_pixel():
    peak = row(0, 0, 1)
    assert cc_union(peak, peak, "cap6415") == 0.0
    assert np.isnan(cc_union(peak, peak))
    assert undefined_reason("cc_union", peak, peak, "cap6415") is None
    assert "fewer than two" in undefined_reason("cc_union", peak, peak)


def test_sim():
    assert sim(row(1, 2, 3, 4), row(40, 30, 20, 10)) == close(0.6)
    assert sim(row(1, 0), row(0, 1)) == 0.0
    # minus the minimum: 0, 1, 3
    assert sim(row(-1, 0, 2), row(1, 1, 2)) == close(0.25 + 0.5)
    # a minimum above 0 stays
    assert sim(row(1, 1, 2), row(0, 1, 1)) == close(0.25 + 0.5)


def test_sim_mit_takes_the_minimum_away():
    # 0, 1, 1 and 0, 2, 1
    assert sim(row(1, 2, 2), row(1, 3, 2), "mit") == close(1 / 2 + 1 / 3)
    assert sim(row(1, 2, 2), row(1, 3, 2)) == close(1 / 6 + 2 / 5 + 1 / 3)


@pytest.mark.parametrize("convention", ["tuebingen", "mit"])
@pytest.mark.parametrize("value", [0.0, -3.0, 0.1])
def test_sim_of_a_constant_map_counts_as_uniform(value, convention):
    assert sim(np.full((1, 4), value), row(1, 0, 0, 0), convention) == close(0.25)


def test_kld():
    assert kld(row(1, 3), row(3, 1)) == close(log(3) / 2)
    assert kld(row(1, 3), row(1, 0)) == close(log(4))
    assert kld(row(1, 0), row(1, 3)) == close(0.25 * log(0.25) + 0.75 * log(0.75e20))
    # a map of 0 is uniform once 1e-20 is added
    assert kld(row(0, 0), row(0, 7)) == close(log(2))
    # minus the minimum: 0, 1
    assert kld(row(-1, 0), row(1, 1.5)) == close(kld(row(0, 1), row(1, 1.5)))


def test_kld_adds_to_the_map_as_given_not_to_a_distribution():
    faint = row(0, 1e-20)
    assert kld(faint, row(3, 1)) == close(kld(row(1, 2), row(3, 1)))


@pytest.mark.parametrize("convention", ["mit", "salicon"])
def test_kld_mit(convention):
    assert kld(row(1, 3), row(3, 1), convention) == close(log(3) / 2)
    # a share of 0.75 where the map has none
    missed = 0.75 * log(2.2204e-16 + 0.75 / 2.2204e-16) + 0.25 * log(0.25)
    assert kld(row(1, 0), row(1, 3), convention) == pytest.approx(missed, rel=1e-12)
    assert kld(row(5, 5), row(0, 1), convention) == close(log(2))
    assert kld(row(1, 3), row(1, 3), convention) == 0.0


def test_kld_cap6415():
    share = 1 / (1 + 1e-8)
    assert kld(row(0, 5), row(0, 2), "cap6415") == 0.0
    # a constant map is 1e-8 everywhere
    assert kld(row(5, 5), row(0, 2), "cap6415") == close(share * log(share / 1e-8))
    g, p = np.array([0.5, 1]) / (1.5 + 1e-8), np.array([1, 0.5]) / (1.5 + 1e-8)
    expected = (g * np.log(g / p)).sum()
    assert kld(row(3, 2, 1), row(2, 3, 1), "cap6415") == close(expected)


def test_mae_and_mse():
    # scaled: 0, 0.5, 1 and 0, 1, 1
    assert mae(row(3, 4, 5), row(0, 2, 2)) == close(1 / 6)
    assert mse(row(3, 4, 5), row(0, 2, 2)) == close(1 / 12)
    assert mae(row(9, 9), row(0, 2)) == 0.5


def test_nss_keeps_repeats():
    map_ = row(0, 1, 2, 3)
    assert nss(map_, [[3, 0], [3, 0], [0, 0]]) == close(0.5 / sqrt(1.25))
    assert nss(map_, [[3, 0], [0, 0]]) == close(0.0)


def test_nss_mit_counts_pixels_once():
    map_ = row(0, 1, 2, 3)
    deviation = sqrt(5 / 3)
    assert nss(map_, [[3, 0], [3.2, 0.1], [1, 0]], "mit") == close(0.5 / deviation)
    assert nss(map_, [[3, 0], [3.2, 0.1], [1, 0]], "salicon") == close((2.5 / 3) / sqrt(1.25))
    assert nss(row(5), [[0, 0]], "mit") == 0.0


def test_nss_cap6415():
    value = nss(row(0, 1, 2, 3), row(0, -1, 0.1, 9), "cap6415")
    assert value == close(1 / (sqrt(1.25) + 1e-8))
    # 1e-8 is added to the standard deviation of the map as given
    faint = nss(1e-8 * row(0, 1, 2, 3), row(0, 0, 1, 9), "cap6415")
    assert faint == close(1 / (sqrt(1.25) + 1))


def test_auc_counts_ties_one_half():
    # above the 5: none; the 5 is above 3 and ties 1; the 1 is above 1 and ties 2
    assert auc(row(0, 1, 1, 5), [[3, 0], [1, 0]]) == (3.5 + 2) / 8
    assert auc(row(0, 1, 1, 5), [[3, 0], [3, 0], [1, 0]]) == (3.5 + 3.5 + 2) / 12


def test_auc_of_a_perfect_map_is_below_one_as_negatives_are_all_pixels():
    assert auc(row(0, 0, 0, 1), [[3, 0]]) == 0.875


def test_auc_cap6415():
    # positives 1, 5 against negatives 0, 1
    assert auc(row(0, 1, 1, 5), row(0, 0, 1, 2), "cap6415") == 3.5 / 4
    assert auc(row(0, 1, 1, 5), row(0, -1, 0, 2), "cap6415") == 1.0


def test_spearman():
    # ranks 1, 2.5, 2.5, 4 and 1, 2, 3, 4
    expected = 4.5 / sqrt(4.5 * 5)
    assert spearman(row(0, 1, 1, 9), row(-3, 0, 1e-9, 1e9)) == close(expected)
    assert spearman(row(3, 2, 1), row(1, 10, 1000)) == close(-1.0)


def test_highest_tenth_without_ties():
    # 11 pixels have a highest tenth of 2
    density = row(*range(11))
    assert iou(density, density) == dice(density, density) == 1.0
    one_of_two = row(*range(9), 0.5, 20)
    assert iou(one_of_two, density) == close(1 / 3)
    assert dice(one_of_two, density) == close(1 / 2)
    assert iou(-density, density) == dice(-density, density) == 0.0
    # 10 pixels have one of 1
    assert iou(row(*range(9), 20), row(*range(10))) == 1.0


def test_highest_tenth_leaves_out_values_tied_across_its_border():
    # of 20 pixels, 2 would belong to it: the 5, and one of the two 4
    map_ = row(*[0] * 17, 4, 4, 5)
    density = row(*range(20))
    assert iou(map_, density) == close(1 / 2)
    assert dice(map_, density) == close(2 / 3)
    # a rectified map has less than a tenth above 0
    assert iou(row(*[0] * 19, 3), density) == close(1 / 2)


def test_highest_tenth_that_cannot_be_told():
    map_, density = row(*[0] * 17, 5, 5, 5), row(*range(20))
    for name, function in (("iou", iou), ("dice", dice)):
        assert np.isnan(function(map_, density))
        assert np.isnan(function(density, map_))
        reason = "more than a tenth of the pixels share the highest value of the "
        assert undefined_reason(name, map_, density) == reason + "map"
        assert undefined_reason(name, density, map_) == reason + "density"
        assert undefined_reason(name, 0 * map_, density) == reason + "map"


def test_emd_of_two_points():
    density = np.zeros((96, 160))
    density[10, 10] = 1
    map_ = np.zeros((96, 160))
    map_[80, 140] = 7
    # from cell (0, 0) to cell (2, 4)
    assert emd(map_, density) == close(sqrt(2**2 + 4**2))
    assert emd(map_, map_) == close(0.0)
    # half of the mass
    assert emd(map_ + 7 * density, density) == close(sqrt(2**2 + 4**2) / 2)


def test_emd_divides_pixels_between_cells():
    # 33 pixels are two cells of 16.5
    density, map_ = np.zeros((32, 33)), np.zeros((32, 33))
    density[:, 0] = 1
    map_[:, 16] = 1
    assert emd(map_, density) == close(0.5)


def test_emd_of_a_uniform_map_on_four_cells():
    density = np.zeros((64, 64))
    density[0, 0] = 1
    assert emd(np.ones((64, 64)), density) == close((1 + 1 + sqrt(2)) / 4)


@pytest.mark.parametrize("size", [(32, 32), (1, 1), (5, 31)])
def test_emd_needs_two_cells(size):
    map_ = np.ones(size)
    density = np.arange(map_.size, dtype=float).reshape(size)
    if map_.size > 1:
        expected = f"an image of {size[0]} x {size[1]} pixels has one cell of 32 x 32, "
        expected += "in which nothing can be moved"
        assert undefined_reason("emd", map_, density, "mit") == expected
    assert np.isnan(emd(map_, density))
    assert not np.isnan(emd(np.ones((1, 33)), np.arange(33.0)[None]))


def test_information_gain():
    map_, baseline = row(1, 1, 2, 4), row(1, 3, 2, 2)
    gains = [log2(0.5 / 0.25), log2(0.125 / 0.375)]
    points = [[3, 0], [3, 0], [1, 0]]
    assert information_gain(map_, points, baseline) == close((2 * gains[0] + gains[1]) / 3)
    assert information_gain(map_, points, map_) == 0.0
    assert information_gain(map_, [[3, 0]], row(9, 9, 9, 9)) == close(1.0)
    # a fixation where the map is 0
    assert information_gain(row(0, 1), [[0, 0]], row(1, 1)) == pytest.approx(log2(2e-20))


def test_information_gain_mit():
    map_, baseline = row(1, 1, 3, 5), row(0, 1, 2, 2)
    points = [[3, 0], [3, 0], [2, 0]]
    # scaled to 0, 0, 1, 2 and 0, 1, 2, 2, each pixel once
    expected = (log2((2 / 3) / (2 / 5)) + log2((1 / 3) / (2 / 5))) / 2
    assert information_gain(map_, points, baseline, "mit") == close(expected)
    missed = log2(2.2204e-16) - log2(0.2)
    assert information_gain(map_, [[1, 0]], baseline, "mit") == close(missed)
    assert information_gain(map_, [[3, 0]], row(7, 7, 7, 7), "mit") == close(log2(8 / 3))


@pytest.mark.parametrize("value", [0.0, 0.1, -7.3, 1e-300, 1e300])
def test_constant_map_of_100_pixels(value):
    map_ = np.full((10, 10), value)
    fixations = [[2, 3], [9, 9], [9, 9]]
    density = np.arange(100.0).reshape(10, 10)
    assert auc(map_, fixations) == 0.5
    assert auc(map_, density, "cap6415") == 0.5
    assert nss(map_, fixations) == 0.0
    assert nss(map_, density, "cap6415") == 0.0
    assert cc(map_, density) == 0.0
    assert auc(map_, fixations, "salicon") == 0.5
    assert auc_borji(map_, fixations) == 0.5
    assert auc_shuffled(map_, fixations, [[1, 1], [5, 5]]) == 0.5
    assert auc_shuffled(map_, fixations, [[1, 1], [5, 5]], "mit") == 0.5
    assert nss(map_, fixations, "mit") == nss(map_, fixations, "salicon") == 0.0
    for convention in ("tuebingen", "mit"):
        assert information_gain(map_, fixations, map_, convention) == pytest.approx(0, abs=1e-9)
    assert undefined_reason("spearman", map_, density) == "the map is constant"


def test_cc_of_constants_both_ways_round():
    constant, other = np.full((4, 5), 0.1), np.arange(20.0).reshape(4, 5)
    assert cc(constant, other) == 0.0
    assert np.isnan(cc(other, constant))
    assert np.isnan(cc(constant, constant))
    assert np.isnan(cc(constant, other, "cap6415"))


def test_variation_of_one_rounding_step_is_not_constant():
    pattern = np.array([[0.0, 1, 1, 0, 1, 0]])
    faint = 1.0 + pattern * np.spacing(1.0)
    other = np.arange(6.0).reshape(1, 6)
    points = [[1, 0], [2, 0], [3, 0]]
    assert cc(faint, other) == cc(pattern, other)
    assert nss(faint, points) == nss(pattern, points)
    assert auc(faint, points) == auc(pattern, points)
    # float32 could not tell these apart
    assert auc(1.0 + 1e-12 * pattern, points) == auc(pattern, points)


@pytest.mark.parametrize("scale", [1e-300, 1e-30, 1e30, 1e300])
def test_scale_does_not_overflow(scale):
    map_, density = row(1, 2, 3, 9), row(0, 3, 2, 5)
    assert cc(scale * map_, density) == close(cc(map_, density))
    assert cc(map_, scale * density) == close(cc(map_, density))
    assert sim(scale * map_, density) == close(sim(map_, density))
    assert nss(scale * map_, [[1, 0]]) == close(nss(map_, [[1, 0]]))


def test_sum_of_a_map_may_be_larger_than_any_float():
    map_, density = row(0.5, 1, 1.5, 1.7), row(0, 3, 2, 5)
    assert sim(1e308 * map_, density) == close(sim(map_, density))


def test_rounding_does_not_leave_the_range():
    for pixels in range(3, 60):
        ramp = row(*range(pixels))
        assert sim(ramp, ramp) <= 1
        assert cc(ramp, ramp) <= 1
        assert kld(ramp, 3 * ramp) >= 0


OUTSIDE = None


@pytest.mark.parametrize(
    ("point", "truncated", "rounded"),
    [
        ((0, 0), (0, 0), (0, 0)),
        ((3, 2), (2, 3), (2, 3)),
        ((0.49, 0.5), (0, 0), (1, 0)),
        ((1.5, 1.99), (1, 1), (2, 2)),
        ((3.49, 2.49), (2, 3), (2, 3)),
        ((3.5, 0), (0, 3), OUTSIDE),
        ((3.999, 2.999), (2, 3), OUTSIDE),
        ((0, 2.5), (2, 0), OUTSIDE),
        ((4, 0), OUTSIDE, OUTSIDE),
        ((2, 3), OUTSIDE, OUTSIDE),
        ((-0.5, -0.5), (0, 0), (0, 0)),
        ((-0.51, 0), (0, 0), OUTSIDE),
        ((0, -0.99), (0, 0), OUTSIDE),
        ((-0.0, 0), (0, 0), (0, 0)),
        ((-1, -1), OUTSIDE, OUTSIDE),
        ((-1.2, 0), OUTSIDE, OUTSIDE),
        ((nan, 0), OUTSIDE, OUTSIDE),
        ((0, nan), OUTSIDE, OUTSIDE),
        ((np.inf, 0), OUTSIDE, OUTSIDE),
        ((0, -np.inf), OUTSIDE, OUTSIDE),
        ((1e300, 0), OUTSIDE, OUTSIDE),
    ],
)
@pytest.mark.parametrize("convention", ["tuebingen", "salicon", "mit"])
def test_where_a_fixation_counts(point, truncated, rounded, convention):
    map_ = np.arange(12.0).reshape(3, 4) ** 2
    value = nss(map_, [point], convention)
    pixel = rounded if convention == "mit" else truncated
    if pixel is OUTSIDE:
        assert np.isnan(value)
        assert nss(map_, [point, (1, 1)], convention) == nss(map_, [(1, 1)], convention)
    else:
        deviation = map_.std(ddof=1 if convention == "mit" else 0)
        assert value == close((map_[pixel] - map_.mean()) / deviation)
    tensor = nss(torch.asarray(map_), torch.tensor([point], dtype=torch.float64), convention)
    assert tensor.item() == pytest.approx(value, nan_ok=True, rel=1e-14)
    counts = FixationCounts.of([point], (3, 4), convention).counts
    assert list(zip(*np.nonzero(counts), strict=True)) == ([] if pixel is OUTSIDE else [pixel])


def test_places_of_pixels():
    assert pixel_places(np.array([0, 3], np.uint8)).tolist() == [0.0, 3.0]
    assert pixel_places(torch.tensor([0, 3], dtype=torch.uint8), "mit").tolist() == [0.5, 3.5]
    single = torch.tensor([-0.7, -1.5, 2.9, nan])
    assert pixel_places(single).dtype == torch.float32
    assert torch.floor(pixel_places(single))[:3].tolist() == [0, -2, 2]
    assert pixel_places(single)[3].isnan()
    assert np.floor(pixel_places(np.array([2.5, -0.5, -0.6]), "cap6415")).tolist() == [3, 0, -1]
    with pytest.raises(UnknownNameError, match="unknown convention 'mat'; did you mean 'mit'"):
        pixel_places(np.zeros(3), "mat")
    with pytest.raises(UnknownNameError, match="unknown convention 'salicn'"):
        FixatedPixels.of([[1, 1]], (3, 4), "salicn")


@given(st.floats(-1e6, 1e6) | st.floats(-3, 9), st.integers(1, 8))
@settings(deadline=None, max_examples=300)
def test_a_coordinate_is_taken_as_python_or_matlab_takes_it(coordinate, width):
    def found(convention):
        return FixatedPixels.of([[coordinate, 0]], (1, width), convention).pixels.tolist()

    from_1 = coordinate + 1
    rounded = copysign(floor(abs(from_1) + 0.5), from_1) - 1
    cut = int(coordinate)
    assert found("tuebingen") == found("salicon") == ([cut] if 0 <= cut < width else [])
    # a sum that is itself rounded may fall on the other side of a half
    if abs(coordinate % 1 - 0.5) > 1e-9:
        assert found("mit") == ([rounded] if 0 <= rounded < width else [])
