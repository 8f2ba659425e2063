"""Studies end to end, on small data made here."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import polars as pl
import pytest
import torch
from polars.testing import assert_frame_equal

import quickgaze as qg
from quickgaze.backbones import Backbone
from quickgaze.cams import ORIENTATIONS, eigen
from quickgaze.errors import RunError
from quickgaze.saliency import as_batch, saliency_maps
from quickgaze.stimuli import Dataset
from quickgaze.study import Run, stored_saliency

KEYS = ["stimulus", "backbone", "cam", "grid", "component", "orientation", "sigma", "convention"]


@pytest.fixture(scope="module")
def displays() -> Dataset:
    return qg.load_dataset("popout", n=5, size=(120, 160))


@pytest.fixture(scope="module")
def run(displays: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    study = qg.Study(
        displays,
        grids=["coarsest", "s8", "6x8"],
        sigmas=[0, 5],
        components=[0, 1],
        shard_size=2,
        device="cpu",
    )
    return study.run(tmp_path_factory.mktemp("run"), progress=False)


def test_scores_have_a_row_per_stimulus_and_variant(run: Run, displays: Dataset) -> None:
    scores = run.scores()
    assert scores.columns == [
        *KEYS,
        "cc",
        "sim",
        "kld",
        "nss",
        "auc",
        "explained_variance",
        "orientation_margin",
    ]
    expected = itertools.product(
        [stimulus.id for stimulus in displays],
        ["efficientnet_lite0"],
        ["eigen"],
        ["coarsest", "s8", "6x8"],
        [0, 1],
        [0.0, 5.0],
        ORIENTATIONS.names(),
        ["tuebingen"],
    )
    columns = [name for name in KEYS if name not in ("orientation", "sigma")]
    columns[-1:] = ["sigma", "orientation", "convention"]
    assert scores.select(columns).rows() == list(expected)


def test_a_score_is_what_its_parts_give_by_hand(run: Run, displays: Dataset) -> None:
    stimulus = displays[3]
    pyramid = qg.load_backbone("efficientnet_lite0", device="cpu")(as_batch([stimulus.image()]))
    cam = eigen(pyramid, "s8", component=1)
    saliency = saliency_maps(cam.oriented("skew"), (120, 160), 5.0)[0].numpy()
    row = run.scores().row(
        by_predicate=(pl.col("stimulus") == stimulus.id)
        & (pl.col("grid") == "s8")
        & (pl.col("component") == 1)
        & (pl.col("orientation") == "skew")
        & (pl.col("sigma") == 5),
        named=True,
    )
    density, points = stimulus.density(19.0), stimulus.fixations.points
    assert row["cc"] == pytest.approx(qg.metrics.cc(saliency, density), abs=1e-4)
    assert row["kld"] == pytest.approx(qg.metrics.kld(saliency, density), abs=1e-3)
    assert row["auc"] == pytest.approx(qg.metrics.auc(saliency, points), abs=1e-4)
    assert row["explained_variance"] == pytest.approx(cam.explained_variance.item(), abs=1e-5)
    assert row["orientation_margin"] == pytest.approx(cam.margin("skew").item(), abs=1e-4)


def test_the_oracle_is_never_below_another_rule(run: Run) -> None:
    best = (
        run.scores()
        .with_columns(
            bound=pl.col("cc")
            .filter(pl.col("orientation") == "oracle")
            .first()
            .over("stimulus", "grid", "component", "sigma")
        )
        .filter(pl.col("cc").is_not_nan())
    )
    assert (best["bound"] >= best["cc"]).all()
    assert (best["bound"] > best["cc"]).any()


def test_maps_are_kept_with_their_evidence(run: Run, displays: Dataset) -> None:
    maps = run.maps()
    assert maps.height == len(displays) * 3 * 2
    row = maps.row(0, named=True)
    assert (row["height"], row["width"]) == (4, 5)
    assert (row["image_height"], row["image_width"]) == (120, 160)
    assert maps["projection"].dtype == pl.List(pl.Float32)
    assert len(row["projection"]) == 20
    assert {f"evidence_{rule}" for rule in ORIENTATIONS.names() if rule != "oracle"} < set(row)


def test_a_kept_map_gives_the_same_saliency_map(run: Run, displays: Dataset) -> None:
    model = qg.SaliencyModel(sigma=7, orientation="border", device="cpu")
    expected = model(displays[0].image()).map
    found = stored_saliency(run.maps().row(0, named=True), "border", 7.0)
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize(("batch_size", "shard_size"), [(1, 64), (3, 2), (8, 5)])
def test_batches_and_shards_change_nothing(
    run: Run, displays: Dataset, tmp_path: Path, batch_size: int, shard_size: int
) -> None:
    study = qg.Study(
        displays,
        grids=["coarsest", "s8", "6x8"],
        sigmas=[0, 5],
        components=[0, 1],
        shard_size=shard_size,
        device="cpu",
    )
    other = study.run(tmp_path / "run", batch_size=batch_size, progress=False)
    assert_frame_equal(other.scores(), run.scores(), abs_tol=1e-3, rel_tol=1e-3)


def test_the_manifest_tells_how_the_scores_came_about(run: Run) -> None:
    manifest = run.manifest
    assert manifest["complete"] is True
    assert manifest["counts"] == {
        "stimuli": 5,
        "scored": 5,
        "failed": 0,
        "undefined_scores": run.undefined().height,
        "points": 5,
        "points_outside": 0,
    }
    assert manifest["dataset"]["name"] == "popout"
    assert manifest["backbones"]["efficientnet_lite0"]["weights"] == "ImageNet-1k"
    assert len(manifest["weights_hashes"]["efficientnet_lite0"]) == 64
    assert set(manifest["versions"]) >= {"quickgaze", "torch", "timm"}
    assert json.loads((run.path / "manifest.json").read_text()) == manifest
    assert qg.open_run(run.path).scores().equals(run.scores())


def test_nothing_temporary_stays(run: Run) -> None:
    names = {path.name for path in run.path.rglob("*") if path.is_file()}
    parts = {f"part-0000{number}{kind}" for number in range(3) for kind in (".parquet", ".json")}
    assert names == {"plan.json", "manifest.json", "lock", *parts}


def test_a_run_shows_itself_in_a_notebook(run: Run) -> None:
    page = run._repr_html_()
    assert "<td>complete</td>" in page
    assert "cc, sim, kld, nss, auc" in page


def test_an_unfinished_run_is_finished_without_computing_anything_twice(
    displays: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = qg.Study(displays, shard_size=2, device="cpu")
    whole = study.run(tmp_path / "whole", progress=False)
    partial = study.run(tmp_path / "partial", progress=False)
    (partial.path / "manifest.json").unlink()
    (partial.path / "shards" / "part-00001.json").unlink()
    unfinished = qg.open_run(partial.path)
    assert not unfinished.complete
    assert unfinished.scores().height < whole.scores().height
    with pytest.raises(RunError, match="is not complete"):
        _ = unfinished.manifest

    seen: list[int] = []
    compute = Backbone.__call__

    def counted(self: Backbone, batch: torch.Tensor) -> object:
        seen.append(len(batch))
        return compute(self, batch)

    monkeypatch.setattr(Backbone, "__call__", counted)
    finished = study.run(partial.path, progress=False)
    assert sum(seen) == 2
    assert finished.complete
    assert_frame_equal(finished.scores(), whole.scores(), abs_tol=1e-4)


def test_one_forward_pass_serves_all_variants(
    displays: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    compute = Backbone.__call__

    def counted(self: Backbone, batch: torch.Tensor) -> object:
        seen.append(len(batch))
        return compute(self, batch)

    monkeypatch.setattr(Backbone, "__call__", counted)
    study = qg.Study(displays, grids=["s8", "s16"], sigmas=[0, 5], components=[0, 1], device="cpu")
    study.run(tmp_path / "run", progress=False)
    assert sum(seen) == len(displays)


def test_another_study_is_not_mixed_into_a_folder(run: Run, displays: Dataset) -> None:
    other = qg.Study(displays, grids=["coarsest"], sigmas=[0, 5], shard_size=2)
    with pytest.raises(RunError) as refusal:
        other.run(run.path, progress=False)
    assert "components is [0] here and [0, 1] there" in str(refusal.value)
    assert "grids is ['coarsest'] here" in str(refusal.value)
    fewer = qg.Study(displays[:3], device="cpu")
    with pytest.raises(RunError, match="there are 3 stimuli here and 5 there"):
        fewer.run(run.path, progress=False)


def test_a_folder_that_holds_something_else_is_left_alone(
    displays: Dataset, tmp_path: Path
) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    study = qg.Study(displays)
    with pytest.raises(RunError, match="something that is not a run"):
        study.run(tmp_path)
    with pytest.raises(RunError, match="is a file"):
        study.run(tmp_path / "thesis.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_folder_of_another_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text('{"format": 99}')
    with pytest.raises(RunError, match="has format 99"):
        qg.open_run(tmp_path)
    (tmp_path / "plan.json").write_text("{")
    with pytest.raises(RunError, match="cannot be read"):
        qg.open_run(tmp_path)


@pytest.fixture
def make_folder(tmp_path: Path) -> Callable[..., Path]:
    """Make a folder data set of four images, to be spoilt by the test."""

    def make() -> Path:
        root = tmp_path / "own"
        generator = np.random.default_rng(0)
        for kind in ("images", "maps"):
            (root / kind).mkdir(parents=True)
        for name in ("a", "b", "c", "d"):
            image = generator.integers(0, 255, (64, 96, 3), dtype=np.uint8)
            PIL.Image.fromarray(image).save(root / "images" / f"{name}.png")
            density = np.zeros((64, 96), np.uint8)
            density[20:40, 30:60] = generator.integers(100, 255)
            PIL.Image.fromarray(density).save(root / "maps" / f"{name}.png")
        return root

    return make


def test_one_bad_stimulus_never_ends_a_run(
    make_folder: Callable[..., Path], tmp_path: Path
) -> None:
    root = make_folder()
    (root / "images" / "b.png").write_bytes((root / "images" / "b.png").read_bytes()[:300])
    PIL.Image.new("L", (10, 10), 255).save(root / "maps" / "c.png")
    dataset = qg.load_dataset("folder", root)
    study = qg.Study(dataset, metrics=["cc"], orientations=["activation", "skew"], device="cpu")
    run = study.run(tmp_path / "run", progress=False)
    failures = {row["stimulus"]: row for row in run.failures().iter_rows(named=True)}
    assert {name: row["stage"] for name, row in failures.items()} == {"b": "image", "c": "gaze"}
    assert "b.png" in failures["b"]["message"]
    assert "10 x 10" in failures["c"]["message"]
    assert "64 x 96" in failures["c"]["message"]
    assert set(run.scores()["stimulus"]) == {"a", "d"}
    assert run.scores()["cc"].is_not_nan().all()
    # The image of the third was fine: its map is kept.
    assert set(run.maps()["stimulus"]) == {"a", "c", "d"}
    assert run.manifest["counts"]["failed"] == 2


def test_a_stimulus_without_gaze_is_undefined_with_the_reason(
    make_folder: Callable[..., Path], tmp_path: Path
) -> None:
    root = make_folder()
    (root / "maps" / "b.png").unlink()
    dataset = qg.load_dataset("folder", root)
    study = qg.Study(dataset, metrics=["cc", "nss"], orientations=["activation", "oracle"])
    run = study.run(tmp_path / "run", progress=False)
    assert run.failures().is_empty()
    without = run.scores().filter(pl.col("stimulus") == "b")
    assert without["cc"].is_nan().all()
    reasons = run.undefined()
    assert set(reasons.filter(pl.col("metric") == "nss")["stimulus"]) == set("abcd")
    row = reasons.row(
        by_predicate=(pl.col("metric") == "cc") & (pl.col("orientation") == "oracle"), named=True
    )
    assert row["stimulus"] == "b"
    assert row["reason"] == "orientation oracle: the stimulus has no density"


def test_every_undefined_score_has_a_reason_and_no_other(run: Run) -> None:
    undefined = run.scores().unpivot(on=run.metrics, index=KEYS, variable_name="metric")
    undefined = undefined.filter(pl.col("value").is_nan()).drop("value")
    told = run.undefined().filter(pl.col("bound").is_null()).drop("bound", "reason")
    assert_frame_equal(undefined, told, check_row_order=False, check_dtypes=False)


def test_images_too_small_for_a_component_are_undefined(tmp_path: Path) -> None:
    PIL.Image.fromarray(np.arange(600, dtype=np.uint8).reshape(10, 20, 3)).save(
        tmp_path / "tiny.png"
    )
    dataset = qg.load_dataset("folder", tmp_path)
    run = qg.Study(dataset, metrics=["cc"], orientations=["activation"]).run(
        tmp_path / "run", progress=False
    )
    assert run.undefined()["reason"].to_list() == [
        "the CAM is NaN on the 1x1 grid: its features are the same everywhere, or not finite"
    ]


def test_grids_of_every_kind_in_one_run(tmp_path: Path) -> None:
    displays = qg.load_dataset("popout", n=2, size=(160, 192))
    grids = ["coarsest", "finest", "s8", "s16", "30x40", "s5"]
    study = qg.Study(displays, grids=grids, metrics=["cc"], device="cpu")
    run = study.run(tmp_path / "run", progress=False)
    sizes = {row["grid"]: (row["height"], row["width"]) for row in run.maps().to_dicts()}
    assert sizes == {
        "coarsest": (5, 6),
        "finest": (80, 96),
        "s8": (20, 24),
        "s16": (10, 12),
        "30x40": (30, 40),
        "s5": (32, 39),
    }
    reasons = run.undefined().filter(pl.col("orientation") == "lapack")
    assert set(reasons["grid"]) == {"finest"}
    assert reasons["reason"][0] == "orientation lapack gives no sign on the 80x96 grid"
