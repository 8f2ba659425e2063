"""The commands report and panels, as a user calls them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import quickgaze as qg
from quickgaze.study import Run

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    displays = qg.load_dataset("popout", n=4, size=(120, 160))
    study = qg.Study(displays, orientations=["activation", "skew"], metrics=["cc", "kld"])
    return study.run(tmp_path_factory.mktemp("run") / "run", progress=False)


OPTIONS = ("--dataset", "popout", "--option", "n=4", "--option", "size=[120,160]")


@pytest.mark.parametrize("command", ["report", "panels"])
def test_both_explain_themselves(call: Call, command: str) -> None:
    code, out, _ = call(command, "--help")
    assert code == 0
    assert "--dataset" in out


def test_a_report_is_written(call: Call, run: Run, tmp_path: Path) -> None:
    table = tmp_path / "known.csv"
    table.write_text("stimulus,odd\npopout-000000,yes\npopout-000001,no\n")
    content = {"images": [{"id": 1, "file_name": "popout-000002.png", "width": 160, "height": 120}]}
    content |= {"categories": [], "annotations": []}
    coco = tmp_path / "instances.json"
    coco.write_text(json.dumps(content))
    out_folder = tmp_path / "report"
    arguments = ("report", run.path, "--out", out_folder, *OPTIONS, "--attributes", table)
    arguments = (*arguments, "--attributes", coco, "--image-statistics", "--no-papers")
    code, out, err = call(*arguments, "--metric", "kld", "--variant", "orientation=skew")
    assert code == 0, err
    assert f"report, to open in a browser: {out_folder / 'index.html'}" in out
    page = (out_folder / "index.html").read_text(encoding="utf-8")
    for words in ("quickgaze report", "--metric kld", "colourfulness", "odd", "object_area"):
        assert words in page
    assert len(list((out_folder / "pictures/image").iterdir())) == 4
    code, _, err = call(*arguments)
    assert code == 2
    assert "is there already" in err
    assert call(*arguments, "--overwrite")[0] == 0


def test_panels_are_drawn(call: Call, run: Run, tmp_path: Path) -> None:
    arguments = ("panels", run.path, "--out", tmp_path / "panels", *OPTIONS)
    code, out, err = call(*arguments, "--bottom", 2, "--metric", "kld")
    assert code == 0, err
    assert f"2 panels in {tmp_path / 'panels'}" in out
    code, out, _ = call(*arguments, "--stimulus", "popout-000003", "--to", "pdf")
    assert code == 0
    assert (tmp_path / "panels" / "0001-popout-000003.pdf").is_file()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--root", "x"), "name it with --dataset"),
        (("--variant", "skew"), "is not KEY=VALUE"),
        (("--variant", "sigma=wide"), "give a number"),
        (("--text",), "name their data set"),
        (("--attributes", "missing.csv"), "missing.csv"),
    ],
)
def test_wrong_usage_writes_nothing(
    call: Call, run: Run, tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    code, _, err = call("report", run.path, "--out", tmp_path / "report", *options)
    assert code == 2
    assert message in err
    assert not (tmp_path / "report").exists()


def test_either_stimuli_or_the_bottom(call: Call, run: Run, tmp_path: Path) -> None:
    code, _, err = call("panels", run.path, "--out", tmp_path, "--stimulus", "a", "--bottom", "3")
    assert code == 2
    assert "not both" in err
