"""A metric is one short way from the arrays to the score."""

import sys
from pathlib import Path

import numpy as np

import quickgaze
from quickgaze.metrics import cc

PACKAGE = str(Path(quickgaze.__file__).parent)


def own_calls(call):
    """Names of the package's functions, generators and comprehensions that a call goes through."""
    found = []

    def note(frame, event, _):
        if event == "call" and frame.f_code.co_filename.startswith(PACKAGE):
            found.append(frame.f_code.co_name)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        call()
    finally:
        sys.setprofile(before)
    return found


def test_a_warm_cc_makes_at_most_50_calls():
    map_, density = np.random.default_rng(0).random((2, 480, 640), dtype=np.float32)
    cc(map_, density)
    found = own_calls(lambda: cc(map_, density))
    assert "cc" in found
    assert len(found) <= 50, found
