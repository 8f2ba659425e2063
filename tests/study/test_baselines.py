"""Baselines in a study: maps of images alone, in which no backbone takes part."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from torch import nn

import quickgaze as qg
from quickgaze import findings
from quickgaze.backbones import Backbone
from quickgaze.cams import CAMS, Cam, CamInput, CamMethod, CamOptions
from quickgaze.errors import OptionError, RunError, UnknownNameError
from quickgaze.exports import choose_variant
from quickgaze.report import write_report
from quickgaze.stimuli import Dataset
from quickgaze.study import Run
from quickgaze.study.variants import CamKey, spoken, variants_of

BASELINES = ["center", "uniform", "spectral_residual"]
NAMED = ["backbone", "cam", "grid", "component", "orientation"]


@pytest.fixture(scope="module")
def displays() -> Dataset:
    return qg.load_dataset("popout", n=2, size=(120, 160))


@pytest.fixture(scope="module")
def alone(displays: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """All baselines, and nothing else."""
    study = qg.Study(displays, cams=BASELINES, metrics=["cc", "nss"], sigmas=[0, 5])
    return study.run(tmp_path_factory.mktemp("alone") / "run", progress=False)


@pytest.fixture(scope="module")
def mixed(displays: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Two backbones, a CAM of theirs, and a baseline between."""
    backbones = [_backbone(name, seed) for seed, name in enumerate(["one", "two"])]
    study = qg.Study(
        displays,
        backbones,
        ["center", "deviation"],
        metrics=["cc", "nss"],
        sigmas=[0, 5],
    )
    return study.run(tmp_path_factory.mktemp("mixed") / "run", progress=False)


def _backbone(name: str, seed: int = 0) -> Backbone:
    torch.manual_seed(seed)
    module = nn.Sequential(nn.Conv2d(3, 4, 3, stride=4, padding=1))
    return qg.wrap_backbone(
        module, ["0"], name=name, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5), device="cpu"
    )


def test_the_catalogue_says_which_cams_are_of_images_alone() -> None:
    assert [name for name, cam in CAMS.entries().items() if cam.of_images] == BASELINES


def test_baselines_alone_take_no_backbone(alone: Run) -> None:
    assert alone.plan.settings.backbones == ()
    assert alone.plan.weights_hashes == {}
    assert alone.manifest.backbones == {}
    assert set(alone.scores()["backbone"]) == {"none"}
    assert set(alone.maps()["backbone"]) == {"none"}
    assert alone.scores().height == 2 * 3 * 2
    assert alone.failures().height == 0


def test_no_backbone_is_loaded_for_them(
    displays: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a backbone was loaded")

    monkeypatch.setattr("quickgaze.study._job.load_backbone", refuse)
    study = qg.Study(displays, ["efficientnet_lite0"], ["center"], metrics=["cc"])
    assert study.settings.backbones == (), "it takes no part, although it was named"
    run = study.run(tmp_path / "run", progress=False)
    assert run.complete
    assert run.scores().select(NAMED).unique().rows() == [("none", "center", "own", 0, "none")]


def test_beside_backbones_each_baseline_is_listed_once(mixed: Run) -> None:
    rows = mixed.scores().select("backbone", "cam").unique(maintain_order=True).rows()
    assert rows == [("one", "deviation"), ("two", "deviation"), ("none", "center")]
    assert mixed.maps().height == 2 * 3
    assert mixed.scores().height == 2 * 3 * 2
    assert mixed.plan.settings.backbones == ("one", "two")
    assert list(mixed.manifest.backbones) == ["one", "two"]


def test_backbones_beside_do_not_change_their_scores(alone: Run, mixed: Run) -> None:
    center = pl.col("cam") == "center"
    ours, theirs = (run.scores().filter(center) for run in (alone, mixed))
    assert ours.height == 4
    assert ours.equals(theirs)


def test_values_are_those_of_the_model(displays: Dataset, alone: Run) -> None:
    model = qg.SaliencyModel(cam="center", sigma=5, device="cpu")
    density = displays[0].density()
    row = alone.scores().filter(cam="center", sigma=5.0, stimulus=displays[0].id)
    expected = qg.metrics.cc(model(displays[0].image()).map, density)
    assert row["cc"].item() == pytest.approx(float(expected), abs=1e-5)


def test_a_run_goes_on_with_its_baselines(displays: Dataset, alone: Run) -> None:
    before = alone.scores()
    again = qg.Study(displays, cams=BASELINES, metrics=["cc", "nss"], sigmas=[0, 5])
    assert again.run(alone.path, progress=False).scores().equals(before)
    other = qg.Study(displays, cams=["center"], metrics=["cc", "nss"], sigmas=[0, 5])
    with pytest.raises(RunError, match="cams is"):
        other.run(alone.path, progress=False)


def test_runs_of_different_backbones_share_their_baselines(alone: Run, mixed: Run) -> None:
    center = {"cam": "center", "sigma": 5.0}
    compared = findings.compare(alone, mixed, "cc", variant=center, second_variant=center)
    assert compared.summary.select("difference", "images").rows() == [(0, 2)]


def test_their_maps_can_be_chosen_and_kept(alone: Run, mixed: Run) -> None:
    variant = choose_variant(mixed, cam="center", sigma=5)
    assert (variant.backbone, variant.grid) == ("none", "own")
    key = CamKey("none", "center", "own", 0)
    maps = [key.rows(run.maps())["projection"].to_list() for run in (alone, mixed)]
    np.testing.assert_array_equal(*maps)


def test_people_are_told_of_no_backbone_called_none(alone: Run, mixed: Run, tmp_path: Path) -> None:
    names = [spoken(variant, ["backbone", "cam"]) for variant in variants_of(mixed.scores())]
    assert names[::2] == ["one · deviation", "two · deviation", "center"]
    for run, title in (
        (alone, "Does center, uniform, spectral_residual look where people look?"),
        (mixed, "Does one, two look where people look?"),
    ):
        out = tmp_path / run.path.parent.name
        report = write_report(run, out, papers=False, pictures=False, progress=False, resamples=100)
        assert title in report.page.read_text(encoding="utf-8")


def test_options_are_checked_although_no_backbone_takes_part(displays: Dataset) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'efficientnet_lite0'"):
        qg.Study(displays, ["efficientnet_lite"], ["center"])
    with pytest.raises(UnknownNameError, match="did you mean 'center'"):
        qg.Study(displays, cams=["centre"])
    with pytest.raises(OptionError, match="backbones is empty"):
        qg.Study(displays, [], ["center", "eigen"])
    with pytest.raises(OptionError, match="backbones is empty"):
        qg.Study(displays, [])
    with pytest.raises(OptionError, match="cams is empty"):
        qg.Study(displays, cams=[])


def test_the_name_is_taken(displays: Dataset, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="a backbone cannot be called 'none', which stands for"):
        qg.Study(displays, [_backbone("none")], ["deviation"])
    with pytest.raises(OptionError, match="maps cannot be called 'none'"):
        qg.Study(displays, maps={"none": tmp_path})


def test_maps_of_another_model_beside_a_baseline(displays: Dataset, tmp_path: Path) -> None:
    for stimulus in displays:
        np.save(tmp_path / f"{stimulus.id}.npy", np.eye(120, 160))
    study = qg.Study(displays, maps={"other": tmp_path}, cams=["uniform"], metrics=["cc"])
    run = study.run(tmp_path / "run", progress=False)
    assert set(run.scores().select("backbone", "cam").rows()) == {
        ("other", "precomputed"),
        ("none", "uniform"),
    }


def _brightness(images: torch.Tensor) -> Cam:
    return Cam.unsigned(images.mean(1))


def _compute(given: CamInput, _: CamOptions) -> Cam:
    return _brightness(given.images)


def test_a_baseline_of_ones_own(displays: Dataset, tmp_path: Path) -> None:
    own = CamMethod("brightness", "how bright", _compute, False, False, False)
    of_images = replace(own, of_images=_brightness)
    study = qg.Study(displays, cams=[of_images, "center"], metrics=["cc"], sigmas=[0])
    assert study.settings.backbones == ()
    run = study.run(tmp_path / "run", progress=False)
    assert run.scores()["backbone"].unique().to_list() == ["none"]
    assert qg.Study(displays, cams=[own]).settings.backbones == ("efficientnet_lite0",)
