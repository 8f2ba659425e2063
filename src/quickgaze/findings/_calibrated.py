"""What maps score before and after they are calibrated, with intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from quickgaze.catalogue import check_known
from quickgaze.findings._bootstrap import (
    FEWEST_IMAGES,
    Floats,
    Resampling,
    Statistic,
    bootstrap_intervals,
    mean_of,
)
from quickgaze.findings._summary import VARIANT
from quickgaze.readouts import Calibration, calibrated_scores
from quickgaze.study import Run

_INFORMATION = "information_gain"

_SHOWN = ("own", "calibrated", "gain", "people", "explained_own", "explained")
_WITHOUT_INTERVAL = "people"


def calibrated(
    source: Run | Calibration,
    metrics: str | Sequence[str] | None = None,
    *,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> pl.DataFrame:
    """Mean of every metric before and after the maps of a run were calibrated.

    Parameters
    ----------
    source : Run or Calibration
        A run that `quickgaze.readouts.calibrate` wrote, or what it gave. Of another run, the table
        is empty.
    metrics : str or sequence of str, optional
        All by default.
    confidence, resamples, seed
        As in `means`.

    Returns
    -------
    polars.DataFrame
        A row per map and metric: the keys of the map as it was, ``metric``, then, over the
        ``images`` where both are defined, ``own`` and ``calibrated``, ``gain`` (calibrated less
        own) and ``people``; for information gain, ``explained_own`` and ``explained``: its share of
        the information that people give [1]_, over the images for which that is known. All but
        ``people`` with limits of their intervals, as ``gain_low`` and ``gain_high``; ``left_out``
        counts images where one of the two is undefined. Null where nothing is known.

    Raises
    ------
    UnknownNameError
        If there is no such metric.
    OptionError
        If `confidence`, `resamples` or `seed` cannot be used.

    References
    ----------
    .. [1] M. Kümmerer, T. S. A. Wallis, M. Bethge, "Information-theoretic model comparison unifies
       saliency metrics", PNAS 112(52), 2015.

    Examples
    --------
    >>> import tempfile, quickgaze as qg
    >>> displays = qg.load_dataset("popout", n=6, size=(120, 160))
    >>> study = qg.Study(displays, cams=["center"], sigmas=[0], metrics=["kld"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = study.run(folder, progress=False)
    ...     table = calibrated(qg.calibrate(run, displays, progress=False))
    >>> table["metric"].to_list(), table["images"].to_list()
    (['kld', 'information_gain'], [6, 6])
    """
    resampling = Resampling(confidence, resamples, seed)
    scores = source.scores if isinstance(source, Calibration) else calibrated_scores(source)
    known = scores["metric"].unique(maintain_order=True).to_list()
    wanted = [metrics] if isinstance(metrics, str) else known if metrics is None else list(metrics)
    if scores.height:
        for metric in wanted:
            check_known("metric of the run", metric, known)
    groups = scores.group_by(*VARIANT, "metric", maintain_order=True)
    rows = [
        dict(zip((*VARIANT, "metric"), keys, strict=True)) | _row(of_one, str(keys[-1]), resampling)
        for keys, of_one in groups
        if keys[-1] in wanted
    ]
    kinds = {name: scores.schema[name] for name in (*VARIANT, "metric")}
    numbers = dict.fromkeys(_columns(), pl.Float64)
    counts = dict.fromkeys(("images", "left_out"), pl.Int64)
    return pl.DataFrame(rows, {**kinds, **numbers, **counts}, orient="row")


def _columns() -> list[str]:
    limited = ([name, f"{name}_low", f"{name}_high"] for name in _SHOWN)
    return [column for columns in limited for column in columns if _has_place(column)]


def _has_place(column: str) -> bool:
    return not column.startswith(f"{_WITHOUT_INTERVAL}_")


def _row(scores: pl.DataFrame, metric: str, resampling: Resampling) -> dict[str, float | None]:
    own, after, people = scores.select("own", "calibrated", "people").to_numpy().T
    there = ~np.isnan(own) & ~np.isnan(after)
    values = np.stack([own, after, after - own, people], axis=1)[there]
    statistic = _with_explained(values, metric == _INFORMATION)
    found = bootstrap_intervals(statistic, int(there.sum()), resampling)
    numbers: dict[str, float | None] = {}
    with_people = int((~np.isnan(values[:, 3])).sum())
    for place, name in enumerate(_SHOWN):
        few = name.startswith("explained") and with_people < FEWEST_IMAGES
        limits = {"": found.estimate, "_low": found.low, "_high": found.high}
        for ending, limit in limits.items():
            value = float(limit[place])
            undefined = np.isnan(value) or (ending and few)
            if _has_place(name + ending):
                numbers[name + ending] = None if undefined else value
    return {**numbers, "images": int(there.sum()), "left_out": int((~there).sum())}


def _with_explained(values: Floats, information: bool) -> Statistic:
    """Means of columns own, calibrated, gain, people; and shares of people's, where wanted."""
    alike = np.where(np.isnan(values[:, 3:]), np.nan, values)
    mean = mean_of(np.concatenate([values, alike], axis=1))

    def statistic(counts: Floats) -> Floats:
        plain, paired = np.split(mean(counts), 2, axis=1)
        shares = np.full((len(plain), 2), np.nan)
        if information:
            with np.errstate(invalid="ignore", divide="ignore"):
                shares = paired[:, :2] / paired[:, 3:]
            shares[~(paired[:, 3] > 0)] = np.nan
        return np.concatenate([plain, shares], axis=1)

    return statistic
