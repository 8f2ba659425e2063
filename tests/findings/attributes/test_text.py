"""Text in images: generated ones, with the models that come with the installation."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont
import pytest

import quickgaze as qg
from quickgaze.errors import OptionError
from quickgaze.findings import text_attributes
from quickgaze.findings.attributes import _text as text
from quickgaze.findings.attributes._text import covered_share


def test_boxes_that_overlap_count_once() -> None:
    left = [(-0.5, -0.5), (4.5, -0.5), (4.5, 9.5), (-0.5, 9.5)]
    upper = [(-0.5, -0.5), (9.5, -0.5), (9.5, 4.5), (-0.5, 4.5)]
    assert covered_share([left, upper], (10, 10)) == 0.75
    assert covered_share([], (10, 10)) == 0
    # what reaches beyond the image counts within it
    assert covered_share([[(-50, -50), (50, -50), (50, 50), (-50, 50)]], (10, 20)) == 1


def test_what_fills_the_image_is_no_line_of_text() -> None:
    frame = np.array([[0, 0], [99, 0], [99, 99], [0, 99]], dtype=np.float32)
    line = np.array([[9.5, 9.5], [29.5, 9.5], [29.5, 19.5], [9.5, 19.5]], dtype=np.float32)

    class Found:
        boxes = np.stack([frame, line])

    image = np.zeros((100, 100, 3), np.uint8)
    assert text._described(lambda _: Found(), image) == {
        "has_text": True,
        "text_count": 1,
        "text_area": 0.02,
    }


@pytest.mark.parametrize("package", ["rapidocr", "onnxruntime"])
def test_packages_that_are_missing_are_named(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(OptionError, match=r"quickgaze\[text\]"):
        text_attributes([])


def test_models_that_are_missing_are_not_fetched(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"without its model \(det\), and nothing is downloaded"):
        text._model(tmp_path, "det")
    with pytest.raises(OptionError, match="confidence is 50"):
        text_attributes([], confidence=50)


@pytest.mark.slow
def test_text_is_found_without_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the network was asked for")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    noise = np.random.default_rng(0).normal(128, 20, (240, 320, 3)).clip(0, 255)
    plain = PIL.Image.fromarray(noise.astype(np.uint8))
    plain.save(tmp_path / "plain.png")
    font = PIL.ImageFont.load_default(36)
    draw = PIL.ImageDraw.Draw(plain)
    draw.text((20, 40), "OPEN 24 HOURS", "black", font)
    draw.text((20, 150), "COFFEE", "white", font)
    plain.save(tmp_path / "written.png")
    (tmp_path / "damaged.png").write_bytes(b"no image")
    table = text_attributes(qg.load_dataset("folder", root=tmp_path))
    damaged, bare, written = table.iter_rows(named=True)
    assert damaged["has_text"] is None
    assert "cannot be read as an image" in damaged["reason"]
    assert (bare["has_text"], bare["text_count"], bare["text_area"]) == (False, 0, 0.0)
    assert (written["has_text"], written["text_count"]) == (True, 2)
    first, second = (draw.textbbox((0, 0), line, font) for line in ("OPEN 24 HOURS", "COFFEE"))
    letters = sum((right - left) * (low - top) for left, top, right, low in (first, second))
    assert written["text_area"] == pytest.approx(letters / (240 * 320), rel=0.6)
    assert written["text_area"] > letters / (240 * 320)
