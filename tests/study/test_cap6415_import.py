"""The published results of the CAP6415 study, brought into a run folder."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import polars as pl
import pytest

import quickgaze as qg
from quickgaze.errors import DatasetError, RunError
from quickgaze.findings import deciles, summary
from quickgaze.metrics import METRICS
from quickgaze.study import Run, cap6415
from quickgaze.study._tables import TableStore
from quickgaze.study.cap6415 import import_cap6415

Save = Callable[..., Path]

NAMES = ("CC_mask", "CC_standard", "NSS", "AUC-Judd", "KLD", "MAE", "MSE")


def scores(start: float) -> dict[str, Any]:
    """All scores of one map, in the file's order: start, start + 0.125, ..."""
    values = {name: np.float64(start + 0.125 * index) for index, name in enumerate(NAMES)}
    return values | {"NSS": np.float32(values["NSS"])}


def entry(start: float) -> list[Any]:
    return ["C:\\Users\\x\\a.jpg", "C:\\Users\\x\\a.png", [scores(start), scores(-start)]]


@pytest.fixture(scope="module")
def real_run(cap6415_backup: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return import_cap6415(cap6415_backup, tmp_path_factory.mktemp("import") / "run")


def test_the_published_deciles(real_run: Run) -> None:
    table = deciles(real_run, "cc_union")
    raw = table.filter(pl.col("sigma") == 0).rows(named=True)
    assert [row["images"] for row in raw] == [500] * 10
    published = [[round(row[key], 3) for key in ("lowest", "highest")] for row in raw]
    assert published[0] == [-0.794, -0.430]
    assert published[9] == [0.481, 0.885]
    assert round(raw[0]["mean"], 4) == -0.5145
    assert round(raw[9]["mean"], 4) == 0.6020
    ordered = real_run.scores().filter(pl.col("sigma") == 0)["cc_union"].sort()
    for row, part in zip(raw, np.array_split(ordered.to_numpy(), 10), strict=True):
        assert (row["lowest"], row["highest"]) == (part[0], part[-1])


def test_the_published_means(real_run: Run) -> None:
    table = summary(real_run)
    means = {(row["sigma"], row["metric"]): row["mean"] for row in table.iter_rows(named=True)}
    assert round(means[0, "cc_union"], 4) == -0.0017
    assert round(means[19, "cc_union"], 4) == 0.0547
    assert set(table["images"]) == {5000}
    assert set(table["metric"]) == {"cc", "cc_union", "kld", "mae", "mse", "nss", "auc"}


def test_every_number_of_the_file_is_in_its_place(real_run: Run, cap6415_backup: Path) -> None:
    content = cap6415_backup.read_bytes()
    rows = real_run.scores()
    assert rows.height == 10_000
    first = rows.row(0, named=True)
    assert first["stimulus"] == "COCO_val2014_000000000133"
    # Looked up in the file by hand: eight bytes after the name of the score.
    assert np.float64(first["cc_union"]).tobytes() == b"~\x81\x86\xa1\xbf\xa9\xb0?"
    assert np.float32(first["nss"]).tobytes() == b"aZ\xa9="
    assert np.float64(first["auc"]).tobytes() == b"'0#\xca\x8f\xe7\xe6?"
    for column, kind in {"cc_union": np.float64, "nss": np.float32, "auc": np.float64}.items():
        for number in (0, 5001, 9999):
            assert kind(rows[column][number]).tobytes() in content


def test_it_is_an_ordinary_run(real_run: Run, cap6415_backup: Path) -> None:
    run = qg.open_run(real_run.path)
    assert run.complete
    keys = ["backbone", "cam", "grid", "component", "orientation", "sigma", "convention"]
    variants = run.scores().select(keys).unique(maintain_order=True).rows()
    settings = ("fasterrcnn_resnet50_fpn", "eigen", "pool", 0, "lapack")
    assert variants == [(*settings, 0.0, "cap6415"), (*settings, 19.0, "cap6415")]
    assert run.scores()["explained_variance"].is_nan().all()
    assert run.scores()["orientation_margin"].is_nan().all()
    assert run.maps().is_empty()
    assert run.failures().is_empty()
    assert run.undefined().is_empty()
    sha256 = hashlib.sha256(cap6415_backup.read_bytes()).hexdigest()
    assert run.manifest["imported"]["file"] == "backup.npy"
    assert run.manifest["imported"]["sha256"] == sha256
    assert run.manifest["imported"]["dropped_scores"] == []
    assert run.manifest["complete"] is True
    assert run.manifest["counts"]["scored"] == 5000
    assert run.plan["settings"]["geometry"] == "detector-padded"
    assert "LEMON" not in (run.path / "plan.json").read_text()
    assert "LEMON" not in (run.path / "manifest.json").read_text()


def test_scores_stand_under_their_metrics(save_object: Save, tmp_path: Path) -> None:
    run = import_cap6415(save_object({"cat": entry(0.5)}), tmp_path / "run")
    raw, smoothed = run.scores().rows(named=True)
    found = {name: raw[name] for name in METRICS.names() if name in raw}
    expected = {"cc_union": 0.5, "cc": 0.625, "nss": 0.75, "auc": 0.875, "kld": 1.0}
    assert found == expected | {"mae": 1.125, "mse": 1.25}
    assert (raw["sigma"], smoothed["sigma"]) == (0.0, 19.0)
    assert (smoothed["cc_union"], smoothed["mse"]) == (-0.5, 0.25)
    assert all("cap6415" in METRICS[name].conventions for name in run.metrics)


def test_what_is_undefined_has_its_reason(save_object: Save, tmp_path: Path) -> None:
    raw = scores(0) | {"NSS": np.float32("nan"), "KLD": math.inf, "MAE": "many", "MSE": 10**400}
    del raw["CC_mask"]
    path = save_object({"cat": ["", "", [raw, scores(0)]]})
    run = import_cap6415(path, tmp_path / "run")
    undefined = run.undefined().select("stimulus", "sigma", "metric", "reason").rows()
    assert undefined == [
        ("cat", 0.0, "cc_union", "the study's results hold no CC_mask"),
        ("cat", 0.0, "kld", "the study's results hold inf as KLD"),
        ("cat", 0.0, "mae", "the study's results hold no number as MAE"),
        ("cat", 0.0, "mse", "the study's results hold inf as MSE"),
        ("cat", 0.0, "nss", "the study's results hold nan as NSS"),
    ]
    row = run.scores().row(0, named=True)
    assert all(math.isnan(row[name]) for *_, name, _ in undefined)
    assert (row["cc"], row["auc"]) == (0.125, 0.375)
    assert run.manifest["counts"]["undefined_scores"] == 5


def test_one_bad_entry_never_ends_an_import(save_object: Save, tmp_path: Path) -> None:
    path = save_object({"a": entry(0.5), "b": ["b.jpg", "b.png", [scores(0)]], "c": None})
    run = import_cap6415(path, tmp_path / "run")
    assert run.failures().select("stimulus", "stage", "error").rows() == [
        ("b", "score", "DatasetError"),
        ("c", "score", "DatasetError"),
    ]
    assert set(run.scores()["stimulus"]) == {"a"}
    assert run.manifest["counts"]["failed"] == 2


def test_scores_without_a_metric_are_dropped_and_named(save_object: Save, tmp_path: Path) -> None:
    more = scores(0) | {"AUC-shuffled": 0.5, "IG": 1.0}
    run = import_cap6415(save_object({"a": ["", "", [more, scores(0)]]}), tmp_path / "run")
    assert run.manifest["imported"]["dropped_scores"] == ["AUC-shuffled", "IG"]
    assert "IG" not in run.scores().columns


def test_the_same_file_twice_is_there_already(save_object: Save, tmp_path: Path) -> None:
    path = save_object({"a": entry(0.5)})
    run = import_cap6415(path, tmp_path / "run")
    before = {file: file.stat().st_mtime_ns for file in run.path.rglob("*")}
    again = import_cap6415(path.rename(tmp_path / "copy.npy"), tmp_path / "run")
    assert again.scores().equals(run.scores(), null_equal=True)
    assert {file: file.stat().st_mtime_ns for file in run.path.rglob("*")} == before


def test_another_file_is_refused(save_object: Save, tmp_path: Path) -> None:
    run = import_cap6415(save_object({"a": entry(0.5)}), tmp_path / "run")
    other = save_object({"a": entry(0.25)}, "other.npy")
    with pytest.raises(RunError, match=r"holds a run of another study: .*imported_sha256 is"):
        import_cap6415(other, tmp_path / "run")
    assert run.scores()["cc_union"][0] == 0.5
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "notes.txt").write_text("mine")
    with pytest.raises(RunError, match="holds something that is not a run"):
        import_cap6415(other, tmp_path / "folder")


@pytest.mark.parametrize("where", ["tables", "manifest"])
def test_an_interrupted_import_is_not_complete_and_goes_on(
    where: str, save_object: Save, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save_object({"a": entry(0.5)})

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        if where == "tables":
            patch.setattr(TableStore, "write", interrupted)
        else:
            patch.setattr(cap6415, "write_json", interrupted)
        with pytest.raises(KeyboardInterrupt):
            import_cap6415(path, tmp_path / "run")
    assert not qg.open_run(tmp_path / "run").complete
    run = import_cap6415(path, tmp_path / "run")
    assert run.complete
    assert run.scores()["cc_union"].to_list() == [0.5, -0.5]


def test_images_give_the_fingerprint_of_a_run_over_them(save_object: Save, tmp_path: Path) -> None:
    root = tmp_path / "val"
    for folder, ending in (("Images_val", "jpg"), ("Maps_val", "png")):
        (root / folder).mkdir(parents=True)
        for name in ("a", "b"):
            PIL.Image.effect_noise((40, 30), 50).save(root / folder / f"{name}.{ending}")
    run = import_cap6415(
        save_object({"a": entry(0.5), "b": entry(0.25)}),
        tmp_path / "run",
        images=root / "Images_val",
        maps=root / "Maps_val",
    )
    dataset = qg.load_dataset("salicon", root)
    assert run.plan["dataset"]["fingerprint"] == dataset.fingerprint()
    assert run.plan["dataset"]["edition"] == dataset.edition
    assert run.plan["stimuli"] == [stimulus.id for stimulus in dataset]
    assert run.manifest["imported"]["images"] == str(root / "Images_val")
    assert run.manifest["imported"]["maps"] == str(root / "Maps_val")


def test_images_that_are_missing_are_counted(save_object: Save, tmp_path: Path) -> None:
    path = save_object({"a": entry(0.5), "b": entry(0.25)})
    (tmp_path / "images").mkdir()
    with pytest.raises(DatasetError, match=r"holds none of the study's 2 images; .* 'a'"):
        import_cap6415(path, tmp_path / "run", images=tmp_path / "images")
    with pytest.raises(DatasetError, match="is not a folder"):
        import_cap6415(path, tmp_path / "run", maps=tmp_path / "maps")
    assert not (tmp_path / "run").exists()
    PIL.Image.new("L", (3, 2)).save(tmp_path / "images" / "b.png")
    run = import_cap6415(path, tmp_path / "run", images=tmp_path / "images")
    assert "1 of the stimuli have none of the images" in run.plan["dataset"]["notes"][-1]
    assert run.scores().height == 4


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "does not hold the results"),
        ({"a": [1, 2, 3]}, "does not hold the results"),
        ([entry(0.5)], "does not hold the results"),
        (None, "does not hold the results"),
        ({"": entry(0.5)}, "calls an image '', which is not a name"),
        ({"\ud800": entry(0.5)}, r"calls an image '\\ud800', which is not a name"),
    ],
)
def test_another_file_of_objects(
    content: object, message: str, save_object: Save, tmp_path: Path
) -> None:
    with pytest.raises(DatasetError, match=message):
        import_cap6415(save_object(content), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"nothing.npy cannot be read \(No such file"):
        import_cap6415(tmp_path / "nothing.npy", tmp_path / "run")


def test_names_survive_whatever_they_are(save_object: Save, tmp_path: Path) -> None:
    names = ["../../etc/cat", 'a,"b"\n<b>', "Straße"]
    run = import_cap6415(save_object({name: entry(0.5) for name in names}), tmp_path / "run")
    assert json.loads((run.path / "plan.json").read_text())["stimuli"] == names
    assert run.scores()["stimulus"].unique(maintain_order=True).to_list() == names
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup.npy", "run"]
