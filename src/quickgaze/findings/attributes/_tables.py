"""Tables of attributes: a user's own, one made from images, and several side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Literal

import polars as pl

from quickgaze.errors import DatasetError, OptionError, StimulusError
from quickgaze.findings.traits import check_stimulus_column
from quickgaze.places import PathLike, readable
from quickgaze.stimuli import Stimulus
from quickgaze.stimuli.types import Image

_MISSING = ["", "NA", "NaN", "nan", "null", "None"]
_YES_NO = {"true": True, "yes": True, "false": False, "no": False}


def from_images(
    stimuli: Iterable[Stimulus],
    columns: Mapping[str, pl.DataType | type[pl.DataType]],
    describe: Callable[[Image], Mapping[str, object]],
) -> pl.DataFrame:
    """Describe each image in a row; where one cannot be read, ``reason`` says why."""
    rows: list[dict[str, object]] = []
    for stimulus in stimuli:
        try:
            described = describe(stimulus.image())
        except StimulusError as error:
            described = {"reason": str(error)}
        rows.append({"stimulus": stimulus.id, **described})
    return pl.DataFrame(rows, {"stimulus": pl.String, **columns, "reason": pl.String}, orient="row")


def read_attributes(
    path: PathLike, *, per: Literal["stimulus", "object"] = "stimulus"
) -> pl.DataFrame:
    r"""Read attributes of stimuli from a table.

    Parameters
    ----------
    path : path-like
        A CSV or Parquet file with a column ``stimulus`` (ids, or file names of images) and a column
        per attribute: numbers, yes or no (also 0 and 1), or texts. Empty cells and ``NA`` are not
        known.
    per : {"stimulus", "object"}
        What a row is about. OSIE's semantic attributes, for example, have a row per object.

    Returns
    -------
    polars.DataFrame
        A row per stimulus: ``stimulus`` and the attributes. Of objects, ``objects`` counts the
        rows, a column of yes and no says whether any object has it, a number is the mean over the
        objects, and a text is kept where all objects have the same.

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
    >>> _ = path.write_text("stimulus,face,size\n1001.jpg,1,0.5\n1001.jpg,0,0.1\n1002.jpg,0,NA")
    >>> read_attributes(path, per="object").rows()
    [('1001.jpg', 2, True, 0.3), ('1002.jpg', 1, False, None)]
    """
    if per not in {"stimulus", "object"}:
        raise OptionError(f"per is {per!r}; give 'stimulus' or 'object': what a row is about")
    source = Path(path)
    table = _read(source)
    _check_read(table, source)
    if per == "object":
        return _by_stimulus(table)
    repeated = _first_repeated(table)
    if repeated is not None:
        raise DatasetError(
            f"{readable(source)} has several rows for {repeated!r}; keep one, or read it with "
            "per='object' if each row is about an object"
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


def _check_read(table: pl.DataFrame, path: Path) -> None:
    check_stimulus_column(table, readable(path), DatasetError)
    if table.width < 2:
        raise DatasetError(f"{readable(path)} has no attribute: no column beside stimulus")
    empty = table["stimulus"].is_null().arg_true()
    if len(empty):
        raise DatasetError(
            f"{readable(path)} names no stimulus in {len(empty):,} rows, the first is row "
            f"{empty[0] + 1} after the header; fill them in or remove them"
        )


def _first_repeated(table: pl.DataFrame) -> str | None:
    return next(iter(table["stimulus"].filter(table["stimulus"].is_duplicated())), None)


def _by_stimulus(table: pl.DataFrame) -> pl.DataFrame:
    columns = [table[name] for name in table.columns if name != "stimulus"]
    return table.group_by("stimulus", maintain_order=True).agg(
        pl.len().cast(pl.Int64).alias("objects"), *(_of_objects(column) for column in columns)
    )


def _of_objects(column: pl.Series) -> pl.Expr:
    name = pl.col(column.name)
    if column.dtype == pl.Boolean or _zeros_and_ones(column):
        yes = name.cast(pl.Boolean)
        return pl.when(name.is_not_null().any()).then(yes.any()).alias(column.name)
    if column.dtype.is_numeric():
        return name.mean()
    return pl.when(name.n_unique() == 1).then(name.first()).alias(column.name)


def _zeros_and_ones(column: pl.Series) -> bool:
    if not column.dtype.is_numeric():
        return False
    known = column.drop_nulls().cast(pl.Float64)
    return len(known) > 0 and known.is_in([0.0, 1.0]).all()


def join_attributes(*tables: pl.DataFrame) -> pl.DataFrame:
    """Put tables of attributes side by side.

    Parameters
    ----------
    *tables : polars.DataFrame
        Each with a column ``stimulus`` without repetitions, and a column per attribute.

    Returns
    -------
    polars.DataFrame
        A row for every stimulus of any table, in the order in which they first appear; null where a
        table does not have it. Columns called ``reason`` become one.

    Raises
    ------
    OptionError
        If there is no table, one has no column ``stimulus`` or repeats one, or two have an
        attribute of the same name.

    Examples
    --------
    >>> people = pl.DataFrame({"stimulus": ["a", "b"], "people": [True, False]})
    >>> text = pl.DataFrame({"stimulus": ["b", "c"], "has_text": [True, True]})
    >>> join_attributes(people, text).rows()
    [('a', True, None), ('b', False, True), ('c', None, True)]
    """
    if not tables:
        raise OptionError("there is no table to join; give at least one")
    _check_joined(tables)
    tables = tuple(table.cast({"stimulus": pl.String}) for table in tables)
    joined = pl.concat(table.select("stimulus") for table in tables).unique(maintain_order=True)
    reasons = [f"reason {number}" for number in range(len(tables))]
    for reason, table in zip(reasons, tables, strict=True):
        renamed = table.rename({"reason": reason}, strict=False)
        joined = joined.join(renamed, on="stimulus", how="left", maintain_order="left")
    reasons = [reason for reason in reasons if reason in joined.columns]
    if not reasons:
        return joined
    together = pl.concat_str(reasons, separator="; ", ignore_nulls=True).replace("", None)
    return joined.with_columns(reason=together).drop(reasons)


def _check_joined(tables: Iterable[pl.DataFrame]) -> None:
    seen: set[str] = set()
    for number, table in enumerate(tables, 1):
        check_stimulus_column(table, f"table {number}")
        repeated = _first_repeated(table)
        if repeated is not None:
            raise OptionError(
                f"table {number} has several rows for {repeated!r}; there must be one per stimulus"
            )
        names = set(table.columns) - {"stimulus", "reason"}
        if names & seen:
            raise OptionError(
                f"{min(names & seen)!r} stands in several tables; rename it in one of them"
            )
        seen |= names
