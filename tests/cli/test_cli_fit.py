"""`quickgaze fit` writes a readout and its run, and says how good it is out of fold."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

import quickgaze as qg

Call = Callable[..., tuple[int, str, str]]

FOLDER = ("--dataset", "folder", "--option", "origin=0")
QUICK = ("--level", "s8", "--hidden", "0", "--folds", "2")


@pytest.fixture(autouse=True)
def _few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quickgaze.readouts._training.IN_A_PASS", 16)
    monkeypatch.setattr("quickgaze.readouts._training._SHOWN", 48)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Six images and a table of gaze."""
    folder = tmp_path / "data"
    (folder / "images").mkdir(parents=True)
    drawn = np.random.default_rng(0)
    rows = ["stimulus,x,y,observer"]
    for number in range(6):
        image = drawn.integers(0, 60, (48, 64, 3), dtype=np.uint8)
        left, top = (int(each) for each in drawn.integers(0, (48, 32)))
        image[top : top + 16, left : left + 16] = 255
        PIL.Image.fromarray(image).save(folder / "images" / f"{number}.png")
        rows += [
            f"{number}.png,{left + x:.1f},{top + y:.1f},{'ab'[turn % 2]}"
            for turn, (x, y) in enumerate(drawn.uniform(2, 13, (10, 2)))
        ]
    (folder / "fixations.csv").write_text("\n".join(rows))
    return folder


def test_it_writes_a_readout_and_its_run_and_prints_both(
    call: Call, root: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    code, printed, beside = call(
        "fit", *FOLDER, "--root", root, "--out", out, "--licence", "CC0", *QUICK
    )
    assert code == 0, beside
    for name in ("cc", "information_gain", "center_bias", "one_observer", "readout"):
        assert name in printed
    assert f"readout: {out}\n" in printed
    assert f"run folder: {out / 'run'}" in printed
    assert "out of fold: each image's was made by a readout fitted without it (2 folds" in beside
    assert f"--readout {out} --out" in beside
    card = qg.load_readout(out).card
    assert (card.images, card.levels, card.hidden, card.licence) == (6, ("s8",), 0, "CC0")
    gain = card.scores["information_gain"]
    assert f"over the centre bias, out of fold, on the grid: {gain:.3f} bits" in printed


def test_summary_and_report_say_out_of_fold(call: Call, root: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    call("fit", *FOLDER, "--root", root, "--out", out, *QUICK)
    code, _, beside = call("summary", out / "run")
    assert code == 0
    assert "out of fold" in beside
    code, printed, _ = call("summary", out / "run", "--json")
    content = json.loads(printed)
    assert "out of fold" in " ".join(content["dataset"]["notes"])
    assert {each["cam"] for each in content["variants"]} == {"readout"}
    code, *_ = call("report", out / "run", "--out", tmp_path / "report")
    assert code == 0
    assert "out of fold" in (tmp_path / "report" / "index.html").read_text()


def test_two_fits_are_compared(call: Call, root: Path, tmp_path: Path) -> None:
    for seed in (0, 1):
        arguments = ("--out", tmp_path / f"seed-{seed}", "--seed", seed, *QUICK)
        assert call("fit", *FOLDER, "--root", root, *arguments)[0] == 0
    code, printed, _ = call("compare", tmp_path / "seed-0" / "run", tmp_path / "seed-1" / "run")
    assert code == 0
    assert "cc" in printed


def test_images_that_cannot_be_read_are_listed(call: Call, root: Path, tmp_path: Path) -> None:
    (root / "images" / "2.png").write_bytes((root / "images" / "2.png").read_bytes()[:200])
    code, printed, beside = call("fit", *FOLDER, "--root", root, "--out", tmp_path / "out", *QUICK)
    assert code == 1
    assert "warning: 1 of 6 images of folder are left out of the fit; the first, 2" in beside
    assert "failed: 2" in beside
    assert f"readout: {tmp_path / 'out'}" in printed


def test_the_first_n_images_alone(call: Call, root: Path, tmp_path: Path) -> None:
    arguments = ("--out", tmp_path / "out", "--limit", 4, *QUICK)
    assert call("fit", *FOLDER, "--root", root, *arguments)[0] == 0
    assert qg.load_readout(tmp_path / "out").card.images == 4


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--folds", "1"), "folds is 1"),
        (("--folds", "7"), "folds is 7, but folder has 6 images with gaze"),
        (("--level", "s5"), "unknown level"),
        (("--backbone", "resnet51"), "unknown backbone 'resnet51'"),
        (("--grid", "s0"), "unknown grid 's0'"),
        (("--weights", "nowhere.pth"), "nowhere.pth"),
    ],
)
def test_what_cannot_be_fitted_is_said_in_a_sentence(
    call: Call, root: Path, tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    arguments = ("--root", root, "--out", tmp_path / "out")
    code, printed, beside = call("fit", *FOLDER, *arguments, *options)
    assert code == 2
    assert not printed
    assert said in beside
    assert "Traceback" not in beside
    assert not (tmp_path / "out").exists()


def test_a_second_fit_needs_a_folder_of_its_own(call: Call, root: Path, tmp_path: Path) -> None:
    arguments = ("--root", root, "--out", tmp_path / "out", *QUICK)
    assert call("fit", *FOLDER, *arguments)[0] == 0
    code, _, beside = call("fit", *FOLDER, *arguments)
    assert code == 2
    assert "holds something already" in beside
