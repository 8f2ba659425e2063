"""Choosing among the maps of a run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import quickgaze as qg
from quickgaze.errors import OptionError, UnknownNameError
from quickgaze.exports import MapVariant, choose_variant, export_maps
from quickgaze.stimuli import Dataset
from quickgaze.study import Run


def test_a_single_variant_needs_no_choice(run: Run) -> None:
    expected = MapVariant("efficientnet_lite0", "eigen", "coarsest", 0, "activation", 7.0)
    assert choose_variant(run) == expected


def test_several_are_listed(mixed: Run) -> None:
    message = (
        r"choose cam \(eigen, deviation\); grid \(coarsest, s16\); "
        r"orientation \(activation, skew\); sigma \(0.0, 5.0\)"
    )
    with pytest.raises(OptionError, match=message):
        choose_variant(mixed)
    with pytest.raises(OptionError, match=r"choose orientation \(activation, skew\)$"):
        choose_variant(mixed, cam="eigen", grid="s16", sigma=0)


def test_a_choice_among_several(mixed: Run) -> None:
    chosen = choose_variant(mixed, cam="eigen", grid="s16", orientation="skew", sigma=5)
    assert (chosen.grid, chosen.orientation, chosen.sigma) == ("s16", "skew", 5.0)
    assert chosen.rows(mixed.maps()).height == 3


def test_a_cam_without_an_open_sign_needs_no_rule(mixed: Run) -> None:
    chosen = choose_variant(mixed, cam="deviation", grid="coarsest", sigma=0)
    assert chosen.orientation == "none"


def test_rules_and_blurs_that_the_run_did_not_score(run: Run) -> None:
    chosen = choose_variant(run, orientation="border", sigma=40)
    assert (chosen.orientation, chosen.sigma) == ("border", 40.0)


def test_the_oracle_is_refused_with_the_reason(run: Run, mixed: Run) -> None:
    for each in (run, mixed):
        with pytest.raises(OptionError, match="takes its sign from the human density"):
            choose_variant(each, orientation="oracle")


def test_a_run_of_the_oracle_alone(displays: Dataset, tmp_path: Path) -> None:
    study = qg.Study(displays[:1], orientations=["oracle"], metrics=["cc"])
    run = study.run(tmp_path / "run", progress=False)
    with pytest.raises(OptionError, match="takes its sign from the human density"):
        choose_variant(run)
    assert choose_variant(run, orientation="activation").orientation == "activation"


def test_what_the_run_does_not_have(mixed: Run) -> None:
    with pytest.raises(OptionError, match="no such maps of the grid 's8'; it has: coarsest, s16"):
        choose_variant(mixed, grid="s8")
    with pytest.raises(OptionError, match="no such maps of the component 3; it has: 0"):
        choose_variant(mixed, component=3)
    with pytest.raises(UnknownNameError, match="did you mean 'activation'"):
        choose_variant(mixed, cam="eigen", orientation="activaton")
    with pytest.raises(UnknownNameError, match="unknown orientation"):
        choose_variant(mixed, cam="eigen", grid="s16", orientation="none", sigma=0)
    with pytest.raises(OptionError, match="sigma"):
        choose_variant(mixed, cam="eigen", sigma=-1)


def test_maps_that_were_computed_elsewhere(displays: Dataset, tmp_path: Path) -> None:
    maps = tmp_path / "maps"
    maps.mkdir()
    for stimulus in displays:
        np.save(maps / f"{stimulus.id}.npy", np.random.default_rng(0).random((120, 160)))
    alone = qg.Study(displays, maps={"other": maps}, metrics=["cc"])
    run = alone.run(tmp_path / "alone", progress=False)
    with pytest.raises(OptionError, match=f"'other' were computed elsewhere .* from there: {maps}"):
        export_maps(run, tmp_path / "out", progress=False)
    beside = qg.Study(displays, ["efficientnet_lite0"], ["center"], maps={"other": maps})
    run = beside.run(tmp_path / "beside", progress=False)
    with pytest.raises(OptionError, match="'other' were computed elsewhere"):
        choose_variant(run, backbone="other")
    assert not (tmp_path / "out").exists()


def test_a_run_whose_stimuli_all_failed(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "bad.png").write_bytes(b"no image")
    study = qg.Study(qg.load_dataset("folder", tmp_path / "images"), metrics=["cc"])
    run = study.run(tmp_path / "run", progress=False)
    with pytest.raises(OptionError, match="has kept no maps: none of its stimuli has one"):
        choose_variant(run)
