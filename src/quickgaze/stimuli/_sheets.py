"""Tables as they lie on disk: text in its common forms, and Parquet."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from quickgaze.errors import DatasetError, first_line
from quickgaze.places import AnyPath, read_bytes, readable

TABLE_SUFFIXES = frozenset({".csv", ".tsv", ".tab", ".txt", ".parquet"})
"""File name endings, in lower case, of files that are read as tables."""

_SEPARATORS = (",", "\t", ";", "|")
_LOOKED_AT = 20  # rows that decide what separates the columns

# What begins like this is no text, whatever its name says.
_OTHERS = {
    b"PK\x03\x04": "an Excel workbook or a ZIP file; save the table as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook; save the table as CSV",
    b"PAR1": "a Parquet file; name it .parquet",
    b"\x1f\x8b": "compressed by gzip; unpack it",
}


@dataclass(frozen=True, eq=False)
class Sheet:
    """Names of a table's columns, and `read`, which takes places of columns.

    It gives rows with their number as a spreadsheet counts ("row": the header is row 1) and the
    columns by place ("0"). Blanks around texts are gone, and so are rows in which nothing stands.
    `refuse_short` takes numbers of rows and a place, which none of these rows may lack.
    """

    header: tuple[str, ...]
    read: Callable[[Sequence[int]], pl.DataFrame]
    refuse_short: Callable[[Collection[int], int], None]
    decimal_comma: bool


def open_sheet(path: AnyPath) -> Sheet:
    """Find the columns of a table, or raise `DatasetError`."""
    try:
        content = read_bytes(path)
    except OSError as error:
        raise DatasetError(
            f"{readable(path)} cannot be read as a table: {first_line(error)}"
        ) from error
    if path.suffix.lower() == ".parquet":
        return _parquet(content, path)
    for beginning, kind in _OTHERS.items():
        if content.startswith(beginning):
            raise DatasetError(f"{readable(path)} cannot be read as a table of text: it is {kind}")
    return _Text.of(_decoded(content), path).sheet()


def _parquet(content: bytes, path: AnyPath) -> Sheet:
    try:
        table = pl.read_parquet(io.BytesIO(content))
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DatasetError(
            f"{readable(path)} cannot be read as a table: it is damaged, or no Parquet file"
        ) from error
    header = tuple(name.strip() for name in table.columns)
    table.columns = [str(place) for place in range(len(header))]

    def read(places: Sequence[int]) -> pl.DataFrame:
        return _without_blanks(table.select(map(str, places)).with_row_index("row", 2))

    return Sheet(header, read, lambda *_: None, decimal_comma=False)


def _without_blanks(table: pl.DataFrame) -> pl.DataFrame:
    """Strip texts, and drop rows in which nothing stands."""
    table = table.with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))
    table = table.with_columns(pl.col(pl.String).str.strip_chars().replace("", None))
    return table.filter(pl.any_horizontal(pl.exclude("row").is_not_null()))


def _decoded(content: bytes) -> str:
    """Text of a file, with line feeds at its ends of lines."""
    text = _as_text(content).removeprefix("\ufeff")
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _as_text(content: bytes) -> str:
    # Some programs leave the mark out; a letter then comes with a zero.
    zeros = [byte == 0 for byte in content[:2]]
    if content.startswith(codecs.BOM_UTF16_LE) or zeros == [False, True]:
        return content.decode("utf-16-le", errors="replace")
    if content.startswith(codecs.BOM_UTF16_BE) or zeros == [True, False]:
        return content.decode("utf-16-be", errors="replace")
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


@dataclass(frozen=True)
class _Text:
    """A table of text: what separates its columns, their names, and the rows below."""

    path: AnyPath
    separator: str
    header: tuple[str, ...]
    body: str
    above: int  # rows up to and with the header

    @classmethod
    def of(cls, text: str, path: AnyPath) -> _Text:
        """Find header and separator."""
        rest = text.lstrip("\n")
        blank = len(text) - len(rest)
        told = re.match(r"sep=(.)\n", rest)  # a line for Excel, which does not show it
        if told:
            rest = rest[told.end() :]
        if not rest.strip():
            raise DatasetError(
                f"{readable(path)} cannot be read as a table: it is empty; its first row should "
                "name the columns, such as stimulus,observer,x,y"
            )
        separator = told.group(1) if told else _separator(rest)
        if '"' in rest:  # a blank before a quotation mark would make it part of the value
            rest = re.sub(rf'({re.escape(separator)}) +"', r'\1"', rest)
        stream = io.StringIO(rest, newline="")
        header = next(csv.reader(stream, delimiter=separator))
        if len(header) == 1:
            raise DatasetError(
                f"{readable(path)} cannot be read as a table: its first row, "
                f"{_shortened(header[0])}, is not divided into columns; separate them by commas, "
                "tabs, semicolons or vertical bars, and name them in the first row"
            )
        body = rest[stream.tell() :]
        return cls(path, separator, tuple(name.strip() for name in header), body, blank + 1)

    def sheet(self) -> Sheet:
        """Give the table to be read."""
        return Sheet(self.header, self._read, self._refuse_short, self.separator != ",")

    def _read(self, places: Sequence[int]) -> pl.DataFrame:
        self._check_quotes()
        try:
            return _without_blanks(self._parse(places))
        except pl.exceptions.PolarsError as error:
            self._refuse_long()
            try:
                return _without_blanks(self._parse(places, ragged=True))
            except pl.exceptions.PolarsError:
                raise DatasetError(
                    f"{readable(self.path)} cannot be read as a table; save it anew as CSV"
                ) from error

    def _parse(self, places: Sequence[int], *, ragged: bool = False) -> pl.DataFrame:
        names = self.separator.join(str(place) for place in range(len(self.header)))
        return pl.read_csv(
            f"{names}\n{self.body}".encode(),
            separator=self.separator,
            quote_char='"' if self._quoted() else None,
            columns=[str(place) for place in places],
            infer_schema=False,
            truncate_ragged_lines=ragged,
            row_index_name="row",
            row_index_offset=self.above + 1,
        )

    def _quoted(self) -> bool:
        """Whether quotation marks enclose values; inside of one they may also mean inches."""
        beginnings = ('\n"', f'{self.separator}"')
        return self.body.startswith('"') or any(each in self.body for each in beginnings)

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        """Rows with their numbers; slow, to say what is wrong."""
        stream = io.StringIO(self.body, newline="")
        quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if self._quoted() else csv.QUOTE_NONE
        rows = csv.reader(stream, delimiter=self.separator, quoting=quoting, strict=True)
        number = self.above
        try:
            for number, row in enumerate(rows, self.above + 1):
                yield number, row
        except csv.Error as error:
            raise DatasetError(
                f"{readable(self.path)} cannot be read as a table: in row {number + 1}, a "
                "quotation mark is not closed, or does not close a whole value; double those "
                "inside of values"
            ) from error

    def _check_quotes(self) -> None:
        # Polars would take all that follows an open quotation mark for one value.
        if self.body.count('"') % 2 and self._quoted():
            deque(self._records(), maxlen=0)

    def _refuse_long(self) -> None:
        width = len(self.header)
        for number, row in self._records():
            if any(cell.strip() for cell in row[width:]):
                raise DatasetError(
                    f"{readable(self.path)} cannot be read as a table: row {number} has "
                    f"{len(row)} cells, the header names {width} columns; does a value hold "
                    f"{_NAMED.get(self.separator, repr(self.separator))} without quotation marks?"
                )

    def _refuse_short(self, rows: Collection[int], needed: int) -> None:
        # Most often all rows have as many cells as the header; counting tells so quickly.
        lines = self.body.strip("\n").count("\n") + 1
        cells = self.body.count(self.separator) + lines
        if '"' not in self.body and cells == lines * len(self.header):
            return
        for number, row in self._records():
            if len(row) <= needed and number in rows:
                raise DatasetError(
                    f"{readable(self.path)} ends early in row {number}: it has {len(row)} of "
                    f"{len(self.header)} cells and none for {self.header[needed]}; complete the row"
                )


def _shortened(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")


_SHOWN = 60  # characters of a row in a message

_NAMED = {",": "a comma", "\t": "a tab", ";": "a semicolon", "|": "a vertical bar"}


def _separator(text: str) -> str:
    """Find what separates the most columns in the header, best if rows keep to it."""
    found = {each: _widths(text, each) for each in _SEPARATORS}
    return max(found, key=lambda each: (found[each][0], found[each].count(found[each][0])))


def _widths(text: str, separator: str) -> list[int]:
    lines = io.StringIO(text[:100_000], newline="")
    rows = csv.reader(lines, delimiter=separator)
    widths = []
    try:
        for row in rows:
            widths.append(len(row))
            if len(widths) == _LOOKED_AT:
                break
    except csv.Error:
        pass
    return widths or [0]
