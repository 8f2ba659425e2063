"""The overview page: what stands in names appears as text, and every picture is there."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import PIL.Image

from quickgaze.report import Card, Panel, Pictures, Section, file_stems, write_maps, write_overview

HOSTILE = '<img src=x onerror=alert(1)>.jpg" onload="alert(2)'


class _Page(HTMLParser):
    """Collects the tags, their attributes and the text of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_names_appear_as_text(tmp_path: Path) -> None:
    card = Card(HOSTILE, HOSTILE, [Panel(HOSTILE, "pictures/a b?.jpg")])
    page = _Page(
        write_overview(
            tmp_path, HOSTILE, HOSTILE, [Section(HOSTILE, HOSTILE, [card], [HOSTILE], [[HOSTILE]])]
        )
    )
    assert HOSTILE in page.text
    assert [tag for tag, _ in page.tags].count("img") == 1
    names = {name for _, attributes in page.tags for name in attributes}
    assert not any(name.startswith("on") for name in names)
    image = next(attributes for tag, attributes in page.tags if tag == "img")
    assert unquote(image["src"] or "") == "pictures/a b?.jpg"
    assert image["alt"] == f"{HOSTILE}: {HOSTILE}"


def test_names_that_are_not_text_do_not_end_the_page(tmp_path: Path) -> None:
    page = write_overview(tmp_path, "caf\udce9", "", [])
    assert "caf?" in page.read_text(encoding="utf-8")


def test_the_page_asks_for_nothing_from_outside(tmp_path: Path) -> None:
    page = write_overview(tmp_path, "Title", "Text", [Section("Section", "Text")])
    content = page.read_text(encoding="utf-8")
    assert "http" not in content
    assert "<script" not in content


def test_pictures_are_written_small_and_named(tmp_path: Path) -> None:
    image = np.zeros((900, 1200, 3), np.uint8)
    saliency = np.zeros((900, 1200), np.float32)
    panels = Pictures(tmp_path).panels("one", image, saliency, density=saliency)
    assert [panel.label for panel in panels] == ["image", "saliency map", "overlay", "density"]
    for panel in panels:
        with PIL.Image.open(tmp_path / panel.file) as picture:
            assert picture.size == (640, 480)


def test_maps_are_written_whole(tmp_path: Path) -> None:
    image = np.zeros((2, 3, 3), np.uint8)
    saliency = np.array([[0, 0.5, 1], [np.nan, 0.25, 0]], np.float32)
    write_maps(tmp_path, "one", image, saliency, array=True)
    with PIL.Image.open(tmp_path / "one_map.png") as grey:
        np.testing.assert_array_equal(np.asarray(grey), [[0, 128, 255], [0, 64, 0]])
    with PIL.Image.open(tmp_path / "one_overlay.png") as picture:
        assert picture.size == (3, 2)
    np.testing.assert_array_equal(np.load(tmp_path / "one_map.npy"), saliency)


def test_files_of_one_name_are_kept_apart() -> None:
    paths = [Path("a/x.jpg"), Path("b/x.png"), Path("x-2.jpg"), Path("X.tif")]
    stems = file_stems(paths)
    assert len({stem.lower() for stem in stems}) == 4
    assert stems[0] == "x"
