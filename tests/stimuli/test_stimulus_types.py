from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from quickgaze.errors import DatasetError, OptionError, StimulusError
from quickgaze.stimuli import Dataset, Fixations, Stimulus
from quickgaze.stimuli.images import ImageFile
from quickgaze.stimuli.types import Density, Image, RecordedPoints, Size, blurred_fixations

SIZE = (6, 9)


@dataclass(frozen=True)
class Blank:
    name: str = "blank"

    def read(self) -> Image:
        return np.zeros((*SIZE, 3), dtype=np.uint8)

    def size(self) -> Size:
        return SIZE

    def fingerprint(self) -> str:
        return self.name


@dataclass(frozen=True)
class Flat:
    def read(self, size: Size) -> Density:
        return np.ones(size, dtype=np.float32)


def points(*xy: tuple[float, float]) -> RecordedPoints:
    x, y = np.array(xy, dtype=float).reshape(-1, 2).T
    return RecordedPoints(x, y, np.array(["ann"]), np.zeros(len(x), dtype=int))


@given(arrays.arrays(np.float64, (20, 2), elements=st.floats(-3, 12, width=32) | st.just(np.nan)))
def test_points_outside_are_dropped_and_counted(xy: np.ndarray) -> None:
    names = [str(number) for number in range(20)]
    fixations = Fixations.inside(*xy.T, names, SIZE, duration=np.arange(20))
    kept = [i for i, (x, y) in enumerate(xy) if -0.5 <= x < 9 and -0.5 <= y < 6]
    np.testing.assert_array_equal(fixations.points, xy[kept])
    assert fixations.observer.tolist() == [names[i] for i in kept]
    assert fixations.duration is not None
    assert fixations.duration.tolist() == kept
    assert fixations.dropped == 20 - len(kept)
    assert len(fixations) == len(kept)


PLACES = st.tuples(st.integers(0, 5), st.integers(0, 8), st.floats(-0.49, 0.49))


@given(st.lists(PLACES, min_size=1, max_size=9), st.floats(0, 4))
@settings(deadline=None)
def test_a_fixation_counts_at_its_nearest_pixel(
    places: list[tuple[int, int, float]], sigma: float
) -> None:
    counts = np.zeros(SIZE)
    for row, column, _ in places:
        counts[row, column] += 1
    off = points(*((column + shift, row - shift) for row, column, shift in places)).read(SIZE)
    np.testing.assert_allclose(
        blurred_fixations(off, SIZE, sigma=0), counts / counts.max(), rtol=1e-6
    )
    blurred = blurred_fixations(off, SIZE, sigma)
    assert blurred.dtype == np.float32
    assert blurred.max() == 1
    assert blurred.min() >= 0


def test_points_that_a_mask_hides_are_no_points() -> None:
    hidden = np.ma.masked_array([3.0, 4.0], mask=[True, False])
    for x, y in ((hidden, [1, 2]), ([1, 2], hidden)):
        with pytest.raises(OptionError, match="the fixations must not be masked"):
            Fixations.inside(x, y, ["ann", "bob"], (10, 10))
    shown = Fixations.inside(np.ma.masked_array([3.0]), [1], ["ann"], (10, 10))
    assert shown.points.tolist() == [[3, 1]]


def test_density_prefers_the_map() -> None:
    stimulus = Stimulus("a", Blank(), points((2, 3)))
    density = stimulus.density(sigma=0)
    assert density is not None
    assert np.argwhere(density).tolist() == [[3, 2]]
    mapped = replace(stimulus, map=Flat()).density()
    assert mapped is not None
    assert mapped.min() == 1


@pytest.mark.parametrize("gaze", [None, points(), points((-9, 0))])
def test_no_points_no_density(gaze: RecordedPoints | None) -> None:
    assert Stimulus("a", Blank(), gaze).density() is None


def test_blurring_needs_a_fixation() -> None:
    with pytest.raises(StimulusError, match="at least one fixation"):
        blurred_fixations(points().read(SIZE), SIZE, 1)


def test_a_slice_is_a_dataset() -> None:
    stimuli = tuple(Stimulus(name, Blank()) for name in "abc")
    dataset = Dataset("d", stimuli, "e", "mouse samples", ("x",), ("note",), density_sigma=3)
    part = dataset[1:]
    assert [stimulus.id for stimulus in part] == ["b", "c"]
    assert part.notes == ("note",)
    assert (part.edition, part.gaze, part.missing, part.density_sigma) == (
        "e",
        "mouse samples",
        ("x",),
        3,
    )
    assert dataset[-1] is stimuli[2]
    assert repr(dataset) == "Dataset('d', 3 stimuli, edition 'e')"


def test_ids_are_unique() -> None:
    stimuli = tuple(Stimulus(name, Blank()) for name in "abcba")
    with pytest.raises(DatasetError, match=r"2 ids of d stand for several .* first is 'a'"):
        Dataset("d", stimuli, "e")


def test_fingerprints_tell_data_sets_apart(tmp_path: Path) -> None:
    dataset = Dataset("d", (Stimulus("a", Blank()), Stimulus("b", Blank())), "e")
    others = [
        replace(dataset, name="x"),
        replace(dataset, edition="x"),
        dataset[:1],
        dataset[::-1],
        replace(dataset, stimuli=(Stimulus("a", Blank()), Stimulus("b", Blank("other")))),
        replace(dataset, stimuli=(Stimulus("b", ImageFile(tmp_path / "\udcff.png")),)),
    ]
    prints = {other.fingerprint() for other in [dataset, *others]}
    assert len(prints) == 1 + len(others)
    assert dataset.fingerprint() == replace(dataset).fingerprint()
