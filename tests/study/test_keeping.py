"""Maps that were made outside of a study, kept and scored as a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

import quickgaze as qg
from quickgaze.cams import Cam
from quickgaze.errors import RunError
from quickgaze.stimuli import Dataset
from quickgaze.stimuli.types import Size, Stimulus
from quickgaze.study import Run, _tasks
from quickgaze.study._settings import Settings
from quickgaze.study._tables import ShardTables
from quickgaze.study.keeping import MadeMaps, keep_maps
from quickgaze.study.plan import Plan
from quickgaze.study.stored import StoredMap
from quickgaze.study.variants import OWN_GRID, CamKey

SIZE = (120, 160)
KEY = CamKey("net", "made", OWN_GRID, 0)
METRICS = ("cc", "kld", "information_gain")


@pytest.fixture(scope="module")
def displays() -> Dataset:
    return qg.load_dataset("popout", n=5, size=SIZE)


@pytest.fixture(scope="module")
def plan(displays: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Plan:
    study = qg.Study(displays, cams=["center"], sigmas=[0], metrics=METRICS, shard_size=2)
    ordinary = study.run(tmp_path_factory.mktemp("ordinary") / "run", progress=False).plan
    settings = replace(ordinary.settings, backbones=("net",), cams=("made",))
    return replace(ordinary, settings=settings, maps_fingerprints={"made": "1"})


def _values(stimulus: Stimulus) -> torch.Tensor:
    generator = torch.Generator().manual_seed(int(stimulus.id[-6:]))
    return 3 + torch.rand(1, 6, 8, generator=generator)


def _make(stimulus: Stimulus, size: Size) -> list[StoredMap]:
    return [StoredMap(stimulus.id, KEY, size, Cam.unsigned(_values(stimulus), density=True))]


def _kept(plan: Plan, displays: Dataset, out: Path, made: MadeMaps | None = None) -> Run:
    return keep_maps(plan, displays, made or MadeMaps(_make), out, progress=False)


def test_it_is_an_ordinary_run(plan: Plan, displays: Dataset, tmp_path: Path) -> None:
    run = qg.open_run(_kept(plan, displays, tmp_path / "run").place)
    assert run.complete
    assert run.maps()["stimulus"].to_list() == [each.id for each in displays]
    assert run.scores().height == 5
    assert run.failures().is_empty()
    assert set(run.bounds()["bound"]) >= {"center_bias", "uniform"}
    assert run.manifest.counts.scored == 5


def test_a_density_keeps_its_0(plan: Plan, displays: Dataset, tmp_path: Path) -> None:
    run = _kept(plan, displays, tmp_path / "run")
    # as large as the grid of the image would be: between 3 and 4 everywhere, it is nearly uniform
    flat = qg.metrics.kld(np.ones(SIZE), displays[0].density(19.0))
    assert run.scores()["kld"][0] == pytest.approx(flat, abs=0.05)


def test_other_maps_do_not(plan: Plan, displays: Dataset, tmp_path: Path) -> None:
    def make(stimulus: Stimulus, size: Size) -> list[StoredMap]:
        return [StoredMap(stimulus.id, KEY, size, Cam.unsigned(_values(stimulus)))]

    run = _kept(plan, displays, tmp_path / "run", MadeMaps(make))
    flat = qg.metrics.kld(np.ones(SIZE), displays[0].density(19.0))
    assert run.scores()["kld"][0] > flat + 0.05


def test_single_cams_have_options_of_their_own(
    plan: Plan, displays: Dataset, tmp_path: Path
) -> None:
    run = _kept(plan, displays, tmp_path / "run", MadeMaps(_make, {KEY: {"sigmas": (4.0, 9.0)}}))
    assert run.scores()["sigma"].to_list() == [4.0, 9.0] * 5


def test_a_map_that_cannot_be_made_is_a_failure(
    plan: Plan, displays: Dataset, tmp_path: Path
) -> None:
    def make(stimulus: Stimulus, size: Size) -> list[StoredMap]:
        if stimulus is displays[1]:
            raise ValueError("no map of it")
        return _make(stimulus, size)

    run = _kept(plan, displays, tmp_path / "run", MadeMaps(make))
    assert run.failures().select("stimulus", "stage", "message").rows() == [
        (displays[1].id, "cam", "no map of it")
    ]
    assert run.scores()["stimulus"].to_list() == [
        each.id for each in displays if each.id != displays[1].id
    ]
    assert run.manifest.counts.failed == 1


def test_what_is_there_is_not_made_again(plan: Plan, displays: Dataset, tmp_path: Path) -> None:
    first = _kept(plan, displays, tmp_path / "run").scores()
    (tmp_path / "run" / "manifest.json").unlink()
    (tmp_path / "run" / "shards" / "part-00001.json").unlink()
    made: list[str] = []

    def make(stimulus: Stimulus, size: Size) -> list[StoredMap]:
        made.append(stimulus.id)
        return _make(stimulus, size)

    again = _kept(plan, displays, tmp_path / "run", MadeMaps(make))
    assert made == [displays[2].id, displays[3].id]
    assert again.scores().equals(first, null_equal=True)


def test_maps_that_were_made_otherwise_are_another_run(
    plan: Plan, displays: Dataset, tmp_path: Path
) -> None:
    _kept(plan, displays, tmp_path / "run")
    with pytest.raises(RunError, match="made is 2 here and 1 there"):
        _kept(replace(plan, maps_fingerprints={"made": "2"}), displays, tmp_path / "run")


def test_a_run_of_no_gaze_has_nan_and_the_reason(
    plan: Plan, displays: Dataset, tmp_path: Path
) -> None:
    bare = Dataset(displays.name, tuple(replace(each, gaze=None) for each in displays), "none")
    run = _kept(plan, bare, tmp_path / "run")
    assert run.scores()["information_gain"].is_nan().all()
    reasons = run.undefined().filter(pl.col("metric") == "information_gain")["reason"]
    assert "the stimulus has no fixations" in set(reasons)


def test_bounds_of_another_run_are_not_computed_again(
    plan: Plan, displays: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # one observer is nobody to compare with
    plan = replace(plan, settings=replace(plan.settings, bounds=("uniform", "gold_standard")))
    fewer = replace(plan, settings=replace(plan.settings, metrics=("kld", "nss")))
    first = _kept(fewer, displays, tmp_path / "first")
    plain = _kept(plan, displays, tmp_path / "plain")
    asked: list[tuple[str, ...]] = []
    compute = _tasks.score_bounds

    def counted(name: str, size: Size, gaze: Any, settings: Settings, pool: Any) -> ShardTables:
        asked.append(settings.metrics)
        return compute(name, size, gaze, settings, pool)

    monkeypatch.setattr(_tasks, "score_bounds", counted)
    run = _kept(plan, displays, tmp_path / "run", MadeMaps(_make, bounds_of=first))
    assert set(asked) == {("cc", "information_gain")}
    assert run.bounds().equals(plain.bounds(), null_equal=True)
    keys = ["stimulus", "bound", "metric", "reason"]
    reasons = [each.undefined().select(keys).sort(keys) for each in (run, plain)]
    assert reasons[0].height > 0
    assert reasons[0].equals(reasons[1])
    asked.clear()
    _kept(plan, displays, tmp_path / "again", MadeMaps(_make, bounds_of=run))
    assert asked == []


def test_other_bounds_are_computed(plan: Plan, displays: Dataset, tmp_path: Path) -> None:
    first = _kept(plan, displays, tmp_path / "first")
    other = replace(plan, settings=replace(plan.settings, bounds=("uniform", "shuffled")))
    run = _kept(other, displays, tmp_path / "run", MadeMaps(_make, bounds_of=first))
    assert set(run.bounds()["bound"]) == {"uniform", "shuffled"}
    assert not run.bounds()["cc"].is_null().any()
