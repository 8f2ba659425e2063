"""How often each orientation rule inverts a map, and what that costs."""

from __future__ import annotations

import polars as pl

from quickgaze.errors import OptionError
from quickgaze.findings._summary import VARIANT
from quickgaze.study import Run

_WITHOUT_RULE = tuple(name for name in VARIANT if name != "orientation")


def orientation_audit(run: Run) -> pl.DataFrame:
    """Compare every orientation rule of a run with the sign that the human density prefers.

    Parameters
    ----------
    run : Run
        With the metric ``cc`` and the orientation ``oracle``.

    Returns
    -------
    polars.DataFrame
        A row per variant: its keys without the orientation, the ``orientation``, ``inverted``
        (share of its maps, in [0, 1], whose negative agrees better with people), ``cc`` (mean),
        ``lost`` (mean cc below the oracle's), ``margin`` (median) and ``images`` (for which the
        rule and the oracle are defined). CAMs whose sign is fixed are left out.

    Raises
    ------
    OptionError
        If the run lacks the metric or the oracle.

    Examples
    --------
    >>> import tempfile, quickgaze as qg
    >>> study = qg.Study(qg.load_dataset("popout", n=2), metrics=["cc"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     audit = orientation_audit(study.run(folder, progress=False))
    >>> audit.filter(pl.col("orientation") == "oracle")["inverted"].to_list()
    [0.0]
    """
    scores = run.scores()
    if "cc" not in run.metrics or "oracle" not in scores["orientation"]:
        raise OptionError(
            f"{run.place} cannot be audited: it needs the metric cc and the orientation oracle; "
            f"it has {', '.join(run.metrics)} and {', '.join(scores['orientation'].unique())}"
        )
    signed = scores.filter(pl.col("orientation") != "none", pl.col("cc").is_not_nan())
    keys = ("stimulus", *_WITHOUT_RULE)
    best = signed.filter(orientation="oracle").select(*keys, best="cc")
    return (
        signed.join(best, on=list(keys), maintain_order="left")
        .group_by(*_WITHOUT_RULE, "orientation", maintain_order=True)
        .agg(
            (pl.col("cc") < pl.col("best")).mean().alias("inverted"),
            pl.col("cc").mean(),
            (pl.col("best") - pl.col("cc")).mean().alias("lost"),
            pl.col("orientation_margin").fill_nan(None).median().alias("margin"),
            pl.len().cast(pl.Int64).alias("images"),
        )
    )
