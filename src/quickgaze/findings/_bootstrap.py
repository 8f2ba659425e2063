"""Bootstrap intervals of statistics over images."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from quickgaze.errors import OptionError

FEWEST_IMAGES = 10
"""No interval and no test is given for fewer images, in any group that is compared."""

Floats = npt.NDArray[np.float64]

Statistic = Callable[[Floats], Floats]
"""Takes how often each image was drawn, (draws, images); gives k statistics, (draws, k), or NaN."""

_JACKKNIFE_GROUPS = 500
_BLOCK_SIZE = 2**20  # counts drawn at once: more wait for memory, fewer for the processor
_MOST_UNDEFINED = 0.01  # share of draws that may leave a statistic undefined


@dataclass(frozen=True)
class Resampling:
    """Confidence of the intervals, in (0, 1), number of bootstrap draws, and their seed."""

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
    """Statistics and the limits of their intervals, each (k,); NaN where undefined."""

    estimate: Floats
    low: Floats
    high: Floats


def bootstrap_intervals(statistic: Statistic, images: int, resampling: Resampling) -> Intervals:
    """BCa intervals of statistics (Efron, 1987); NaN for few images, or many undefined draws."""
    estimate = statistic(np.ones((1, images)))[0]
    low, high = np.full((2, len(estimate)), np.nan)
    if images >= FEWEST_IMAGES:
        drawn = np.concatenate([statistic(counts) for counts in _draws(images, resampling)])
        shortened = np.concatenate([statistic(counts) for counts in _left_out(images)])
        for each in range(len(estimate)):
            low[each], high[each] = _interval(
                estimate[each], drawn[:, each], shortened[:, each], resampling.confidence
            )
    return Intervals(estimate, low, high)


def mean_of(values: Floats) -> Statistic:
    """Mean of each column of values, (images, k), without its NaN."""
    defined = ~np.isnan(values)
    filled, counted = np.where(defined, values, 0.0), defined.astype(np.float64)

    def mean(counts: Floats) -> Floats:
        with np.errstate(invalid="ignore", divide="ignore"):
            quotient: Floats = (counts @ filled) / (counts @ counted)
        return quotient

    return mean


def difference_of_means(values: Floats, having: Floats) -> Statistic:
    """Mean value, (images,), where `having`, (images, k), is 1 less that where it is 0, not NaN."""
    column = values[:, np.newaxis]
    with_it = mean_of(np.where(having == 1, column, np.nan))
    without = mean_of(np.where(having == 0, column, np.nan))
    return lambda counts: with_it(counts) - without(counts)


def rank_correlation(first: Floats, second: Floats) -> Statistic:
    """Spearman's rank correlation of two arrays, (images,), without NaN; ties share a mean rank."""

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


def _draws(images: int, resampling: Resampling) -> Iterator[Floats]:
    """How often each image is drawn, in blocks of draws."""
    generator = np.random.default_rng(resampling.seed)
    for block in _blocks(resampling.resamples, images):
        count = len(block)
        picked = generator.integers(images, size=(count, images))
        picked += np.arange(count)[:, np.newaxis] * images
        counts = np.bincount(picked.ravel(), minlength=count * images)
        yield counts.reshape(count, images).astype(np.float64)


def _left_out(images: int) -> Iterator[Floats]:
    """Jackknife: all images but one, or but one of 500 equally large groups, in blocks."""
    groups = min(images, _JACKKNIFE_GROUPS)
    member = np.arange(images) % groups
    for block in _blocks(groups, images):
        yield (member != np.array(block)[:, np.newaxis]).astype(np.float64)


def _blocks(draws: int, images: int) -> Iterator[range]:
    size = max(1, _BLOCK_SIZE // images)
    return (range(draws)[start : start + size] for start in range(0, draws, size))


def _interval(
    estimate: float, drawn: Floats, shortened: Floats, confidence: float
) -> tuple[float, float]:
    kept = drawn[~np.isnan(drawn)]
    shortened = shortened[~np.isnan(shortened)]
    if np.isnan(estimate) or len(kept) < (1 - _MOST_UNDEFINED) * len(drawn) or not len(shortened):
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
