"""The tables of a run, each as one CSV or Parquet file."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import polars as pl

from quickgaze.catalogue import unknown_name
from quickgaze.errors import OptionError
from quickgaze.exports.targets import written_file
from quickgaze.places import PathLike
from quickgaze.study import Run

TABLES = ("scores", "maps", "bounds", "points", "failures", "undefined")
"""The tables of a run that can be exported."""

_TableFormat = Literal["csv", "parquet"]


def export_table(
    run: Run,
    out: PathLike,
    table: str = "scores",
    *,
    to: _TableFormat = "csv",
    projections: bool = False,
    overwrite: bool = False,
) -> Path:
    """Write a table of a run into one file.

    Parameters
    ----------
    run : Run
    out : path
        The file. It appears when it is complete.
    table : {"scores", "maps", "bounds", "points", "failures", "undefined"}
        The method of `Run` that gives it.
    to : {"csv", "parquet"}
        Format.
    projections : bool
        Whether a CSV file of the maps includes the signed maps, row by row and separated by
        spaces. A Parquet file always does.
    overwrite : bool
        Whether to replace a file at `out`.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    OptionError
        If there is no such table or format, or `out` cannot be written. Nothing is left at `out`.

    Notes
    -----
    CSV files are UTF-8 with commas, a header and quotes where needed. An undefined score is
    ``NaN``, a missing value is empty, and numbers keep all their digits. Ids such as ``0001`` are
    texts: tell pandas ``dtype={"stimulus": str}`` and R
    ``colClasses = c(stimulus = "character")``.

    Examples
    --------
    >>> import tempfile
    >>> import quickgaze as qg
    >>> displays = qg.load_dataset("popout", n=1)
    >>> study = qg.Study(displays, orientations=["activation"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = study.run(f"{folder}/run", progress=False)
    ...     export_table(run, f"{folder}/scores.csv").read_text()[:38]
    'stimulus,backbone,cam,grid,component,o'
    """
    if table not in TABLES:
        raise unknown_name("table", table, TABLES)
    if to not in ("csv", "parquet"):
        raise unknown_name("format", to, ("csv", "parquet"))
    if projections and (table != "maps" or to != "csv"):
        raise OptionError("projections are a column of the table maps, and an option for CSV only")
    frame: pl.DataFrame = getattr(run, table)()
    target = Path(out)
    with written_file(target, run, overwrite=overwrite) as temporary:
        if to == "parquet":
            frame.write_parquet(temporary)
        else:
            _flat(frame, projections=projections).write_csv(temporary)
    return target


def _flat(frame: pl.DataFrame, *, projections: bool) -> pl.DataFrame:
    if "projection" not in frame.columns:
        return frame
    if not projections:
        return frame.drop("projection")
    return frame.with_columns(pl.col("projection").cast(pl.List(pl.String)).list.join(" "))
