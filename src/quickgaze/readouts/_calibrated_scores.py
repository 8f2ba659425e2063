"""What maps score before and after they are calibrated, read from a run."""

from __future__ import annotations

import polars as pl

from quickgaze.bounds import people
from quickgaze.study import VARIANT_KEYS, Run
from quickgaze.study.variants import CALIBRATED, CAM

GAIN = "information_gain"

_VARIANT = tuple(key for key in VARIANT_KEYS if key != "stimulus")


def calibrated_scores(run: Run) -> pl.DataFrame:
    """Scores of each stimulus before and after its maps were calibrated.

    Parameters
    ----------
    run : Run
        One that `calibrate` wrote; others hold no such maps.

    Returns
    -------
    polars.DataFrame
        A row per stimulus, map and metric: ``stimulus``, the keys of the map as it was (``backbone,
        cam, grid, component, orientation, sigma, convention``), ``metric``, then ``own`` (its score
        as it was), ``calibrated`` and ``people`` (the score of the ceiling that stands for people
        in the metric); NaN where undefined.

    Examples
    --------
    >>> import tempfile, quickgaze as qg
    >>> study = qg.Study(qg.load_dataset("popout", n=2), metrics=["cc"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     calibrated_scores(study.run(folder, progress=False)).height
    0
    """
    scores, bounds, metrics = run.scores(), run.bounds(), run.metrics
    after = pl.col("cam").str.ends_with(CALIBRATED)
    keys = ["stimulus", *CAM, "metric"]
    long = scores.unpivot(
        metrics, index=["stimulus", *_VARIANT], variable_name="metric", value_name="own"
    )
    calibrated = long.filter(after).select(
        *keys[:2], pl.col("cam").str.strip_suffix(CALIBRATED), *keys[3:], calibrated="own"
    )
    paired = long.filter(~after).join(calibrated, on=keys, maintain_order="left")
    convention = run.plan.settings.convention
    ceilings = [
        bounds.filter(bound=people(run.plan.settings.metric(metric), convention)).select(
            "stimulus", pl.lit(metric).alias("metric"), pl.col(metric).alias("people")
        )
        for metric in metrics
    ]
    beside = paired.join(
        pl.concat(ceilings), on=["stimulus", "metric"], how="left", maintain_order="left"
    )
    scored = beside.with_columns(pl.col("people").fill_null(float("nan")))
    return pl.concat(scored.partition_by(CAM, maintain_order=True) or [scored])


def mean_scores(scores: pl.DataFrame) -> pl.DataFrame:
    """Means of `calibrated_scores` over stimuli, and how much of people's information they are."""
    both = pl.all_horizontal(pl.col("own", "calibrated").is_not_nan())
    there = both & pl.col("people").is_not_nan()
    information = pl.col("people").filter(there).mean()
    explained = [
        pl.when(pl.col("metric").first() == GAIN, information > 0)
        .then(pl.col(name).filter(there).mean() / information)
        .alias(shown)
        for name, shown in (("own", "explained_own"), ("calibrated", "explained"))
    ]
    return scores.group_by(*_VARIANT, "metric", maintain_order=True).agg(
        pl.col("own", "calibrated").filter(both).mean(),
        information.alias("people"),
        both.sum().alias("images"),
        *explained,
    )
