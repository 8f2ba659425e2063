"""The command calibrate, as a user and as a program call it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import quickgaze as qg
from quickgaze.readouts import calibrate
from quickgaze.study import Run

Call = Callable[..., tuple[int, str, str]]

OF_DISPLAYS = ("--dataset", "popout", "--option", "n=6", "--option", "size=[120,160]")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    displays = qg.load_dataset("popout", n=6, size=(120, 160))
    study = qg.Study(displays, cams=["center", "spectral_residual"], sigmas=[9], metrics=["kld"])
    return study.run(tmp_path_factory.mktemp("calibrate") / "run", progress=False)


def test_a_table_before_and_after(run: Run, tmp_path: Path, call: Call) -> None:
    code, out, err = call("calibrate", run.place, *OF_DISPLAYS, "--out", tmp_path / "new")
    assert code == 0, err
    assert "Maps as they were and calibrated, out of fold" in out
    for word in ("spectral_residual", "information_gain", "kld", "calibrated", "people"):
        assert word in out
    assert f"run folder: {tmp_path / 'new'}" in out
    code, out, _ = call("summary", tmp_path / "new")
    assert code == 0
    assert "center_calibrated" in out
    code, out, err = call("compare", tmp_path / "new", tmp_path / "new", "--variant", "cam=center",
                          "--second-variant", "cam=center_calibrated")  # fmt: skip
    assert code == 0, err


def test_json_is_what_python_gives(run: Run, call: Call) -> None:
    code, out, _ = call("calibrate", run.place, *OF_DISPLAYS, "--cam", "center", "--folds", "3",
                        "--seed", "4", "--json")  # fmt: skip
    assert code == 0
    content = json.loads(out)
    displays = qg.load_dataset("popout", n=6, size=(120, 160))
    found = calibrate(run, displays, variant={"cam": "center"}, folds=3, seed=4, progress=False)
    assert content["summary"] == found.summary.to_dicts()
    assert content["folds"] == found.folds.to_dicts()
    assert content["run"] is None
    assert content["left_out"] == {}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--cam", "centre"), "'center'"),
        (("--folds", "1"), "folds"),
        (("--variant", "sigma"), "KEY=VALUE"),
        (("--variant", "blur=3"), "blur"),
    ],
)
def test_what_cannot_be_done_ends_with_2(
    run: Run, call: Call, options: tuple[str, ...], words: str
) -> None:
    code, _, err = call("calibrate", run.place, *OF_DISPLAYS, *options)
    assert code == 2
    assert words in err
    assert "Traceback" not in err


def test_another_data_set_ends_with_2(run: Run, call: Call) -> None:
    code, _, err = call("calibrate", run.place, "--dataset", "popout", "--option", "n=2")
    assert code == 2
    assert "lacks 4 of the 6 stimuli" in err


def test_a_folder_of_another_run_is_left_alone(run: Run, call: Call) -> None:
    code, _, err = call("calibrate", run.place, *OF_DISPLAYS, "--out", run.place)
    assert code == 2
    assert "holds a run of another study" in err
    assert run.scores()["cam"].n_unique() == 2
