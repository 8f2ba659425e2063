"""Means of bounds and shares of the way, on scores written by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from quickgaze.findings import bounds, shares
from quickgaze.study import Run

WriteRun = Callable[..., Run]
NAN = float("nan")
METRICS = ["cc", "kld", "nss"]


@pytest.fixture
def tables() -> dict[str, list[dict[str, object]]]:
    """Three images; the last has no gold standard, and the model is undefined in one."""
    keys = {"backbone": "net", "cam": "eigen", "grid": "coarsest", "component": 0}
    keys |= {"orientation": "skew", "sigma": 19.0, "convention": "tuebingen"}
    model = {"a": (0.5, 1.0, 1.0), "b": (0.7, 2.0, 2.0), "c": (NAN, 3.0, 9.0)}
    scores = [
        {"stimulus": name, **keys, **dict(zip(METRICS, values, strict=True))}
        for name, values in model.items()
    ]
    people = {
        "center_bias": ((0.2, 4.0, 0.5), (0.2, 4.0, 0.5), (0.2, 4.0, 0.5)),
        "split_half": ((0.8, 0.5, 7.0), (0.8, 0.5, 7.0), (0.8, 0.5, 7.0)),
        "gold_standard": ((0.1, 9.0, 2.5), (0.1, 9.0, 4.5), (0.1, 9.0, NAN)),
    }
    rows = [
        {"stimulus": name, "bound": bound, "convention": "tuebingen", "trials": 1}
        | dict(zip(METRICS, values, strict=True))
        for bound, images in people.items()
        for name, values in zip("abc", images, strict=True)
    ]
    return {"scores": scores, "bounds": rows}


@pytest.fixture
def run(tmp_path: Path, write_run: WriteRun, tables: dict[str, Any]) -> Run:
    return write_run(tmp_path, METRICS, **tables)


def test_means_of_bounds_leave_out_what_is_undefined(run: Run) -> None:
    found = bounds(run).filter(pl.col("bound") == "gold_standard", pl.col("metric") == "nss")
    row = found.row(0, named=True)
    assert row["mean"] == 3.5
    assert row["standard_error"] == pytest.approx(1.0)
    assert (row["images"], row["left_out"]) == (2, 1)


def test_a_share_is_of_the_images_that_have_all_three(run: Run) -> None:
    found = {row["metric"]: row for row in shares(run).iter_rows(named=True)}
    assert found["cc"]["ceiling"] == "split_half"
    assert found["cc"]["share"] == pytest.approx((0.6 - 0.2) / (0.8 - 0.2))
    assert found["cc"]["images"] == 2
    # lower is better, and all three images count
    assert found["kld"]["share"] == pytest.approx((2.0 - 4.0) / (0.5 - 4.0))
    assert found["kld"]["images"] == 3
    assert found["nss"]["ceiling"] == "gold_standard"
    assert found["nss"]["share"] == pytest.approx((1.5 - 0.5) / (3.5 - 0.5))


def test_there_is_no_way_where_people_are_below_the_centre_bias(
    tmp_path: Path, write_run: WriteRun, tables: dict[str, Any]
) -> None:
    for row in tables["bounds"]:
        if row["bound"] == "split_half":
            row["cc"] = 0.1
    found = shares(write_run(tmp_path, METRICS, **tables)).filter(pl.col("metric") == "cc")
    assert found["share"].to_list() == [None]


def test_a_run_without_bounds_has_no_shares(
    tmp_path: Path, write_run: WriteRun, tables: dict[str, Any]
) -> None:
    run = write_run(tmp_path, METRICS, scores=tables["scores"])
    assert bounds(run).is_empty()
    assert shares(run).is_empty()
    assert {"metric", "model", "chance", "people", "images", "share"} < set(shares(run).columns)
