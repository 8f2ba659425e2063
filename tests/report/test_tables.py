"""Findings as tables."""

from __future__ import annotations

import io
import math

import polars as pl
import pytest
from rich.console import Console

from quickgaze.findings import VARIANT
from quickgaze.report import arrow, summary_data, summary_table


@pytest.fixture
def table() -> pl.DataFrame:
    fixed = {"backbone": "net", "cam": "eigen", "grid": "coarsest", "component": 0}
    fixed |= {"sigma": 19.0, "convention": "tuebingen"}
    rows = [
        {**fixed, "orientation": rule, "metric": metric, "mean": mean, "standard_error": error}
        | {"images": images, "left_out": 10 - images}
        for rule, metric, mean, error, images in (
            ("activation", "cc", 0.5, 0.125, 10),
            ("activation", "kld", 1.25, 0.5, 9),
            ("lapack", "cc", -0.25, None, 1),
            ("lapack", "kld", None, None, 0),
        )
    ]
    return pl.DataFrame(rows).select(
        *VARIANT, "metric", "mean", "standard_error", "images", "left_out"
    )


def test_arrows_point_to_better() -> None:
    assert arrow("auc") == "↑"
    assert arrow("mae") == "↓"


def test_a_summary_shows_mean_error_and_images(table: pl.DataFrame) -> None:
    file = io.StringIO()
    Console(width=160, file=file).print(summary_table(table, "salicon, edition 2015"))
    text = file.getvalue()
    assert "salicon, edition 2015" in text
    assert "cc ↑" in text
    assert "kld ↓" in text
    assert "0.500 ± 0.125 (10)" in text
    assert "1.250 ± 0.500 (9)" in text
    assert "-0.250 (1)" in text
    assert "undefined (0)" in text
    assert "backbone net" in text


def test_a_summary_as_data(table: pl.DataFrame) -> None:
    variants = summary_data(table)
    assert [variant["orientation"] for variant in variants] == ["activation", "lapack"]
    assert variants[0]["metrics"]["kld"] == {
        "mean": 1.25,
        "standard_error": 0.5,
        "images": 9,
        "left_out": 1,
        "higher_is_better": False,
    }
    assert variants[1]["metrics"]["kld"]["mean"] is None
    assert not any(
        isinstance(value, float) and math.isnan(value)
        for variant in variants
        for metric in variant["metrics"].values()
        for value in metric.values()
    )
