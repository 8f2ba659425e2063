"""A run to report on, its report, and a browser that leaves the disk for nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

import quickgaze as qg
from quickgaze.report import Report, write_report
from quickgaze.stimuli import Dataset
from quickgaze.study import Run

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

HOSTILE = "<img src=x onerror=alert(1)>.jpg"
SIZE = (120, 160)


@pytest.fixture(scope="session")
def hostile() -> str:
    """An id that would run, were it not text everywhere."""
    return HOSTILE


@pytest.fixture(scope="session")
def displays() -> Dataset:
    """Twelve displays; one has an id that would run, others what paths and pages stumble over."""
    made = qg.load_dataset("popout", n=12, size=SIZE)
    names = {0: HOSTILE, 1: "../../etc/passwd", 2: "</script><b>&amp;\u2028\u2029'\"`$x$"}
    stimuli = tuple(
        replace(stimulus, id=names.get(place, stimulus.id)) for place, stimulus in enumerate(made)
    )
    return replace(made, stimuli=stimuli)


@pytest.fixture(scope="session")
def run(displays: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Two grids, three rules, two metrics of opposite direction."""
    study = qg.Study(
        displays,
        grids=["coarsest", "s16"],
        orientations=["activation", "lapack", "oracle"],
        metrics=["cc", "kld"],
        sigmas=[7],
    )
    return study.run(tmp_path_factory.mktemp("reported") / "run", progress=False)


@pytest.fixture(scope="session")
def attributes(displays: Dataset) -> pl.DataFrame:
    """Attributes of every kind, under the displays' ids."""
    places = range(len(displays))
    return pl.DataFrame(
        {
            "stimulus": [stimulus.id for stimulus in displays],
            "animals": [place % 2 == 0 for place in places],
            "brightness": [float(place) for place in places],
            "scene": ["<b>street</b>" if place < 6 else "sea" for place in places],
        }
    )


@pytest.fixture(scope="session")
def report(
    run: Run,
    displays: Dataset,
    attributes: pl.DataFrame,
    tmp_path_factory: pytest.TempPathFactory,
) -> Report:
    """The report on that run, with everything in it."""
    out = tmp_path_factory.mktemp("report") / "report"
    return write_report(
        run,
        out,
        dataset=displays,
        attributes=[attributes],
        image_statistics=False,
        resamples=200,
        progress=False,
    )


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium without a window."""
    executable = shutil.which("chromium")
    if executable is None:
        pytest.skip("there is no chromium; Debian's package of that name is enough")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - a development package

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open a page from disk; errors on its console and requests elsewhere fail the test."""
    problems: list[str] = []
    contexts: list[Any] = []

    def refuse(route: Any) -> None:
        problems.append(f"asked for {route.request.url}")
        route.abort()

    def open_it(path: Path, width: int = 1400, height: int = 900, theme: str = "light") -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=theme,
            reduced_motion="reduce",
        )
        contexts.append(context)
        page = context.new_page()
        page.route(lambda url: not url.startswith(("file:", "data:", "blob:")), refuse)
        page.on(
            "console", lambda said: problems.append(said.text) if said.type == "error" else None
        )
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("requestfailed", lambda request: problems.append(f"missing {request.url}"))
        page.on("dialog", lambda dialog: problems.append(f"said {dialog.message}"))
        page.goto(path.resolve().as_uri())
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert problems == []
