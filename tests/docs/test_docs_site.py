"""The built site: made without a warning, readable from disk, nothing fetched from elsewhere."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if find_spec("mkdocs") is None and os.environ.get("CI") != "true":
        pytest.skip("needs mkdocs: pip install --group docs")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    executable = shutil.which("chromium")
    if executable is None:
        pytest.skip("there is no chromium; Debian's package of that name is enough")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - a development package

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield opened
        opened.close()


def _pages(site: Path) -> list[Path]:
    return [path for path in sorted(site.rglob("*.html")) if path.name != "404.html"]


def test_pages_load_nothing_from_elsewhere(site: Path) -> None:
    loaded = re.compile(
        r"<(?:script|link|img|iframe|source)\b[^>]*\b(?:src|href)=\"?(https?:[^\" >]*)"
    )
    for page in _pages(site):
        assert loaded.findall(page.read_text(encoding="utf-8")) == []


def test_every_picture_that_is_shown_is_there(site: Path) -> None:
    shown = [
        page.parent / source
        for page in _pages(site)
        for source in re.findall(r"<img\b[^>]*\bsrc=\"?([^\"# >]+)", page.read_text("utf-8"))
    ]
    assert len(shown) == 10
    assert all(picture.is_file() for picture in shown)


def test_docstrings_names_are_linked(site: Path) -> None:
    page = (site / "reference" / "saliency.html").read_text(encoding="utf-8")
    link = r'href="backbones\.html#quickgaze\.backbones\.list_backbones"[^>]*><code>'
    assert re.search(link, page)


def test_public_names_are_all_described(site: Path) -> None:
    import quickgaze.findings  # noqa: PLC0415 - what is asked about

    page = (site / "reference" / "findings.html").read_text(encoding="utf-8")
    for name in quickgaze.findings.__all__:
        assert re.search(rf'id="quickgaze\.findings\.[\w.]*\b{name}"', page), name


@pytest.mark.parametrize("width", [1200, 390])
def test_the_search_finds_a_page_from_disk(site: Path, browser: Browser, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    requested: list[str] = []
    page.on("request", lambda request: requested.append(request.url))
    page.goto((site / "index.html").as_uri())
    if width < 1000:
        page.locator("label[for=__search]").first.click()
    page.get_by_placeholder("Search").first.press_sequentially("coin toss")
    page.locator(".md-search-result__link").first.wait_for(timeout=30_000)

    found = page.locator(".md-search-result__link").all()
    assert any("orientation.html" in (link.get_attribute("href") or "") for link in found)
    assert [url for url in requested if not url.startswith(("file:", "data:", "blob:"))] == []
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_shows_the_pictures_of_its_colours(
    site: Path, browser: Browser, scheme: str
) -> None:
    page = browser.new_page(color_scheme=scheme)
    page.goto((site / "concepts" / "grid.html").as_uri())
    visible = [
        image.get_attribute("src") for image in page.locator("img").all() if image.is_visible()
    ]
    assert [Path(source.partition("#")[0]).name for source in visible] == [f"grid-{scheme}.webp"]
    page.close()
