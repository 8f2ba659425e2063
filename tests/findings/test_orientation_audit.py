"""The audit of orientation rules, on scores written by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from quickgaze.errors import OptionError
from quickgaze.findings import orientation_audit
from quickgaze.study import Run

Scores = dict[tuple[str, str], float]


@pytest.fixture
def make_run(tmp_path: Path, write_run: Callable[..., Run]) -> Callable[[Scores], Run]:
    """Write a run folder whose cc scores are given by stimulus and orientation."""

    def make(cc: Scores) -> Run:
        keys = {"backbone": "net", "cam": "eigen", "grid": "coarsest", "component": 0}
        keys |= {"sigma": 19.0, "convention": "tuebingen"}
        rows = [
            {"stimulus": stimulus, **keys, "orientation": rule, "cc": value}
            | {"explained_variance": 0.5, "orientation_margin": 0.25}
            for (stimulus, rule), value in cc.items()
        ]
        return write_run(tmp_path, ["cc"], scores=rows)

    return make


def test_a_map_is_inverted_where_its_negative_agrees_better(
    make_run: Callable[[Scores], Run],
) -> None:
    run = make_run(
        {
            ("a", "skew"): 0.5,
            ("a", "lapack"): -0.5,
            ("a", "oracle"): 0.5,
            ("b", "skew"): -0.25,
            ("b", "lapack"): -0.25,
            ("b", "oracle"): 0.25,
            ("c", "skew"): 0.75,
            ("c", "lapack"): 0.75,
            ("c", "oracle"): 0.75,
            ("d", "skew"): 1.0,
            ("d", "lapack"): float("nan"),
            ("d", "oracle"): 1.0,
            ("e", "none"): 0.9,
        }
    )
    audit = orientation_audit(run)
    rows = {row["orientation"]: row for row in audit.iter_rows(named=True)}
    assert list(rows) == ["skew", "lapack", "oracle"]
    assert (rows["skew"]["inverted"], rows["skew"]["images"]) == (0.25, 4)
    assert (rows["skew"]["cc"], rows["skew"]["lost"]) == (0.5, 0.125)
    assert (rows["lapack"]["inverted"], rows["lapack"]["images"]) == (pytest.approx(2 / 3), 3)
    assert (rows["oracle"]["inverted"], rows["oracle"]["lost"]) == (0, 0)
    assert rows["skew"]["margin"] == 0.25


def test_a_run_without_the_oracle_cannot_be_audited(make_run: Callable[[Scores], Run]) -> None:
    with pytest.raises(OptionError, match="it has cc and skew"):
        orientation_audit(make_run({("a", "skew"): 0.5}))
