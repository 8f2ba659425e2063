"""Readouts with the centre bias or blur of other data than they were fitted to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from quickgaze.cams import Readout, load_readout
from quickgaze.errors import OptionError

ReadoutMaker = Callable[..., Readout]
LEFT = torch.cat([torch.ones(60, 40), torch.zeros(60, 40)], 1)
FEATURES = torch.arange(6.0).reshape(1, 1, 2, 3)


@pytest.fixture
def readout(make_readout: ReadoutMaker) -> Readout:
    made = make_readout(channels=1, hidden=0, sigma=0.5, centre_weight=2.0)
    return replace(made, card=replace(made.card, scores={"cc": 0.8}))


def test_a_centre_bias_takes_the_place_of_the_one_that_was_fitted(readout: Readout) -> None:
    adapted = readout.adapted("eyecrowd", centre_bias=LEFT)
    same = replace(readout, centre_bias=LEFT)
    assert torch.equal(adapted.log_density_of(FEATURES), same.log_density_of(FEATURES))
    assert not torch.equal(adapted.log_density_of(FEATURES), readout.log_density_of(FEATURES))
    assert adapted.card.changed == ("centre bias of eyecrowd",)


def test_a_weight_of_0_leaves_the_centre_bias_out(readout: Readout) -> None:
    without = readout.adapted("eyecrowd", centre_weight=0)
    flat = replace(readout, centre_bias=torch.zeros(60, 80))
    assert torch.allclose(without.log_density_of(FEATURES), flat.log_density_of(FEATURES))
    assert without.card.changed == ("no centre bias",)


def test_a_blur_takes_the_place_of_the_one_that_was_fitted(readout: Readout) -> None:
    adapted = readout.adapted("eyecrowd", sigma=1.5)
    assert torch.equal(
        adapted.log_density_of(FEATURES), replace(readout, sigma=1.5).log_density_of(FEATURES)
    )
    assert adapted.card.changed == ("blur of 1.5 cells",)


def test_what_was_changed_adds_up_and_is_kept_in_its_file(readout: Readout, tmp_path: Path) -> None:
    adapted = readout.adapted("eyecrowd", centre_bias=LEFT, centre_weight=1.0)
    adapted = adapted.adapted("eyecrowd", sigma=0)
    assert adapted.card.changed == (
        "centre bias of eyecrowd",
        "weight 1 of the centre bias",
        "blur of 0 cells",
    )
    read = load_readout(adapted.save(tmp_path / "adapted.safetensors"))
    assert read.card.changed == adapted.card.changed
    assert read.digest == adapted.digest != readout.digest


def test_scores_of_the_one_before_are_not_its_own(readout: Readout) -> None:
    assert readout.adapted("eyecrowd", sigma=1).card.scores == {}
    assert readout.card.scores == {"cc": 0.8}, "the other one stays as it is"


def test_what_cannot_be_computed_with_is_refused(readout: Readout) -> None:
    with pytest.raises(OptionError, match="nothing is changed"):
        readout.adapted("eyecrowd")
    with pytest.raises(OptionError, match=r"centre_bias is \(3, 4\)"):
        readout.adapted("eyecrowd", centre_bias=torch.zeros(3, 4))
    with pytest.raises(OptionError, match="sigma is -1"):
        readout.adapted("eyecrowd", sigma=-1)
    with pytest.raises(OptionError, match=r"changed is .*; give a line of text"):
        readout.adapted("two\nlines", centre_bias=LEFT)
