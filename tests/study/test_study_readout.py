"""Studies with a readout: its CAM, on its own backbone, and what the run says of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import quickgaze as qg
from quickgaze.backbones import Backbone
from quickgaze.cams import Readout
from quickgaze.errors import DamagedRunWarning, OptionError, RunError, UnknownNameError
from quickgaze.metrics import cc
from quickgaze.stimuli import Dataset
from quickgaze.study import Run

ReadoutMaker = Callable[..., Readout]
LITE = "efficientnet_lite0"


@pytest.fixture(scope="module")
def displays() -> Dataset:
    return qg.load_dataset("popout", n=3, size=(120, 160))


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return qg.load_backbone(LITE, device="cpu")


@pytest.fixture(scope="module")
def readout(make_readout: ReadoutMaker, backbone: Backbone) -> Readout:
    return make_readout(backbone)


def study(displays: Dataset, **given: Any) -> qg.Study:
    options: dict[str, Any] = {"metrics": ["cc"], "sigmas": [0], "orientations": ["activation"]}
    return qg.Study(displays, **{**options, "bounds": [], "device": "cpu", **given})


@pytest.fixture(scope="module")
def run(displays: Dataset, readout: Readout, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("runs")
    path = readout.save(folder / "mine.safetensors")
    return study(displays, readout=path).run(folder / "run", progress=False)


def cams_of(run: Run) -> list[tuple[str, str, str]]:
    rows = run.scores().select("backbone", "cam", "grid").unique(maintain_order=True).rows()
    return sorted(rows)


def test_it_adds_its_cam_to_the_usual_one(run: Run) -> None:
    assert cams_of(run) == [(LITE, "eigen", "coarsest"), (LITE, "readout", "own")]
    assert run.failures().is_empty()


def test_its_scores_are_those_of_its_densities(
    run: Run, displays: Dataset, backbone: Backbone, readout: Readout
) -> None:
    model = qg.SaliencyModel(backbone, cam="readout", readout=readout, sigma=0)
    rows = run.scores().filter(cam="readout")
    assert rows["orientation"].unique().to_list() == ["none"]
    for stimulus in displays:
        expected = cc(model(stimulus.image()).map, stimulus.density(19.0))
        (found,) = rows.filter(stimulus=stimulus.id)["cc"]
        np.testing.assert_allclose(found, expected, atol=1e-5)
    maps = run.maps().filter(cam="readout")["projection"].list.sum()
    np.testing.assert_allclose(maps, 1, atol=1e-5)


def test_the_least_likely_place_is_not_impossible(
    displays: Dataset, readout: Readout, tmp_path: Path
) -> None:
    made = study(displays, readout=readout, cams=["readout"], metrics=["information_gain"])
    gains = made.run(tmp_path, progress=False).scores()["information_gain"]
    # a 0 under one fixation would cost about 60 bits
    assert gains.is_finite().all()
    assert gains.min() > -15


def test_plan_and_manifest_say_which_readout_it_was(run: Run, readout: Readout) -> None:
    expected = {
        "digest": readout.digest,
        "dataset": "osie",
        "edition": "of this test",
        "gaze": "eye tracking",
        "licence": "CC BY 4.0",
        "images": 40,
        "fingerprint": "f0",
        "weights": "ImageNet-1k",
        "levels": ["s16", "s32"],
        "grid": "s16",
        "hidden": 2,
        "changed": [],
        "out_of_fold": False,
    }
    assert run.plan.inputs[LITE]["readout"] == expected
    manifest = json.loads((Path(run.place) / "manifest.json").read_text())
    assert manifest["inputs"][LITE]["readout"] == expected
    assert manifest["settings"]["readout"].endswith("mine.safetensors")
    assert manifest["settings"]["cams"] == ["eigen", "readout"]


def test_a_run_is_continued_with_the_same_readout_alone(
    displays: Dataset,
    make_readout: ReadoutMaker,
    backbone: Backbone,
    readout: Readout,
    tmp_path: Path,
) -> None:
    path = readout.save(tmp_path / "mine.safetensors")
    first = study(displays, readout=path, shard_size=2).run(tmp_path / "run", progress=False)
    scores = first.scores()
    (tmp_path / "run" / "manifest.json").unlink()
    for table in (tmp_path / "run").glob("*/part-00001.parquet"):
        table.unlink()
    with pytest.warns(DamagedRunWarning, match="a file of shard 1 is gone"):
        again = study(displays, readout=path, shard_size=2).run(tmp_path / "run", progress=False)
    np.testing.assert_allclose(again.scores()["cc"], scores["cc"], atol=1e-6)
    make_readout(backbone, seed=1).save(path)
    with pytest.raises(RunError, match=r"digest is [0-9a-f]{64} here and [0-9a-f]{64} there"):
        study(displays, readout=path, shard_size=2).run(tmp_path / "run", progress=False)
    with pytest.raises(RunError, match=r"readout is None here and .*mine\.safetensors there"):
        study(displays, cams=["eigen"], shard_size=2).run(tmp_path / "run", progress=False)


def test_a_run_without_one_says_nothing_of_readouts(displays: Dataset, tmp_path: Path) -> None:
    # so that runs of earlier releases are continued
    plan = study(displays, cams=["center"]).run(tmp_path, progress=False).plan
    assert "digest" not in json.dumps(plan.to_json()["inputs"])
    assert plan["settings"]["readout"] is None


def test_an_object_goes_by_its_own_name(
    displays: Dataset, readout: Readout, tmp_path: Path
) -> None:
    made = study(displays, readout=readout, cams=["readout", "center"])
    assert made.settings.readout == readout.name
    assert cams_of(made.run(tmp_path, progress=False)) == [
        (LITE, "readout", "own"),
        ("none", "center", "own"),
    ]


@pytest.mark.filterwarnings("ignore::quickgaze.errors.RandomWeightsWarning")
def test_other_backbones_do_without_it(
    displays: Dataset, backbone: Backbone, readout: Readout, tmp_path: Path
) -> None:
    other = qg.load_backbone("timm/resnet18", weights="none", device="cpu")
    for backbones in ([backbone, other], [other, backbone]):
        made = study(displays[:1], readout=readout, backbones=backbones)
        found = cams_of(made.run(tmp_path / backbones[0].name.replace("/", ""), progress=False))
        assert found == [
            (LITE, "eigen", "coarsest"),
            (LITE, "readout", "own"),
            ("timm/resnet18", "eigen", "coarsest"),
        ]


def test_maps_of_others_leave_the_readout_its_backbone(
    displays: Dataset, readout: Readout, tmp_path: Path
) -> None:
    (tmp_path / "maps").mkdir()
    for stimulus in displays:
        np.save(tmp_path / "maps" / f"{stimulus.id}.npy", np.eye(120, 160, dtype=np.float32))
    made = study(displays, readout=readout, maps={"other": tmp_path / "maps"})
    assert (made.settings.backbones, made.settings.cams) == ((LITE,), ("readout",))
    assert cams_of(made.run(tmp_path / "run", progress=False)) == [
        (LITE, "readout", "own"),
        ("other", "precomputed", "own"),
    ]


def test_the_backbone_of_the_readout_is_the_default(displays: Dataset, readout: Readout) -> None:
    other = replace(readout, card=replace(readout.card, backbone="timm/resnet18", geometry=""))
    assert study(displays, readout=other).settings.backbones == ("timm/resnet18",)


def test_a_backbone_that_it_does_not_fit_is_refused(
    displays: Dataset, readout: Readout, tmp_path: Path
) -> None:
    with pytest.raises(OptionError, match="fitted to efficientnet_lite0, not to timm/resnet18"):
        study(displays, readout=readout, backbones=["timm/resnet18"])
    with pytest.raises(OptionError, match="needs a readout"):
        study(displays, cams=["readout"])
    with pytest.raises(OptionError, match="backbones is empty"):
        study(displays, readout=readout, backbones=[])
    other = replace(readout, card=replace(readout.card, weights_hash="0" * 64))
    with pytest.raises(OptionError, match=r"the weights ImageNet-1k .* \(SHA-256 000000000000\)"):
        study(displays, readout=other).run(tmp_path / "run", progress=False)
    assert not (tmp_path / "run").exists()


def test_two_readouts_are_refused(
    displays: Dataset, make_readout: ReadoutMaker, backbone: Backbone, readout: Readout
) -> None:
    other = make_readout(backbone, seed=1).method()
    message = "two of the CAMs have the name 'readout'; give them names that differ, or score"
    with pytest.raises(OptionError, match=message):
        study(displays, cams=[readout.method(), other])
    with pytest.raises(OptionError, match=message):
        study(displays, cams=[other], readout=readout)
    assert study(displays, cams=[readout.method()], readout=readout).settings.cams == ("readout",)


def test_a_name_is_that_of_a_readout_for_one_of_the_backbones(
    displays: Dataset, readout: Readout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quickgaze.cams._readout_files._PACKAGED", tmp_path)
    readout.save(tmp_path / f"{LITE}-osie.safetensors")
    for backbones in (None, [LITE], ["timm/resnet18", LITE], [LITE, "timm/resnet18"]):
        made = study(displays, readout="osie", backbones=backbones)
        assert made.settings.fitted is not None
        assert made.settings.fitted.digest == readout.digest
        assert made.settings.readout == "osie"
    with pytest.raises(UnknownNameError, match="unknown readout 'osie'"):
        study(displays, readout="osie", backbones=["timm/resnet18", "timm/resnet34"])


@pytest.mark.parametrize(
    ("facts", "note"),
    [
        ({"fingerprint": True}, "the readout was fitted on this data set: its scores are not out"),
        ({"fingerprint": True, "edition": "x"}, "fitted on this data set: its scores are not"),
        (
            {"edition": "generated, version 1"},
            "fitted on 40 images of popout (generated, version 1): scores of images that are among",
        ),
        ({"edition": "another"}, None),
        ({"dataset": "osie", "edition": "generated, version 1"}, None),
        ({"dataset": "osie", "fingerprint": True}, None),
    ],
)
def test_scores_on_the_data_of_the_fit_are_said_to_be_that(
    displays: Dataset, readout: Readout, tmp_path: Path, facts: dict[str, Any], note: str | None
) -> None:
    if "fingerprint" in facts:
        facts = {**facts, "fingerprint": displays.fingerprint(displays.fingerprints())}
    card = replace(readout.card, **{"dataset": "popout", **facts})
    made = study(displays, readout=replace(readout, card=card), cams=["readout"])
    notes = made.run(tmp_path, progress=False).plan.dataset.notes
    assert notes[: len(displays.notes)] == displays.notes
    said = [each for each in notes if "fitted" in each]
    assert len(said) == (note is not None)
    assert note is None or note in said[0]
