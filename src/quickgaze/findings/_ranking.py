"""The stimuli of a run in the order of their scores, and how the scores are spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from quickgaze.errors import OptionError
from quickgaze.findings._bootstrap import Floats
from quickgaze.findings._summary import VARIANT, VARIANT_SCHEMA
from quickgaze.findings.selection import Chosen, check_metric, direction, of_variants
from quickgaze.study import Run

_QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)


def ranking(run: Run, metric: str, n: int = 25, *, variant: Chosen | None = None) -> pl.DataFrame:
    """Find the stimuli that agree most, middling and least with people.

    Parameters
    ----------
    run : Run
    metric : str
    n : int
        How many stimuli of each kind.
    variant : mapping, optional
        Keys and values of the variants to rank, as ``{"orientation": "activation"}``; all by
        default.

    Returns
    -------
    polars.DataFrame
        For each variant, from the best to the worst: its keys, ``group`` (``"most"``, ``"middle"``
        or ``"least"``), ``rank`` (1 is the best score, whichever way the metric goes),
        ``stimulus``, ``score``, ``images`` (that were ranked) and ``left_out`` (scored, but
        undefined). Equal scores stand in the order of their ids. Where fewer than 3 n stimuli have
        a score, the groups overlap, and a stimulus may stand in several.

    Raises
    ------
    UnknownNameError
        If the run has no such metric or variant.
    OptionError
        If `n` is below 1.

    Examples
    --------
    >>> import tempfile, quickgaze as qg
    >>> study = qg.Study(qg.load_dataset("popout", n=4), metrics=["cc"], cams=["center"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = ranking(study.run(folder, progress=False), "cc", n=1)
    >>> table.select("group", "rank", "images").rows()
    [('most', 1, 4), ('middle', 2, 4), ('least', 4, 4)]
    """
    check_metric(run, metric)
    if n < 1:
        raise OptionError(f"n is {n}; give how many stimuli of each kind to list, at least 1")
    scores = of_variants(run.scores(), variant).select(*VARIANT, "stimulus", score=metric)
    groups = scores.partition_by(VARIANT, maintain_order=True) or [scores]
    return pl.concat(_ranked(group, direction(run, metric) > 0, n) for group in groups)


def _ranked(scores: pl.DataFrame, higher_is_better: bool, n: int) -> pl.DataFrame:
    defined = scores.filter(pl.col("score").is_not_nan())
    ordered = defined.sort("score", "stimulus", descending=[higher_is_better, False])
    ordered = ordered.select(
        pl.exclude("stimulus", "score"),
        pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("rank"),
        "stimulus",
        "score",
        images=pl.lit(defined.height, pl.Int64),
        left_out=pl.lit(scores.height - defined.height, pl.Int64),
    )
    middle = max(0, (ordered.height - n) // 2)
    groups = {"most": ordered.head(n), "middle": ordered.slice(middle, n), "least": ordered.tail(n)}
    return pl.concat(
        part.insert_column(len(VARIANT), pl.lit(name).alias("group"))
        for name, part in groups.items()
    )


def deciles(run: Run, metric: str) -> pl.DataFrame:
    """Cut the images of each variant into ten equally large groups by their score.

    Parameters
    ----------
    run : Run
    metric : str

    Returns
    -------
    polars.DataFrame
        Ten rows per variant, in the order in which the run computed them: the variant's keys as in
        `summary`, then ``decile`` (1 holds the lowest scores, also where lower is better),
        ``images``, ``lowest``, ``highest`` and ``mean``. Undefined scores are left out. A decile
        without images (fewer than ten have a score) has null in the last three; where the number of
        images is no multiple of ten, the lower deciles hold one more.

    Raises
    ------
    UnknownNameError
        If the run does not have the metric.

    Examples
    --------
    >>> import tempfile, quickgaze as qg
    >>> study = qg.Study(qg.load_dataset("popout", n=12), metrics=["cc"], cams=["center"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = deciles(study.run(folder, progress=False), "cc")
    >>> table["images"].to_list()
    [2, 2, 1, 1, 1, 1, 1, 1, 1, 1]
    """
    check_metric(run, metric)
    rows = [
        (*variant, *row)
        for variant, group in run.scores().group_by(*VARIANT, maintain_order=True)
        for row in _deciles(group[metric].to_numpy())
    ]
    columns = {
        **VARIANT_SCHEMA,
        **dict.fromkeys(("decile", "images"), pl.Int64),
        **dict.fromkeys(("lowest", "highest", "mean"), pl.Float64),
    }
    return pl.DataFrame(rows, columns, orient="row")


def _deciles(scores: Floats) -> list[tuple[float | None, ...]]:
    parts = np.array_split(np.sort(scores[~np.isnan(scores)], kind="stable"), 10)
    return [
        (number, len(part), *((part[0], part[-1], part.mean()) if len(part) else (None,) * 3))
        for number, part in enumerate(parts, 1)
    ]


@dataclass(frozen=True, eq=False)
class Distribution:
    """How the scores of each variant are spread.

    Parameters
    ----------
    quantiles : polars.DataFrame
        A row per variant and share: the variant's keys, ``share`` (of scores that lie at or below)
        and ``score``, null where no score is defined.
    histogram : polars.DataFrame
        A row per variant and bin: the variant's keys, ``low``, ``high`` and ``images``. The bins
        are the same for all variants; each holds its lower edge, the last both.

    Examples
    --------
    >>> import tempfile, quickgaze as qg
    >>> study = qg.Study(qg.load_dataset("popout", n=3), metrics=["cc"], cams=["center"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     spread = distribution(study.run(folder, progress=False), "cc", bins=5, shares=[0.5])
    >>> spread.quantiles.height, spread.histogram.height
    (1, 5)
    """

    quantiles: pl.DataFrame
    histogram: pl.DataFrame

    def _repr_html_(self) -> str:
        return "".join(table._repr_html_() for table in (self.quantiles, self.histogram))


def distribution(
    run: Run,
    metric: str,
    *,
    variant: Chosen | None = None,
    bins: int = 20,
    shares: Sequence[float] = _QUANTILES,
) -> Distribution:
    """Quantiles and histogram of the scores of each variant.

    Parameters
    ----------
    run : Run
    metric : str
    variant : mapping, optional
        Keys and values of the variants; all by default.
    bins : int
        Of the histogram: equally wide, from the lowest score of these variants to the highest.
    shares : sequence of float
        Of the quantiles, each in [0, 1]; between two scores they are interpolated.

    Returns
    -------
    Distribution
        Without undefined and infinite scores.

    Raises
    ------
    UnknownNameError
        If the run has no such metric or variant.
    OptionError
        If there are no bins, or a share lies outside [0, 1].

    Examples
    --------
    >>> import tempfile, quickgaze as qg
    >>> study = qg.Study(qg.load_dataset("popout", n=3), metrics=["cc"], cams=["center"])
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
    quantiles, histogram = [], []
    for keys, group in scores.group_by(*VARIANT, maintain_order=True):
        values = group.filter(pl.col(metric).is_finite())[metric].to_numpy()
        at = np.quantile(values, shares) if len(values) else [None] * len(shares)
        quantiles += [(*keys, *row) for row in zip(shares, at, strict=True)]
        counts = np.histogram(values, edges)[0]
        histogram += [(*keys, *row) for row in zip(edges[:-1], edges[1:], counts, strict=True)]
    of_quantiles = {**VARIANT_SCHEMA, "share": pl.Float64, "score": pl.Float64}
    of_bins = {**VARIANT_SCHEMA, "low": pl.Float64, "high": pl.Float64, "images": pl.Int64}
    return Distribution(
        pl.DataFrame(quantiles, of_quantiles, orient="row"),
        pl.DataFrame(histogram, of_bins, orient="row"),
    )
