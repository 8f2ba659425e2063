"""Bootstrap intervals, by drawing images again and again from those that there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from quickgaze.errors import OptionError

FEWEST = 10
"""Images, in each group that is compared, below which no interval and no test is given."""

Floats = npt.NDArray[np.float64]

Statistic = Callable[[Floats], Floats]
"""From how often each image was drawn, (draws, images), to the statistics, (draws, k)."""

_JACKKNIFE_GROUPS = 500
_LARGEST = 2**20  # numbers of a block of draws: more wait for memory, fewer for the processor
_UNDEFINED = 0.01  # share of draws that may leave a statistic undefined


@dataclass(frozen=True)
class Resampling:
    """How intervals are made.

    Parameters
    ----------
    confidence : float
        Share of intervals that should hold the true value, in (0, 1).
    resamples : int
        How many times the images are drawn.
    seed : int
        Of the draws.

    Raises
    ------
    OptionError
        If one of them cannot be used.
    """

    confidence: float = 0.95
    resamples: int = 2000
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.confidence < 1:
            raise OptionError(f"confidence is {self.confidence}; give a share between 0 and 1")
        if self.resamples < 100:
            raise OptionError(f"resamples is {self.resamples}; give at least 100")
        if self.seed < 0:
            raise OptionError(f"seed is {self.seed}; give 0 or more")


@dataclass(frozen=True, eq=False)
class Intervals:
    """Statistics, and between which values each of them lies.

    Parameters
    ----------
    estimate, low, high : ndarray, shape (k,), float64
        NaN where there is none.
    """

    estimate: Floats
    low: Floats
    high: Floats


def bootstrap_intervals(statistic: Statistic, images: int, how: Resampling) -> Intervals:
    """Intervals of statistics, by the bias-corrected and accelerated bootstrap (BCa).

    Parameters
    ----------
    statistic : callable
        Takes how often each image was drawn, (draws, images), and gives k statistics for each
        draw, (draws, k); NaN where there is none.
    images : int
        How many there are.
    how : Resampling

    Returns
    -------
    Intervals
        NaN for fewer than ten images, and where more than one draw in a hundred leaves a
        statistic undefined.

    Notes
    -----
    The acceleration comes from a jackknife that leaves out one image at a time, or, where there
    are more than 500, one of 500 equally large groups of them.

    References
    ----------
    .. [1] B. Efron, "Better bootstrap confidence intervals", Journal of the American
       Statistical Association 82(397), 1987.

    Examples
    --------
    >>> scores = np.linspace(0, 1, 101)[:, np.newaxis]
    >>> found = bootstrap_intervals(mean_of(scores), 101, Resampling())
    >>> [round(float(each[0]), 2) for each in (found.estimate, found.low, found.high)]
    [0.5, 0.44, 0.56]
    """
    if not images:
        estimate = statistic(np.zeros((1, 0)))[0]
        return Intervals(estimate, *np.full((2, len(estimate)), np.nan))
    estimate = statistic(np.ones((1, images)))[0]
    low, high = np.full((2, len(estimate)), np.nan)
    if images >= FEWEST:
        drawn = np.concatenate([statistic(counts) for counts in _draws(images, how)])
        shortened = np.concatenate([statistic(counts) for counts in _left_out(images)])
        for each in range(len(estimate)):
            low[each], high[each] = _interval(
                estimate[each], drawn[:, each], shortened[:, each], how.confidence
            )
    return Intervals(estimate, low, high)


def mean_of(values: Floats) -> Statistic:
    """Make the statistic that is the mean of each column.

    Parameters
    ----------
    values : ndarray, shape (images, k), float64
        NaN is left out.

    Returns
    -------
    callable
        As `bootstrap_intervals` takes it.
    """
    defined = ~np.isnan(values)
    filled, counted = np.where(defined, values, 0.0), defined.astype(np.float64)

    def mean(counts: Floats) -> Floats:
        with np.errstate(invalid="ignore", divide="ignore"):
            quotient: Floats = (counts @ filled) / (counts @ counted)
        return quotient

    return mean


def difference_of_means(values: Floats, having: Floats) -> Statistic:
    """Make the statistic that is the mean of images that have something, less that of others.

    Parameters
    ----------
    values : ndarray, shape (images,), float64
    having : ndarray, shape (images, k), float64
        For each of k things, 1 where an image has it, 0 where not. NaN, there or in `values`,
        is left out.

    Returns
    -------
    callable
        As `bootstrap_intervals` takes it.
    """
    column = values[:, np.newaxis]
    with_it = mean_of(np.where(having == 1, column, np.nan))
    without = mean_of(np.where(having == 0, column, np.nan))
    return lambda counts: with_it(counts) - without(counts)


def rank_correlation(first: Floats, second: Floats) -> Statistic:
    """Make the statistic that is Spearman's rank correlation; ties share their mean rank.

    Parameters
    ----------
    first, second : ndarray, shape (images,), float64
        Without NaN.

    Returns
    -------
    callable
        As `bootstrap_intervals` takes it, with k = 1; NaN where either is constant.
    """

    def correlation(counts: Floats) -> Floats:
        total = counts.sum(1, keepdims=True)
        # of n numbers, the mean rank is (n + 1) / 2
        one, other = (_ranks(values, counts) - (total + 1) / 2 for values in (first, second))
        spread = (counts * one**2).sum(1) * (counts * other**2).sum(1)
        with np.errstate(invalid="ignore", divide="ignore"):
            found: Floats = (counts * one * other).sum(1) / np.sqrt(spread)
        return found[:, np.newaxis]

    return correlation


def _ranks(values: Floats, counts: Floats) -> Floats:
    """Rank of each image within each draw, (draws, images)."""
    _, group = np.unique(values, return_inverse=True)
    order = np.argsort(group, kind="stable")
    first = np.flatnonzero(np.diff(group[order], prepend=-1))
    alike = np.add.reduceat(counts[:, order], first, axis=1)
    ranks: Floats = alike.cumsum(1) - (alike - 1) / 2
    return ranks[:, group]


def _draws(images: int, how: Resampling) -> Iterator[Floats]:
    """How often each image is drawn, in blocks of draws."""
    generator = np.random.default_rng(how.seed)
    block = max(1, _LARGEST // images)
    for start in range(0, how.resamples, block):
        count = min(block, how.resamples - start)
        picked = generator.integers(images, size=(count, images))
        picked += np.arange(count)[:, np.newaxis] * images
        counts = np.bincount(picked.ravel(), minlength=count * images)
        yield counts.reshape(count, images).astype(np.float64)


def _left_out(images: int) -> Iterator[Floats]:
    """All images but one, or but one group, in blocks."""
    groups = min(images, _JACKKNIFE_GROUPS)
    member = np.arange(images) % groups
    block = max(1, _LARGEST // images)
    for start in range(0, groups, block):
        left_out = np.arange(start, min(start + block, groups))
        yield (member != left_out[:, np.newaxis]).astype(np.float64)


def _interval(
    estimate: float, drawn: Floats, shortened: Floats, confidence: float
) -> tuple[float, float]:
    kept = drawn[~np.isnan(drawn)]
    shortened = shortened[~np.isnan(shortened)]
    if np.isnan(estimate) or len(kept) < (1 - _UNDEFINED) * len(drawn) or not len(shortened):
        return np.nan, np.nan
    if np.allclose(kept, estimate, rtol=1e-12, atol=1e-14):
        return estimate, estimate
    bias = ndtri((kept < estimate).mean() + (kept == estimate).mean() / 2)
    deviation = shortened.mean() - shortened
    scale = (deviation**2).sum() ** 1.5
    acceleration = (deviation**3).sum() / (6 * scale) if scale else 0.0
    tails = ndtri(np.array([(1 - confidence) / 2, (1 + confidence) / 2]))
    shares = ndtr(bias + (bias + tails) / (1 - acceleration * (bias + tails)))
    if np.isnan(shares).any():
        return np.nan, np.nan
    low, high = np.quantile(kept, shares)
    return float(low), float(high)
