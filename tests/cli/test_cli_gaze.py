"""Gaze as users bring it, from the command line: what is wrong is named, nothing is ignored."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest

import quickgaze as qg

Call = Callable[..., tuple[int, str, str]]
Coordinates = npt.NDArray[np.float64]

SIZE = (120, 160)
NAMES = ("one", "two", "three")


def looked() -> Coordinates:
    """80 points on each of three images, about their centre."""
    noise = np.random.default_rng(1).normal(0.5, 0.17, (240, 2)).clip(0.01, 0.99)
    return np.asarray(np.floor(noise * [SIZE[1], SIZE[0]]))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    rng = np.random.default_rng(0)
    for name in NAMES:
        pixels = rng.integers(0, 256, (*SIZE, 3), dtype=np.uint8)
        PIL.Image.fromarray(pixels).save(tmp_path / "images" / f"{name}.png")
    return tmp_path


def write(root: Path, points: Coordinates, name: str = "fixations.csv") -> None:
    lines = ["stimulus,observer,x,y"]
    for row, (x, y) in enumerate(points):
        lines.append(f"{NAMES[row % 3]},{row % 5},{x},{y}")
    (root / name).write_text("\n".join(lines) + "\n")


CAUSES = {
    "swapped": (looked()[:, ::-1], ("origin=0",), "x and y look swapped"),
    "normalised": (looked() / [160, 120], ("units=pixels", "origin=0"), "fractions of the image"),
    "percent": (looked() / [1.6, 1.2], ("origin=0",), "percentages of the image"),
    "centred": (looked() - [80, 60], ("origin=0",), "counted from the centre (origin=center)"),
    "letterboxed": (looked() * 9 + [240, 0], ("origin=0",), "larger screen (screen=1920x1080"),
}


@pytest.mark.parametrize("kind", CAUSES)
def test_data_check_names_the_cause(call: Call, root: Path, kind: str) -> None:
    points, options, cause = CAUSES[kind]
    write(root, points)
    given = [each for option in options for each in ("--option", option)]
    code, out, _ = call("data", "check", "folder", "--root", root, *given, "--json")
    check = next(each for each in json.loads(out)["checks"] if each["what"] == "points")
    assert code == 1
    assert check["passed"] is False
    assert cause in check["note"]
    assert check["found"].endswith(" of 240 points outside")


def test_a_run_says_how_many_points_lie_outside(call: Call, root: Path) -> None:
    write(root, looked() - [80, 60])
    options = ("--metrics", "nss", "--orientation", "activation", "--bounds", "none")
    code, _, err = call(
        *("run", "--dataset", "folder", "--root", root, "--out", root / "run"),
        *("--option", "origin=0", *options),
    )
    assert code == 0
    lines = [line for line in err.splitlines() if "points outside" in line]
    assert len(lines) == 1
    outside = int(((looked() < [79.5, 59.5]).any(axis=1)).sum())
    assert f"{outside} of 240 points outside: they look as if counted" in lines[0]
    assert err.startswith("folder: 3 stimuli, fixations (fixations.csv with origin 0)")
    code, out, _ = call("summary", root / "run", "--json")
    told = json.loads(out)["points"]
    assert (told["recorded"], told["outside"]) == (240, outside)
    assert "origin=center" in told["cause"]
    run = qg.open_run(root / "run")
    assert run.manifest["counts"]["points_outside"] == outside
    assert run.points()["outside"].sum() == outside
    assert call("report", root / "run", "--out", root / "report")[0] == 0
    page = (root / "report" / "index.html").read_text()
    assert f"{outside} of 240 points outside" in page


@pytest.mark.parametrize(
    ("points", "options"),
    [
        (looked() / [160, 120], ("units=fraction",)),
        (looked() / [1.6, 1.2], ("units=percent",)),
        (looked() - [80, 60], ("origin=center",)),
        ((looked() - [80, 60]) * [1, -1], ("origin=center", "y=up")),
        (looked() * 9 + [240, 0], ("origin=0", "screen=1920x1080")),
        (looked()[:, ::-1], ("origin=0", "columns=x=y,y=x")),
        (looked() + 1, ("origin=1",)),
    ],
)
def test_told_what_they_are_all_coordinates_are_the_same(
    root: Path, points: Coordinates, options: tuple[str, ...]
) -> None:
    write(root, points)
    pairs = dict(option.split("=", 1) for option in options)
    given = {name: int(value) if value.isdigit() else value for name, value in pairs.items()}
    read = {each.id: each.fixations for each in qg.load_dataset("folder", root, **given)}
    for place, name in enumerate(NAMES):
        fixations = read[name]
        assert fixations is not None
        assert fixations.dropped == 0
        np.testing.assert_allclose(fixations.points, looked()[place::3], atol=1e-9)


def test_points_in_a_corner_are_refused_unless_told_otherwise(call: Call, root: Path) -> None:
    write(root, looked() / [160, 120])
    check = ("data", "check", "folder", "--root", root, "--option")
    code, out, err = call(*check, "origin=0")
    assert (code, out) == (2, "")
    assert "all 240 points of" in err
    assert "give units=fraction" in err
    assert call(*check, "units=pixels", "--option", "origin=0")[0] == 1
    assert call(*check, "units=fraction")[0] == 0
    write(root, (looked() - [80, 60]) / [160, 120])
    assert call(*check, "origin=center")[0] == 2
    assert call(*check, "units=fraction", "--option", "origin=center")[0] == 0


UNREAD = ("fixations.json", "Fixations.xlsx", "gaze.csv", "eye_data.mat", "all_fixations.tsv")


@pytest.mark.parametrize("name", UNREAD)
def test_what_looks_like_gaze_is_not_passed_over(call: Call, root: Path, name: str) -> None:
    write(root, looked(), name)
    run = ("run", "--dataset", "folder", "--root", root, "--out", root / "run")
    for options in ((), ("--option", "origin=0")):
        code, out, err = call(*run, *options)
        assert (code, out) == (2, "")
        assert err.count("error: ") == 1
        assert f"{name} may hold gaze" in err
        assert "table=FILE" in err
    assert not (root / "run").exists()
    assert call("data", "check", "folder", "--root", root, "--option", "table=none")[0] == 0


@pytest.mark.parametrize("option", ["origin=0", "units=fraction", "screen=9x9", "columns=x=a"])
def test_an_option_for_gaze_without_a_table_is_an_error(
    call: Call, root: Path, option: str
) -> None:
    code, _, err = call("data", "check", "folder", "--root", root, "--option", option)
    assert code == 2
    assert f"{option} is for a table of fixations" in err
    assert "has none; expected" in err


READ = {
    "fixations.tsv": "\t",
    "Fixations.CSV": ",",
    "fixation.csv": ",",
    "FIXATIONS.txt": ";",
    "Fixation.TAB": "\t",
}


@pytest.mark.parametrize("name", READ)
def test_tables_by_any_of_their_names(call: Call, root: Path, name: str) -> None:
    write(root, looked(), name)
    text = (root / name).read_text()
    (root / name).write_text(text.replace(",", READ[name]))
    code, out, _ = call("data", "check", "folder", "--root", root, "--option", "origin=0", "--json")
    points = next(each for each in json.loads(out)["checks"] if each["what"] == "points")
    assert code == 0
    assert points["found"] == "0 of 240 points outside"
    dataset = qg.load_dataset("folder", root, origin=0)
    assert dataset.edition == f"{name} with origin 0"


def test_a_table_by_another_name(call: Call, root: Path) -> None:
    (root / "eye").mkdir()
    write(root, looked(), "eye/all.csv")
    check = ("data", "check", "folder", "--root", root, "--option", "origin=0")
    assert call(*check, "--option", "table=eye/all.csv")[0] == 0
    code, _, err = call(*check, "--option", "table=eye/none.csv")
    assert code == 2
    assert "none.csv is not a file" in err
    code, _, err = call(*check, "--option", "table=images/one.png")
    assert code == 2
    assert "table= takes files that end in .csv" in err


def test_names_left_out_are_listed_with_the_nearest(call: Call, root: Path) -> None:
    write(root, looked())
    with (root / "fixations.csv").open("a") as file:
        file.write("thre,1,5,5\nqqqqqq,1,5,5\n")
    code, _, err = call("data", "check", "folder", "--root", root, "--option", "origin=0")
    assert code == 0
    assert "left out: 'thre' has no image here; the nearest is 'three'" in err
    assert "left out: 'qqqqqq' has no image here\n" in err


def test_a_run_names_few_that_are_left_out_and_counts_many(call: Call, root: Path) -> None:
    write(root, looked())
    run = ("run", "--dataset", "folder", "--root", root, "--option", "origin=0", "--limit", "1")
    options = ("--metrics", "nss", "--cam", "center")
    for number, more in enumerate(("thre,1,5,5\n", "".join(f"x{i},1,5,5\n" for i in range(30)))):
        with (root / "fixations.csv").open("a") as file:
            file.write(more)
        code, _, err = call(*run, "--out", root / f"run{number}", *options)
        assert code == 0
        assert "of the data set have no image here and are left out" in err
        assert ("left out: 'thre' has no image here; the nearest is 'three'" in err) is (
            number == 0
        )


def test_images_without_gaze_are_introduced_in_words(call: Call, root: Path) -> None:
    _, _, err = call(
        *("run", "--dataset", "folder", "--root", root, "--out", root / "run", "--limit", "1"),
        *("--metrics", "nss", "--orientation", "activation"),
    )
    assert err.startswith("folder: 3 stimuli, no points (images only)\n")
    assert "none, edition" not in err
