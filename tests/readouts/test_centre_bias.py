"""The centre bias of a data set, as a readout has it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

import quickgaze as qg
from quickgaze.errors import DatasetError
from quickgaze.readouts import centre_bias
from quickgaze.stimuli import Dataset


@pytest.fixture(scope="module")
def displays() -> Dataset:
    return qg.load_dataset("popout", n=6, size=(120, 160))


def test_it_is_the_one_of_a_readout_that_was_fitted_on_the_same_images(displays: Dataset) -> None:
    readout = qg.fit_readout(displays, levels=["s32"], hidden=0, folds=0, progress=False)
    torch.testing.assert_close(centre_bias(displays, progress=False), readout.centre_bias)


def test_it_is_a_density_that_is_higher_where_people_look(displays: Dataset) -> None:
    stimulus = displays[0]
    density = centre_bias(displays[:1], progress=False).exp()
    assert density.shape == (60, 80)
    assert density.sum().item() == pytest.approx(1, abs=1e-5)
    assert density.min() > 0
    fixations = stimulus.fixations
    row, column = int(fixations.y[0] / 120 * 60), int(fixations.x[0] / 160 * 80)
    peak = int(density.argmax())
    assert abs(peak // 80 - row) <= 1
    assert abs(peak % 80 - column) <= 1


def test_images_without_gaze_do_not_count(displays: Dataset) -> None:
    blind = replace(displays[0], id="blind", gaze=None, map=None)
    more = replace(displays, stimuli=(blind, *displays.stimuli))
    expected = centre_bias(displays, progress=False)
    assert torch.equal(centre_bias(more, progress=False), expected)
    with pytest.raises(DatasetError, match=r"no image of popout has gaze .*blind: it has no gaze"):
        centre_bias(replace(displays, stimuli=(blind,)), progress=False)
