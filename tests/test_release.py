"""What is released: sdist and wheel, installed where there is nothing but them."""

from __future__ import annotations

import ast
import email
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pytest

import quickgaze

PROJECT = Path(__file__).resolve().parents[1]
PACKAGE = PROJECT / "src" / "quickgaze"
RELEASED = {
    *("benchmarks", "docs", "examples", "src", "tests"),
    *("CHANGELOG.md", "CITATION.cff", "CONTRIBUTING.md", "LICENSE", "Makefile", "PKG-INFO"),
    *("README.md", "SECURITY.md", "mkdocs.yml", "pyproject.toml", ".gitignore"),
}
UNWANTED = re.compile(r"__pycache__|\.pyc$|\.egg-info|(^|/)\.(venv|git|ci|mypy_cache)(/|$)|\.orig$")


def command(*words: object, cwd: Path | None = None, **environment: str) -> str:
    """Run a command to its end; give what it printed."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(  # noqa: S603 - our own commands
        [*map(str, words)],
        cwd=cwd,
        env={**kept, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def wheel_content(wheel: Path) -> dict[str, bytes]:
    """Content of the files in a wheel, by name."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@dataclass(frozen=True)
class Distributions:
    """A release: the sdist, the wheel that is made of it, and the one of the working tree."""

    sdist: Path
    wheel: Path
    direct: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Distributions:
    """Build sdist and wheel as for a release, without any network."""
    out, direct = (tmp_path_factory.mktemp(name) for name in ("dist", "direct"))
    build = (sys.executable, "-m", "build", "--no-isolation", PROJECT, "--outdir")
    command(*build, out)
    command(*build, direct, "--wheel")
    (sdist,), (wheel,) = out.glob("*.tar.gz"), out.glob("*.whl")
    return Distributions(sdist, wheel, *direct.glob("*.whl"))


@dataclass(frozen=True)
class Environment:
    """A virtual environment with the wheel in it, and the folder of its programs."""

    folder: Path

    @property
    def programs(self) -> Path:
        """Where python and quickgaze are."""
        return self.folder / ("Scripts" if os.name == "nt" else "bin")

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.programs / "python"


@pytest.fixture(scope="module")
def installed(built: Distributions, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Install the wheel where nothing else of the project is.

    The libraries are those of the tests, by a file that names their folder: what makes
    quickgaze itself importable there is another such file, which does not count.
    """
    environment = Environment(tmp_path_factory.mktemp("environment"))
    command(sys.executable, "-m", "venv", "--without-pip", environment.folder)
    pip = (sys.executable, "-m", "pip", "--python", environment.python, "install")
    command(*pip, "--no-deps", "--no-index", "--quiet", built.wheel)
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    (own,) = command(environment.python, "-c", code).splitlines()
    libraries = {sysconfig.get_path(name) for name in ("purelib", "platlib")}
    (Path(own) / "libraries.pth").write_text("\n".join(libraries))
    return environment


def test_the_version_is_one_everywhere() -> None:
    version = quickgaze.__version__
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    assert f"\nversion: {version}\n" in (PROJECT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\n## {version}" in (PROJECT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_oldest_python_can_read_the_sources() -> None:
    sources = sorted(PACKAGE.rglob("*.py*"))
    read = [path for path in sources if path.suffix in (".py", ".pyi")]
    assert len(read) > 100
    for path in read:
        ast.parse(path.read_text(encoding="utf-8"), str(path), feature_version=(3, 10))


@pytest.mark.slow
def test_the_sdist_holds_the_project_and_nothing_else(built: Distributions) -> None:
    with tarfile.open(built.sdist) as archive:
        members = archive.getmembers()
        assert all(member.isfile() for member in members)
        sizes = {PurePosixPath(member.name): member.size for member in members}
    root = built.sdist.name.removesuffix(".tar.gz")
    assert {path.parts[0] for path in sizes} == {root}
    names = {str(path.relative_to(root)) for path in sizes}
    assert {name.split("/")[0] for name in names} <= RELEASED
    assert not [name for name in names if UNWANTED.search(name)]
    assert max(sizes.values()) < 500_000
    for name in ("LICENSE", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md", "pyproject.toml"):
        assert name in names
    here = set(PROJECT.joinpath("tests").rglob("*.py"))
    assert {path.relative_to(PROJECT).as_posix() for path in here} <= names


@pytest.mark.slow
def test_the_wheel_holds_the_package_and_nothing_else(built: Distributions) -> None:
    content = wheel_content(built.wheel)
    assert not [name for name in content if UNWANTED.search(name)]
    sources = {
        f"quickgaze/{path.relative_to(PACKAGE).as_posix()}": path.read_bytes()
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    info = f"quickgaze-{quickgaze.__version__}.dist-info"
    described = {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE"}
    assert set(content) == {*sources, *(f"{info}/{name}" for name in described)}
    assert {name: content[name] for name in sources} == sources
    for name in ("py.typed", "__init__.pyi", "report/static/report.css", "report/static/page.js"):
        assert f"quickgaze/{name}" in content
    assert [name for name in content if name.endswith(".html.j2")]
    assert content[f"{info}/licenses/LICENSE"] == (PROJECT / "LICENSE").read_bytes()


@pytest.mark.slow
def test_the_wheel_says_what_it_is(built: Distributions) -> None:
    content = wheel_content(built.wheel)
    (name,) = (name for name in content if name.endswith("/METADATA"))
    metadata = email.message_from_bytes(content[name])
    assert (metadata["Name"], metadata["Version"]) == ("quickgaze", quickgaze.__version__)
    assert (metadata["License-Expression"], metadata["Requires-Python"]) == ("MIT", ">=3.10")
    classifiers = metadata.get_all("Classifier", [])
    python = "Programming Language :: Python :: "
    declared = [each.removeprefix(python) for each in classifiers if each.startswith(python)]
    assert {"3.10", "3.11", "3.12", "3.13"} <= set(declared)
    assert "Typing :: Typed" in classifiers
    assert "Does a vision model look where people look" in metadata.get_payload()
    required = [each for each in metadata.get_all("Requires-Dist", []) if "extra ==" not in each]
    assert not [each for each in required if ">=" not in each]


@pytest.mark.slow
def test_the_sdist_makes_the_same_wheel(built: Distributions) -> None:
    assert wheel_content(built.wheel) == wheel_content(built.direct)


@pytest.mark.slow
def test_the_installed_command_works(installed: Environment, tmp_path: Path) -> None:
    code = "import quickgaze; print(quickgaze.__file__)"
    (place,) = command(installed.python, "-c", code, cwd=tmp_path).splitlines()
    assert installed.folder in Path(place).parents
    program = installed.programs / "quickgaze"
    assert command(program, "--version", cwd=tmp_path) == f"quickgaze {quickgaze.__version__}\n"
    assert "compare" in command(program, "--help", cwd=tmp_path)
    told = command(program, "demo", "--out", tmp_path / "demo", cwd=tmp_path)
    assert str(tmp_path / "demo") in told
    pages = list((tmp_path / "demo").glob("*.html"))
    assert pages
    assert all("</html>" in page.read_text(encoding="utf-8") for page in pages)


USER = """
from pathlib import Path

import numpy as np
import polars as pl

import quickgaze as qg
from quickgaze.backbones import Backbone, Pyramid
from quickgaze.cams import Cam
from quickgaze.findings import compare
from quickgaze.report import write_report
from quickgaze.stimuli import Dataset, Stimulus
from quickgaze.study import Run

names: list[str] = qg.list_backbones() + qg.list_datasets()
displays: Dataset = qg.load_dataset("popout", n=3)
stimulus: Stimulus = displays[0]
some: Dataset = displays[:2]
pixels: int = stimulus.image().shape[0] + int(stimulus.image().astype(np.float64).sum())
fixations = stimulus.fixations
points: int = 0 if fixations is None else len(fixations.points)
backbone: Backbone = qg.load_backbone("efficientnet_lite0", device="cpu")
model = qg.SaliencyModel("efficientnet_lite0", cam="eigen", sigma=9.0)
result = model(Path("image.png"))
margin: float = result.orientation_margin
for each in model([Path("a.png"), Path("b.png")]):
    each.overlay(Path("a.png")).save("overlay.png")


def component(pyramid: Pyramid) -> Cam:
    return qg.cams.eigen(pyramid, grid="coarsest", component=0)


study = qg.Study(displays, cams=["deviation"], metrics=["cc", "nss"])
run: Run = study.run("run")
scores: pl.DataFrame = qg.open_run("run").scores()
better: pl.DataFrame = compare(run, run, "cc").summary
page: Path = write_report([run], "report").page
qg.load_dataset(3)  # type: ignore[arg-type]
qg.Study(displays, metric=["cc"])  # type: ignore[call-arg]
qg.open_run("run").score()  # type: ignore[attr-defined]
wrong: str = qg.open_run("run").scores()  # type: ignore[assignment]
"""


@pytest.mark.slow
def test_users_can_check_their_types(installed: Environment, tmp_path: Path) -> None:
    (tmp_path / "user.py").write_text(USER)
    checker = (sys.executable, "-m", "mypy", "--strict", "--python-executable", installed.python)
    told = command(*checker, "--cache-dir", tmp_path / "cache", "user.py", cwd=tmp_path)
    assert told == "Success: no issues found in 1 source file\n"
