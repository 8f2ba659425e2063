"""Maps of other models, scored beside a study's own."""

from __future__ import annotations

import json
import time
from pathlib import Path

import h5py
import numpy as np
import PIL.Image
import pytest
import torch

import quickgaze as qg
from quickgaze.errors import DatasetError, OptionError, RunError
from quickgaze.saliency import saliency_maps
from quickgaze.stimuli import Dataset

SIZE = (120, 160)


@pytest.fixture(scope="module")
def displays() -> Dataset:
    return qg.load_dataset("popout", n=4, size=SIZE)


@pytest.fixture
def folder(displays: Dataset, tmp_path: Path) -> Path:
    """Random maps for all displays."""
    place = tmp_path / "maps"
    place.mkdir()
    generator = np.random.default_rng(0)
    for stimulus in displays:
        np.save(place / f"{stimulus.id}.npy", generator.random(SIZE))
    return place


def test_maps_are_scored_as_a_backbones_are(
    displays: Dataset, folder: Path, tmp_path: Path
) -> None:
    study = qg.Study(displays, maps={"other": folder}, sigmas=[0, 5], metrics=["cc", "auc"])
    assert study.settings.backbones == ()
    run = study.run(tmp_path / "run", progress=False)
    scores = run.scores()
    keys = ["backbone", "cam", "grid", "component", "orientation", "sigma"]
    assert scores.select("stimulus", *keys).rows() == [
        (stimulus.id, "other", "precomputed", "own", 0, "none", sigma)
        for stimulus in displays
        for sigma in (0.0, 5.0)
    ]
    assert scores["explained_variance"].is_nan().all()
    assert scores["orientation_margin"].is_nan().all()
    values = np.load(folder / f"{displays[1].id}.npy")
    assert scores["cc"][2] == pytest.approx(
        qg.metrics.cc(values, displays[1].density(19.0)), abs=1e-5
    )
    blurred = saliency_maps(torch.from_numpy(values)[None], SIZE, 5.0)[0].numpy()
    assert scores["auc"][3] == pytest.approx(
        qg.metrics.auc(blurred, displays[1].fixations.points), abs=1e-5
    )


def test_maps_are_not_repeated_in_the_run(displays: Dataset, folder: Path, tmp_path: Path) -> None:
    study = qg.Study(displays, ["efficientnet_lite0"], ["deviation"], maps={"other": folder})
    run = study.run(tmp_path / "run", progress=False)
    assert set(run.maps()["backbone"]) == {"efficientnet_lite0"}
    assert run.maps().height == len(displays)
    assert run.scores().select("backbone", "cam").unique(maintain_order=True).rows() == [
        ("efficientnet_lite0", "deviation"),
        ("other", "precomputed"),
    ]


def test_a_cam_that_is_asked_for_brings_its_backbone(displays: Dataset, folder: Path) -> None:
    study = qg.Study(displays, maps={"other": folder}, cams=["deviation"])
    assert study.settings.backbones == ("efficientnet_lite0",)
    assert study.settings.cams == ("deviation",)
    assert qg.Study(displays).settings.cams == ("eigen",)


def test_a_missing_map_is_a_failure_that_names_the_file(
    displays: Dataset, folder: Path, tmp_path: Path
) -> None:
    missing = displays[2].id
    (folder / f"{missing}.npy").unlink()
    PIL.Image.new("L", (3, 2)).save(folder / f"{displays[0].id}.png")
    (folder / f"{displays[0].id}.npy").unlink()
    study = qg.Study(displays, ["efficientnet_lite0"], maps={"other": folder}, metrics=["cc"])
    run = study.run(tmp_path / "run", progress=False)
    failures = run.failures().rows(named=True)
    assert [(row["stimulus"], row["stage"]) for row in failures] == [
        (displays[0].id, "cam"),
        (missing, "cam"),
    ]
    assert "is 2 x 3, its image is 120 x 160" in failures[0]["message"]
    assert (
        f"other has no map of {missing!r}; expected {folder / missing}.png or .npy"
        in (failures[1]["message"])
    )
    assert set(run.scores()["stimulus"]) == {displays[1].id, displays[3].id}


def test_maps_of_no_stimulus_end_a_study_before_it_begins(
    displays: Dataset, tmp_path: Path
) -> None:
    np.save(tmp_path / "holiday.npy", np.ones(SIZE))
    with pytest.raises(DatasetError, match=r"none of the 1 maps .* the first is 'holiday', exp"):
        qg.Study(displays, maps={"other": tmp_path})
    with pytest.raises(DatasetError, match="does not exist"):
        qg.Study(displays, maps={"other": tmp_path / "nowhere"})


@pytest.mark.parametrize("name", ["", "efficientnet_lite0"])
def test_a_name_that_maps_cannot_have(displays: Dataset, folder: Path, name: str) -> None:
    with pytest.raises(OptionError, match=f"maps cannot be called '{name}'"):
        qg.Study(displays, ["efficientnet_lite0"], maps={name: folder})


def test_no_backbone_and_no_maps_is_nothing_to_score(displays: Dataset) -> None:
    with pytest.raises(OptionError, match="backbones is empty"):
        qg.Study(displays, [])


def test_an_archive_gives_the_same_scores(displays: Dataset, folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "maps.h5"
    with h5py.File(path, "w") as archive:
        for file in folder.iterdir():
            archive[f"{file.stem}.jpg"] = np.load(file)
    runs = [
        qg.Study(displays, maps={"other": place}, metrics=["cc"]).run(out, progress=False)
        for place, out in ((folder, tmp_path / "one"), (path, tmp_path / "two"))
    ]
    assert runs[0].scores().equals(runs[1].scores(), null_equal=True)


def test_other_maps_are_not_mixed_into_a_run(
    displays: Dataset, folder: Path, tmp_path: Path
) -> None:
    study = qg.Study(displays, maps={"other": folder}, metrics=["cc"])
    run = study.run(tmp_path / "run", progress=False)
    assert run.plan["settings"]["maps"] == {"other": str(folder)}
    assert len(run.plan["maps_fingerprints"]["other"]) == 64
    assert json.loads((run.path / "manifest.json").read_text())["backbones"] == {}
    same = qg.Study(displays, maps={"other": folder}, metrics=["cc"])
    same.run(run.path, progress=False)
    time.sleep(0.02)
    np.save(folder / f"{displays[0].id}.npy", np.random.default_rng(1).random(SIZE))
    with pytest.raises(RunError, match="other is"):
        qg.Study(displays, maps={"other": folder}, metrics=["cc"]).run(run.path, progress=False)


def test_a_constant_map_is_told_from_one_that_is_missing(
    displays: Dataset, folder: Path, tmp_path: Path
) -> None:
    np.save(folder / f"{displays[0].id}.npy", np.ones(SIZE))
    run = qg.Study(displays, maps={"other": folder}, metrics=["auc"]).run(
        tmp_path / "run", progress=False
    )
    assert run.failures().is_empty()
    scores = dict(run.scores().select("stimulus", "auc").rows())
    assert scores[displays[0].id] == 0.5
