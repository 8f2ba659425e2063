"""Means with intervals, and beside each what chance and people score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from quickgaze.bounds import people
from quickgaze.findings.bootstrap import (
    FEWEST,
    Floats,
    Intervals,
    Resampling,
    Statistic,
    bootstrap_intervals,
    mean_of,
)
from quickgaze.findings.bounds import beside_bounds
from quickgaze.findings.selection import (
    Chosen,
    check_installed,
    direction,
    metrics_of,
    of_variants,
)
from quickgaze.findings.summary import VARIANT, VARIANT_SCHEMA
from quickgaze.study import Run


def means(
    run: Run,
    metrics: str | Sequence[str] | None = None,
    *,
    variant: Chosen | None = None,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> pl.DataFrame:
    """Mean of every metric for every variant, its interval, and what it is to be held against.

    Parameters
    ----------
    run : Run
        Complete or not, with bounds or without.
    metrics : str or sequence of str, optional
        Those of the run by default.
    variant : mapping, optional
        Keys and values of the variants, as ``{"orientation": "activation"}``; all by default.
    confidence : float
        Share of intervals that should hold the true value.
    resamples : int
        How many times the images are drawn.
    seed : int
        Of the draws.

    Returns
    -------
    polars.DataFrame
        A row per variant and metric: the variant's keys, ``metric``, ``mean``, ``low``,
        ``high``, ``images`` and ``left_out`` (scored, but undefined) as in `summary`; then,
        over the ``paired_images`` for which all three are defined, ``model``, ``chance`` (the
        cross-validated centre bias), ``people``, ``share`` (of the way from the one to the
        other, as in `shares`), ``share_low`` and ``share_high``. What cannot be told is null, and
        ``reason`` says why.

    Raises
    ------
    UnknownNameError
        If the run does not have a metric, or no such variant, or if a metric came from a
        package that is no longer installed.
    OptionError
        If `confidence`, `resamples` or `seed` cannot be used.

    Notes
    -----
    Intervals are bias-corrected and accelerated bootstrap intervals (BCa) over images; those of
    shares draw a model's, the centre bias's and people's scores of an image together. They say
    how much other images would change the result, not other observers.

    References
    ----------
    .. [1] B. Efron, "Better bootstrap confidence intervals", Journal of the American
       Statistical Association 82(397), 1987.

    Examples
    --------
    >>> import tempfile
    >>> import quickgaze as qg
    >>> displays = qg.load_dataset("popout", n=10, size=(120, 160))
    >>> study = qg.Study(displays, metrics=["cc"], cams=["center"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     row = means(study.run(folder, progress=False)).row(0, named=True)
    >>> row["low"] < row["mean"] < row["high"]
    True
    """
    how = Resampling(confidence, resamples, seed)
    names = metrics_of(run, metrics)
    check_installed(run, names)
    convention = run.plan["settings"]["convention"]
    scores, of_bounds = of_variants(run.scores(), variant), run.bounds()
    tables = []
    for metric in names:
        beside = beside_bounds(scores, of_bounds, metric, people(metric, convention))
        tables.append(_of_metric(_Paired.of(beside), metric, how))
    order = {name: number for number, name in enumerate(names)}
    variants = scores.select(VARIANT).unique(maintain_order=True).with_row_index("variant")
    return (
        pl.concat(tables)
        .join(variants, on=list(VARIANT), maintain_order="left")
        .sort("variant", pl.col("metric").replace_strict(order, return_dtype=pl.Int64))
        .drop("variant")
    )


@dataclass(frozen=True, eq=False)
class _Paired:
    """Scores of one metric on the same images; NaN where there is none.

    Parameters
    ----------
    variants : list of tuple
    models : ndarray, shape (images, variants)
        All that there are.
    left_out : list of int
        Per variant, how many scores are undefined.
    complete : ndarray, shape (3, images, variants)
        Scores of models, of chance and of people, where all three are defined.
    """

    variants: list[tuple[Any, ...]]
    models: Floats
    left_out: list[int]
    complete: Floats

    @classmethod
    def of(cls, beside: pl.DataFrame) -> _Paired:
        """Bring a table of `beside_bounds` into that form."""
        images = beside.select("stimulus").unique(maintain_order=True).with_row_index("row")
        variants = beside.select(VARIANT).unique(maintain_order=True).with_row_index("column")
        placed = beside.join(images, on="stimulus").join(variants, on=list(VARIANT))
        row, column = placed["row"].to_numpy(), placed["column"].to_numpy()
        scores = np.full((3, images.height, variants.height), np.nan)
        for part, name in zip(scores, ("model", "chance", "people"), strict=True):
            part[row, column] = placed[name].to_numpy()
        undefined = placed.filter(pl.col("model").is_nan())["column"].to_numpy()
        return cls(
            variants.drop("column").rows(),
            scores[0],
            np.bincount(undefined, minlength=variants.height).tolist(),
            np.where(np.isnan(scores).any(0), np.nan, scores),
        )


def _of_metric(paired: _Paired, metric: str, how: Resampling) -> pl.DataFrame:
    images = len(paired.models)
    mean = bootstrap_intervals(mean_of(paired.models), images, how)
    statistic = _with_share(mean_of(np.concatenate(paired.complete, axis=1)), direction(metric))
    of_three = bootstrap_intervals(statistic, images, how)
    rows = [
        {
            **dict(zip(VARIANT, paired.variants[place], strict=True)),
            "metric": metric,
            **_mean_columns(mean, place, int((~np.isnan(paired.models[:, place])).sum())),
            "left_out": paired.left_out[place],
            **_share_columns(of_three, place, int((~np.isnan(paired.complete[0, :, place])).sum())),
        }
        for place in range(len(paired.variants))
    ]
    return pl.DataFrame([_with_reason(row) for row in rows], _schema(), orient="row")


def _with_share(of_three: Statistic, better: int) -> Statistic:
    """Add the share of the way from chance to people, NaN where they are not better."""

    def statistic(counts: Floats) -> Floats:
        found = of_three(counts)
        model, chance, people = np.split(found, 3, axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            share = (model - chance) / (people - chance)
        share[~((people - chance) * better > 0)] = np.nan
        return np.concatenate([found, share], axis=1)

    return statistic


def _mean_columns(found: Intervals, place: int, images: int) -> dict[str, Any]:
    enough = images >= FEWEST
    return {
        "mean": found.estimate[place],
        "low": found.low[place] if enough else np.nan,
        "high": found.high[place] if enough else np.nan,
        "images": images,
    }


def _share_columns(found: Intervals, place: int, images: int) -> dict[str, Any]:
    columns = range(place, len(found.estimate), len(found.estimate) // 4)
    model, chance, people, share = (found.estimate[column] for column in columns)
    enough = images >= FEWEST
    return {
        "model": model,
        "chance": chance,
        "people": people,
        "share": share,
        "share_low": found.low[columns[3]] if enough else np.nan,
        "share_high": found.high[columns[3]] if enough else np.nan,
        "paired_images": images,
    }


def _with_reason(row: dict[str, Any]) -> dict[str, Any]:
    """Say what a row lacks, and turn NaN into null."""
    reasons = []
    if row["images"] < FEWEST:
        reasons.append(f"{row['images']} images with a score; an interval needs {FEWEST}")
    elif np.isnan(row["low"]):
        reasons.append("the mean has no interval: a score is infinite, or few decide it")
    if not row["paired_images"]:
        reasons.append("no image has scores of the model, the centre bias and people")
    elif np.isnan(row["share"]):
        reasons.append("people are not better than the centre bias")
    elif np.isnan(row["share_low"]):
        too_few = row["paired_images"] < FEWEST
        reasons.append(
            f"{row['paired_images']} images with all three; an interval needs {FEWEST}"
            if too_few
            else "people are hardly better than the centre bias: the share has no interval"
        )
    known = {
        name: None if isinstance(value, float) and np.isnan(value) else value
        for name, value in row.items()
    }
    return {**known, "reason": "; ".join(reasons) or None}


def _schema() -> dict[str, Any]:
    numbers = ("model", "chance", "people", "share", "share_low", "share_high")
    return {
        **VARIANT_SCHEMA,
        "metric": pl.String,
        **dict.fromkeys(("mean", "low", "high"), pl.Float64),
        "images": pl.Int64,
        "left_out": pl.Int64,
        **dict.fromkeys(numbers, pl.Float64),
        "paired_images": pl.Int64,
        "reason": pl.String,
    }
