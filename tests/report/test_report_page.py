"""The report in a browser: opened from disk, sorted, filtered, switched, by mouse and keyboard."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from quickgaze.report import Report, write_report
from quickgaze.stimuli import Dataset
from quickgaze.study import Run
from quickgaze.study.plan import FORMAT

if TYPE_CHECKING:
    from playwright.sync_api import Page

OpenPage = Callable[..., Any]


def _scores(run: Run, grid: str = "coarsest", orientation: str = "activation") -> dict[str, float]:
    own = run.scores().filter(pl.col("grid") == grid, pl.col("orientation") == orientation)
    return dict(own.select("stimulus", "cc").iter_rows())


def _ids(page: Page) -> list[str]:
    return page.locator("#cards .id").all_text_contents()


def _gallery(page: Page) -> None:
    page.locator("#cards").scroll_into_view_if_needed()
    page.locator("#cards .card").first.wait_for()


def _wait_until(page: Page, condition: str) -> None:
    """Wait without `wait_for_function`, which the page's policy forbids."""
    for _ in range(100):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"never: {condition}")


def test_names_are_text_and_nothing_runs(report: Report, open_page: OpenPage, hostile: str) -> None:
    page = open_page(report.page)
    _gallery(page)
    page.locator("#find").fill("onerror")
    _wait_until(page, "document.querySelectorAll('#cards .card').length === 1")
    assert _ids(page) == [hostile]
    assert page.locator("img[src='x']").count() == 0
    page.locator("#cards .open").click()
    assert page.locator("#large-title").text_content() == hostile
    assert page.evaluate("document.querySelectorAll('#provenance script, b').length") == 0


def test_sorting_by_metric_and_by_id(report: Report, open_page: OpenPage, run: Run) -> None:
    page = open_page(report.page)
    _gallery(page)
    scores = _scores(run)
    best = sorted(scores, key=lambda name: -scores[name])
    assert _ids(page) == best[: len(_ids(page))]
    page.locator("#order").select_option("-1")
    assert _ids(page)[0] == best[-1]
    page.locator("#order").select_option("1")
    page.locator("#sort").select_option("kld")
    own = run.scores().filter(pl.col("grid") == "coarsest", pl.col("orientation") == "activation")
    # Lower is better here, so best first is lowest first.
    assert _ids(page)[0] == own.sort("kld")["stimulus"][0]
    page.locator("#sort").select_option("attribute:brightness")
    assert page.locator("#order option").all_text_contents() == ["highest first", "lowest first"]


def test_another_variant_has_other_scores(report: Report, open_page: OpenPage, run: Run) -> None:
    page = open_page(report.page)
    _gallery(page)
    page.locator("#variant").select_option(label="grid s16 · lapack")
    scores = _scores(run, "s16", "lapack")
    first = max(scores, key=lambda name: scores[name])
    assert _ids(page)[0] == first
    assert f"{scores[first]:.3f}" in (page.locator("#cards .score").first.text_content() or "")


def test_filters_by_id_and_attributes(
    report: Report, open_page: OpenPage, attributes: pl.DataFrame
) -> None:
    page = open_page(report.page)
    _gallery(page)
    page.locator("#attribute").select_option("attribute:animals")
    page.locator("#condition select").select_option(label="yes")
    page.locator("#add-filter").click()
    assert page.locator("#count").text_content() == "6 of 12 stimuli"
    page.locator("#attribute").select_option("attribute:brightness")
    page.locator("#condition input").first.fill("5")
    page.locator("#condition input").first.press("Enter")
    kept = attributes.filter("animals", pl.col("brightness") >= 5)["stimulus"].to_list()
    assert sorted(_ids(page)) == sorted(kept)
    page.locator("#attribute").select_option("attribute:scene")
    page.locator("#condition select").select_option("<b>street</b>")
    page.locator("#add-filter").click()
    assert page.locator("#count").text_content() == "0 of 12 stimuli"
    for _ in range(3):
        page.locator("#chips button").first.click()
    assert page.locator("#count").text_content() == "12 stimuli"
    page.locator("#find").fill("POPOUT-000007")
    _wait_until(page, "document.querySelectorAll('#cards .card').length === 1")
    assert _ids(page) == ["popout-000007"]


def test_layers_switch_for_all_and_for_one(report: Report, open_page: OpenPage) -> None:
    page = open_page(report.page)
    _gallery(page)
    layers = {
        "Image": "image/",
        "CAM": "cam/c0",
        "People": "density/",
        "Difference": "difference/m0",
    }
    for label, folder in layers.items():
        page.locator("#all-layers label", has_text=label).click()
        top = page.locator("#cards .card").first.locator("img").last
        assert f"pictures/{folder}" in (top.get_attribute("src") or "")
    first, second = (page.locator("#cards .card").nth(place) for place in (0, 1))
    first.locator(".options label", has_text="CAM").click()
    assert "/cam/" in (first.locator("img").last.get_attribute("src") or "")
    assert "/difference/" in (second.locator("img").last.get_attribute("src") or "")
    _wait_until(
        page,
        "[...document.querySelectorAll('#cards img')].every(i => i.complete && i.naturalWidth)",
    )


def test_the_slider_sets_the_opacity(report: Report, open_page: OpenPage) -> None:
    page = open_page(report.page)
    _gallery(page)
    over = page.locator("#cards img.over").first
    assert over.evaluate("each => getComputedStyle(each).opacity") == "0.6"
    page.locator("#opacity").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("#opacity-value").text_content() == "65 %"
    assert over.evaluate("each => getComputedStyle(each).opacity") == "0.65"


def test_the_large_view_by_keyboard(report: Report, open_page: OpenPage) -> None:
    page = open_page(report.page)
    _gallery(page)
    ids = _ids(page)
    page.locator("#cards .open").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    title = page.locator("#large-title")
    assert title.text_content() == ids[1]
    assert page.locator("#large-place").text_content() == "2 of 12"
    assert page.locator("#large-scores tbody tr").count() == 2
    page.keyboard.press("ArrowRight")
    assert title.text_content() == ids[2]
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert title.text_content() == ids[0]
    assert page.locator("#large-previous").is_disabled()
    page.locator("#large-layers label", has_text="CAM").click()
    # Arrows within the switch choose a layer, and do not go on to another stimulus.
    page.keyboard.press("ArrowRight")
    assert title.text_content() == ids[0]
    assert "/map/" in (page.locator("#large-stack img").last.get_attribute("src") or "")
    page.keyboard.press("Escape")
    assert not page.locator("#large").is_visible()
    focused = page.evaluate("document.activeElement.querySelector('.id')?.textContent")
    assert focused == ids[0]


def test_a_ranking_opens_its_stimulus(report: Report, open_page: OpenPage, run: Run) -> None:
    page = open_page(report.page)
    scores = _scores(run)
    page.locator("#ranking .part:not([hidden]) .link").first.click()
    assert page.locator("#large-title").text_content() == max(scores, key=lambda name: scores[name])
    page.locator("#large-close").click()
    assert not page.locator("#large").is_visible()


def test_charts_are_drawn_in_either_theme(report: Report, open_page: OpenPage) -> None:
    page = open_page(report.page)
    for chapter in ("summary", "distributions", "deep-dive", "attributes", "comparison"):
        plot = page.locator(f"#{chapter} .part:not([hidden]) .plot").first
        plot.scroll_into_view_if_needed()
        plot.locator("svg").wait_for()
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.locator("#theme").click()
    page.locator("#theme").click()
    assert page.locator("#theme").text_content() == "Theme: dark"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    plot.locator("svg").wait_for()


def test_a_choice_shows_its_part_alone(report: Report, open_page: OpenPage) -> None:
    page = open_page(report.page)
    page.locator("#distributions select[data-choose]").select_option(label="kld")
    shown = page.locator("#distributions .part:not([hidden])")
    assert shown.count() == 1
    assert "kld" in (shown.locator("figcaption").first.text_content() or "")


def test_tables_sort_and_say_so(report: Report, open_page: OpenPage) -> None:
    page = open_page(report.page)
    table = page.locator("#summary table").first
    heading = table.locator("thead th").nth(1)
    heading.locator("button").click()
    assert heading.get_attribute("aria-sort") == "ascending"
    cells = table.locator("tbody tr td:nth-child(2)").all_text_contents()
    values = [float(cell.split()[0]) for cell in cells if cell != "—"]
    assert values == sorted(values)
    heading.locator("button").click()
    assert heading.get_attribute("aria-sort") == "descending"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1400])
def test_it_fits_the_screen(
    report: Report, open_page: OpenPage, width: int, theme: str, tmp_path: Path
) -> None:
    page = open_page(report.page, width, theme=theme)
    _gallery(page)
    page.screenshot(path=tmp_path / f"gallery-{width}-{theme}.png")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("document.getElementById('cards').scrollWidth") <= width
    unnamed = page.evaluate(
        "[...document.querySelectorAll('button, input, select')].filter(each => !(each.ariaLabel"
        " || each.textContent.trim() || each.labels?.length)).map(each => each.outerHTML)"
    )
    assert unnamed == []
    assert page.evaluate("[...document.images].every(each => each.hasAttribute('alt'))")


def test_every_file_that_is_linked_is_there(report: Report) -> None:
    content = report.page.read_text(encoding="utf-8")
    linked = set(re.findall(r'(?:href|src)="([^"#][^"]*)"', content.split("<script>")[0]))
    assert len(linked) > 20
    missing = [name for name in linked if not (report.folder / name).is_file()]
    assert missing == []


def _many(write_run: Callable[..., Run], folder: Path, count: int) -> Run:
    keys = {"backbone": "net", "cam": "eigen", "grid": "s32", "component": 0}
    names = [f"COCO_val2014_{number:012d}" for number in range(count)]
    scores = [
        {
            "stimulus": name,
            **keys,
            "orientation": "activation",
            "sigma": 9.0,
            "convention": "tuebingen",
            "cc": (number * 7919 % count) / count * 2 - 1,
            "kld": number * 104729 % count / 100,
            "explained_variance": 0.25,
            "orientation_margin": 0.5,
        }
        for number, name in enumerate(names)
    ]
    maps = [
        {
            "stimulus": name,
            **keys,
            "image_height": 48,
            "image_width": 64,
            "height": 2,
            "width": 3,
            "projection": [float(number % each) for each in (2, 3, 5, 7, 11, 13)],
            "explained_variance": 0.25,
            "evidence_activation": 1.0 if number % 2 else -1.0,
        }
        for number, name in enumerate(names)
    ]
    plan = {
        "format": FORMAT,
        "settings": {"metrics": ["cc", "kld"], "convention": "tuebingen", "rectify": True},
        "dataset": {"name": "made", "edition": "made"},
        "stimuli": names,
    }
    return write_run(folder, ["cc", "kld"], plan, scores=scores, maps=maps)


@pytest.mark.slow
def test_five_thousand_stimuli_stay_smooth(
    write_run: Callable[..., Run], tmp_path: Path, open_page: OpenPage
) -> None:
    run = _many(write_run, tmp_path / "run", 5000)
    report = write_report(run, tmp_path / "report", papers=False, resamples=100, progress=False)
    assert len(list((report.folder / "pictures" / "map").rglob("*.webp"))) == 5000
    took = []
    for _ in range(2):  # other programs may be at work
        page = open_page(report.page)
        page.locator("#cards .card").first.wait_for(state="attached")
        took.append(page.evaluate("performance.now()"))
    print(f"opened with its first cards in {min(took):.0f} ms")
    assert min(took) < 3000
    page.locator("#cards").scroll_into_view_if_needed()
    for share in (0.25, 0.5, 0.75, 1):
        page.evaluate(f"cards.scrollTop = {share} * (cards.scrollHeight - cards.clientHeight)")
        page.wait_for_timeout(100)
        in_view = page.evaluate(
            "[...document.querySelectorAll('#cards .card')].filter(card => {"
            " const one = card.getBoundingClientRect(), all = cards.getBoundingClientRect();"
            " return one.bottom > all.top && one.top < all.bottom; }).length"
        )
        assert in_view >= 10
        assert page.locator("#cards .card").count() < 80
    names = json.loads(page.locator("#gallery-data").text_content())["stimuli"]
    assert len(names) == 5000
    assert page.locator("#cards .card").last.get_attribute("aria-posinset") == "5000"


def test_without_pictures_scores_can_still_be_sorted(
    write_run: Callable[..., Run], tmp_path: Path, open_page: OpenPage
) -> None:
    run = _many(write_run, tmp_path / "run", 40)
    report = write_report(
        run, tmp_path / "report", pictures=False, papers=False, resamples=100, progress=False
    )
    assert not (report.folder / "pictures").exists()
    page = open_page(report.page)
    _gallery(page)
    assert page.locator("#cards img").count() == 0
    assert "There are no pictures" in (page.locator("#gallery .missing").last.text_content() or "")
    page.locator("#sort").select_option("id")
    assert _ids(page)[0] == "COCO_val2014_000000000000"


def test_each_variant_shows_its_own_data_set(
    write_run: Callable[..., Run], tmp_path: Path, open_page: OpenPage
) -> None:
    one, other = (_many(write_run, tmp_path / name, count) for name, count in (("a", 3), ("b", 5)))
    other.plan = replace(other.plan, dataset=replace(other.plan.dataset, name="another"))
    report = write_report(
        [one, other], tmp_path / "report", papers=False, resamples=100, progress=False
    )
    page = open_page(report.page)
    _gallery(page)
    assert page.locator("#count").text_content() == "3 stimuli"
    page.locator("#variant").select_option("1")
    assert page.locator("#count").text_content() == "5 stimuli"
    # A stimulus of the first run brings its own variant along.
    page.locator("#ranking .part:not([hidden]) .link").first.click()
    assert page.locator("#large-place").text_content() == "1 of 3"
    assert page.locator("#large-scores td").first.text_content() != "—"


def test_two_runs_are_compared(
    run: Run, displays: Dataset, tmp_path: Path, open_page: OpenPage
) -> None:
    report = write_report(
        [run, run],
        tmp_path / "report",
        dataset=displays,
        papers=False,
        resamples=100,
        progress=False,
    )
    page = open_page(report.page)
    assert page.locator("#variant option").count() == 12
    shown = page.locator("#comparison .part:not([hidden])")
    assert "run (1)" in (shown.locator("p").first.text_content() or "")
    win_rate = shown.locator("tbody tr").first.locator("td").nth(3)
    assert win_rate.text_content() == "50 %"
