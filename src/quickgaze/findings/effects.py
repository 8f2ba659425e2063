"""What goes with agreement: attributes of the images against their scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from scipy import stats

from quickgaze.findings.bootstrap import (
    FEWEST,
    Floats,
    Resampling,
    bootstrap_intervals,
    difference_of_means,
    rank_correlation,
)
from quickgaze.findings.discoveries import adjusted, check_level, claimed
from quickgaze.findings.selection import Chosen, direction, metrics_of, of_one_variant
from quickgaze.findings.sentences import effect_sentence
from quickgaze.findings.traits import Trait, matched, traits_of
from quickgaze.study import Run

_COLUMNS = {
    "metric": pl.String,
    "attribute": pl.String,
    "kind": pl.String,
    "effect": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "mean_with": pl.Float64,
    "mean_without": pl.Float64,
    "images_with": pl.Int64,
    "images_without": pl.Int64,
    "images": pl.Int64,
    "left_out": pl.Int64,
    "p": pl.Float64,
    "reason": pl.String,
}


def attribute_effects(
    run: Run,
    attributes: pl.DataFrame,
    metrics: str | Sequence[str] | None = None,
    *,
    variant: Chosen | None = None,
    level: float = 0.05,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> pl.DataFrame:
    """Test which attributes of the images go with better or worse scores.

    This explores: everything that was tested is listed, whatever came out, and the rate of
    false discoveries is held over all of it. It says what goes together, not what causes it.

    Parameters
    ----------
    run : Run
        Complete or not.
    attributes : polars.DataFrame
        A column ``stimulus`` and one per attribute: numbers, yes or no, or texts, of which each
        that stands for at least ten images is tested against all others. A column ``reason`` is
        passed over.
    metrics : str or sequence of str, optional
        Those of the run by default.
    variant : mapping, optional
        Keys and values that tell one variant from all others.
    level : float
        False discovery rate that is held over all attributes and metrics of the call.
    confidence : float
        Share of intervals that should hold the true value.
    resamples : int
        How many times the images are drawn.
    seed : int
        Of the draws.

    Returns
    -------
    polars.DataFrame
        A row per metric and attribute: ``metric, attribute``; ``kind`` (``"yes/no"``,
        ``"numeric"`` or ``"none"``); ``effect`` with its interval ``low`` to ``high``: for yes
        or no the mean score of images with it less that of those without, for numbers
        Spearman's rank correlation with the score; ``mean_with``, ``mean_without``,
        ``images_with``, ``images_without`` (yes or no); ``images`` and ``left_out`` (whose
        score is undefined or whose attribute is not known); ``p`` (Welch's t test; for
        correlations Student's); ``reason`` (why it was not tested); ``q``
        (Benjamini-Hochberg) and ``tests`` (how many it was held over); ``claimed``, whether q
        is at most `level` and the interval excludes 0; and ``sentence``. Effects are in the
        metric's own direction; sentences speak of agreement.

    Raises
    ------
    UnknownNameError
        If the run has no such metric or variant.
    OptionError
        If several variants fit, or the attributes tell of no stimulus of the run.

    Notes
    -----
    Intervals are bias-corrected and accelerated bootstrap intervals (BCa) over images. Fewer
    than ten images, in either group, are not tested.

    References
    ----------
    .. [1] B. Efron, "Better bootstrap confidence intervals", Journal of the American
       Statistical Association 82(397), 1987.
    .. [2] Y. Benjamini, Y. Hochberg, "Controlling the false discovery rate: a practical and
       powerful approach to multiple testing", Journal of the Royal Statistical Society B 57(1),
       1995.

    Examples
    --------
    >>> import tempfile
    >>> import quickgaze as qg
    >>> displays = qg.load_dataset("popout", n=24, size=(120, 160))
    >>> study = qg.Study(displays, metrics=["cc"], cams=["spectral_residual"])
    >>> kinds = pl.DataFrame({"stimulus": [each.id for each in displays], "even": [0, 1] * 12})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     found = attribute_effects(study.run(folder, progress=False), kinds)
    >>> found.select("attribute", "images_with", "images_without", "tests").rows()
    [('even', 12, 12, 1)]
    """
    how = Resampling(confidence, resamples, seed)
    check_level(level)
    names = metrics_of(run, metrics)
    scores = of_one_variant(run.scores(), variant)
    traits = traits_of(matched(scores["stimulus"].to_list(), attributes))
    rows = [
        {"metric": name, **row}
        for name in names
        for row in trait_effects(scores[name].to_numpy(), traits, how)
    ]
    table = adjusted(pl.DataFrame(rows, _COLUMNS, orient="row"))
    table = table.with_columns(claimed(level))
    sentences = [
        effect_sentence(row, direction(row["metric"])) for row in table.iter_rows(named=True)
    ]
    return table.with_columns(pl.Series("sentence", sentences, pl.String))


def trait_effects(scores: Floats, traits: Sequence[Trait], how: Resampling) -> list[dict[str, Any]]:
    """Effects of traits on one metric.

    Parameters
    ----------
    scores : ndarray, shape (images,), float64
        NaN where undefined.
    traits : sequence of Trait
        Of the same images.
    how : Resampling

    Returns
    -------
    list of dict
        For each trait, the columns of `attribute_effects` from ``attribute`` to ``reason``;
        None where one cannot be told.
    """
    rows = [_row(scores, trait, how) for trait in traits]
    tested = [number for number, row in enumerate(rows) if row["p"] is not None]
    groups = [number for number in tested if traits[number].kind == "yes/no"]
    if groups:
        # All at once, as most of the time goes into the draws.
        scored = np.isfinite(scores)
        having = np.stack([traits[number].values[scored] for number in groups], axis=1)
        statistic = difference_of_means(scores[scored], having)
        found = bootstrap_intervals(statistic, int(scored.sum()), how)
        for number, low, high in zip(groups, found.low, found.high, strict=True):
            rows[number] |= limits(float(low), float(high))
    return rows


def _row(scores: Floats, trait: Trait, how: Resampling) -> dict[str, Any]:
    """Columns of one trait; of yes or no, without the interval."""
    defined = np.isfinite(scores) & ~np.isnan(trait.values)
    row: dict[str, Any] = dict.fromkeys(name for name in _COLUMNS if name != "metric")
    row |= {"attribute": trait.name, "kind": trait.kind, "reason": trait.reason}
    row |= {"images": int(defined.sum()), "left_out": int((~defined).sum())}
    if trait.kind == "none":
        return row
    if not defined.any():
        return {**row, "reason": "no image has both a score and the attribute"}
    if trait.kind == "yes/no":
        return {**row, **_groups(scores[defined], trait.values[defined])}
    return {**row, **_correlation(scores[defined], trait.values[defined], how)}


def _groups(scores: Floats, having: Floats) -> dict[str, Any]:
    """Images with something, and those without."""
    with_it, without = scores[having == 1], scores[having == 0]
    row: dict[str, Any] = {
        "images_with": len(with_it),
        "images_without": len(without),
        "mean_with": float(with_it.mean()) if len(with_it) else None,
        "mean_without": float(without.mean()) if len(without) else None,
    }
    for group, which in ((with_it, "with"), (without, "without")):
        if len(group) < FEWEST:
            reason = f"{len(group)} images {which} it; a test needs {FEWEST} with and without"
            return {**row, "reason": reason}
    row["effect"] = row["mean_with"] - row["mean_without"]
    if constant(with_it) and constant(without):
        return {**row, "reason": "the scores do not vary within the groups"}
    return {**row, "p": float(stats.ttest_ind(with_it, without, equal_var=False).pvalue)}


def _correlation(scores: Floats, values: Floats, how: Resampling) -> dict[str, Any]:
    """Whether larger numbers go with larger scores."""
    images = len(scores)
    if images < FEWEST:
        return {"reason": f"{images} images with score and attribute; a test needs {FEWEST}"}
    if constant(values) or constant(scores):
        what = "attribute" if constant(values) else "score"
        return {"reason": f"the {what} is the same for all images"}
    found = bootstrap_intervals(rank_correlation(scores, values), images, how)
    effect, p = stats.spearmanr(scores, values)
    return {
        "effect": float(effect),
        "p": float(p),
        **limits(found.low.item(), found.high.item()),
    }


def limits(low: float, high: float) -> dict[str, Any]:
    """Columns of an interval, or the reason why there is none."""
    if np.isnan(low):
        return {"reason": "too few different values for an interval"}
    return {"low": low, "high": high}


def constant(values: Floats) -> bool:
    """Whether numbers are all the same, up to rounding."""
    return bool(np.ptp(values) <= 1e-12 * max(1.0, np.abs(values).max()))
