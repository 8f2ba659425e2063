"""A user's own tables, and tables side by side."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from quickgaze.errors import DatasetError, OptionError
from quickgaze.findings import join_attributes, read_attributes


def csv(folder: Path, *lines: str) -> Path:
    path = folder / "attributes.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_numbers_answers_texts_and_what_is_missing(tmp_path: Path) -> None:
    table = read_attributes(
        csv(
            tmp_path,
            "stimulus,size,people,scene,faces,empty",
            "001,2.5, yes,street,0,",
            "002,NA,No,,1,",
            "003,-1,,NA,NA,",
        )
    )
    assert table["stimulus"].to_list() == ["001", "002", "003"]
    assert table["size"].to_list() == [2.5, None, -1.0]
    assert table["people"].to_list() == [True, False, None]
    assert table["scene"].to_list() == ["street", None, None]
    assert table["faces"].to_list() == [0, 1, None]
    assert table["empty"].null_count() == 3


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    content = pl.DataFrame({"stimulus": [1, 2], "day": [True, None], "n": [3, 4]})
    content.write_parquet(tmp_path / "a.parquet")
    table = read_attributes(tmp_path / "a.parquet")
    assert table.rows() == [("1", True, 3), ("2", None, 4)]


def test_a_row_per_object(tmp_path: Path) -> None:
    path = csv(
        tmp_path,
        "stimulus,face,text,size,kind,known",
        "1001.jpg,0,1,10,dog,NA",
        "1002.jpg,0,NA,5,cat,NA",
        "1001.jpg,1,0,20,cat,1",
        "1001.jpg,0,0,NA,dog,NA",
    )
    with pytest.raises(DatasetError, match=r"several rows for '1001\.jpg'.*per='object'"):
        read_attributes(path)
    assert read_attributes(path, per="object").rows() == [
        ("1001.jpg", 3, True, True, 15.0, None, True),
        ("1002.jpg", 1, False, None, 5.0, "cat", None),
    ]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["image,people", "a,1"], "has no column called stimulus.*it has image, people"),
        (["stimulus", "a"], "no attribute"),
        (["stimulus,people", "a,1", ",0"], "no stimulus in 1 rows, the first is row 2"),
        (["stimulus,people", "a,1", "a,0,7"], "cannot be read as a table"),
    ],
)
def test_tables_that_cannot_be_used(tmp_path: Path, lines: list[str], message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        read_attributes(csv(tmp_path, *lines))


def test_no_table_and_no_such_option(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="cannot be read as a table"):
        read_attributes(tmp_path / "none.csv")
    (tmp_path / "a.parquet").write_bytes(b"no parquet")
    with pytest.raises(DatasetError, match="cannot be read as a table"):
        read_attributes(tmp_path / "a.parquet")
    with pytest.raises(OptionError, match="per is 'image'"):
        read_attributes(tmp_path / "none.csv", per="image")


def test_tables_side_by_side_keep_every_reason() -> None:
    first = pl.DataFrame({"stimulus": ["a", "b"], "x": [1, 2], "reason": ["damaged", None]})
    second = pl.DataFrame({"stimulus": ["a", "c"], "y": [3, None], "reason": ["no", "gone"]})
    assert join_attributes(first, second).rows() == [
        ("a", 1, 3, "damaged; no"),
        ("b", 2, None, None),
        ("c", None, None, "gone"),
    ]


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ([], "no table"),
        ([{"x": [1]}], "table 1 has no column called stimulus"),
        ([{"stimulus": ["a", "a"], "x": [1, 2]}], "table 1 has several rows for 'a'"),
        ([{"stimulus": ["a"], "x": [1]}] * 2, "'x' stands in several tables"),
    ],
)
def test_tables_that_cannot_be_joined(tables: list[dict], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        join_attributes(*map(pl.DataFrame, tables))
