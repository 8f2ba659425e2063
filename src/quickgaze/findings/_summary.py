"""Mean scores per variant or bound, with standard errors and the number of images."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from quickgaze.study import VARIANT_KEYS, Run

VARIANT_SCHEMA = {name: kind for name, kind in VARIANT_KEYS.items() if name != "stimulus"}
"""Columns that identify a variant, and their types."""

VARIANT = tuple(VARIANT_SCHEMA)
"""Columns that identify a variant."""


def summary(run: Run) -> pl.DataFrame:
    """Mean of every metric for every variant of a run.

    Parameters
    ----------
    run : Run

    Returns
    -------
    polars.DataFrame
        A row per variant and metric, in the order in which the run computed them: the variant's
        ``backbone, cam, grid, component, orientation, sigma, convention``, then ``metric``,
        ``mean``, ``standard_error`` (of the mean over images: the sample standard deviation over
        the square root of ``images``; null for fewer than two), ``images`` (with a defined score)
        and ``left_out`` (scored, but undefined). The mean of no image is null.

    Examples
    --------
    >>> import tempfile, quickgaze as qg
    >>> study = qg.Study(qg.load_dataset("popout", n=2), metrics=["cc"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = summary(study.run(folder, progress=False))
    >>> table["metric"].unique().to_list(), table["images"].to_list()
    (['cc'], [2, 2, 2, 2, 2, 2])
    """
    return _mean_scores(run.scores(), run.metrics, VARIANT)


def bounds(run: Run) -> pl.DataFrame:
    """Mean of every metric for every baseline and ceiling of a run.

    Parameters
    ----------
    run : Run

    Returns
    -------
    polars.DataFrame
        A row per bound and metric: ``bound, convention, metric``, then ``mean``,
        ``standard_error``, ``images`` and ``left_out`` as in `summary`. No rows for a run that
        computed no bounds.

    Examples
    --------
    >>> import tempfile, quickgaze as qg
    >>> study = qg.Study(qg.load_dataset("popout", n=3), metrics=["auc"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = bounds(study.run(folder, progress=False))
    >>> table.filter(pl.col("bound") == "uniform")["mean"].to_list()
    [0.5]
    """
    return _mean_scores(run.bounds(), run.metrics, ("bound", "convention"))


def _mean_scores(scores: pl.DataFrame, metrics: Sequence[str], keys: Sequence[str]) -> pl.DataFrame:
    """Means of each group of rows with the same keys, in the order in which the groups begin."""
    defined = pl.col("score").filter(pl.col("score").is_not_nan())
    return (
        scores.with_row_index("row")
        .unpivot(on=metrics, index=["row", *keys], variable_name="metric", value_name="score")
        .group_by(*keys, "metric", maintain_order=True)
        .agg(
            pl.col("row").first(),
            defined.mean().alias("mean"),
            (defined.std(ddof=1) / defined.len().sqrt()).alias("standard_error"),
            defined.len().cast(pl.Int64).alias("images"),
            (pl.len() - defined.len()).cast(pl.Int64).alias("left_out"),
        )
        .sort("row", maintain_order=True)
        .drop("row")
    )
