"""Two variants or runs on the same stimuli: which agrees better with people, and where."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from scipy import stats

from quickgaze.errors import OptionError
from quickgaze.findings._bootstrap import (
    FEWEST_IMAGES,
    Floats,
    Resampling,
    bootstrap_intervals,
    mean_of,
)
from quickgaze.findings._summary import VARIANT
from quickgaze.findings.discoveries import check_level, keep_discoveries
from quickgaze.findings.selection import (
    Chosen,
    check_comparable,
    check_installed,
    check_metric,
    direction,
    metrics_of,
    of_one_variant,
    of_variants,
)
from quickgaze.study import Run

_COLUMNS = {
    **dict.fromkeys(("first_mean", "second_mean", "difference", "low", "high"), pl.Float64),
    **dict.fromkeys(("win_rate", "effect_size", "rank_effect_size"), pl.Float64),
    **dict.fromkeys(("sign_p", "wilcoxon_p"), pl.Float64),
    **dict.fromkeys(("images", "left_out"), pl.Int64),
    **dict.fromkeys(("better", "reason"), pl.String),
}


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two variants, paired by stimulus.

    Parameters
    ----------
    summary : polars.DataFrame
        A row per metric: ``metric``; ``first_mean``, ``second_mean`` and ``difference`` (first less
        second) with its interval ``low`` to ``high``; ``win_rate`` (share of images where the first
        agrees better, ties one half); ``effect_size`` (Cohen's d_z: mean over standard deviation of
        the differences) and ``rank_effect_size`` (matched-pairs rank biserial correlation), both
        positive where the first agrees better, whichever way the metric goes; ``sign_p`` and
        ``wilcoxon_p`` (two-sided, ties set aside); ``images`` (with both scores), ``left_out``
        (that lack one of them), ``better`` (``"first"`` or ``"second"`` where the interval excludes
        0) and ``reason`` (why something is null).
    stimuli : polars.DataFrame
        Those that differ most, a row per metric and stimulus, largest difference first:
        ``metric, stimulus, first, second, difference`` and ``better``.

    Examples
    --------
    >>> import tempfile, quickgaze as qg
    >>> study = qg.Study(qg.load_dataset("popout", n=3), metrics=["cc"], cams=["center"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = study.run(folder, progress=False)
    ...     found = compare(run, run, n=1)
    >>> found.summary.select("metric", "images").rows(), found.stimuli.height
    ([('cc', 3)], 1)
    """

    summary: pl.DataFrame
    stimuli: pl.DataFrame

    def _repr_html_(self) -> str:
        return "".join(table._repr_html_() for table in (self.summary, self.stimuli))


def compare(
    first: Run,
    second: Run,
    metrics: str | Sequence[str] | None = None,
    *,
    variant: Chosen | None = None,
    second_variant: Chosen | None = None,
    n: int = 10,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Comparison:
    """Compare a variant of one run with one of another, or with another of the same run.

    Parameters
    ----------
    first, second : Run
        The same run twice to compare two of its variants.
    metrics : str or sequence of str, optional
        By default all that both have.
    variant : mapping, optional
        Keys and values that choose one variant of `first`.
    second_variant : mapping, optional
        The same for `second`; as `variant` by default.
    n : int
        How many stimuli to list that differ most.
    confidence, resamples, seed
        As in `means`.

    Returns
    -------
    Comparison
        With intervals as those of `means`. Nothing is corrected for the number of metrics; for
        several variants, see `compare_variants`.

    Raises
    ------
    UnknownNameError
        If a run has no such metric or variant.
    OptionError
        If several variants fit, if the runs cannot be compared (another convention, data set,
        edition or blur of the fixations), or share no metric or stimulus.

    References
    ----------
    .. [1] D. S. Kerby, "The simple difference formula", Comprehensive Psychology 3, 2014.
    .. [2] F. Wilcoxon, "Individual comparisons by ranking methods", Biometrics Bulletin 1(6), 1945.

    Examples
    --------
    >>> import tempfile, quickgaze as qg
    >>> displays = qg.load_dataset("popout", n=3, size=(120, 160))
    >>> study = qg.Study(displays, metrics=["cc"], cams=["center"], sigmas=[0, 9])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = study.run(folder, progress=False)
    ...     found = compare(run, run, variant={"sigma": 0}, second_variant={"sigma": 9})
    >>> found.summary["reason"].to_list()
    ['3 images with both scores; an interval and a test need 10']
    """
    resampling = Resampling(confidence, resamples, seed)
    if n < 0:
        raise OptionError(f"n is {n}; give how many stimuli to list, 0 or more")
    names = _shared_metrics(first, second, metrics)
    check_installed(first, names)
    check_comparable(first, second)
    ours = of_one_variant(first.scores(), variant)
    theirs = of_one_variant(second.scores(), variant if second_variant is None else second_variant)
    pairs = {name: _paired(ours, theirs, name) for name in names}
    if all(each.is_empty() for each in pairs.values()):
        raise OptionError(f"{first.place} and {second.place} have no stimulus in common")
    summary = [
        {"metric": name, **_compared(each, direction(first, name), resampling)}
        for name, each in pairs.items()
    ]
    return Comparison(
        pl.DataFrame(summary, {"metric": pl.String, **_COLUMNS}, orient="row"),
        pl.concat(
            _differing_most(each, name, direction(first, name), n) for name, each in pairs.items()
        ),
    )


def compare_variants(
    run: Run,
    metric: str,
    *,
    reference: Chosen | None = None,
    variant: Chosen | None = None,
    level: float = 0.05,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> pl.DataFrame:
    """Compare variants of a run with each other, or all with one.

    Parameters
    ----------
    run : Run
    metric : str
    reference : mapping, optional
        Keys and values of the one variant that all others are compared with; without it, every pair
        is compared.
    variant : mapping, optional
        Keys and values of the variants that take part; all by default.
    level : float
        False discovery rate over all pairs.
    confidence, resamples, seed
        As in `means`.

    Returns
    -------
    polars.DataFrame
        A row per pair: ``first`` and ``second`` (the keys in which variants differ, in words), the
        columns of `Comparison.summary` from ``first_mean`` on, and ``q`` and ``tests`` as in
        `attribute_effects`, from ``wilcoxon_p``. ``better`` is given only where the interval
        excludes 0 and q is at most `level`.

    Raises
    ------
    UnknownNameError
        If the run has no such metric or variant.
    OptionError
        If several variants fit the reference, or there is nothing to compare.

    Examples
    --------
    >>> import tempfile, quickgaze as qg
    >>> displays = qg.load_dataset("popout", n=3, size=(120, 160))
    >>> study = qg.Study(displays, metrics=["cc"], orientations=["skew", "oracle"], sigmas=[0, 9])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = study.run(folder, progress=False)
    ...     table = compare_variants(run, "cc", variant={"sigma": 9})
    >>> table.select("first", "second").rows()
    [('orientation skew', 'orientation oracle')]
    """
    resampling = Resampling(confidence, resamples, seed)
    check_level(level)
    check_metric(run, metric)
    rows = of_variants(run.scores(), variant)
    groups = dict(rows.group_by(*VARIANT, maintain_order=True))
    pairs = list(itertools.combinations(groups, 2))
    if reference is not None:
        own = of_one_variant(rows, reference).select(VARIANT).row(0)
        pairs = [(keys, own) for keys in groups if keys != own]
    if not pairs:
        raise OptionError("there is one variant, so nothing to compare it with; widen `variant`")
    names, better = _names(list(groups)), direction(run, metric)
    found = [
        {
            "first": names[one],
            "second": names[other],
            **_compared(_paired(groups[one], groups[other], metric), better, resampling),
        }
        for one, other in pairs
    ]
    columns = {"first": pl.String, "second": pl.String, **_COLUMNS}
    return keep_discoveries(pl.DataFrame(found, columns, orient="row"), level)


def _shared_metrics(first: Run, second: Run, metrics: str | Sequence[str] | None) -> list[str]:
    if metrics is not None:
        metrics_of(first, metrics)
        return metrics_of(second, metrics)
    shared = [name for name in first.metrics if name in second.metrics]
    if not shared:
        raise OptionError(
            f"the runs share no metric: {first.place} has {', '.join(first.metrics)}, "
            f"{second.place} has {', '.join(second.metrics)}"
        )
    return shared


def _paired(first: pl.DataFrame, second: pl.DataFrame, metric: str) -> pl.DataFrame:
    """``stimulus``, ``first`` and ``second`` score of the stimuli of both, in the first's order."""
    theirs = second.select("stimulus", second=metric)
    return first.select("stimulus", first=metric).join(theirs, on="stimulus", maintain_order="left")


def _compared(pairs: pl.DataFrame, better: int, resampling: Resampling) -> dict[str, Any]:
    """Columns of the summary for one metric, without those that are null."""
    first, second = pairs["first"].to_numpy(), pairs["second"].to_numpy()
    defined = np.isfinite(first) & np.isfinite(second)
    first, second = first[defined], second[defined]
    images = len(first)
    row: dict[str, Any] = {"images": images, "left_out": int((~defined).sum())}
    if not images:
        return {**row, "reason": "no image has both scores"}
    difference = first - second
    agreeing = difference * better
    row["first_mean"], row["second_mean"] = float(first.mean()), float(second.mean())
    row["difference"] = float(difference.mean())
    row["win_rate"] = float((agreeing > 0).mean() + (agreeing == 0).mean() / 2)
    if images < FEWEST_IMAGES:
        needed = f"an interval and a test need {FEWEST_IMAGES}"
        return {**row, "reason": f"{images} images with both scores; {needed}"}
    found = bootstrap_intervals(mean_of(difference[:, np.newaxis]), images, resampling)
    row["low"], row["high"] = found.low.item(), found.high.item()
    if not agreeing.any():
        return {**row, "reason": "both score the same on every image"}
    row |= _tests(agreeing)
    if row["effect_size"] is None:
        row["reason"] = "the difference is the same on every image"
    if row["low"] > 0 or row["high"] < 0:
        row["better"] = "first" if agreeing.mean() > 0 else "second"
    return row


def _tests(agreeing: Floats) -> dict[str, float | None]:
    """Effect sizes and tests of differences that are not all 0."""
    moved = agreeing[agreeing != 0]
    ranks = stats.rankdata(np.abs(moved))
    spread = agreeing.std(ddof=1)
    even = spread <= 1e-12 * np.abs(agreeing).max()
    wins = int((moved > 0).sum())
    return {
        "effect_size": None if even else float(agreeing.mean() / spread),
        "rank_effect_size": float((ranks * np.sign(moved)).sum() / ranks.sum()),
        "sign_p": float(stats.binomtest(wins, len(moved)).pvalue),
        "wilcoxon_p": float(stats.wilcoxon(moved).pvalue),
    }


def _differing_most(pairs: pl.DataFrame, metric: str, better: int, n: int) -> pl.DataFrame:
    agreeing = pl.col("difference") * better
    winner = pl.when(agreeing > 0).then(pl.lit("first")).when(agreeing < 0).then(pl.lit("second"))
    return (
        pairs.select(pl.lit(metric).alias("metric"), "stimulus", "first", "second")
        .with_columns(difference=pl.col("first") - pl.col("second"))
        .filter(pl.col("difference").is_finite())
        .sort(pl.col("difference").abs(), "stimulus", descending=[True, False])
        .head(n)
        .with_columns(winner.alias("better"))
    )


def _names(variants: Sequence[tuple[Any, ...]]) -> dict[tuple[Any, ...], str]:
    """Variants in words: the keys in which they differ."""
    varying = [
        place for place in range(len(VARIANT)) if len({each[place] for each in variants}) > 1
    ]
    return {
        each: ", ".join(f"{VARIANT[place]} {each[place]}" for place in varying) for each in variants
    }
