from __future__ import annotations

import pickle

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from quickgaze.stimuli.types import RecordedPoints

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
