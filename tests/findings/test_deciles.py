"""Deciles, against plain arithmetic on scores written by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quickgaze.errors import UnknownNameError
from quickgaze.findings import deciles
from quickgaze.study import Run

KEYS = {"backbone": "net", "cam": "eigen", "grid": "pool", "component": 0, "orientation": "skew"}
KEYS |= {"convention": "tuebingen"}


@pytest.fixture
def run_of(write_run: Callable[..., Run]) -> Callable[..., Run]:
    """Write a run folder whose cc is given by sigma."""

    def write(folder: Path, scores: dict[float, Sequence[float]]) -> Run:
        rows = [
            {"stimulus": f"{number}", **KEYS, "sigma": sigma, "cc": value}
            for sigma, values in scores.items()
            for number, value in enumerate(values)
        ]
        return write_run(folder, ["cc"], scores=rows)

    return write


def test_ten_equal_groups_in_the_order_of_the_scores(
    tmp_path: Path, run_of: Callable[..., Run]
) -> None:
    table = deciles(run_of(tmp_path, {0.0: [*range(19, -1, -1)]}), "cc")
    assert table.columns[-5:] == ["decile", "images", "lowest", "highest", "mean"]
    assert table.select("decile", "images", "lowest", "highest", "mean").rows() == [
        (number, 2, 2.0 * number - 2, 2.0 * number - 1, 2 * number - 1.5) for number in range(1, 11)
    ]


def test_the_lower_deciles_take_what_is_left_over(
    tmp_path: Path, run_of: Callable[..., Run]
) -> None:
    table = deciles(run_of(tmp_path, {0.0: [0.5] * 13}), "cc")
    assert table["images"].to_list() == [2, 2, 2, 1, 1, 1, 1, 1, 1, 1]


def test_each_variant_has_its_own(tmp_path: Path, run_of: Callable[..., Run]) -> None:
    run = run_of(tmp_path, {19.0: np.linspace(0, 1, 30).tolist(), 0.0: [0.25] * 10})
    table = deciles(run, "cc")
    assert table["sigma"].to_list() == [19.0] * 10 + [0.0] * 10
    assert table["images"].to_list() == [3] * 10 + [1] * 10
    assert table["mean"][-1] == 0.25


def test_undefined_scores_are_left_out_and_few_leave_deciles_empty(
    tmp_path: Path, run_of: Callable[..., Run]
) -> None:
    nan = float("nan")
    table = deciles(run_of(tmp_path, {0.0: [nan, 0.5, nan, 0.25, nan]}), "cc")
    assert table.height == 10
    assert table["images"].to_list() == [1, 1] + [0] * 8
    assert table["mean"].to_list() == [0.25, 0.5] + [None] * 8
    assert table["lowest"].null_count() == table["highest"].null_count() == 8


def test_an_unknown_metric(tmp_path: Path, run_of: Callable[..., Run]) -> None:
    run = run_of(tmp_path, {0.0: [0.5]})
    with pytest.raises(UnknownNameError, match="unknown metric of the run 'nss'"):
        deciles(run, "nss")


@given(scores=st.lists(st.floats(-1, 1), max_size=50))
@settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
def test_nothing_is_lost_and_deciles_do_not_overlap(
    tmp_path: Path, scores: list[float], run_of: Callable[..., Run]
) -> None:
    table = deciles(run_of(tmp_path, {0.0: scores or [0.0]}), "cc")
    kept = table.filter(pl.col("images") > 0)
    assert table["images"].sum() == max(len(scores), 1)
    assert table["images"].max() - table["images"].min() <= 1
    assert kept["lowest"][0] == min(scores, default=0.0)
    assert kept["highest"][-1] == max(scores, default=0.0)
    assert (kept["highest"].head(-1) <= kept["lowest"].tail(-1)).all()
    total = (kept["mean"] * kept["images"]).sum()
    assert total == pytest.approx(sum(scores), abs=1e-9)
