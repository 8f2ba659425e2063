"""Findings as tables."""

from __future__ import annotations

import io
import math

import polars as pl
import pytest
from rich.console import Console

from quickgaze.findings import VARIANT
from quickgaze.metrics import METRICS
from quickgaze.report import (
    arrow,
    bounds_data,
    metrics_table,
    shares_table,
    summary_data,
    summary_table,
)


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


@pytest.fixture
def bounds() -> pl.DataFrame:
    rows = [
        {"bound": bound, "convention": "tuebingen", "metric": metric, "mean": mean}
        | {"standard_error": 0.25, "images": 10, "left_out": 0}
        for bound, metric, mean in (
            ("center_bias", "cc", 0.125),
            ("center_bias", "kld", 2.5),
            ("split_half", "cc", 0.875),
            ("split_half", "kld", 0.5),
        )
    ]
    return pl.DataFrame(rows)


@pytest.fixture
def shares(table: pl.DataFrame) -> pl.DataFrame:
    share = pl.Series("share", [0.5, 0.625, -0.5, None])
    return table.select(*VARIANT, "metric").with_columns(share, ceiling=pl.lit("split_half"))


def shown(content: object) -> str:
    file = io.StringIO()
    Console(width=160, file=file).print(content)
    return file.getvalue()


def test_bounds_stand_below_the_variants(table: pl.DataFrame, bounds: pl.DataFrame) -> None:
    lines = shown(summary_table(table, "osie", bounds)).splitlines()
    model = next(i for i, line in enumerate(lines) if "lapack" in line)
    chance = next(i for i, line in enumerate(lines) if "baseline: center_bias" in line)
    people = next(i for i, line in enumerate(lines) if "ceiling: split_half" in line)
    assert model < chance < people
    assert "0.125 ± 0.250 (10)" in lines[chance]
    assert "0.500 ± 0.250 (10)" in lines[people]


def test_shares_are_in_per_cent(shares: pl.DataFrame) -> None:
    text = shown(shares_table(shares))
    for cell in ("50%", "62%", "-50%", "undefined", "split_half for cc, kld"):
        assert cell in text


def test_shares_that_nobody_has_are_an_empty_table(shares: pl.DataFrame) -> None:
    table = shares_table(shares.clear())
    assert table.row_count == 0


def test_bounds_and_shares_as_data(
    table: pl.DataFrame, bounds: pl.DataFrame, shares: pl.DataFrame
) -> None:
    data = bounds_data(bounds)
    assert [(each["bound"], each["kind"]) for each in data] == [
        ("center_bias", "baseline"),
        ("split_half", "ceiling"),
    ]
    assert data[1]["metrics"]["kld"]["mean"] == 0.5
    variants = summary_data(table, shares)
    assert variants[0]["metrics"]["cc"]["share"] == 0.5
    assert variants[1]["metrics"]["kld"]["share"] is None


def test_every_metric_is_listed_with_what_it_compares() -> None:
    text = shown(metrics_table())
    for name in METRICS.names():
        assert f"{name} {arrow(name)}" in text
    assert "bits per fixation" in text
