"""The images of a run in ten groups, from the lowest scores to the highest."""

from __future__ import annotations

import numpy as np
import polars as pl

from quickgaze.findings.selection import check_metric
from quickgaze.findings.summary import VARIANT, VARIANT_SCHEMA
from quickgaze.study import Run

DECILES = 10


def deciles(run: Run, metric: str) -> pl.DataFrame:
    """Cut the images of each variant into ten equally large groups by their score.

    Parameters
    ----------
    run : Run
        Complete or not.
    metric : str
        One of the run's.

    Returns
    -------
    polars.DataFrame
        Ten rows per variant, in the order in which the run computed them: the variant's
        ``backbone, cam, grid, component, orientation, sigma, convention``, then ``decile``
        (1 holds the lowest scores, also where lower is better), ``images``, ``lowest``,
        ``highest`` and ``mean``. Undefined scores are left out. A decile without images, as
        there are where fewer than ten have a score, has null in the last three.

    Raises
    ------
    UnknownNameError
        If the run does not have the metric.

    Notes
    -----
    Where the number of images is no multiple of ten, the lower deciles hold one more, as
    `numpy.array_split` cuts the sorted scores.

    Examples
    --------
    >>> import tempfile
    >>> import quickgaze as qg
    >>> displays = qg.load_dataset("popout", n=12)
    >>> study = qg.Study(displays, metrics=["cc"], orientations=["activation"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = deciles(study.run(folder, progress=False), "cc")
    >>> table["decile"].to_list(), table["images"].to_list()
    ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], [2, 2, 1, 1, 1, 1, 1, 1, 1, 1])
    """
    check_metric(run, metric)
    rows = [
        {**dict(zip(VARIANT, variant, strict=True)), **row}
        for variant, group in run.scores().group_by(*VARIANT, maintain_order=True)
        for row in _deciles(group[metric].to_numpy())
    ]
    columns = {
        **VARIANT_SCHEMA,
        "decile": pl.Int64,
        "images": pl.Int64,
        "lowest": pl.Float64,
        "highest": pl.Float64,
        "mean": pl.Float64,
    }
    return pl.DataFrame(rows, schema=columns, orient="row")


def _deciles(scores: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[dict[str, object]]:
    ordered = np.sort(scores[~np.isnan(scores)], kind="stable")
    return [
        {
            "decile": number,
            "images": len(part),
            "lowest": part[0].item() if len(part) else None,
            "highest": part[-1].item() if len(part) else None,
            "mean": part.mean().item() if len(part) else None,
        }
        for number, part in enumerate(np.array_split(ordered, DECILES), 1)
    ]
