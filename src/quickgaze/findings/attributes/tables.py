"""A user's own table of attributes."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import polars as pl

from quickgaze.errors import DatasetError, OptionError
from quickgaze.stimuli.files import PathLike, readable

_MISSING = ["", "NA", "NaN", "nan", "null", "None"]
_YES_NO = {"true": True, "yes": True, "false": False, "no": False}


def read_attributes(
    path: PathLike, *, per: Literal["stimulus", "object"] = "stimulus"
) -> pl.DataFrame:
    r"""Read attributes of stimuli from a table.

    Parameters
    ----------
    path : path-like
        A CSV or Parquet file with a column ``stimulus`` (ids, or file names of images) and a
        column per attribute: numbers, yes or no (also 0 and 1), or texts. Empty cells and ``NA``
        are not known.
    per : {"stimulus", "object"}
        What a row is about. Tables of objects, as OSIE's semantic attributes are, have several
        rows per stimulus.

    Returns
    -------
    polars.DataFrame
        A row per stimulus: ``stimulus`` and the attributes. Of objects, ``objects`` counts the
        rows, a column of yes and no says whether any object has it, a number is the mean over
        the objects, and a text is kept where all objects have the same.

    Raises
    ------
    DatasetError
        If the file cannot be read as a table, has no column ``stimulus`` or no attribute, or a
        stimulus is empty or stands in several rows.
    OptionError
        If `per` is neither.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "objects.csv"
    >>> lines = ["stimulus,face,size", "1001.jpg,1,0.5", "1001.jpg,0,0.1", "1002.jpg,0,NA"]
    >>> _ = path.write_text("\n".join(lines))
    >>> read_attributes(path, per="object").rows()
    [('1001.jpg', 2, True, 0.3), ('1002.jpg', 1, False, None)]
    """
    if per not in {"stimulus", "object"}:
        raise OptionError(f"per is {per!r}; give 'stimulus' or 'object': what a row is about")
    source = Path(path)
    table = _read(source)
    _check(table, source)
    if per == "object":
        return _gathered(table)
    repeated = table.filter(pl.col("stimulus").is_duplicated())
    if repeated.height:
        raise DatasetError(
            f"{readable(source)} has several rows for {repeated['stimulus'][0]!r}; keep one, or "
            "read it with per='object' if each row is about an object"
        )
    return table


def _read(path: Path) -> pl.DataFrame:
    try:
        with path.open("rb") as file:
            if path.suffix.lower() == ".parquet":
                table = pl.read_parquet(file)
            else:
                table = pl.read_csv(file, infer_schema=False, encoding="utf8")
                table = pl.DataFrame([_inferred(column) for column in table])
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DatasetError(
            f"{readable(path)} cannot be read as a table ({error}); give a CSV file with a header, "
            "or a Parquet file"
        ) from error
    if "stimulus" in table.columns:
        table = table.with_columns(pl.col("stimulus").cast(pl.String))
    return table


def _inferred(column: pl.Series) -> pl.Series:
    """Texts as numbers, or as yes and no, where all of them are; ids stay texts."""
    cleaned = column.str.strip_chars()
    if column.name == "stimulus":
        return cleaned.replace("", None)
    known = cleaned.replace(_MISSING, [None] * len(_MISSING))
    numbers = known.cast(pl.Float64, strict=False)
    if numbers.null_count() == known.null_count():
        return numbers
    answers = known.str.to_lowercase()
    if answers.drop_nulls().is_in(list(_YES_NO)).all():
        return answers.replace_strict(_YES_NO, return_dtype=pl.Boolean)
    return known


def _check(table: pl.DataFrame, path: Path) -> None:
    if "stimulus" not in table.columns:
        raise DatasetError(
            f"{readable(path)} has no column called stimulus, which says what each row is about; "
            f"it has {', '.join(table.columns) or 'none'}"
        )
    if table.width < 2:
        raise DatasetError(f"{readable(path)} has no attribute: no column beside stimulus")
    empty = table["stimulus"].is_null().arg_true()
    if len(empty):
        raise DatasetError(
            f"{readable(path)} names no stimulus in {len(empty):,} rows, the first is row "
            f"{empty[0] + 1} after the header; fill them in or remove them"
        )


def _gathered(table: pl.DataFrame) -> pl.DataFrame:
    """One row per stimulus from one per object."""
    columns = [table[name] for name in table.columns if name != "stimulus"]
    return table.group_by("stimulus", maintain_order=True).agg(
        pl.len().cast(pl.Int64).alias("objects"), *(_of_objects(column) for column in columns)
    )


def _zeros_and_ones(column: pl.Series) -> bool:
    if not column.dtype.is_numeric():
        return False
    known = column.drop_nulls().cast(pl.Float64)
    return len(known) > 0 and bool(known.is_in([0.0, 1.0]).all())


def _of_objects(column: pl.Series) -> pl.Expr:
    name = pl.col(column.name)
    if column.dtype == pl.Boolean or _zeros_and_ones(column):
        yes = name.cast(pl.Boolean)
        return pl.when(name.is_not_null().any()).then(yes.any()).alias(column.name)
    if column.dtype.is_numeric():
        return name.mean()
    return pl.when(name.n_unique() == 1).then(name.first()).alias(column.name)
