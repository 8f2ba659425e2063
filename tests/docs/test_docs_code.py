"""What the pages show works: their Python runs, their command lines and entry points exist."""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path

import pytest
import typer.main

from quickgaze.backbones import BACKBONES
from quickgaze.bounds import BOUNDS
from quickgaze.cams import CAMS, ORIENTATIONS
from quickgaze.cli.app import app
from quickgaze.metrics import METRICS
from quickgaze.saliency import PRESETS
from quickgaze.stimuli import DATASETS

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

try:
    from sybil import Document, Sybil
    from sybil.parsers.markdown import PythonCodeBlockParser
except ImportError:
    if os.environ.get("CI") == "true":
        raise
    pytest.skip("needs sybil: pip install --group docs", allow_module_level=True)

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
QUICK = {"how-to/own-metric.md"}
"""Pages whose code runs no study."""

_BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_TITLE = re.compile(r'title="([\w.-]+)"')


def _name(page: Path) -> str:
    return page.relative_to(DOCS).as_posix()


def _blocks(page: Path, language: str) -> list[tuple[str, str]]:
    """Info line and content of a page's blocks in one language."""
    found = _BLOCK.findall(page.read_text(encoding="utf-8"))
    return [(info, content) for name, info, content in found if name == language]


def _documents() -> list[object]:
    reader = Sybil([PythonCodeBlockParser()], path=str(DOCS), pattern="*.md")
    documents = [(page, reader.parse(page)) for page in PAGES]
    return [
        pytest.param(
            document,
            id=_name(page),
            marks=[] if _name(page) in QUICK else [pytest.mark.slow],
        )
        for page, document in documents
        if list(document.examples())
    ]


def _commands() -> list[object]:
    lines = (
        (page, line)
        for page in PAGES
        for _, content in _blocks(page, "console")
        for line in content.replace("\\\n", " ").splitlines()
    )
    return [
        pytest.param(page, words, id=f"{_name(page)}: {shlex.join(words)}"[:100])
        for page, line in lines
        if (words := shlex.split(line, comments=True))
    ]


@pytest.mark.usefixtures("page_folder")
@pytest.mark.parametrize("document", _documents())
def test_the_python_of_a_page_runs_from_top_to_bottom(document: Document) -> None:
    for example in document.examples():
        example.evaluate()


@pytest.mark.parametrize(("page", "words"), _commands())
def test_a_command_line_of_a_page_can_be_given(
    page: Path, words: list[str], page_folder: Path
) -> None:
    program, *rest = words
    if program == "make":
        assert all(f"\n{target}:" in (ROOT / "Makefile").read_text() for target in rest)
        return
    if program == "python":
        assert (ROOT / rest[0]).is_file()
        return
    assert program == "quickgaze"
    _write_titled_files(page, page_folder)
    command = typer.main.get_command(app)
    while hasattr(command, "commands"):
        name = rest.pop(0)
        assert name in command.commands
        command = command.commands[name]
    context = command.make_context(name, rest)
    _require_known_names(context.params)


def _write_titled_files(page: Path, folder: Path) -> None:
    for info, content in _blocks(page, "toml"):
        if title := _TITLE.search(info):
            (folder / title[1]).write_text(content)


def _require_known_names(options: dict[str, object]) -> None:
    """Names that are given exist; looking one up that does not raises."""
    catalogues = {"dataset": DATASETS, "backbone": BACKBONES, "cam": CAMS}
    for option, catalogue in {**catalogues, "orientation": ORIENTATIONS}.items():
        given = options.get(option) or ()
        for name in (given,) if isinstance(given, str) else given:
            assert name.startswith("timm/") or catalogue[name] is not None


def test_entry_points_are_shown_for_groups_that_there_are() -> None:
    catalogues = (BACKBONES, BOUNDS, CAMS, DATASETS, METRICS, ORIENTATIONS, PRESETS)
    groups = {catalogue.group for catalogue in catalogues}
    page = DOCS / "how-to" / "index.md"
    shown = [tomllib.loads(content) for _, content in _blocks(page, "toml")]
    points = shown[0]["project"]["entry-points"]

    assert set(points) <= groups
    assert all(f"`{group}`" in page.read_text() or group in points for group in groups)


def test_objects_of_entry_points_stand_on_the_pages() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    ((_, content),) = _blocks(DOCS / "how-to" / "index.md", "toml")
    for points in tomllib.loads(content)["project"]["entry-points"].values():
        for target in points.values():
            name = target.partition(":")[2]
            assert re.search(rf"^{name} = ", text, re.MULTILINE)


def test_every_page_is_read() -> None:
    # a rename of the folder must not leave the tests above without cases
    assert len(_commands()) > 20
    assert len(_documents()) > 10
