"""Tables as CSV and Parquet, read back by other readers."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import quickgaze as qg
from quickgaze.errors import OptionError, UnknownNameError
from quickgaze.exports import TABLES, export_table
from quickgaze.study import Run

NAMES = ['a,"b"\n;c\r\nd', "0001", " Straße 猫"]


@pytest.mark.parametrize("table", TABLES)
def test_parquet_is_the_table_in_one_file(table: str, mixed: Run, tmp_path: Path) -> None:
    path = export_table(mixed, tmp_path / "t.parquet", table, to="parquet")
    assert_frame_equal(pl.read_parquet(path), getattr(mixed, table)())


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_csv_gives_the_same_numbers(mixed: Run, tmp_path: Path) -> None:
    path = export_table(mixed, tmp_path / "scores.csv")
    scores = mixed.scores()
    rows = rows_of(path)
    assert list(rows[0]) == scores.columns
    assert [row["stimulus"] for row in rows] == scores["stimulus"].to_list()
    for column in ("sigma", "cc", "orientation_margin"):
        found = np.array([row[column] for row in rows], scores[column].to_numpy().dtype)
        np.testing.assert_array_equal(found, scores[column].to_numpy())


def test_names_and_undefined_scores_survive(
    run_named: Callable[[Sequence[str]], Run], tmp_path: Path
) -> None:
    path = export_table(run_named(NAMES), tmp_path / "scores.csv")
    assert path.read_bytes().decode("utf-8").startswith("stimulus,backbone,")
    rows = rows_of(path)
    assert [row["stimulus"] for row in rows] == NAMES
    # center is no component of anything: its explained variance is undefined
    assert {row["explained_variance"] for row in rows} == {"NaN"}
    assert all(math.isfinite(float(row["cc"])) for row in rows)


def test_pandas_reads_it(run_named: Callable[[Sequence[str]], Run], tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    run = run_named(NAMES)
    found = pandas.read_csv(export_table(run, tmp_path / "s.csv"), dtype={"stimulus": str})
    assert found["stimulus"].to_list() == NAMES
    assert found["explained_variance"].dtype == np.float64
    assert found["explained_variance"].isna().all()
    assert found["cc"].to_numpy() == pytest.approx(run.scores()["cc"].to_numpy(), rel=1e-14)


def test_projections_are_left_out_unless_asked_for(mixed: Run, tmp_path: Path) -> None:
    short = rows_of(export_table(mixed, tmp_path / "maps.csv", "maps"))
    assert "projection" not in short[0]
    assert len(short) == mixed.maps().height
    long = rows_of(export_table(mixed, tmp_path / "long.csv", "maps", projections=True))
    for row, expected in zip(long, mixed.maps()["projection"], strict=True):
        found = np.array(row["projection"].split(" "), np.float32)
        assert np.array_equal(found, expected.to_numpy())
    with pytest.raises(OptionError, match="a column of the table maps"):
        export_table(mixed, tmp_path / "x.csv", "scores", projections=True)
    with pytest.raises(OptionError, match="an option for CSV only"):
        export_table(mixed, tmp_path / "x.csv", "maps", to="parquet", projections=True)


def test_an_empty_table_has_its_columns(run: Run, tmp_path: Path) -> None:
    path = export_table(run, tmp_path / "failures.csv", "failures")
    assert path.read_text() == "stimulus,stage,error,message\n"


def test_failures_and_reasons(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "bad, bad.png").write_bytes(b"no image")
    study = qg.Study(qg.load_dataset("folder", tmp_path / "images"), metrics=["cc"])
    run = study.run(tmp_path / "run", progress=False)
    found = rows_of(export_table(run, tmp_path / "f.csv", "failures"))
    assert [row["stimulus"] for row in found] == ["bad, bad"]
    assert [row["message"] for row in found] == run.failures()["message"].to_list()


def test_what_cannot_be_written(run: Run, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'scores'"):
        export_table(run, tmp_path / "a.csv", "score")
    with pytest.raises(UnknownNameError, match="unknown format 'xlsx'"):
        export_table(run, tmp_path / "a.csv", to="xlsx")  # type: ignore[arg-type]
    path = export_table(run, tmp_path / "a.csv")
    before = path.read_bytes()
    with pytest.raises(OptionError, match="is there already"):
        export_table(run, path, "failures")
    assert path.read_bytes() == before
    assert export_table(run, path, "failures", overwrite=True).read_bytes() != before
    with pytest.raises(OptionError, match="is a folder"):
        export_table(run, tmp_path, overwrite=True)
    plan = (run.path / "plan.json").read_bytes()
    with pytest.raises(OptionError, match="lies in the run folder"):
        export_table(run, run.path / "plan.json", overwrite=True)
    assert (run.path / "plan.json").read_bytes() == plan
    assert [each.name for each in tmp_path.iterdir()] == ["a.csv"]
