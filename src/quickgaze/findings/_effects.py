"""Which attributes of the images go with higher or lower scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from scipy import stats

from quickgaze.findings._bootstrap import (
    FEWEST_IMAGES,
    Floats,
    Resampling,
    bootstrap_intervals,
    difference_of_means,
    rank_correlation,
)
from quickgaze.findings.discoveries import check_level, claimed, with_q_values
from quickgaze.findings.selection import Chosen, direction, metrics_of, of_one_variant
from quickgaze.findings.sentences import effect_sentence
from quickgaze.findings.traits import Trait, matched, traits_of
from quickgaze.study import Run

_COLUMNS = {
    **dict.fromkeys(("metric", "attribute", "kind"), pl.String),
    **dict.fromkeys(("effect", "low", "high", "mean_with", "mean_without"), pl.Float64),
    **dict.fromkeys(("images_with", "images_without", "images", "left_out"), pl.Int64),
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

    This explores: every test is listed, whatever came out, and the false discovery rate is
    controlled over all of them. It says what goes together, not what causes it. Intervals are those
    of `means`. Fewer than ten images, in either group, are not tested.

    Parameters
    ----------
    run : Run
    attributes : polars.DataFrame
        A column ``stimulus`` and one per attribute: numbers, yes or no, or texts, of which each
        that stands for at least ten images is tested against all others. ``reason`` is ignored.
    metrics : str or sequence of str, optional
        Those of the run by default.
    variant : mapping, optional
        Keys and values that choose one variant.
    level : float
        False discovery rate over all attributes and metrics of the call.
    confidence, resamples, seed
        As in `means`.

    Returns
    -------
    polars.DataFrame
        A row per metric and attribute: ``metric, attribute``; ``kind`` (``"yes/no"``, ``"numeric"``
        or ``"none"``); ``effect`` with its interval ``low`` to ``high``: for yes or no the mean
        score of images with it less that of those without, for numbers Spearman's rank correlation
        with the score; ``mean_with``, ``mean_without``, ``images_with``, ``images_without`` (yes or
        no); ``images`` and ``left_out`` (without a defined score or the attribute); ``p`` (Welch's
        t test [1]_; for correlations Student's); ``reason`` (why it was not tested); ``q``
        (Benjamini-Hochberg [2]_) and ``tests`` (the number of p values that q comes from);
        ``claimed``, whether q is at most `level` and the interval excludes 0; and ``sentence``.
        Effects are in the metric's own direction; sentences speak of agreement.

    Raises
    ------
    UnknownNameError
        If the run has no such metric or variant.
    OptionError
        If several variants fit, or no row of the attributes is about a stimulus of the run.

    References
    ----------
    .. [1] B. L. Welch, "The generalization of 'Student's' problem when several different population
       variances are involved", Biometrika 34(1/2), 1947.
    .. [2] Y. Benjamini, Y. Hochberg, "Controlling the false discovery rate: a practical and
       powerful approach to multiple testing", J. R. Stat. Soc. B 57(1), 1995.

    Examples
    --------
    >>> import tempfile, quickgaze as qg
    >>> displays = qg.load_dataset("popout", n=24, size=(120, 160))
    >>> study = qg.Study(displays, metrics=["cc"], cams=["spectral_residual"])
    >>> kinds = pl.DataFrame({"stimulus": [each.id for each in displays], "even": [0, 1] * 12})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     found = attribute_effects(study.run(folder, progress=False), kinds)
    >>> found.select("attribute", "images_with", "images_without", "tests").rows()
    [('even', 12, 12, 1)]
    """
    resampling = Resampling(confidence, resamples, seed)
    check_level(level)
    names = metrics_of(run, metrics)
    scores = of_one_variant(run.scores(), variant)
    traits = traits_of(matched(scores["stimulus"].to_list(), attributes))
    rows = [
        {"metric": name, **row}
        for name in names
        for row in trait_effects(scores[name].to_numpy(), traits, resampling)
    ]
    table = with_q_values(pl.DataFrame(rows, _COLUMNS, orient="row")).with_columns(claimed(level))
    sentences = [effect_sentence(row, direction(run, row["metric"])) for row in table.to_dicts()]
    return table.with_columns(pl.Series("sentence", sentences, pl.String))


def trait_effects(
    scores: Floats, traits: Sequence[Trait], resampling: Resampling
) -> list[dict[str, Any]]:
    """Columns of `attribute_effects` for each trait, without those that are null."""
    rows = [_row(scores, trait, resampling) for trait in traits]
    groups = [
        (row, trait.values)
        for row, trait in zip(rows, traits, strict=True)
        if trait.kind == "yes/no" and "p" in row
    ]
    if groups:
        # All at once, as most of the time goes into the draws.
        scored = np.isfinite(scores)
        having = np.stack([values[scored] for _, values in groups], axis=1)
        statistic = difference_of_means(scores[scored], having)
        found = bootstrap_intervals(statistic, int(scored.sum()), resampling)
        for (row, _), low, high in zip(groups, found.low, found.high, strict=True):
            row.update(interval_columns(float(low), float(high)))
    return rows


def _row(scores: Floats, trait: Trait, resampling: Resampling) -> dict[str, Any]:
    """Columns of one trait; of yes or no, without the interval."""
    defined = np.isfinite(scores) & ~np.isnan(trait.values)
    images, left_out = int(defined.sum()), int((~defined).sum())
    row = {"attribute": trait.name, "kind": trait.kind, "images": images, "left_out": left_out}
    if trait.kind == "none":
        return {**row, "reason": trait.reason}
    if not images:
        return {**row, "reason": "no image has both a score and the attribute"}
    if trait.kind == "yes/no":
        return {**row, **_with_and_without(scores[defined], trait.values[defined])}
    return {**row, **_correlation(scores[defined], trait.values[defined], resampling)}


def _with_and_without(scores: Floats, having: Floats) -> dict[str, Any]:
    with_it, without = scores[having == 1], scores[having == 0]
    row: dict[str, Any] = {}
    for group, which in ((with_it, "with"), (without, "without")):
        row[f"images_{which}"] = len(group)
        row[f"mean_{which}"] = float(group.mean()) if len(group) else None
        if len(group) < FEWEST_IMAGES and "reason" not in row:
            needed = f"a test needs {FEWEST_IMAGES} with and without"
            row["reason"] = f"{len(group)} images {which} it; {needed}"
    if "reason" in row:
        return row
    row["effect"] = row["mean_with"] - row["mean_without"]
    if constant(with_it) and constant(without):
        return {**row, "reason": "the scores do not vary within the groups"}
    return {**row, "p": float(stats.ttest_ind(with_it, without, equal_var=False).pvalue)}


def _correlation(scores: Floats, values: Floats, resampling: Resampling) -> dict[str, Any]:
    images = len(scores)
    if images < FEWEST_IMAGES:
        return {"reason": f"{images} images with score and attribute; a test needs {FEWEST_IMAGES}"}
    if constant(values) or constant(scores):
        what = "attribute" if constant(values) else "score"
        return {"reason": f"the {what} is the same for all images"}
    found = bootstrap_intervals(rank_correlation(scores, values), images, resampling)
    effect, p = stats.spearmanr(scores, values)
    limits = interval_columns(found.low.item(), found.high.item())
    return {"effect": float(effect), "p": float(p), **limits}


def interval_columns(low: float, high: float) -> dict[str, Any]:
    """Columns of an interval, or the reason why there is none."""
    if np.isnan(low):
        return {"reason": "too few different values for an interval"}
    return {"low": low, "high": high}


def constant(values: Floats) -> bool:
    """Whether numbers are all the same, up to rounding."""
    return bool(np.ptp(values) <= 1e-12 * max(1.0, np.abs(values).max()))
