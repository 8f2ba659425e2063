"""Grids side by side, flipped and not, on scores written by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import quickgaze as qg
from quickgaze.errors import OptionError, UnknownNameError
from quickgaze.findings import deep_dive

NAN = float("nan")
LAPACK = {"orientation": "lapack"}


@pytest.fixture
def run(table_run: Callable) -> object:
    """Two grids: on the second, LAPACK has the wrong sign for both stimuli."""
    return table_run(
        ({**LAPACK, "grid": "pool"}, {"cc": [0.1, -0.5], "kld": [2.0, 5.0]}),
        ({"grid": "pool"}, {"cc": [0.1, 0.5], "kld": [2.0, 1.0]}),
        ({**LAPACK, "grid": "s16"}, {"cc": [-0.2, -0.6], "kld": [4.0, 6.0]}),
        ({"grid": "s16"}, {"cc": [0.3, 0.4], "kld": [1.5, 2.0]}),
        failed={"s009": "the image is damaged"},
    )


def test_every_grid_with_both_signs(run: object) -> None:
    dive = deep_dive(run, ["s001", "s000"], "cc", variant=LAPACK)
    assert dive.grids.rows() == [
        ("s001", "pool", -0.5, 0.5, True, True),
        ("s001", "s16", -0.6, 0.4, False, False),
        # on the coarse grid both rules chose the same sign: the other one is not known
        ("s000", "pool", 0.1, None, True, False),
        ("s000", "s16", -0.2, 0.3, False, True),
    ]
    assert dive.best.select(pl.exclude("reason")).rows() == [
        ("s001", "pool", -0.5, "pool", "flipped", 0.5, 1.0),
        ("s000", "pool", 0.1, "s16", "flipped", 0.3, pytest.approx(0.2)),
    ]


def test_where_lower_is_better_a_gain_is_still_positive(run: object) -> None:
    dive = deep_dive(run, ["s000", "s001"], "kld", variant={**LAPACK, "grid": "s16"})
    assert dive.best["score"].to_list() == [4.0, 6.0]
    assert dive.best["best_score"].to_list() == [1.5, 1.0]
    assert dive.best["gain"].to_list() == [2.5, 5.0]


def test_a_stimulus_that_failed_keeps_its_row(run: object) -> None:
    dive = deep_dive(run, ["s009", "s000"], "cc", variant=LAPACK)
    assert dive.best["reason"].to_list() == ["the image is damaged", None]
    assert dive.best["score"][0] is None
    assert dive.best["gain"][0] is None
    assert dive.grids["stimulus"].unique().to_list() == ["s000"]


def test_undefined_scores_are_never_the_best(table_run: Callable) -> None:
    run = table_run(({"grid": "a"}, {"cc": [NAN]}), ({"grid": "b"}, {"cc": [-0.9]}))
    dive = deep_dive(run, ["s000"], "cc")
    assert dive.grids["best"].to_list() == [False, True]
    row = dive.best.row(0, named=True)
    assert (row["score"], row["best_grid"], row["gain"]) == (None, "b", None)
    assert "undefined" in row["reason"]


def test_of_equal_scores_the_rules_own_and_the_first_is_best(table_run: Callable) -> None:
    run = table_run(
        ({"grid": "a"}, {"cc": [0.5], "nss": [1.0]}),
        ({"grid": "b"}, {"cc": [0.5], "nss": [2.0]}),
        ({**LAPACK, "grid": "a"}, {"cc": [0.5], "nss": [3.0]}),
        ({**LAPACK, "grid": "b"}, {"cc": [0.5], "nss": [2.0]}),
    )
    dive = deep_dive(run, ["s000"], "cc", variant={"orientation": "activation"})
    assert dive.grids["flipped"].to_list() == [0.5, None]
    row = dive.best.row(0, named=True)
    assert (row["best_grid"], row["best_sign"], row["gain"]) == ("a", "rule", 0.0)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((["s001"], "cc"), OptionError, "orientation: lapack, activation"),
        ((["s01"], "cc", LAPACK), UnknownNameError, "did you mean 's001'"),
        ((["s001"], "nss", LAPACK), UnknownNameError, "unknown metric"),
        (([], "cc", LAPACK), OptionError, "no stimulus is named"),
        ((["s001"], "cc", {**LAPACK, "grid": "s8"}), UnknownNameError, "grid of the run 's8'"),
    ],
)
def test_what_cannot_be_looked_at(
    run: object, arguments: tuple, error: type[Exception], message: str
) -> None:
    *positional, variant = (*arguments, None)[:3]
    with pytest.raises(error, match=message):
        deep_dive(run, *positional, variant=variant)


def test_the_other_sign_is_that_of_a_real_run(tmp_path: Path) -> None:
    displays = qg.load_dataset("popout", n=4, size=(120, 160))
    rules = ["activation", "lapack", "oracle"]
    study = qg.Study(displays, metrics=["cc"], grids=["coarsest", "s16"], orientations=rules)
    run = study.run(tmp_path, progress=False)
    names = run.scores()["stimulus"].unique(maintain_order=True).to_list()
    dive = deep_dive(run, names, "cc", variant={"orientation": "activation"})
    evidence = run.maps().select(
        "stimulus", "grid", same=pl.col("evidence_activation") * pl.col("evidence_lapack") > 0
    )
    lapack = run.scores().filter(pl.col("orientation") == "lapack")
    both = dive.grids.join(evidence, on=["stimulus", "grid"]).join(lapack, on=["stimulus", "grid"])
    opposite = both.filter(~pl.col("same"))
    assert opposite["flipped"].to_list() == opposite["cc"].to_list()
    oracle = run.scores().filter(pl.col("orientation") == "oracle")["cc"].to_numpy()
    seen = dive.grids.select(pl.max_horizontal("score", "flipped")).to_series().to_numpy()
    np.testing.assert_array_equal(np.sort(seen), np.sort(oracle))
