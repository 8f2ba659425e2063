"""Tables of gaze as spreadsheets, statistics programs and people write them."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quickgaze.errors import DatasetError, OptionError
from quickgaze.stimuli._gaze_columns import read_columns
from quickgaze.stimuli._gaze_tables import GazeTable, read_gaze_table
from quickgaze.stimuli._sheets import TABLE_SUFFIXES

Read = Callable[..., GazeTable]

HEADER = "stimulus,observer,x,y\n"


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Write a table and read it back."""

    def written(content: str | bytes, columns: str = "", name: str = "fixations.csv") -> GazeTable:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_gaze_table(path, read_columns(columns) if columns else None)

    return written


def points(table: GazeTable) -> list[tuple[Any, ...]]:
    return table.rows.rows()


def test_a_plain_table(read: Read) -> None:
    table = read("stimulus,observer,x,y,duration,note\na,1,2.5,3,200,w\nb,ann,1e2,-4,,\n")
    assert points(table) == [("a", "1", 2.5, 3, 200), ("b", "ann", 100, -4, None)]
    kinds = [pl.String, pl.String, pl.Float64, pl.Float64, pl.Float64]
    assert table.rows.schema == dict(
        zip(["stimulus", "observer", "x", "y", "duration"], kinds, strict=True)
    )
    assert (table.units, table.y, table.export) == (None, None, "")


def test_the_order_of_columns_does_not_matter(read: Read) -> None:
    assert points(read("y,x,note,observer,stimulus\n3,2,w,1,a\n")) == [("a", "1", 2, 3)]


MISSING = ["", " ", ".", "-", "--", "n/a", "N/A", "#N/A", "NA", "<NA>", "null", "NULL", "None"]
MISSING += ["NaN", "nan", '""', '" "', " . ", "n.a."]


@pytest.mark.parametrize("code", MISSING)
def test_missing_values(read: Read, code: str) -> None:
    table = read(f"stimulus,observer,x,y,duration\na,1,{code},{code},{code}\na,1,2,3,4\n")
    assert points(table) == [("a", "1", None, None, None), ("a", "1", 2, 3, 4)]


def test_an_observer_may_be_called_na(read: Read) -> None:
    assert points(read(f"{HEADER}none,NA,1,2\n")) == [("none", "NA", 1, 2)]


@pytest.mark.parametrize(
    "header",
    [
        " stimulus , observer,x ,  y",
        "Stimulus,OBSERVER,X,Y",
        '"stimulus", "observer","x","y"',
        "\tStimulus,Observer\t,x,y",
    ],
)
def test_names_of_columns(read: Read, header: str) -> None:
    assert points(read(f"{header}\n a ,\t1, 2 , 3\n")) == [("a", "1", 2, 3)]


@pytest.mark.parametrize("separator", [",", "\t", ";", "|"])
@pytest.mark.parametrize("name", ["fixations.csv", "fixations.TSV", "fixations.txt"])
def test_separators(read: Read, separator: str, name: str) -> None:
    text = f"{HEADER}cats/a b.jpg,1,2.5,3\n".replace(",", separator)
    assert points(read(text, name=name)) == [("cats/a b.jpg", "1", 2.5, 3)]
    assert f".{name.lower().rpartition('.')[2]}" in TABLE_SUFFIXES


def test_a_separator_inside_of_values(read: Read) -> None:
    text = 'stimulus\tobserver\tx\ty\nhill, lake, sky\t1\t2\t3\n"a\tb"\t1;2\t4\t5\n'
    assert points(read(text)) == [("hill, lake, sky", "1", 2, 3), ("a\tb", "1;2", 4, 5)]


def test_a_separator_that_the_file_tells_excel(read: Read) -> None:
    assert points(read(f"sep=;\n{HEADER.replace(',', ';')}a;1;2,5;3\n")) == [("a", "1", 2.5, 3)]
    with pytest.raises(DatasetError, match="'two' in row 2, column x"):
        read(f"sep=;\n{HEADER.replace(',', ';')}a;1;two;3\n")


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_decimal_commas(read: Read, separator: str) -> None:
    text = "stimulus,observer,x,y,duration\na,1,312_5,40,1_25\na,1,.,-0_25,n/a\n"
    text = text.replace(",", separator).replace("_", ",")
    assert points(read(text)) == [("a", "1", 312.5, 40, 1.25), ("a", "1", None, -0.25, None)]


@pytest.mark.parametrize(
    ("text", "value", "row", "column"),
    [
        ("a,1,2,3\na,1,two,3\n", "two", 3, "x"),
        ('a,1,"1,234.5",3\n', "1,234.5", 2, "x"),
        ('a,1,2,3\n\n\na,1,2,"12,5"\n', "12,5", 5, "y"),
        ("a,1,2,3\n" * 9 + "a,1,2,3px\n", "3px", 11, "y"),
        ("a,1,1 234,3\n", "1 234", 2, "x"),
        ("a,1,2,0x10\n", "0x10", 2, "y"),
    ],
)
def test_values_that_are_no_numbers(
    read: Read, text: str, value: str, row: int, column: str
) -> None:
    words = f"fixations.csv holds {value!r} in row {row}, column {column}, where a number should"
    with pytest.raises(DatasetError, match=words):
        read(HEADER + text)


@pytest.mark.parametrize("x", ["1.234,5", "1,234.5"])
def test_points_between_thousands(read: Read, x: str) -> None:
    with pytest.raises(DatasetError, match=f"holds '{x}' in row 3, column X, where"):
        read(f"stimulus;observer;X;y\na;1;2;3\na;1;{x};3\n")


def test_commas_are_refused_where_there_are_decimal_points(read: Read) -> None:
    with pytest.raises(DatasetError, match="holds '1,234' in row 3, column x"):
        read("stimulus\tobserver\tx\ty\na\t1\t2.5\t3\na\t1\t1,234\t3\n")


def test_the_first_wrong_value_is_named_and_the_others_counted(read: Read) -> None:
    with pytest.raises(DatasetError, match=r"'up' in row 2, column y, .* and 2 more such values"):
        read(f"{HEADER}a,1,1,up\na,1,left,right\n")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1", "cp1252", "utf-8"])
def test_encodings(read: Read, encoding: str) -> None:
    assert points(read(f"{HEADER}café,Zoë,1,2\n".encode(encoding))) == [("café", "Zoë", 1, 2)]


@pytest.mark.parametrize("endian", ["le", "be"])
@pytest.mark.parametrize("mark", [True, False])
def test_utf_16_from_excel(read: Read, endian: str, mark: bool) -> None:
    name = f"utf-16-{endian}"
    text = f"{HEADER}日本.png,1,1.5,2\n".replace(",", "\t").replace("\n", "\r\n")
    start = {"le": codecs.BOM_UTF16_LE, "be": codecs.BOM_UTF16_BE}[endian] if mark else b""
    table = read(start + text.encode(name), name="fixations.txt")
    assert points(table) == [("日本.png", "1", 1.5, 2)]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", ["", "\n", "\n\n\n", "\n   \n", "\n,,,\n"])
def test_ends_of_lines(read: Read, ending: str, last: str) -> None:
    text = f"{HEADER}a,1,2,3\n\nb,1,4,5{last}".replace("\n", ending)
    assert points(read(text)) == [("a", "1", 2, 3), ("b", "1", 4, 5)]


def test_rows_are_counted_as_in_a_spreadsheet(read: Read) -> None:
    text = f'\n\n{HEADER}"a\nb",1,2,3\n\na,1,no,3\n'
    with pytest.raises(DatasetError, match="'no' in row 6, column x"):
        read(text)


def test_a_header_only(read: Read) -> None:
    for text in (HEADER, HEADER.strip(), f"{HEADER}\n\n"):
        table = read(text)
        assert table.rows.columns == ["stimulus", "observer", "x", "y"]
        assert table.rows.height == 0
        assert table.rows["x"].dtype == pl.Float64


@pytest.mark.parametrize("text", ["", "\n", "  \n\n", "\ufeff", "sep=;\n"])
def test_an_empty_file(read: Read, text: str) -> None:
    with pytest.raises(DatasetError, match=r"fixations\.csv cannot be read as a table: it is empt"):
        read(text)


def test_a_table_without_a_header(read: Read) -> None:
    for text in ("a,1,2,3\nb,1,4,5\n", "a;1;2,5;3\n", "tabby.jpg\tann\t3.5\t4\n"):
        with pytest.raises(DatasetError, match=r"no header: .*; put a row above that names the"):
            read(text)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("stimulus,observer,x,x,y", r"called x: 'x' \(column 3\) and 'x' \(column 4\)"),
        ("stimulus,observer,X,x ,X,y", None),
        ("Stimulus,STIMULUS,observer,x,y", r"called stimulus: 'Stimulus' \(column 1\) and 'STI"),
        ("stimulus,observer,x,y,note,note", None),
    ],
)
def test_doubled_columns(read: Read, header: str, words: str | None) -> None:
    cells = dict(zip(["stimulus", "observer", "x", "y"], "a123", strict=True))
    row = ",".join(cells.get(name, "9") for name in header.replace("x ", "x").split(","))
    if words is None:
        assert points(read(f"{header}\n{row}\n")) == [("a", "1", 2, 3)]
        return
    with pytest.raises(DatasetError, match=f"more than one column that is {words}"):
        read(f"{header}\n{row}\n")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,1,2,3\na,1,2,3,4\n", "row 3 has 5 cells, the header names 4 .* a comma without"),
        ("a,1,2,3\na,b,1,2,3\n", "row 3 has 5 cells"),
        ("a,1,2,3\n\na,1,2\n", "ends early in row 4: it has 3 of 4 cells and none for y"),
        ("a,1,2,\na,1\n", "ends early in row 3: it has 2 of 4"),
        ('a,1,2,3\na,1,"2,3\na,1,2,3\n', "in row 3, a quotation mark is not closed"),
        ('a,1,2,3\n"a"b,1,2,3\n', "in row 3, a quotation mark is not closed, or does not close"),
        ('a,1,2,3\n"a,1,2,3\n' * 2, "in row 3, a quotation mark"),
        ("a,1,2,3\na,,2,3\nb, ,2,3\n", r"no observer in 2 rows, the first is row 3; fill"),
        ("a,1,2,3\n\n,1,2,3\n", r"no stimulus in 1 row, the first is row 4; fill"),
    ],
)
def test_damaged_rows(read: Read, text: str, words: str) -> None:
    with pytest.raises(DatasetError, match=rf"fixations\.csv .*{words}") as caught:
        read(HEADER + text)
    assert "schema" not in str(caught.value).lower()
    assert "polars" not in str(caught.value).lower()


def test_cells_beyond_the_header_that_are_empty(read: Read) -> None:
    assert points(read(f"{HEADER}a,1,2,3,, \nb,1,4,5\n")) == [("a", "1", 2, 3), ("b", "1", 4, 5)]


def test_rows_may_end_before_columns_that_are_not_needed(read: Read) -> None:
    table = read("stimulus,observer,x,y,duration,note\na,1,2,3\na,1,2,3,4\na,1,2,3,4,w\n")
    assert table.rows["duration"].to_list() == [None, 4, 4]


def test_quotation_marks(read: Read) -> None:
    text = f'{HEADER}"a ""big"" one, cut", "1",2,"3"\n'
    assert points(read(text)) == [('a "big" one, cut', "1", 2, 3)]
    assert points(read(f'{HEADER}5" disk.png,1,2,3\n')) == [('5" disk.png', "1", 2, 3)]
    inches = f'{HEADER}5" disk.png,1,two,3\n'
    with pytest.raises(DatasetError, match="'two' in row 2"):
        read(inches)


@pytest.mark.parametrize(
    ("beginning", "words"),
    [
        (b"PK\x03\x04", "an Excel workbook or a ZIP file; save the table as CSV"),
        (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
        (b"PAR1", r"a Parquet file; name it \.parquet"),
        (b"\x1f\x8b", "compressed by gzip; unpack it"),
    ],
)
def test_files_that_are_no_text(read: Read, beginning: bytes, words: str) -> None:
    with pytest.raises(DatasetError, match=rf"cannot be read as a table of text: it is {words}"):
        read(beginning + b"...")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"gone\.csv cannot be read as a table: .*not exist"):
        read_gaze_table(tmp_path / "gone.csv")


def test_columns_that_are_lacking(read: Read) -> None:
    with pytest.raises(
        DatasetError,
        match=r"lacks the columns stimulus, observer, x; it needs stimulus, observer, x, y and may "
        r"have duration; it has image, subject, pos_x, y, \(no name\) \('image' is near to "
        r".*columns=stimulus=image,observer=subject,x=pos_x$",
    ):
        read("image,subject,pos_x,y,\na,1,2,3,\n")
    with pytest.raises(DatasetError, match=r"column y; .*columns=y=NAME$"):
        read("stimulus,observer,x,up\na,1,2,3\n")
    wide = ",".join(f"c{number}" for number in range(40))
    with pytest.raises(DatasetError, match=r"c11 and 28 more"):
        read(f"{wide}\n")


def test_the_nearest_columns_lead_to_a_table_that_is_read(read: Read) -> None:
    text = "File name;Participant;Pos X;Pos Y\na;1;2;3\n"
    with pytest.raises(DatasetError) as caught:
        read(text)
    named = str(caught.value).partition(" with columns=")[2]
    assert named == "stimulus=File name,observer=Participant,x=Pos X,y=Pos Y"
    assert points(read(text, named)) == [("a", "1", 2, 3)]


def test_named_columns(read: Read) -> None:
    text = "who,what,px,py,ms,x\nann,a,2,3,200,9\n"
    named = "x=px, y=PY ,stimulus=what,observer=who,duration=ms"
    assert points(read(text, named)) == [("a", "ann", 2, 3, 200)]
    some = "stimulus,observer,px,y,x\na,1,2,3,9\n"
    assert points(read(some, "x=px")) == [("a", "1", 2, 3)]


def test_names_that_hold_commas_from_python(tmp_path: Path) -> None:
    path = tmp_path / "gaze.csv"
    path.write_text('stimulus,observer,"x, left",y\na,1,2,3\n')
    table = read_gaze_table(path, read_columns({"x": "x, left"}))
    assert points(table) == [("a", "1", 2, 3)]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("stimuli=image", "unknown part of columns= 'stimuli'; did you mean 'stimulus'"),
        ("X=a", "unknown part of columns= 'X'"),
        ("x", "columns= is 'x'; write pairs with commas between them, such as x=FPOGX"),
        ("x=a,b", "columns= is 'x=a,b'; write pairs"),
        ("", "write pairs"),
        ("x=", "columns= names no column for x; write x=NAME"),
        ("x=a,x=b", "columns= names two columns for x"),
        ("x=a,y=a", "columns= names 'a' twice"),
        ({"x": 3}, "columns= names no column for x"),
    ],
)
def test_columns_that_cannot_be_read(given: Any, words: str) -> None:
    with pytest.raises(OptionError, match=words):
        read_columns(given)


def test_columns_as_text_and_as_a_mapping() -> None:
    text = "x=FPOGX,y=FPOGY,stimulus=MEDIA_NAME,observer=USER"
    wanted = {"x": "FPOGX", "y": "FPOGY", "stimulus": "MEDIA_NAME", "observer": "USER"}
    assert read_columns(text) == wanted == read_columns(wanted)


def test_named_columns_that_are_not_there(read: Read) -> None:
    words = r"no column 'imge', which columns= names for stimulus; did you mean 'image'\? It has i"
    with pytest.raises(OptionError, match=words):
        read("image,observer,x,y\n", "stimulus=imge")


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "fixations.PARQUET"
    table = pl.DataFrame({"Stimulus": ["a ", "b"], "observer": [1, 2], "y": [3, 4]}).with_columns(
        pl.Series("x", [" 1.5", "n/a"]),
        pl.Series("duration", [float("nan"), 2], pl.Float32),
        pl.col("Stimulus").cast(pl.Categorical),
    )
    table.write_parquet(path)
    assert points(read_gaze_table(path)) == [("a", "1", 1.5, 3, None), ("b", "2", None, 4, 2)]
    table.with_columns(x=pl.Series(["1.5", "one"])).write_parquet(path)
    with pytest.raises(DatasetError, match="holds 'one' in row 3, column x"):
        read_gaze_table(path)


@pytest.mark.parametrize("column", ["x", "observer"])
def test_parquet_of_other_types(tmp_path: Path, column: str) -> None:
    table = pl.DataFrame({"stimulus": ["a"], "observer": ["1"], "x": [1], "y": [2]})
    table = table.with_columns(pl.struct("stimulus").alias(column))
    table.write_parquet(tmp_path / "a.parquet")
    with pytest.raises(DatasetError, match=rf"holds something else than .*{column}"):
        read_gaze_table(tmp_path / "a.parquet")
    (tmp_path / "a.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(DatasetError, match="it is damaged, or no Parquet file"):
        read_gaze_table(tmp_path / "a.parquet")


NAMES = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=8)


@given(
    st.lists(st.tuples(NAMES, NAMES, st.floats(-1e4, 1e4)), min_size=1, max_size=8),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
@settings(max_examples=60, deadline=None)
def test_what_was_written_is_read(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[str, str, float]],
    separator: str,
    encoding: str,
) -> None:
    table = pl.DataFrame(
        [(stimulus, observer, x, -x) for stimulus, observer, x in rows],
        schema=["stimulus", "observer", "x", "y"],
        orient="row",
    )
    path = tmp_path_factory.mktemp("table") / "gaze.csv"
    path.write_bytes(table.write_csv(separator=separator).encode(encoding))
    assert points(read_gaze_table(path)) == table.rows()


@pytest.mark.parametrize(
    "text",
    [
        "stimulus observer x y\na 1 2 3\n",
        f"# exported today\n{HEADER}a,1,2,3\n",
        '{"stimulus": "a"}',
        "\x89PNG\r\n\x1a\n" + "\x01" * 200,
    ],
)
def test_first_rows_that_are_not_divided(read: Read, text: str) -> None:
    words = r"its first row, '.{1,70}', is not divided into columns; separate them by commas, tabs"
    with pytest.raises(DatasetError, match=words):
        read(text)


def test_a_header_that_comes_twice(read: Read) -> None:
    with pytest.raises(DatasetError, match="'x' in row 3, column x"):
        read(f"{HEADER}a,1,2,3\n{HEADER}b,1,2,3\n")


def test_a_column_of_row_numbers(read: Read) -> None:
    assert points(read(f",{HEADER}0,a,1,2,3\n")) == [("a", "1", 2, 3)]
    assert points(read('"","stimulus","observer","x","y"\n"1","a","1",2,3\n')) == [("a", "1", 2, 3)]


@pytest.mark.parametrize("near", ["pos_x", "x_px", "FPOGX", "PositionX", "X [px]", "xpos", "px.x"])
def test_names_near_to_x(read: Read, near: str) -> None:
    with pytest.raises(DatasetError, match=rf"columns=x={re.escape(near)}$"):
        read(f"stimulus,observer,index,max,{near},y\n")
    with pytest.raises(DatasetError, match=r"columns=x=NAME$"):
        read("stimulus,observer,index,max,y\n")


def test_blanks_that_look_like_none(read: Read) -> None:
    text = "stimulus\u00a0,observer,\u2009x,y\na\u00a0,1,\u00a02,3\n"
    assert points(read(text)) == [("a", "1", 2, 3)]
