"""The command compare, as a user and as a program call it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from quickgaze.findings import compare
from quickgaze.study import Run
from quickgaze.study.plan import FORMAT

Call = Callable[..., tuple[int, str, str]]
WriteRun = Callable[..., Run]

KEYS = {
    "backbone": "net",
    "cam": "eigen",
    "grid": "coarsest",
    "component": 0,
    "orientation": "activation",
    "sigma": 19.0,
    "convention": "tuebingen",
}


@pytest.fixture
def make_run(tmp_path: Path, write_run: WriteRun) -> Callable[..., Run]:
    """Write a run: its name, scores of each metric by variant, and what else is different."""

    def make(
        name: str, *variants: tuple[dict, dict], start: int = 0, convention: str = "tuebingen"
    ) -> Run:
        metrics = list(variants[0][1]) if variants else ["cc"]
        rows = [
            {"stimulus": f"s{start + i:03d}", **KEYS, **keys}
            | {"explained_variance": 0.5, "orientation_margin": 0.5}
            | {metric: values[i] for metric, values in columns.items()}
            for keys, columns in variants
            for i in range(len(next(iter(columns.values()))))
        ]
        plan = {
            "format": FORMAT,
            "settings": {"metrics": metrics, "convention": convention},
            "dataset": {"name": "folder", "edition": "images", "notes": []},
            "stimuli": sorted({row["stimulus"] for row in rows}),
        }
        return write_run(tmp_path / name, metrics, plan, scores=rows)

    return make


@pytest.fixture
def runs(make_run: Callable[..., Run]) -> tuple[Run, Run]:
    """Two runs with 30 stimuli in common: the first is better in cc and kld, not in nss."""
    generator = np.random.default_rng(4)
    cc, kld = generator.uniform(0.2, 0.5, 40), generator.uniform(1, 2, 40)
    nss = generator.uniform(0, 2, 40)
    near = generator.normal(0, 0.02, (3, 40))
    better = {"cc": cc + 0.2 + near[0], "kld": kld - 0.5 + near[1], "nss": nss + near[2]}
    first = make_run("first", ({}, better))
    later = {"nss": nss[10:], "kld": kld[10:], "cc": cc[10:]}
    second = make_run("second", ({"orientation": "lapack"}, later), start=10)
    return first, second


def test_who_is_better_is_told(call: Call, runs: tuple[Run, Run]) -> None:
    code, out, err = call("compare", *(run.path for run in runs))
    assert code == 0, err
    cells = {
        parts[1].strip(): [part.strip() for part in parts[2:-1]]
        for parts in (line.split("│") for line in out.splitlines())
        if len(parts) == 12
    }
    assert list(cells) == ["cc ↑", "kld ↓", "nss ↑"]
    assert [row[-1] for row in cells.values()] == ["first", "first", "—"]
    assert [row[-2] for row in cells.values()] == ["30", "30", "30"]
    assert cells["cc ↑"][3] == cells["kld ↓"][3] == "100 %"
    assert cells["kld ↓"][2].startswith("-0.")
    assert out.count("s0") == 15
    assert f"first: {runs[0].path} (backbone net" in out
    assert f"second: {runs[1].path}" in out
    assert "orientation lapack" in out
    # the tables are not folded on their way into a file
    assert err.count("is not complete") == 2


def test_programs_get_what_the_finding_gives(call: Call, runs: tuple[Run, Run]) -> None:
    arguments = ("--metric", "cc,nss", "--metric", "kld", "--stimuli", 2, "--seed", 3, "--json")
    code, out, _ = call("compare", *(run.path for run in runs), *arguments)
    assert code == 0
    told = json.loads(out)
    found = compare(*runs, ["cc", "nss", "kld"], n=2, seed=3)
    assert told["stimuli"] == found.stimuli.to_dicts()
    assert told["first"]["run"] == str(runs[0].path)
    assert told["first"]["variant"] == KEYS
    assert told["second"]["variant"] == {**KEYS, "orientation": "lapack"}
    for row, expected in zip(told["metrics"], found.summary.to_dicts(), strict=True):
        assert {name: row[name] for name in expected} == expected
        assert row["tests"] == 3
        assert row["q"] >= row["wilcoxon_p"]
    assert [row["higher_is_better"] for row in told["metrics"]] == [True, True, False]


def test_the_false_discovery_rate_is_held(call: Call, runs: tuple[Run, Run]) -> None:
    arguments = ("compare", *(run.path for run in runs), "--json", "--metric", "cc")
    first = json.loads(call(*arguments)[1])["metrics"][0]
    assert first["better"] == "first"
    strict = json.loads(call(*arguments, "--level", first["q"] / 2)[1])["metrics"][0]
    assert strict["better"] is None
    assert strict["low"] == first["low"] > 0


def test_variants_of_one_run(call: Call, make_run: Callable[..., Run]) -> None:
    scores = np.linspace(0, 0.5, 12)
    rules = [({"orientation": rule}, {"cc": scores}) for rule in ("skew", "border")]
    run = make_run("run", *rules, ({"orientation": "oracle", "sigma": 5.0}, {"cc": scores + 0.1}))
    arguments = ("--variant", "orientation=oracle", "--second-variant", "orientation=skew")
    code, out, err = call("compare", run.path, run.path, *arguments)
    assert code == 0, err
    assert "sigma 5.0" in out
    assert "note: cc: the difference is the same on every image" in err
    code, out, err = call("compare", run.path, run.path, "--variant", "orientation=skew")
    assert code == 0
    # nothing differs, so no stimulus is listed
    assert "s000" not in out
    assert "both score the same on every image" in err


def test_what_cannot_be_told_is_said(call: Call, make_run: Callable[..., Run]) -> None:
    first = make_run("a", ({}, {"cc": [0.5, 0.25, float("nan")]}))
    second = make_run("b", ({}, {"cc": [0.5, 0.5, 0.5]}))
    code, out, err = call("compare", first.path, second.path)
    assert code == 0
    assert "-0.125" in out
    assert "2 images with both scores; an interval and a test need 10" in err
    assert "note: cc: 1 stimuli lack a score of the two" in err
    told = json.loads(call("compare", first.path, second.path, "--json")[1])
    assert told["metrics"][0]["low"] is told["metrics"][0]["q"] is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--metric", "ncc"), "unknown metric of the run 'ncc'; did you mean 'cc'?"),
        (("--variant", "orientation"), "--variant 'orientation' is not KEY=VALUE"),
        (("--second-variant", "sigma=wide"), "--second-variant sigma is 'wide'; give a number"),
        (("--second-variant", "orientation=skew"), "unknown orientation of the run 'skew'"),
        (("--variant", "colour=red"), "unknown key of a variant 'colour'"),
        (("--level", "2"), "give a false discovery rate between 0 and 1"),
        (("--confidence", "95"), "confidence is 95"),
        (("--stimuli", "-1"), "Invalid value for '--stimuli'"),
    ],
)
def test_options_that_cannot_be_used(
    call: Call, runs: tuple[Run, Run], options: tuple[str, ...], message: str
) -> None:
    code, out, err = call("compare", *(run.path for run in runs), *options)
    assert code == 2
    assert message in err
    assert out == ""


def test_runs_that_have_nothing_in_common(
    call: Call, runs: tuple[Run, Run], make_run: Callable[..., Run], tmp_path: Path
) -> None:
    first = runs[0]
    scores = {"cc": [0.5]}
    cases = {
        "have no stimulus in common": make_run("elsewhere", ({}, scores), start=500),
        "the runs share no metric": make_run("other", ({}, {"sim": [0.5]})),
        "score in different conventions": make_run("mit", ({}, scores), convention="mit"),
        "has no scores; `quickgaze summary` says what failed": make_run("nothing"),
    }
    for message, second in cases.items():
        code, _, err = call("compare", first.path, second.path)
        assert code == 2
        assert message in err
    several = make_run("several", ({}, scores), ({"sigma": 5.0}, scores))
    code, _, err = call("compare", first.path, several.path)
    assert code == 2
    assert f"error: {several.path}: several variants of the run fit" in err
    assert "sigma: 19.0, 5.0 (option --second-variant KEY=VALUE)" in err
    assert call("compare", first.path, several.path, "--second-variant", "sigma=5")[0] == 0
    code, _, err = call("compare", first.path, tmp_path / "missing")
    assert code == 2
    assert "missing" in err
