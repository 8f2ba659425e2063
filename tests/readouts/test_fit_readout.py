"""Readouts are fitted to gaze, and tested on images that they were fitted without."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

import quickgaze as qg
from quickgaze import findings
from quickgaze.backbones import Backbone
from quickgaze.cams import Readout
from quickgaze.readouts._folds import inner_part, split
from quickgaze.readouts._targets import Gaze, centre_bias
from quickgaze.resampling import bilinear_matrix
from quickgaze.stimuli import Dataset

RED, GREEN, BLUE = range(3)
Make = Callable[..., Any]


def fit(dataset: Dataset, backbone: Backbone, **options: Any) -> Readout:
    given: dict[str, Any] = {"grid": "cells", "hidden": 0, "folds": 3, "progress": False}
    return qg.fit_readout(dataset, backbone, **(given | options))


def gain(readout: Readout) -> float:
    return readout.card.scores["information_gain"]


def maps(folder: Path) -> pl.DataFrame:
    return qg.open_run(folder / "run").maps()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, seen: Dataset, colours: Backbone) -> Path:
    out = tmp_path_factory.mktemp("fit") / "out"
    fit(seen, colours, out=out)
    return out


@pytest.fixture(scope="module")
def readout(folder: Path) -> Readout:
    return qg.load_readout(folder)


def test_it_finds_the_channel_that_people_follow(
    readout: Readout, colours: Backbone, drawing: Make
) -> None:
    weights = readout.weights[0]
    assert weights[RED] > 4 * weights[[GREEN, BLUE]].max()
    assert readout.card.scores["cc"] > 0.5
    new = drawing(99)
    image = torch.from_numpy(new.image()).permute(2, 0, 1)[None] / 255
    density = readout.density(colours(image), new.size)
    top, left = divmod(int(density[0].argmax()), new.size[1])
    centre = new.fixations.points.mean(0)
    assert math.hypot(left - centre[0], top - centre[1]) < 8
    assert density.sum().item() == pytest.approx(1, abs=1e-4)


def test_the_gain_is_that_over_the_centre_bias_of_the_other_images(
    folder: Path, readout: Readout, seen: Dataset
) -> None:
    parts = split(np.arange(12), 3, 0, "blobs")
    canvases = [Gaze(each.size, each.fixations).target((6, 8), 0).canvas for each in seen]
    gains = []
    for number, row in enumerate(maps(folder).rows(named=True)):
        density = np.array(row["projection"]).reshape(6, 8)
        images = np.flatnonzero(parts != parts[number])
        learnt, _ = inner_part(images, np.arange(12), 0)
        bias = np.exp(centre_bias(np.array(canvases)[learnt]))
        bias = bilinear_matrix(6, 60) @ bias @ bilinear_matrix(8, 80).T
        rows, columns = (seen[number].fixations.points.T[::-1] + 0.5).astype(int) // 8
        gain_ratio = (density / density.sum() / (bias / bias.sum()))[rows, columns]
        gains.append(np.log2(gain_ratio).mean())
    assert gain(readout) > 2
    assert gain(readout) == pytest.approx(np.mean(gains), abs=0.2)


def test_hidden_units_learn_what_no_sum_of_channels_says(drawing: Make, colours: Backbone) -> None:
    stimuli = tuple(drawing(number, target=128, others=(255, 255)) for number in range(16))
    dataset = Dataset("middling", stimuli, "1", density_sigma=3.0)
    linear, hidden = (fit(dataset, colours, hidden=units, folds=2) for units in (0, 8))
    assert gain(hidden) > gain(linear) + 0.3
    assert hidden.output is not None
    assert hidden.output.shape == (8,)
    assert linear.output is None


@pytest.mark.parametrize("changed", [0, 5, 11])
def test_an_image_s_own_gaze_never_makes_its_map(
    folder: Path, seen: Dataset, colours: Backbone, looked: Make, tmp_path: Path, changed: int
) -> None:
    stimuli = list(seen.stimuli)
    stimuli[changed] = replace(stimuli[changed], gaze=looked(np.full((12, 2), 30.0)))
    fit(replace(seen, stimuli=tuple(stimuli)), colours, out=tmp_path / "out")
    _only_others_changed(maps(folder), maps(tmp_path / "out"), changed)


def test_nor_do_hidden_units_see_it(
    seen: Dataset, colours: Backbone, looked: Make, tmp_path: Path
) -> None:
    stimuli = list(seen.stimuli)
    stimuli[7] = replace(stimuli[7], gaze=looked(np.full((12, 2), 30.0)))
    fit(seen, colours, hidden=2, out=tmp_path / "one")
    fit(replace(seen, stimuli=tuple(stimuli)), colours, hidden=2, out=tmp_path / "two")
    _only_others_changed(maps(tmp_path / "one"), maps(tmp_path / "two"), 7)


def _only_others_changed(one: pl.DataFrame, two: pl.DataFrame, changed: int) -> None:
    pairs = list(zip(one["projection"].to_list(), two["projection"].to_list(), strict=True))
    assert pairs[changed][0] == pairs[changed][1]
    assert sum(before != after for before, after in pairs) == 8, "all of the other folds"


def test_shuffled_gaze_scores_as_the_centre_bias_does(
    readout: Readout, seen: Dataset, colours: Backbone, tmp_path: Path
) -> None:
    shuffled = fit(seen, colours, shuffle=True, out=tmp_path / "out")
    assert -0.15 < gain(shuffled) < 0.15
    assert gain(readout) > 2
    assert "shuffled" in shuffled.card.gaze
    assert "gaze on other images" in " ".join(_notes(tmp_path / "out"))


def test_the_same_seed_gives_the_same_readout(
    readout: Readout, seen: Dataset, colours: Backbone
) -> None:
    again = fit(seen, colours)
    for name, tensor in readout.tensors.items():
        assert torch.allclose(tensor, again.tensors[name], atol=1e-5, rtol=0), name
    assert again.sigma == pytest.approx(readout.sigma, abs=1e-5)
    assert again.card.scores == pytest.approx(readout.card.scores, abs=1e-5)


def test_another_seed_gives_other_folds(readout: Readout, seen: Dataset, colours: Backbone) -> None:
    other = fit(seen, colours, seed=1)
    assert gain(other) != gain(readout)
    assert other.card.seed == 1


@pytest.mark.parametrize("space", [0, 3 * 48 * 2 * 5])
def test_features_beyond_the_space_are_computed_again_and_are_the_same(
    readout: Readout, seen: Dataset, colours: Backbone, space: int
) -> None:
    streamed = fit(seen, colours, space=space)
    for name, tensor in readout.tensors.items():
        assert torch.equal(tensor, streamed.tensors[name]), name
    assert streamed.card.scores == readout.card.scores


def test_densities_are_learnt_where_there_are_no_fixations(
    seen: Dataset, colours: Backbone, mapped: Make
) -> None:
    stimuli = tuple(
        replace(each, gaze=None, map=mapped(each.density(sigma=3.0))) for each in seen.stimuli
    )
    found = fit(replace(seen, stimuli=stimuli), colours)
    assert gain(found) > 1
    assert found.weights[0].argmax() == RED
    assert found.card.scores["cc"] > 0.5
    assert math.isnan(found.card.scores["nss"])


def test_images_may_have_different_sizes(drawing: Make, colours: Backbone, tmp_path: Path) -> None:
    sizes = [(48, 64), (64, 48), (56, 72)]
    stimuli = tuple(drawing(number, sizes[number % 3]) for number in range(12))
    found = fit(Dataset("mixed", stimuli, "1", density_sigma=3.0), colours, out=tmp_path / "out")
    assert gain(found) > 1
    grids = maps(tmp_path / "out").select("height", "width").unique().rows()
    assert sorted(grids) == [(6, 8), (7, 9), (8, 6)]


def _notes(folder: Path) -> tuple[str, ...]:
    return qg.open_run(folder / "run").plan.dataset.notes


def test_the_run_is_an_ordinary_one_that_says_how_its_maps_were_made(
    folder: Path, seen: Dataset, readout: Readout
) -> None:
    run = qg.open_run(folder / "run")
    assert run.complete
    assert " ".join(_notes(folder)) == (
        "The maps of readout are out of fold: each image's was made by a readout fitted without "
        "it (3 folds, seed 0)."
    )
    keys = ["backbone", "cam", "grid", "component", "orientation", "sigma"]
    assert run.scores().select(keys).unique().rows() == [
        ("colours", "readout", "cells", 0, "none", 0.0)
    ]
    assert run.maps()["stimulus"].to_list() == [stimulus.id for stimulus in seen]
    assert "information_gain" in run.metrics
    assert findings.summary(run).select(keys).unique().height == 1
    for metric in ("cc", "nss", "auc"):
        assert run.scores()[metric].mean() == pytest.approx(readout.card.scores[metric])


def test_images_of_a_scene_are_not_split(
    drawing: Make, colours: Backbone, looked: Make, tmp_path: Path
) -> None:
    stimuli = tuple(
        replace(drawing(number), attributes={"scene": f"scene {number // 2}"})
        for number in range(12)
    )
    dataset = Dataset("scenes", stimuli, "1")
    changed = [*stimuli[:4], replace(stimuli[4], gaze=looked(np.full((9, 2), 3.0))), *stimuli[5:]]
    fit(dataset, colours, out=tmp_path / "one")
    fit(replace(dataset, stimuli=tuple(changed)), colours, out=tmp_path / "two")
    one, two = (maps(tmp_path / name)["projection"].to_list() for name in ("one", "two"))
    assert one[4:6] == two[4:6], "what was seen in a scene made the map of another image of it"
    assert one != two
    assert "without it and the other images of its scene" in _notes(tmp_path / "one")[0]


def test_without_folds_there_is_the_final_readout_alone(
    seen: Dataset, colours: Backbone, tmp_path: Path
) -> None:
    found = fit(seen, colours, folds=0, out=tmp_path / "out")
    assert found.card.scores == {}
    assert found.weights[0].argmax() == RED
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["readout.safetensors"]


def test_the_card_says_what_was_fitted(
    folder: Path, readout: Readout, seen: Dataset, colours: Backbone
) -> None:
    card = qg.load_readout(folder).card
    assert card == readout.card
    assert (card.backbone, card.weights_hash) == ("colours", colours.weights_hash)
    assert (card.levels, card.grid, card.hidden) == (("cells",), "cells", 0)
    assert (card.dataset, card.edition, card.images) == ("blobs", "1", 12)
    assert (card.seed, card.folds, card.licence) == (0, 3, "unknown")
    assert card.fingerprint == seen.fingerprint()
    assert set(card.scores) == {"information_gain", "cc", "nss", "auc"}
    assert set(card.chosen) == {"weight_decay", "passes", "target_sigma"}
    assert {"quickgaze", "torch"} <= set(card.versions)


def test_levels_are_named_as_elsewhere(seen: Dataset) -> None:
    for levels in (["s8", "s16"], ["s16", "s8"]):
        found = qg.fit_readout(
            seen[:4], levels=levels, grid="s8", hidden=0, folds=0, licence="MIT", progress=False
        )
        assert found.card.levels == ("s8", "s16")
    assert found.card.licence == "MIT"
    assert found.weights.shape == (1, 40 + 112)
