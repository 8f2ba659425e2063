"""Areas under ROC curves worked out by hand, and the trap of ties."""

from math import nan

import numpy as np
import pytest

from quickgaze.errors import OptionError
from quickgaze.metrics import (
    FixationCounts,
    auc_borji,
    auc_judd,
    auc_shuffled,
    undefined_reason,
)


def row(*values):
    return np.array([values], dtype=float)


def close(expected):
    return pytest.approx(expected, rel=1e-14, abs=1e-14)


def test_auc_judd_by_hand():
    # thresholds 5 and 1: of the negatives 0, 2, 3 none and two are not below
    assert auc_judd(row(0, 1, 2, 3, 5), [[4, 0], [1, 0], [1, 0]]) == close(
        (2 / 3) * (0.5 + 1) / 2 + 1 / 3
    )


def test_auc_judd_of_every_pixel():
    assert np.isnan(auc_judd(row(1, 2), [[0, 0], [1, 0]]))
    reason = undefined_reason("auc_judd", row(1, 2), [[0, 0], [1, 0]], "mit")
    assert reason == "every pixel is fixated, which leaves no negatives"


def matlab_loop_without_jitter(map_, fixated):
    values, number = map_.ravel(), fixated.sum()
    tp, fp = [0.0], [0.0]
    for i, threshold in enumerate(sorted(map_[fixated], reverse=True), start=1):
        tp.append(i / number)
        fp.append(((values >= threshold).sum() - i) / (values.size - number))
    return np.trapezoid([*tp, 1.0], [*fp, 1.0])


def test_the_tie_trap_of_auc_judd():
    # so large that the jitter is lost
    constant, points = np.full((10, 10), 1e15), [[2, 3], [9, 9], [4, 4]]
    fixated = np.zeros((10, 10), bool)
    fixated[[3, 9, 4], [2, 9, 4]] = True
    assert matlab_loop_without_jitter(constant, fixated) == pytest.approx(0.156, abs=5e-4)
    assert auc_judd(constant, points) == 0.5
    steps = constant.copy()
    steps[3] = 2e15
    assert matlab_loop_without_jitter(steps, fixated) < 0.55
    # the one above is above 88 of 97 and ties 9, the others are below 9 and tie 88
    assert auc_judd(steps, points) == close((88 + 4.5 + 2 * 44) / (3 * 97))


def test_auc_borji_by_hand():
    # the fixated pixel is the peak, and thresholds above 0.1 tell it from the others
    value = auc_borji(row(*[0] * 9, 1), [[9, 0]])
    drawn = np.random.default_rng(0).integers(10, size=100)
    assert value == close(1 - (drawn == 9).mean() / 2)
    # no threshold lies between the two
    assert auc_borji(row(0, 0.91, 0.99, 1), [[2, 0]]) == auc_borji(row(0, 0.91, 0.91, 1), [[2, 0]])


def test_auc_shuffled():
    map_ = row(0, 1, 1, 5)
    others = [[0, 0], [1, 0], [1, 0], [3, 0]]
    # above the 0, ties two 1
    assert auc_shuffled(map_, [[2, 0]], others) == (1 + 2 / 2) / 4
    assert auc_shuffled(map_, [[2, 0], [2, 0], [3, 0]], others) == (2 + 2 + 3.5) / 12
    counts = FixationCounts(np.array([[1, 2, 0, 1]]))
    assert auc_shuffled(map_, [[2, 0]], counts) == (1 + 2 / 2) / 4


def test_auc_shuffled_mit_takes_no_more_than_there_are():
    # one negative for three positives: the 0, from which no threshold tells the 0.05
    map_ = row(0, 0.05, 0.5, 1)
    others = [[0, 0], [0, 0]]
    value = auc_shuffled(map_, [[1, 0], [2, 0], [3, 0]], others, "mit")
    assert value == close((2 / 3 + 1) / 2)


def test_fixation_counts():
    counts = FixationCounts.of([[0, 0], [2.4, 1.4], [2, 1], [-0.5, -0.5], [nan, 0], [3, 0]], (2, 3))
    assert counts.counts.tolist() == [[2, 0, 0], [0, 0, 2]]
    assert FixationCounts.of(np.empty((0, 2)), (2, 3)).counts.tolist() == [[0, 0, 0], [0, 0, 0]]


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        (np.ones((2, 3)), r"must be integers of shape \(H, W\); got float64 of shape \(2, 3\)"),
        (np.ones(3, int), r"shape \(3,\)"),
        (np.array([[1, -2]]), "must not be negative; the smallest is -2"),
        (np.array([[True]]), "got bool"),
    ],
)
def test_counts_that_are_none(counts, message):
    with pytest.raises(OptionError, match=message):
        FixationCounts(counts)


def test_points_that_are_none():
    with pytest.raises(
        OptionError, match=r"must have shape \(n, 2\), columns x and y; got shape \(3,\)"
    ):
        FixationCounts.of([1, 2, 3], (2, 3))
