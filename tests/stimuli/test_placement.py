from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quickgaze.errors import OptionError
from quickgaze.stimuli._placement import PIXELS, Placement, read_placement
from quickgaze.stimuli.types import RecordedPoints

SIZE = (120, 160)


def on_image(placement: Placement, x: float, y: float, size: tuple[int, int] = SIZE) -> list[float]:
    columns, rows = placement.on_image(np.array([x]), np.array([y]), size)
    return [float(columns[0]), float(rows[0])]


@pytest.mark.parametrize(
    ("placement", "given_xy", "expected"),
    [
        (Placement(), (3, 4), [3, 4]),
        (Placement(origin=1), (3, 4), [2, 3]),
        (Placement(origin="center"), (0, 0), [80, 60]),
        (Placement(origin="center"), (-80, 20), [0, 80]),
        (Placement(origin="center", y="up"), (10, 20), [90, 40]),
        (Placement(y="up"), (3, 0), [3, 119]),
        (Placement(origin=1, y="up"), (1, 1), [0, 119]),
        (Placement("fraction"), (0.25, 0.5), [40, 60]),
        (Placement("fraction", y="up"), (0.25, 0.25), [40, 90]),
        (Placement("fraction", origin="center"), (0.25, -0.5), [120, 0]),
        (Placement("percent"), (25, 50), [40, 60]),
        # twice as large on a screen that leaves 40 pixels at each side
        (Placement(screen=(240, 400)), (40, 0), [0, 0]),
        (Placement(screen=(240, 400)), (200, 120), [80, 60]),
        # half as large, above and below 10 pixels
        (Placement(screen=(80, 80)), (10, 10), [20, 0]),
        (Placement("fraction", screen=(240, 400)), (0.1, 0.5), [0, 60]),
        (Placement(origin="center", y="up", screen=(240, 400)), (0, 120), [80, 0]),
    ],
)
def test_places_by_hand(
    placement: Placement, given_xy: tuple[float, float], expected: list[float]
) -> None:
    np.testing.assert_allclose(on_image(placement, *given_xy), expected, atol=1e-12)


@given(
    st.tuples(st.floats(0, 159), st.floats(0, 119)),
    st.tuples(st.integers(50, 2000), st.integers(50, 2000)),
)
def test_a_fitted_image_keeps_its_shape_and_lies_inside_the_screen(
    point: tuple[float, float], screen: tuple[int, int]
) -> None:
    scale = min(screen[0] / SIZE[0], screen[1] / SIZE[1])
    left, top = (screen[1] - scale * SIZE[1]) / 2, (screen[0] - scale * SIZE[0]) / 2
    assert min(left, top) == pytest.approx(0, abs=1e-9)
    x, y = left + scale * point[0], top + scale * point[1]
    np.testing.assert_allclose(on_image(Placement(screen=screen), x, y), point, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "gaze.csv needs origin=0 or origin=1"),
        ({"origin": 2}, "origin is 2; give 0 or 1"),
        ({"origin": True}, "origin is True"),
        ({"origin": "centre"}, "origin is 'centre'"),
        ({"units": "fraction", "origin": 1}, "origin=1 is the number of the first pixel"),
        ({"units": "degrees"}, "unknown units 'degrees'.* Known: pixels, fraction, percent"),
        ({"origin": 0, "y": "upwards"}, "unknown y 'upwards'"),
        ({"origin": 0, "screen": "wide"}, "screen is 'wide'; give its width and height"),
        ({"origin": 0, "screen": (0, 5)}, "screen is"),
        ({"origin": 0, "screen": 1920}, "screen is 1920"),
    ],
)
def test_options_that_cannot_be_used(options: dict[str, Any], words: str) -> None:
    known = {"units": None, "origin": None, "y": None, "screen": None}
    with pytest.raises(OptionError, match=words):
        read_placement("gaze.csv", **{**known, **options})


@pytest.mark.parametrize("screen", ["1920x1080", "1920 X 1080", (1920, 1080)])
def test_a_screen_is_width_and_height(screen: Any) -> None:
    made = read_placement("gaze.csv", "fraction", None, "up", screen)
    assert made == Placement("fraction", 0, "up", (1080, 1920))
    assert made.in_words() == "units fraction, y up, screen 1920x1080"


def test_what_coordinates_mean_is_part_of_the_fingerprint() -> None:
    def recorded(placement: Placement) -> str:
        x = np.array([0.5])
        return RecordedPoints(
            x, x, np.array(["ann"]), np.array([0]), placement=placement
        ).fingerprint()

    placements = [PIXELS, Placement("fraction"), Placement("percent"), Placement(y="up")]
    assert len({recorded(each) for each in placements}) == len(placements)
    assert ":" not in recorded(PIXELS)
