"""Bootstrap intervals, against SciPy's and against what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from quickgaze.errors import OptionError
from quickgaze.findings._bootstrap import (
    Resampling,
    bootstrap_intervals,
    difference_of_means,
    mean_of,
    rank_correlation,
)


def column(values: object) -> np.ndarray:
    return np.asarray(values, dtype=np.float64)[:, np.newaxis]


def test_the_interval_of_a_mean_is_scipys() -> None:
    values = np.random.default_rng(1).exponential(size=40)
    ours = bootstrap_intervals(mean_of(column(values)), 40, Resampling(resamples=20_000))
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, method="BCa", rng=np.random.default_rng(2)
    ).confidence_interval
    spread = theirs.high - theirs.low
    assert ours.estimate.item() == pytest.approx(values.mean())
    assert ours.low.item() == pytest.approx(theirs.low, abs=0.03 * spread)
    assert ours.high.item() == pytest.approx(theirs.high, abs=0.03 * spread)


def test_the_interval_of_a_rank_correlation_is_scipys() -> None:
    generator = np.random.default_rng(3)
    first = generator.integers(0, 6, 60).astype(float)
    second = first + generator.normal(0, 3, 60).round()

    def spearman(one: np.ndarray, other: np.ndarray) -> float:
        return stats.spearmanr(one, other).statistic

    ours = bootstrap_intervals(rank_correlation(first, second), 60, Resampling(resamples=5000))
    theirs = stats.bootstrap(
        (first, second),
        spearman,
        paired=True,
        vectorized=False,
        n_resamples=5000,
        method="BCa",
        rng=np.random.default_rng(4),
    ).confidence_interval
    spread = theirs.high - theirs.low
    assert ours.estimate.item() == pytest.approx(spearman(first, second))
    assert ours.low.item() == pytest.approx(theirs.low, abs=0.05 * spread)
    assert ours.high.item() == pytest.approx(theirs.high, abs=0.05 * spread)


@given(
    arrays(np.int8, 12, elements=st.integers(-3, 3)),
    arrays(np.int8, 12, elements=st.integers(-3, 3)),
    arrays(np.int8, 12, elements=st.integers(0, 3)),
)
def test_a_weighted_rank_correlation_is_that_of_the_repeated_images(
    first: np.ndarray, second: np.ndarray, counts: np.ndarray
) -> None:
    one, other = np.repeat(first, counts), np.repeat(second, counts)
    found = rank_correlation(first.astype(float), second.astype(float))(counts[None].astype(float))
    if len(set(one)) < 2 or len(set(other)) < 2:
        assert np.isnan(found.item())
    else:
        assert found.item() == pytest.approx(stats.spearmanr(one, other).statistic, abs=1e-12)


def test_a_difference_leaves_out_what_is_not_known() -> None:
    nan = np.nan
    scores = np.array([1.0, 3.0, nan, 10.0, 20.0, 7.0])
    having = column([1, 1, 1, 0, 0, nan])
    found = difference_of_means(scores, having)(np.ones((1, 6)))
    assert found.item() == 2.0 - 15.0


def test_nineteen_of_twenty_intervals_hold_the_mean() -> None:
    generator = np.random.default_rng(5)
    held = 0
    for seed in range(300):
        values = generator.exponential(size=50)
        found = bootstrap_intervals(
            mean_of(column(values)), 50, Resampling(resamples=400, seed=seed)
        )
        held += found.low.item() <= 1 <= found.high.item()
    assert 0.90 <= held / 300 <= 0.98


def test_a_group_that_few_draws_miss_keeps_its_interval() -> None:
    scores = np.random.default_rng(6).normal(size=5000)
    having = np.zeros(5000)
    having[:10] = 1
    found = bootstrap_intervals(
        difference_of_means(scores, column(having)), 5000, Resampling(resamples=2000)
    )
    assert np.isfinite([found.low.item(), found.high.item()]).all()


def test_what_does_not_vary_has_an_interval_of_no_width() -> None:
    found = bootstrap_intervals(mean_of(column([0.1] * 30)), 30, Resampling())
    assert found.low.item() == found.high.item() == pytest.approx(0.1)


def test_few_images_have_no_interval() -> None:
    found = bootstrap_intervals(mean_of(column(range(9))), 9, Resampling())
    assert found.estimate.item() == 4.0
    assert np.isnan([found.low.item(), found.high.item()]).all()
    nothing = bootstrap_intervals(mean_of(np.empty((0, 2))), 0, Resampling())
    assert np.isnan(nothing.estimate).all()
    assert nothing.low.shape == (2,)


def test_the_seed_decides() -> None:
    values = column(np.random.default_rng(7).normal(size=30))
    first, again, other = (
        bootstrap_intervals(mean_of(values), 30, Resampling(seed=seed)).low.item()
        for seed in (1, 1, 2)
    )
    assert first == again != other


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"confidence": 95.0}, "confidence is 95.0"),
        ({"resamples": 10}, "resamples is 10"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_options_that_cannot_be_used(options: dict[str, float], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        Resampling(**options)
