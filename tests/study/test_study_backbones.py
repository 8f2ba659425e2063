"""Studies of backbones of every kind: from timm, one's own, several, resized otherwise."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import nn

import quickgaze as qg
from quickgaze.backbones import Backbone
from quickgaze.errors import OptionError, RandomWeightsWarning, RunError, UnknownNameError
from quickgaze.stimuli import Dataset


@pytest.fixture(scope="module")
def displays() -> Dataset:
    return qg.load_dataset("popout", n=2, size=(120, 160))


def own(name: str = "mine", layer: str = "0", **options: object) -> Backbone:
    with torch.random.fork_rng():
        torch.manual_seed(4)
        module = nn.Sequential(nn.Conv2d(3, 8, 5, stride=8, padding=2), nn.ReLU())
    given = {"mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5), "device": "cpu", **options}
    return qg.wrap_backbone(module, [layer], name=name, **given)


def test_backbones_of_every_kind_are_scored_side_by_side(displays: Dataset, tmp_path: Path) -> None:
    backbones = [own(), "timm/test_resnet", "efficientnet_lite0"]
    study = qg.Study(displays, backbones, orientations=["activation"], weights="none")
    with pytest.warns(RandomWeightsWarning):
        run = study.run(tmp_path / "run", progress=False)
    scores = run.scores()
    assert set(scores["backbone"]) == {"mine", "timm/test_resnet", "efficientnet_lite0"}
    assert scores.height == 6
    plan = json.loads((tmp_path / "run" / "plan.json").read_text())
    assert plan["settings"]["backbones"] == ["mine", "timm/test_resnet", "efficientnet_lite0"]
    assert plan["weights_hashes"]["mine"] == backbones[0].weights_hash
    assert plan["inputs"]["mine"]["levels"] == ["0:8"]
    assert plan["settings"]["geometry"] == "default"
    assert run.manifest["backbones"]["mine"]["weights"] == "own"


def test_a_study_of_ones_own_backbone_goes_on_and_knows_another(
    displays: Dataset, tmp_path: Path
) -> None:
    def score(backbone: Backbone) -> int:
        study = qg.Study(displays, [backbone], orientations=["activation"])
        return study.run(tmp_path / "run", progress=False).scores().height

    assert score(own()) == score(own()) == 2
    with pytest.raises(RunError, match=r"levels is \['1:8'\] here and \['0:8'\] there"):
        score(own(layer="1"))
    with pytest.raises(RunError, match=r"mean is \[0\.1"):
        score(own(mean=(0.1, 0.1, 0.1)))
    with pytest.raises(RunError, match="short_side is 64 here and None there"):
        score(own(geometry="short:64"))


def test_the_geometry_goes_into_the_plan_and_decides_the_maps(
    displays: Dataset, tmp_path: Path
) -> None:
    study = qg.Study(displays, orientations=["activation"], geometry="short:192")
    run = study.run(tmp_path / "run", progress=False)
    assert run.plan["settings"]["geometry"] == "short:192"
    assert run.plan["inputs"]["efficientnet_lite0"]["geometry"]["short_side"] == 192
    assert run.maps().select("height", "width").unique().rows() == [(6, 8)]


def test_what_does_not_fit_ends_a_study_before_it_begins(displays: Dataset) -> None:
    with pytest.raises(OptionError, match="two of the backbones have the name 'mine'"):
        qg.Study(displays, [own(), own()])
    with pytest.raises(OptionError, match="two of the backbones have the name"):
        qg.Study(displays, [qg.load_backbone("efficientnet_lite0"), "efficientnet_lite0"])
    with pytest.raises(UnknownNameError, match="unknown level of mine 's2'"):
        qg.Study(displays, [own()], levels=["s2"])
    with pytest.raises(UnknownNameError, match="the nearest are: timm/resnet18"):
        qg.Study(displays, ["timm/resnt18"])
    with pytest.raises(UnknownNameError, match="unknown geometry 'nativ'"):
        qg.Study(displays, geometry="nativ")
    with pytest.raises(OptionError, match="takes images of 224x224 only"):
        qg.Study(displays, ["timm/mixer_s16_224"], geometry="native")
