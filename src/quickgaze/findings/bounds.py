"""What baselines and people score, and how far on the way between them a model is."""

from __future__ import annotations

import polars as pl

from quickgaze.bounds import CHANCE, people
from quickgaze.findings.summary import VARIANT, mean_scores
from quickgaze.metrics import METRICS
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
    return pl.concat([_share(run, metric) for metric in run.metrics])


def _share(run: Run, metric: str) -> pl.DataFrame:
    """Shares of all variants in one metric, in the variants' order."""
    convention = run.plan["settings"]["convention"]
    ceiling = people(metric, convention)
    paired = run.scores().select("stimulus", *VARIANT, model=metric)
    for name, bound in (("chance", CHANCE), ("people", ceiling)):
        of_bound = run.bounds().filter(pl.col("bound") == bound)
        scores = of_bound.select("stimulus", pl.col(metric).alias(name))
        paired = paired.join(scores, on="stimulus", maintain_order="left")
    three = ("model", "chance", "people")
    way, covered = pl.col("people") - pl.col("chance"), pl.col("model") - pl.col("chance")
    better = way > 0 if METRICS[metric].higher_is_better else way < 0
    return (
        paired.filter(pl.all_horizontal(pl.col(three).is_not_nan()))
        .group_by(*VARIANT, maintain_order=True)
        .agg(pl.lit(metric).alias("metric"), pl.col(three).mean(), pl.len().alias("images"))
        .with_columns(
            pl.col("images").cast(pl.Int64),
            pl.lit(ceiling).alias("ceiling"),
            pl.when(better).then(covered / way).alias("share"),
        )
    )
