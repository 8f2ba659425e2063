"""Tables of gaze that users bring: which column is which, and what stands in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from quickgaze.errors import DatasetError
from quickgaze.places import AnyPath, readable
from quickgaze.stimuli._gaze_columns import Finder, Found
from quickgaze.stimuli._placement import Direction, Units
from quickgaze.stimuli._sheets import Sheet, open_sheet

_NUMBERS = ("x", "y", "duration")
_MISSING = ("", ".", "-", "--", "n/a", "#n/a", "na", "<na>", "n.a.", "nan", "null", "none")


@dataclass(frozen=True, eq=False)
class GazeTable:
    """One row a fixation, in the table's own coordinates, and what its kind of export tells."""

    rows: pl.DataFrame
    units: Units | None
    y: Direction | None
    export: str
    of_screen: bool = False


def read_gaze_table(path: AnyPath, columns: Mapping[str, str] | None = None) -> GazeTable:
    """Read a table by its columns, by those that are named, or by the names of known exports."""
    sheet = open_sheet(path)
    found = Finder(path, sheet.header, columns or {}).find()
    table = sheet.read(sorted({*found.places.values(), *found.extra.values()}))
    table = _of_fixations(table, found, path)
    needed = max(place for role, place in found.places.items() if role != "duration")
    empty = table.filter(pl.col(str(needed)).is_null())["row"]
    if len(empty):
        sheet.refuse_short(set(empty), needed)
    numbers = _Numbers(path, sheet, found).read(table)
    texts = {
        role: _text(table, found.places[role], role, path) for role in ("stimulus", "observer")
    }
    return GazeTable(
        pl.DataFrame(texts | {role: numbers[role] for role in _NUMBERS if role in numbers}),
        found.points.units if found.points else None,
        found.points.direction if found.points else None,
        found.export.name if found.export else "",
        found.points is not None and found.points.of_screen,
    )


def may_be_gaze(path: AnyPath) -> bool:
    """Whether a table has all columns that gaze needs, or such as are near to them."""
    try:
        return Finder(path, open_sheet(path).header, {}).finds_nearly()
    except DatasetError:
        return False


def _of_fixations(table: pl.DataFrame, found: Found, path: AnyPath) -> pl.DataFrame:
    """Keep one row of each fixation, where an export has rows of something else too."""
    export, places = found.export, found.places
    if export is None:
        return table
    before = table.height
    for name, values in export.only:
        if name in found.extra:
            texts = pl.col(str(found.extra[name])).cast(pl.String).str.to_lowercase()
            table = table.filter(texts.is_in(list(values)))
    if before and not table.height:
        names = " and ".join(name for name, _ in export.only if name in found.extra)
        raise DatasetError(
            f"{readable(path)} is an export of {export.name}, but none of its rows is a fixation "
            f"by the column {names}; export fixations too"
        )
    if export.samples:
        shown = pl.col(str(places["stimulus"]))
        table = table.filter(shown.is_not_null() & (shown.str.to_lowercase() != _CALIBRATION))
    number = [found.extra[name] for name in export.number if name in found.extra][:1]
    within = [found.extra[name] for name in export.within if name in found.extra]
    key = [str(at) for at in (places["stimulus"], places["observer"], *within, *number)]
    if not number:
        return _without_repeats(table, found) if export.samples else table
    if export.keep == "first":
        return table.unique(key, keep="first", maintain_order=True)
    runs = pl.struct(key).rle_id()
    return table.filter(runs != runs.shift(-1, fill_value=-1))


_CALIBRATION = "eyetracker calibration"


def _without_repeats(table: pl.DataFrame, found: Found) -> pl.DataFrame:
    """One row of those that follow each other and are the same, none without a point."""
    point = [str(found.places[role]) for role in ("x", "y")]
    table = table.filter(pl.all_horizontal(pl.col(point).is_not_null()))
    runs = pl.struct(str(at) for at in found.places.values()).rle_id()
    return table.filter(runs != runs.shift(1, fill_value=-1))


@dataclass(frozen=True)
class _Numbers:
    """Makes numbers of what stands in a table."""

    path: AnyPath
    sheet: Sheet
    found: Found

    def read(self, table: pl.DataFrame) -> dict[str, pl.Series]:
        """Columns x, y and, if known, duration in milliseconds."""
        places = {role: at for role, at in self.found.places.items() if role in _NUMBERS}
        export = self.found.export
        span = export.span if export else None
        if span and "duration" not in places and {*span[:2]} <= self.found.extra.keys():
            places |= {name: self.found.extra[name] for name in span[:2]}
        numbers = self._columns(table, places)
        if "duration" in numbers:
            numbers["duration"] *= self.found.milliseconds
        elif span and span[0] in numbers:
            start, end = numbers.pop(span[0]), numbers.pop(span[1])
            numbers["duration"] = (end - start) * span[2]
        return numbers

    def _columns(self, table: pl.DataFrame, places: Mapping[str, int]) -> dict[str, pl.Series]:
        texts = {role: table[str(at)] for role, at in places.items()}
        numbers = {role: self._number(text, places[role]) for role, text in texts.items()}
        wrong = {role: _wrong(text, numbers[role]) for role, text in texts.items()}
        if self.sheet.decimal_comma and any(map(len, wrong.values())) and not _pointed(texts):
            texts = {role: _with_points(text) for role, text in texts.items()}
            numbers = {role: self._number(text, places[role]) for role, text in texts.items()}
            wrong = {role: _wrong(text, numbers[role]) for role, text in texts.items()}
        found = {role: rows for role, rows in wrong.items() if len(rows)}
        if found:
            first = min(found, key=lambda role: int(found[role][0]))
            self._refuse(table, found[first][0], places[first], sum(map(len, found.values())) - 1)
        return {role: number.fill_nan(None) for role, number in numbers.items()}

    def _number(self, column: pl.Series, place: int) -> pl.Series:
        if not (column.dtype.is_numeric() or column.dtype in {pl.String, pl.Null}):
            raise DatasetError(
                f"{readable(self.path)} holds something else than numbers in column "
                f"{self.sheet.header[place]} ({column.dtype}); make them numbers"
            )
        return column.cast(pl.Float64, strict=False)

    def _refuse(self, table: pl.DataFrame, at: int, place: int, more: int) -> None:
        """Name the first value that is no number."""
        raise DatasetError(
            f"{readable(self.path)} holds {table[str(place)][at]!r} in row {table['row'][at]}, "
            f"column {self.sheet.header[place]}, where a number should be"
            f"{f', and {more:,} more such values' if more else ''}; write numbers with a decimal "
            "point and nothing between thousands, and leave missing ones empty"
        )


def _wrong(text: pl.Series, number: pl.Series) -> pl.Series:
    """Places of texts that are neither numbers nor codes for missing ones."""
    if number.null_count() == text.null_count():
        return pl.Series(dtype=pl.UInt32)
    rows = (number.is_null() & text.is_not_null()).arg_true()
    return rows.filter(~text.gather(rows).str.to_lowercase().is_in(_MISSING))


def _pointed(texts: Mapping[str, pl.Series]) -> bool:
    """Whether some numbers have a decimal point, so that commas are something else."""
    strings = [text for text in texts.values() if text.dtype == pl.String]
    pointed = (text.filter(text.str.contains(".", literal=True)) for text in strings)
    return any(text.cast(pl.Float64, strict=False).is_not_null().any() for text in pointed)


def _with_points(text: pl.Series) -> pl.Series:
    return text.str.replace(",", ".", literal=True) if text.dtype == pl.String else text


def _text(table: pl.DataFrame, place: int, role: str, path: AnyPath) -> pl.Series:
    """Names of stimuli or observers; none may be empty."""
    column = table[str(place)]
    if column.dtype.is_nested() or column.dtype == pl.Binary:
        raise DatasetError(
            f"{readable(path)} holds something else than names in the column for {role} "
            f"({column.dtype}); make them text"
        )
    texts = column.cast(pl.String)
    empty = texts.is_null()
    if empty.any():
        count = int(empty.sum())
        raise DatasetError(
            f"{readable(path)} has no {role} in {count:,} row{'s' * (count > 1)}, the first is row "
            f"{table['row'][empty.arg_max() or 0]}; fill them in or remove them"
        )
    return texts
