from __future__ import annotations

import pickle

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quickgaze.stimuli.points import Points
from quickgaze.stimuli.types import Fixations, RecordedPoints, Size

COORDINATES = st.floats(-20, 40)


@given(st.lists(st.tuples(COORDINATES, COORDINATES, st.integers(0, 2)), max_size=30))
def test_points_inside_are_kept_in_order(rows: list[tuple[float, float, int]]) -> None:
    x, y, looked = np.array(rows).reshape(-1, 3).T
    names = np.array(["ann", "bob", "cleo"])
    points = pickle.loads(pickle.dumps(RecordedPoints(x, y, names, looked.astype(int))))  # noqa: S301
    fixations = points.read((10, 20))
    kept = [row for row in rows if -0.5 <= row[0] < 20 and -0.5 <= row[1] < 10]
    assert fixations.points.tolist() == [[x, y] for x, y, _ in kept]
    assert fixations.observer.tolist() == [str(names[who]) for _, _, who in kept]
    assert fixations.dropped == len(rows) - len(kept)
    assert fixations.duration is None


SIZE = (120, 160)
Coordinates = npt.NDArray[np.float64]


def looked(count: int = 240, size: Size = SIZE) -> Coordinates:
    """Points about the centre of an image, as people look."""
    noise = np.random.default_rng(0).normal(0.5, 0.17, (count, 2)).clip(0.01, 0.99)
    return np.asarray(noise * [size[1], size[0]])


def counted(points: Coordinates, size: Size = SIZE) -> Points:
    fixations = Fixations.inside(points[:, 0], points[:, 1], ["ann"] * len(points), size)
    return Points.of(fixations, size)


def test_points_that_fit_raise_no_doubt() -> None:
    points = counted(looked())
    assert (points.counted, points.cause, points.doubtful) == ("0 of 240 points outside", "", False)
    assert points.in_words() == points.counted
    few = counted(np.vstack([looked(), [[999, 5], [-7, 7]]]))
    assert (few.outside, few.doubtful) == (2, False)
    assert counted(np.vstack([looked(), [[999, 5]] * 3])).doubtful
    assert Points().doubtful is False


@pytest.mark.parametrize(
    ("points", "words"),
    [
        (looked() / [160, 120], "fractions of the image (units=fraction)"),
        (looked() / [1.6, 1.2], "percentages of the image (units=percent)"),
        (looked() - [80, 60], "counted from the centre (origin=center)"),
        (looked()[:, ::-1], "x and y look swapped"),
        (looked() * 10 + [160, 0], "places on a larger screen (screen=1920x1200, if"),
        (looked() * 6.4, "places on a larger screen (screen=1024x768, if"),
        (np.where(looked() < 60, np.nan, looked()), "most of these have no coordinates"),
        (np.random.default_rng(0).uniform([157, 117], [159, 119], (50, 2)), "lie in a corner"),
        (np.random.default_rng(0).uniform([157, 0], [159, 2], (50, 2)), "lie in a corner"),
    ],
)
def test_likely_causes(points: Coordinates, words: str) -> None:
    found = counted(points)
    assert words in found.cause
    assert found.doubtful
    assert found.in_words() == f"{found.counted}: {found.cause}"


def test_causes_are_told_by_many_images_together() -> None:
    sizes = [(120, 160), (300, 200), (480, 640)]
    swapped = [counted(looked(80, size)[:, ::-1], size) for size in sizes]
    together = sum(swapped, Points())
    assert together.total == 240
    assert together.cause == "x and y look swapped (columns=x=y,y=x)"
    assert (together.width, together.height) == (640, 480)


def test_swapped_columns_that_few_points_betray() -> None:
    """As many as of a table of 43,894 points with x and y swapped: 3,351 outside."""
    rng = np.random.default_rng(0)
    most = rng.uniform([0, 0], [700, 700], (40_543, 2))
    betraying = rng.uniform([0, 800], [700, 1000], (3_351, 2))
    found = counted(np.vstack([most, betraying]), (768, 1024))
    assert found.counted == "3,351 of 43,894 points outside"
    assert found.doubtful
    assert "x and y look swapped" in found.cause


@pytest.mark.parametrize("count", [1, 9])
def test_few_points_tell_no_cause(count: int) -> None:
    assert counted(looked(count) / [160, 120]).cause == ""
    assert counted(looked(count) * 9).cause == ""


@pytest.mark.parametrize("side", [112, 120, 128])
@pytest.mark.parametrize("spread", [0.1, 0.15, 0.2])
def test_pixels_of_small_images_are_no_percentages(side: int, spread: float) -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(side / 2, spread * side, (1000, 2)).clip(0, side - 1)
    found = counted(points, (side, side))
    assert (found.cause, found.doubtful) == ("", False)


def test_percentages_of_small_images() -> None:
    points = np.random.default_rng(0).normal(50, 20, (1000, 2)).clip(0, 100)
    assert "units=percent" in counted(points, (112, 112)).cause


@pytest.mark.parametrize(
    "place", [(-1, -1), (-32768, -32768), (-20, 60), (80, -5), (165, 60), (80, 123)]
)
@pytest.mark.parametrize("share", [0.015, 0.06])
def test_a_few_places_outside_are_no_larger_screen(place: tuple[int, int], share: float) -> None:
    """Such as codes for blinks, and places a bit beside the image."""
    rng = np.random.default_rng(0)
    points = rng.normal((80, 60), (32, 24), (2000, 2)).clip(0, (159, 119))
    points[: int(share * 2000)] = place
    found = counted(points)
    assert (found.outside, found.cause) == (int(share * 2000), "")
    assert found.doubtful


def test_small_images_have_no_corner() -> None:
    points = np.random.default_rng(0).uniform(0, 1, (50, 2))
    assert counted(points, (6, 8)).cause == ""


def test_outside_of_everything_has_no_likely_cause() -> None:
    found = counted(looked() * 1000)
    assert (found.cause, found.doubtful) == ("", True)
