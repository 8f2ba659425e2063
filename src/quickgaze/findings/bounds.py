"""What baselines and people score, and how far on the way between them a model is."""

from __future__ import annotations

import polars as pl

from quickgaze.bounds import CHANCE, people
from quickgaze.findings.selection import check_installed, direction
from quickgaze.findings.summary import VARIANT, mean_scores
from quickgaze.study import Run


def bounds(run: Run) -> pl.DataFrame:
    """Mean of every metric for every baseline and ceiling of a run.

    Parameters
    ----------
    run : Run
        Complete or not.

    Returns
    -------
    polars.DataFrame
        A row per bound and metric: ``bound, convention, metric``, then ``mean``,
        ``standard_error``, ``images`` and ``left_out`` as in `summary`. No rows for a run that
        computed no bounds.

    Examples
    --------
    >>> import tempfile
    >>> import quickgaze as qg
    >>> study = qg.Study(qg.load_dataset("popout", n=3), metrics=["auc"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = bounds(study.run(folder, progress=False))
    >>> table.filter(pl.col("bound") == "uniform")["mean"].to_list()
    [0.5]
    """
    return mean_scores(run.bounds(), run.metrics, ("bound", "convention"))


def shares(run: Run) -> pl.DataFrame:
    """How far each variant is on the way from the centre bias to people.

    Parameters
    ----------
    run : Run
        With the bound ``center_bias`` and the ceilings; complete or not.

    Returns
    -------
    polars.DataFrame
        A row per variant and metric: the variant's keys, ``metric``, ``model``, ``chance`` (the
        cross-validated centre bias) and ``people``: means over the ``images`` for which all
        three are defined; ``ceiling``, the name of the bound that stands for people, see
        `quickgaze.bounds.people`; and ``share``: 0 at the centre bias, 1 at people, beyond
        them above, below the centre bias negative. Null where people are not better than the
        centre bias, or where there is no such image.

    Raises
    ------
    UnknownNameError
        If a metric came from a package that is no longer installed.

    Notes
    -----
    Densities of half of the observers are noisier than those of all: where a ceiling is
    ``split_half`` and the metric is no correlation, people are shown a little too low.

    References
    ----------
    .. [1] M. Kümmerer, T. S. A. Wallis, M. Bethge, "Information-theoretic model comparison unifies
       saliency metrics", Proceedings of the National Academy of Sciences 112(52), 2015.

    Examples
    --------
    >>> import tempfile
    >>> import quickgaze as qg
    >>> study = qg.Study(qg.load_dataset("popout", n=3), metrics=["auc"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     shares(study.run(folder, progress=False)).height  # one point is no two observers
    0
    """
    check_installed(run, run.metrics)
    convention = run.plan["settings"]["convention"]
    scores, of_bounds = run.scores(), run.bounds()
    return pl.concat(
        _shares(beside_bounds(scores, of_bounds, metric, people(metric, convention)), metric)
        for metric in run.metrics
    )


def beside_bounds(
    scores: pl.DataFrame, of_bounds: pl.DataFrame, metric: str, ceiling: str
) -> pl.DataFrame:
    """Put beside each score of a metric what chance and people score on the same image.

    Parameters
    ----------
    scores, of_bounds : polars.DataFrame
        As `Run.scores` and `Run.bounds` give them.
    metric : str
    ceiling : str
        Name of the bound that stands for people.

    Returns
    -------
    polars.DataFrame
        A row per stimulus and variant, in the order of `scores`: ``stimulus``, the variant's
        keys, ``model``, ``chance`` and ``people`` (NaN where undefined, null where there is no
        score), and ``ceiling``.
    """
    beside = scores.select("stimulus", *VARIANT, model=metric)
    for name, bound in (("chance", CHANCE), ("people", ceiling)):
        own = of_bounds.filter(pl.col("bound") == bound)
        column = own.select("stimulus", pl.col(metric).alias(name))
        beside = beside.join(column, on="stimulus", how="left", maintain_order="left")
    return beside.with_columns(pl.lit(ceiling).alias("ceiling"))


def _shares(beside: pl.DataFrame, metric: str) -> pl.DataFrame:
    """Shares of all variants in one metric, in the variants' order."""
    three = ("model", "chance", "people")
    way, covered = pl.col("people") - pl.col("chance"), pl.col("model") - pl.col("chance")
    return (
        beside.filter(pl.all_horizontal(pl.col(three).is_not_nan()))
        .group_by(*VARIANT, maintain_order=True)
        .agg(
            pl.lit(metric).alias("metric"),
            pl.col(three).mean(),
            pl.len().cast(pl.Int64).alias("images"),
            pl.col("ceiling").first(),
        )
        .with_columns(pl.when(way * direction(metric) > 0).then(covered / way).alias("share"))
    )
