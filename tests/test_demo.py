"""The demonstration's one picture; tests/cli runs the whole of it."""

from __future__ import annotations

import numpy as np

from quickgaze.demo import draw_overview
from quickgaze.saliency import SaliencyResult


def _shown(grey: int, size: tuple[int, int] = (60, 80)) -> tuple[np.ndarray, SaliencyResult]:
    cam = np.array([[1, -1], [-1, 1]], np.float32)
    result = SaliencyResult(np.ones(size, np.float32), cam, (2, 2), 0.5, 0.5)
    return np.full((*size, 3), grey, np.uint8), result


def test_every_image_has_a_column_of_image_cam_and_saliency() -> None:
    picture = draw_overview(
        {"dark": _shown(10), "light": _shown(240), "wide": _shown(99, (40, 90))}
    )
    assert picture.mode == "RGBA"
    assert picture.width == 1600
    first, second = (82 + 250, 82 + 250 + 505)  # inside the first two columns
    assert picture.getpixel((first, 82 + 100))[:3] == (10, 10, 10)
    assert picture.getpixel((second, 82 + 100))[:3] == (240, 240, 240)
    below = 82 + 373 + 14  # of the CAMs: red where they are positive, blue where they are not
    red, _, blue, _ = picture.getpixel((82 + 60, below + 60))
    assert red > blue
    red, _, blue, _ = picture.getpixel((82 + 430, below + 60))
    assert blue > red


def test_it_stands_on_light_and_dark_pages() -> None:
    picture = draw_overview({"one": _shown(10), "two": _shown(20)})
    corners = [(x, y) for x in (0, picture.width - 1) for y in (0, picture.height - 1)]
    assert [picture.getpixel(corner)[3] for corner in corners] == [0, 0, 0, 0]
    assert picture.getpixel((picture.width // 2, 3)) == (20, 22, 28, 255)
