"""Which stimuli agree most and least with people, and how the scores are spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from quickgaze.errors import OptionError
from quickgaze.findings.selection import Chosen, check_metric, direction, of_variants
from quickgaze.findings.summary import VARIANT, VARIANT_SCHEMA
from quickgaze.study import Run

QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)


def ranking(run: Run, metric: str, n: int = 25, *, variant: Chosen | None = None) -> pl.DataFrame:
    """Find the stimuli that agree most, middling and least with people.

    Parameters
    ----------
    run : Run
        Complete or not.
    metric : str
        One of the run's.
    n : int
        How many stimuli of each kind.
    variant : mapping, optional
        Keys and values of the variants to rank, as ``{"orientation": "activation"}``; all by
        default.

    Returns
    -------
    polars.DataFrame
        For each variant, from the best to the worst: its keys, ``group`` (``"most"``,
        ``"middle"`` or ``"least"``), ``rank`` (1 is the best score, whichever way the metric
        goes), ``stimulus``, ``score``, ``images`` (that were ranked) and ``left_out`` (scored,
        but undefined). Equal scores stand in the order of their ids. Where fewer than 3 n
        stimuli have a score, the groups overlap, and a stimulus stands in several.

    Raises
    ------
    UnknownNameError
        If the run does not have the metric, or no such variant.
    OptionError
        If `n` is below 1.

    Examples
    --------
    >>> import tempfile
    >>> import quickgaze as qg
    >>> displays = qg.load_dataset("popout", n=4, size=(120, 160))
    >>> study = qg.Study(displays, metrics=["cc"], orientations=["activation"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = ranking(study.run(folder, progress=False), "cc", n=1)
    >>> table.select("group", "rank", "images").rows()
    [('most', 1, 4), ('middle', 2, 4), ('least', 4, 4)]
    """
    check_metric(run, metric)
    if n < 1:
        raise OptionError(f"n is {n}; give how many stimuli of each kind to list, at least 1")
    rows = of_variants(run.scores(), variant)
    ranked = [
        _ranked(group.select(*VARIANT, "stimulus", score=metric), direction(metric) > 0, n)
        for _, group in rows.group_by(*VARIANT, maintain_order=True)
    ]
    return pl.concat(ranked) if ranked else _ranked(_no_scores(), True, n)


def _no_scores() -> pl.DataFrame:
    return pl.DataFrame(schema={**VARIANT_SCHEMA, "stimulus": pl.String, "score": pl.Float64})


def _ranked(scores: pl.DataFrame, higher_is_better: bool, n: int) -> pl.DataFrame:
    """Rank the stimuli of one variant."""
    defined = scores.filter(pl.col("score").is_not_nan())
    ordered = defined.sort("score", "stimulus", descending=[higher_is_better, False])
    ordered = ordered.with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("rank"))
    middle = max(0, (ordered.height - n) // 2)
    groups = {"most": ordered.head(n), "middle": ordered.slice(middle, n), "least": ordered.tail(n)}
    return pl.concat(
        part.select(
            *VARIANT,
            pl.lit(name).alias("group"),
            "rank",
            "stimulus",
            "score",
            pl.lit(defined.height, pl.Int64).alias("images"),
            pl.lit(scores.height - defined.height, pl.Int64).alias("left_out"),
        )
        for name, part in groups.items()
    )


@dataclass(frozen=True, eq=False)
class Distribution:
    """How the scores of each variant are spread.

    Parameters
    ----------
    quantiles : polars.DataFrame
        A row per variant and share: the variant's keys, ``share`` (of scores that lie at or
        below) and ``score``, null where no score is defined.
    histogram : polars.DataFrame
        A row per variant and bin: the variant's keys, ``low``, ``high`` and ``images``. The
        bins are the same for all variants; each holds its lower edge, the last both.

    Examples
    --------
    >>> import tempfile
    >>> import quickgaze as qg
    >>> displays = qg.load_dataset("popout", n=3, size=(120, 160))
    >>> study = qg.Study(displays, metrics=["cc"], orientations=["activation"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     spread = distribution(study.run(folder, progress=False), "cc", bins=5, shares=[0.5])
    >>> spread.quantiles.height, spread.histogram.height
    (1, 5)
    """

    quantiles: pl.DataFrame
    histogram: pl.DataFrame

    def _repr_html_(self) -> str:
        """Show the tables, for notebooks."""
        return "".join(table._repr_html_() for table in (self.quantiles, self.histogram))


def distribution(
    run: Run,
    metric: str,
    *,
    variant: Chosen | None = None,
    bins: int = 20,
    shares: Sequence[float] = QUANTILES,
) -> Distribution:
    """Tell how the scores of a metric are spread, by quantiles and by a histogram.

    Parameters
    ----------
    run : Run
        Complete or not.
    metric : str
        One of the run's.
    variant : mapping, optional
        Keys and values of the variants to tell of; all by default.
    bins : int
        Of the histogram: equally wide, from the lowest score of these variants to the highest.
    shares : sequence of float
        Of the quantiles, each in [0, 1]; between two scores they are interpolated.

    Returns
    -------
    Distribution
        Undefined and infinite scores are left out.

    Raises
    ------
    UnknownNameError
        If the run does not have the metric, or no such variant.
    OptionError
        If there are no bins, or a share lies outside [0, 1].

    Examples
    --------
    >>> import tempfile
    >>> import quickgaze as qg
    >>> displays = qg.load_dataset("popout", n=3, size=(120, 160))
    >>> study = qg.Study(displays, metrics=["cc"], orientations=["activation"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     spread = distribution(study.run(folder, progress=False), "cc", bins=2)
    >>> spread.quantiles["share"].to_list(), spread.histogram["images"].sum()
    ([0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0], 3)
    """
    check_metric(run, metric)
    if bins < 1:
        raise OptionError(f"bins is {bins}; give at least 1")
    if not all(0 <= share <= 1 for share in shares):
        raise OptionError(f"shares are {list(shares)}; give numbers from 0 to 1")
    scores = of_variants(run.scores(), variant)
    finite = scores.filter(pl.col(metric).is_finite())[metric].to_numpy()
    edges = np.histogram_bin_edges(finite, bins) if len(finite) else np.linspace(0, 1, bins + 1)
    quantiles, counts = [], []
    for keys, group in scores.group_by(*VARIANT, maintain_order=True):
        values = group.filter(pl.col(metric).is_finite())[metric].to_numpy()
        keyed = dict(zip(VARIANT, keys, strict=True))
        at = np.quantile(values, shares).tolist() if len(values) else [None] * len(shares)
        quantiles += [
            {**keyed, "share": share, "score": score}
            for share, score in zip(shares, at, strict=True)
        ]
        images = np.histogram(values, edges)[0].tolist()
        counts += [
            {**keyed, "low": low, "high": high, "images": count}
            for low, high, count in zip(edges[:-1], edges[1:], images, strict=True)
        ]
    of_quantiles = {**VARIANT_SCHEMA, "share": pl.Float64, "score": pl.Float64}
    of_bins = {**VARIANT_SCHEMA, "low": pl.Float64, "high": pl.Float64, "images": pl.Int64}
    return Distribution(
        pl.DataFrame(quantiles, of_quantiles, orient="row"),
        pl.DataFrame(counts, of_bins, orient="row"),
    )
