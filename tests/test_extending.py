"""Backbones, CAMs, data sets and metrics of other packages, as `tests/plugin` adds them."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import quickgaze as qg
from quickgaze import catalogue
from quickgaze.cli import main
from quickgaze.errors import OptionError, UnknownNameError
from quickgaze.metrics import Definition, Metric
from quickgaze.study import Run

PLUGIN = Path(__file__).with_name("plugin")
GROUPS = {
    "quickgaze.backbones": "netless",
    "quickgaze.cams": "blindness",
    "quickgaze.datasets": "nowhere",
    "quickgaze.metrics": "luck",
    "quickgaze.orientations": "upside_down",
    "quickgaze.bounds": "nobody",
}


def quickgaze(*arguments: object, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Call the command line, with a folder of packages beside what is installed."""
    environment = {**os.environ, "COLUMNS": "200"}
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    command = [Path(sys.executable).with_name("quickgaze"), *map(str, arguments)]
    return subprocess.run(  # noqa: S603 - our own command
        command, capture_output=True, text=True, check=False, env=environment
    )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the package has been installed into, as pip does it."""
    target = tmp_path_factory.mktemp("packages")
    options = ("--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--target", target)
    command = [sys.executable, "-m", "pip", "install", *options, PLUGIN]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - pip
    assert done.returncode == 0, done.stderr
    return target


@pytest.fixture(scope="module")
def run(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run with the package's data set, backbone, CAM and metric."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    done = quickgaze(
        *("run", "--dataset", "dots", "--option", "n=12", "--out", folder, "--sigma", 4),
        *("--backbone", "lite0_coarse", "--cam", "focus", "--metrics", "hit_rate,cc"),
        path=installed,
    )
    assert done.returncode == 0, done.stderr
    assert "hit_rate ↑" in done.stdout
    return qg.open_run(folder)


Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Call the command line in this process: exit code, standard output, standard error."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["quickgaze", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "200")
        with pytest.raises(SystemExit) as finished:
            main()
        captured = capsys.readouterr()
        return int(finished.value.code or 0), captured.out, captured.err

    return run


@pytest.fixture
def call_with_package(
    installed: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Call]:
    """Call the command line in this process, with the package beside what is installed."""
    monkeypatch.syspath_prepend(installed)
    catalogue._installed.cache_clear()
    yield call
    monkeypatch.undo()
    for name in [name for name in sys.modules if name.partition(".")[0] == "gaze_plugin"]:
        del sys.modules[name]
    catalogue._installed.cache_clear()


@pytest.mark.slow
def test_lists_name_what_a_package_adds(call_with_package: Call) -> None:
    for command, name, summary in (
        (("backbones",), "lite0_coarse", "the coarse half of"),
        (("data", "list"), "dots", "somebody who looks at it"),
        (("metrics",), "hit_rate ↑", "upper half of"),
    ):
        code, out, err = call_with_package(*command)
        assert (code, err) == (0, "")
        assert name in out
        assert summary in out


@pytest.mark.slow
def test_the_scores_are_what_the_package_computes(installed: Path, run: Run) -> None:
    code = """
import json
import quickgaze as qg
model = qg.SaliencyModel("lite0_coarse", cam="focus", sigma=4)
rates = {}
for dot in qg.load_dataset("dots", n=12):
    map = model(dot.image()).map
    x, y = dot.fixations.points[0].astype(int)
    rates[dot.id] = float(map[y, x] > (map.min() + map.max()) / 2)
print(json.dumps(rates))
"""
    done = subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(installed)},
    )
    scores = run.scores()
    assert dict(scores.select("stimulus", "hit_rate").rows()) == json.loads(done.stdout)
    keys = ("backbone", "cam", "orientation", "convention")
    assert scores.select(keys).unique().rows() == [("lite0_coarse", "focus", "none", "tuebingen")]
    assert scores["cc"].is_between(-1, 1).all()
    bounds = run.bounds().filter(pl.col("bound") == "uniform")
    # a constant map is nowhere above the middle of its range
    assert bounds["hit_rate"].to_list() == [0.0] * 12
    assert run.manifest["versions"]["gaze-plugin"] == "1.2.0"


@pytest.mark.slow
def test_helper_processes_know_the_package_too(installed: Path, run: Run, tmp_path: Path) -> None:
    done = quickgaze(
        *("run", "--dataset", "dots", "--option", "n=12", "--out", tmp_path / "run"),
        *("--sigma", 4, "--backbone", "lite0_coarse", "--cam", "focus"),
        *("--metrics", "hit_rate,cc", "--helpers", 1, "--shard-size", 5),
        path=installed,
    )
    assert done.returncode == 0, done.stderr
    assert_frame_equal(qg.open_run(tmp_path / "run").scores(), run.scores(), abs_tol=1e-6)


@pytest.mark.slow
def test_what_is_found_can_be_shown(run: Run, call_with_package: Call, tmp_path: Path) -> None:
    code, out, err = call_with_package("summary", run.path, "--json")
    assert code == 0, err
    (variant,) = json.loads(out)["variants"]
    assert variant["metrics"]["hit_rate"]["mean"] == run.scores()["hit_rate"].mean()
    assert variant["metrics"]["hit_rate"]["higher_is_better"] is True
    code, out, err = call_with_package("compare", run.path, run.path, "--metric", "hit_rate")
    assert code == 0, err
    assert "hit_rate ↑" in out
    code, _, err = call_with_package(
        *("report", run.path, "--out", tmp_path / "report", "--dataset", "dots"),
        *("--metric", "hit_rate"),
    )
    assert code == 0, err
    page = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    assert "hit_rate" in page
    assert "gaze-plugin" in page


@pytest.mark.slow
def test_without_the_package_the_scores_can_still_be_read(
    run: Run, call: Call, tmp_path: Path
) -> None:
    code, _, err = call("export", run.path, "--to", "csv", "--out", tmp_path / "tables")
    assert code == 0, err
    code, _, err = call("summary", run.path)
    assert code == 2
    assert "unknown metric 'hit_rate'" in err
    assert "install what the run was computed with: gaze-plugin 1.2.0" in err
    assert "Traceback" not in err


AddPackage = Callable[..., None]


@pytest.fixture
def add_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AddPackage]:
    """Install a package of one module: what it holds, and its entry points by group."""
    folder = tmp_path / "packages"
    info = folder / "oddities-0.3.dist-info"
    info.mkdir(parents=True)
    monkeypatch.syspath_prepend(folder)

    def add(content: str, points: dict[str, str]) -> None:
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: oddities\nVersion: 0.3\n")
        lines = [f"[{group}]\n{name} = oddities:thing\n" for group, name in points.items()]
        (info / "entry_points.txt").write_text("".join(lines))
        (folder / "oddities.py").write_text(content)
        importlib.invalidate_caches()
        catalogue._installed.cache_clear()

    yield add
    monkeypatch.undo()
    sys.modules.pop("oddities", None)
    catalogue._installed.cache_clear()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("import a_library_that_is_not_here\n", "cannot be imported (ModuleNotFoundError"),
        ("thing = 'a text'\n", "is of the type str; it has to be of quickgaze."),
    ],
)
def test_a_broken_package_breaks_nothing_else(
    add_package: AddPackage, call: Call, tmp_path: Path, content: str, reason: str
) -> None:
    add_package(content, GROUPS)
    for command, group, own in (
        (("backbones",), "quickgaze.backbones", "efficientnet_lite0"),
        (("data", "list"), "quickgaze.datasets", "salicon"),
        (("metrics",), "quickgaze.metrics", "nss"),
    ):
        code, out, err = call(*command)
        assert code == 0
        assert own in out
        (line,) = err.splitlines()
        assert line.startswith("warning: the ")
        assert f"{GROUPS[group]!r} of oddities 0.3 (entry point {group}: oddities:thing)" in line
        assert reason in line
    arguments = ("run", "--dataset", "popout", "--option", "n=2", "--option", "size=[120,160]")
    code, out, err = call(*arguments, "--cam", "center", "--metrics", "cc", "--out", tmp_path / "r")
    assert code == 0, err
    assert "cc ↑" in out


@pytest.mark.parametrize(
    ("option", "group"),
    [
        ("--backbone", "quickgaze.backbones"),
        ("--cam", "quickgaze.cams"),
        ("--dataset", "quickgaze.datasets"),
        ("--metrics", "quickgaze.metrics"),
    ],
)
def test_asking_for_what_is_broken_says_whose_it_is(
    add_package: AddPackage, call: Call, tmp_path: Path, option: str, group: str
) -> None:
    add_package("raise RuntimeError('needs a camera')\n", GROUPS)
    options = {"--dataset": "popout", "--out": tmp_path / "run", "--option": "n=2"}
    options[option] = GROUPS[group]
    code, _, err = call("run", *(part for pair in options.items() for part in pair))
    assert code == 2
    assert f"{GROUPS[group]!r} of oddities 0.3" in err
    assert "RuntimeError: needs a camera" in err
    assert "uninstall it" in err
    assert not (tmp_path / "run").exists()


METRIC = """
import numpy as np
from quickgaze.metrics import Definition, Metric, everywhere

def compute(prediction, density):
    {body}

thing = Metric("{name}", None, everywhere(Definition("density", compute)), True, (0, 1), "", "", "")
"""


def test_a_metric_cannot_take_the_name_of_a_column(
    add_package: AddPackage, call: Call, tmp_path: Path
) -> None:
    add_package(METRIC.format(name="sigma", body="return 1.0"), {"quickgaze.metrics": "sigma"})
    arguments = ("run", "--dataset", "popout", "--option", "n=2", "--out", tmp_path / "run")
    code, _, err = call(*arguments, "--metrics", "sigma")
    assert code == 2
    assert "metric 'sigma' has the name of another column of the scores" in err
    assert not (tmp_path / "run").exists()


def test_a_metric_that_fails_costs_the_stimulus_and_not_the_run(
    add_package: AddPackage, call: Call, tmp_path: Path
) -> None:
    body = "return np.float64(density.at(np.arange(9 // len(prediction.row[:0]))))"
    add_package(METRIC.format(name="luck", body=body), {"quickgaze.metrics": "luck"})
    arguments = ("run", "--dataset", "popout", "--option", "n=2", "--option", "size=[120,160]")
    options = ("--cam", "center", "--metrics", "cc,luck", "--out", tmp_path / "run")
    code, _, err = call(*arguments, *options, "--bounds", "none")
    assert code == 1
    assert "failed: popout-000000 (score): integer division or modulo by zero" in err


def test_a_metric_in_a_convention_that_there_is_not() -> None:
    definition = Definition("density", lambda *_: np.float64(0))
    told = (True, (0.0, 1.0), "", "nothing", "nobody")
    with pytest.raises(UnknownNameError, match=r"convention of luck: 'tubingen'; .* 'tuebingen'"):
        Metric("luck", lambda *_: 0.0, {"tubingen": definition}, *told)
    with pytest.raises(OptionError, match="luck has no definition"):
        Metric("luck", lambda *_: 0.0, {}, *told)
