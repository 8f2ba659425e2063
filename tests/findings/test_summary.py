"""Means per variant, against plain arithmetic."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import quickgaze as qg
from quickgaze.findings import VARIANT, summary
from quickgaze.study import Run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    displays = qg.load_dataset("popout", n=4, size=(120, 160))
    study = qg.Study(
        displays, sigmas=[19, 5], metrics=["nss", "cc"], orientations=["skew", "activation"]
    )
    return study.run(tmp_path_factory.mktemp("run"), progress=False)


def test_means_and_errors_are_plain_arithmetic(run: Run) -> None:
    for row in summary(run).iter_rows(named=True):
        chosen = run.scores().filter(
            pl.all_horizontal(pl.col(name) == row[name] for name in VARIANT)
        )
        values = chosen[row["metric"]].to_numpy()
        assert row["mean"] == pytest.approx(values.mean())
        assert row["standard_error"] == pytest.approx(values.std(ddof=1) / np.sqrt(4))
        assert (row["images"], row["left_out"]) == (4, 0)


def test_rows_stand_in_the_order_of_the_run(run: Run) -> None:
    rows = summary(run).select("sigma", "orientation", "metric").rows()
    assert rows == [
        (sigma, orientation, metric)
        for sigma in (19.0, 5.0)
        for orientation in ("skew", "activation")
        for metric in ("nss", "cc")
    ]


def test_undefined_scores_are_left_out_and_counted(run: Run, tmp_path: Path) -> None:
    spoilt = run.scores().with_columns(
        pl.when(pl.col("stimulus") == pl.col("stimulus").first())
        .then(float("nan"))
        .otherwise(pl.col("cc"))
        .alias("cc"),
        pl.lit(float("nan")).alias("nss"),
    )
    (tmp_path / "scores").mkdir()
    (tmp_path / "plan.json").write_bytes((run.path / "plan.json").read_bytes())
    spoilt.write_parquet(tmp_path / "scores" / "part-00000.parquet")
    for row in summary(qg.open_run(tmp_path)).iter_rows(named=True):
        if row["metric"] == "cc":
            kept = spoilt.filter(
                pl.all_horizontal(pl.col(name) == row[name] for name in VARIANT),
                pl.col("cc").is_not_nan(),
            )["cc"]
            assert row["mean"] == pytest.approx(kept.mean())
            assert (row["images"], row["left_out"]) == (3, 1)
        else:
            assert row["mean"] is None
            assert row["standard_error"] is None
            assert (row["images"], row["left_out"]) == (0, 4)
