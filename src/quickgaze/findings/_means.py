"""Means with intervals, beside what the centre bias and people score on the same images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from quickgaze.bounds import CHANCE, people
from quickgaze.findings._bootstrap import (
    FEWEST_IMAGES,
    Floats,
    Resampling,
    Statistic,
    bootstrap_intervals,
    mean_of,
)
from quickgaze.findings._summary import VARIANT
from quickgaze.findings.selection import (
    Chosen,
    check_installed,
    direction,
    metrics_of,
    of_variants,
)
from quickgaze.study import Run

_COMPARED = ("model", "chance", "people")


def means(
    run: Run,
    metrics: str | Sequence[str] | None = None,
    *,
    variant: Chosen | None = None,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> pl.DataFrame:
    """Mean of every metric for every variant, with its interval, beside chance and people.

    Intervals are bias-corrected and accelerated bootstrap intervals (BCa [1]_) over images: they
    say how much other images would change the result, not other observers.

    Parameters
    ----------
    run : Run
    metrics : str or sequence of str, optional
        Those of the run by default.
    variant : mapping, optional
        Keys and values of the variants, as ``{"orientation": "activation"}``; all by default.
    confidence, resamples, seed
        Share of intervals that should hold the true value, in (0, 1), number of bootstrap draws (at
        least 100), and their seed.

    Returns
    -------
    polars.DataFrame
        A row per variant and metric: the variant's keys, ``metric``, ``mean``, ``low``, ``high``,
        ``images`` and ``left_out`` (scored, but undefined) as in `summary`; then, over the
        ``paired_images`` for which all three are defined, ``model``, ``chance`` (the
        cross-validated centre bias), ``people``, ``share`` (as in `shares`), ``share_low`` and
        ``share_high``; and ``reason``, which says why a value is null.

    Raises
    ------
    UnknownNameError
        If the run has no such metric or variant, or a metric's package is no longer installed.
    OptionError
        If `confidence`, `resamples` or `seed` cannot be used.

    References
    ----------
    .. [1] B. Efron, "Better bootstrap confidence intervals", J. Am. Stat. Assoc. 82(397), 1987.

    Examples
    --------
    >>> import tempfile, quickgaze as qg
    >>> study = qg.Study(qg.load_dataset("popout", n=10), metrics=["cc"], cams=["center"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     row = means(study.run(folder, progress=False)).row(0, named=True)
    >>> row["low"] < row["mean"] < row["high"]
    True
    """
    resampling = Resampling(confidence, resamples, seed)
    paired = _paired(run, metrics_of(run, metrics), variant)
    tables = [
        means_of(scores, VARIANT, metric, direction(run, metric), resampling)
        for metric, scores in paired.items()
    ]
    return pl.concat(tables).sort("variant", maintain_order=True).drop("variant")


def shares(run: Run) -> pl.DataFrame:
    """How far each variant is on the way from the centre bias to people.

    Densities of half of the observers are noisier than those of all: where a ceiling is
    ``split_half`` and the metric is no correlation, people are shown a little too low.

    Parameters
    ----------
    run : Run
        With the bound ``center_bias`` and the ceilings.

    Returns
    -------
    polars.DataFrame
        A row per variant and metric: the variant's keys, ``metric``, then ``model``, ``chance``
        (the cross-validated centre bias) and ``people``: means over the ``images`` for which all
        three are defined (no row without such an image); ``ceiling``, the bound that stands for
        people, see `quickgaze.bounds.people`; and ``share`` [1]_: 0 at the centre bias, 1 at
        people, negative below the centre bias, above 1 beyond people; null where people are not
        better than the centre bias.

    Raises
    ------
    UnknownNameError
        If a metric's package is no longer installed.

    References
    ----------
    .. [1] M. Kümmerer, T. S. A. Wallis, M. Bethge, "Information-theoretic model comparison unifies
       saliency metrics", PNAS 112(52), 2015.

    Examples
    --------
    >>> import tempfile, quickgaze as qg
    >>> study = qg.Study(qg.load_dataset("popout", n=3), metrics=["auc"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     shares(study.run(folder, progress=False)).height  # one point is no two observers
    0
    """
    way, covered = pl.col("people") - pl.col("chance"), pl.col("model") - pl.col("chance")
    return pl.concat(
        scores.filter(pl.all_horizontal(pl.col(_COMPARED).is_not_nan()))
        .group_by(*VARIANT, maintain_order=True)
        .agg(
            pl.lit(metric).alias("metric"),
            pl.col(_COMPARED).mean(),
            pl.len().cast(pl.Int64).alias("images"),
            pl.col("ceiling").first(),
        )
        .with_columns(pl.when(way * direction(run, metric) > 0).then(covered / way).alias("share"))
        for metric, scores in _paired(run, run.metrics, None).items()
    )


def _paired(run: Run, metrics: Sequence[str], variant: Chosen | None) -> dict[str, pl.DataFrame]:
    """By metric, each score of a model beside those of chance and people on the same image."""
    check_installed(run, metrics)
    convention = run.plan.settings.convention
    scores, bounds = of_variants(run.scores(), variant), run.bounds()
    paired = {}
    for metric in metrics:
        ceiling = people(run.plan.settings.metric(metric), convention)
        table = scores.select("stimulus", *VARIANT, model=metric)
        for name, bound in (("chance", CHANCE), ("people", ceiling)):
            own = bounds.filter(bound=bound).select("stimulus", pl.col(metric).alias(name))
            table = table.join(own, on="stimulus", how="left", maintain_order="left")
        paired[metric] = table.with_columns(pl.lit(ceiling).alias("ceiling"))
    return paired


def means_of(
    paired: pl.DataFrame, keys: Sequence[str], metric: str, better: int, resampling: Resampling
) -> pl.DataFrame:
    """Rows of `means` for one metric, each with the number of its variant, by these keys."""
    images = paired.select("stimulus").unique(maintain_order=True).with_row_index("image")
    variants = paired.select(keys).unique(maintain_order=True).with_row_index("variant")
    placed = paired.join(images, on="stimulus").join(variants, on=list(keys))
    scores = np.full((3, images.height, variants.height), np.nan)
    for of_one, name in zip(scores, _COMPARED, strict=True):
        of_one[placed["image"], placed["variant"]] = placed[name].to_numpy()
    complete = np.where(np.isnan(scores).any(0), np.nan, scores)
    scored, paired_images = (~np.isnan(scores[0])).sum(0), (~np.isnan(complete[0])).sum(0)
    undefined = placed.filter(pl.col("model").is_nan())["variant"].to_numpy()

    of_images = np.concatenate([scores[0], *complete], axis=1)
    statistic = _with_share(mean_of(of_images), better)
    found = bootstrap_intervals(statistic, images.height, resampling)
    estimate, low, high = (each.reshape(5, -1) for each in (found.estimate, found.low, found.high))
    for limits in (low, high):
        limits[0, scored < FEWEST_IMAGES] = np.nan
        limits[4, paired_images < FEWEST_IMAGES] = np.nan
    return (
        variants.with_columns(
            pl.lit(metric).alias("metric"),
            mean=estimate[0],
            low=low[0],
            high=high[0],
            images=scored,
            left_out=np.bincount(undefined, minlength=variants.height),
            **dict(zip((*_COMPARED, "share"), estimate[1:], strict=True)),
            share_low=low[4],
            share_high=high[4],
            paired_images=paired_images,
        )
        .with_columns(pl.col(pl.Float64).fill_nan(None))
        .with_columns(_why_null().alias("reason"))
    )


def _with_share(mean: Statistic, better: int) -> Statistic:
    """Add the share of the way from chance to people, NaN where they are not better."""

    def statistic(counts: Floats) -> Floats:
        found = mean(counts)
        model, chance, people = np.split(found, 4, axis=1)[1:]
        with np.errstate(invalid="ignore", divide="ignore"):
            share = (model - chance) / (people - chance)
        share[~((people - chance) * better > 0)] = np.nan
        return np.concatenate([found, share], axis=1)

    return statistic


def _why_null() -> pl.Expr:
    needed = f"an interval needs {FEWEST_IMAGES}"
    of_mean = (
        pl.when(pl.col("images") < FEWEST_IMAGES)
        .then(pl.format(f"{{}} images with a score; {needed}", "images"))
        .when(pl.col("low").is_null())
        .then(pl.lit("the mean has no interval: a score is infinite, or few decide it"))
    )
    of_share = (
        pl.when(pl.col("paired_images") == 0)
        .then(pl.lit("no image has scores of the model, the centre bias and people"))
        .when(pl.col("share").is_null())
        .then(pl.lit("people are not better than the centre bias"))
        .when(pl.col("paired_images") < FEWEST_IMAGES)
        .then(pl.format(f"{{}} images with all three; {needed}", "paired_images"))
        .when(pl.col("share_low").is_null())
        .then(pl.lit("people are hardly better than the centre bias: the share has no interval"))
    )
    return pl.concat_str(of_mean, of_share, separator="; ", ignore_nulls=True).replace("", None)
