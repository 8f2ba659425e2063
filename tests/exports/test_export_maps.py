"""Maps as PNG files: the model's own, whole or not at all, and never beside the folder."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import PIL.Image
import polars as pl
import pytest

import quickgaze as qg
from quickgaze.errors import OptionError
from quickgaze.exports import _maps as maps
from quickgaze.exports import choose_variant, export_maps
from quickgaze.stimuli import Dataset
from quickgaze.study import Run, stored_saliency

RunNamed = Callable[[Sequence[str]], Run]
WriteRun = Callable[..., Run]


def pixels(path: Path) -> np.ndarray:
    with PIL.Image.open(path) as image:
        return np.asarray(image)


def files(folder: Path) -> list[str]:
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )


def test_a_picture_is_the_models_map(displays: Dataset, run: Run, tmp_path: Path) -> None:
    exported = export_maps(run, tmp_path / "maps", progress=False)
    assert (exported.count, exported.failures, exported.path) == (3, (), tmp_path / "maps")
    assert files(tmp_path / "maps") == [f"{stimulus.id}.png" for stimulus in displays]
    model = qg.SaliencyModel("efficientnet_lite0", sigma=7)
    for stimulus in displays:
        picture = pixels(tmp_path / "maps" / f"{stimulus.id}.png")
        assert picture.dtype == np.uint8
        assert picture.shape == (120, 160)
        assert (picture.min(), picture.max()) == (0, 255)
        expected = model(stimulus.image()).map
        assert np.abs(picture / 255 - expected).max() <= 0.5 / 255 + 1e-5


def test_a_picture_says_what_it_is_of(run: Run, tmp_path: Path) -> None:
    export_maps(run, tmp_path / "maps", progress=False)
    with PIL.Image.open(next((tmp_path / "maps").iterdir())) as image:
        assert image.mode == "L"
        assert image.info["Description"] == (
            "backbone efficientnet_lite0, cam eigen, grid coarsest, component 0, "
            "orientation activation, sigma 7.0"
        )


def test_sixteen_bits_round_less(run: Run, tmp_path: Path) -> None:
    export_maps(run, tmp_path / "maps", bits=16, progress=False)
    for row in run.maps().iter_rows(named=True):
        picture = pixels(tmp_path / "maps" / f"{row['stimulus']}.png")
        assert picture.dtype == np.uint16
        expected = stored_saliency(row, "activation", 7.0)
        assert np.abs(picture / 65535 - expected).max() <= 0.5 / 65535 + 1e-9
    with pytest.raises(OptionError, match="bits is 12"):
        export_maps(run, tmp_path / "other", bits=12, progress=False)  # type: ignore[arg-type]


def test_the_chosen_variant_is_exported(mixed: Run, tmp_path: Path) -> None:
    for orientation in ("activation", "skew"):
        chosen = choose_variant(mixed, cam="eigen", grid="s16", orientation=orientation, sigma=5)
        exported = export_maps(mixed, tmp_path / orientation, chosen, progress=False)
        assert exported.variant == chosen
        for row in chosen.rows(mixed.maps()).iter_rows(named=True):
            expected = stored_saliency(row, orientation, 5.0)
            picture = pixels(tmp_path / orientation / f"{row['stimulus']}.png")
            assert np.array_equal(picture, np.floor(expected * 255.0 + 0.5))


def test_an_archive_holds_the_same_files(run: Run, tmp_path: Path) -> None:
    export_maps(run, tmp_path / "maps", progress=False)
    for name in ("one.zip", "two.ZIP"):
        assert export_maps(run, tmp_path / name, progress=False).count == 3
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.ZIP").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == files(tmp_path / "maps")
        for name in archive.namelist():
            assert archive.read(name) == (tmp_path / "maps" / name).read_bytes()


def test_ids_cannot_leave_the_folder(run_named: RunNamed, tmp_path: Path) -> None:
    run = run_named(["../../escaped", "indoor/cat", 'a"b\n'])
    export_maps(run, tmp_path / "out" / "maps", progress=False)
    expected = ["%2E%2E/%2E%2E/escaped.png", "a%22b%0A.png", "indoor/cat.png"]
    assert files(tmp_path / "out") == [f"maps/{name}" for name in expected]
    export_maps(run, tmp_path / "maps.zip", progress=False)
    with zipfile.ZipFile(tmp_path / "maps.zip") as archive:
        assert sorted(archive.namelist()) == expected


def test_maps_are_replaced_only_when_that_is_allowed(run: Run, mixed: Run, tmp_path: Path) -> None:
    chosen = choose_variant(mixed, cam="deviation", grid="s16", sigma=0)
    for out in (tmp_path / "maps", tmp_path / "maps.zip"):
        export_maps(run, out, progress=False)
        before = [path.read_bytes() for path in sorted(tmp_path.rglob("*.*")) if path.is_file()]
        with pytest.raises(OptionError, match=r"is there already; .* overwrite"):
            export_maps(mixed, out, chosen, progress=False)
        assert before == [
            path.read_bytes() for path in sorted(tmp_path.rglob("*.*")) if path.is_file()
        ]
        export_maps(mixed, out, chosen, overwrite=True, progress=False)
    fresh = tmp_path / "fresh.zip"
    export_maps(mixed, fresh, chosen, progress=False)
    assert fresh.read_bytes() == (tmp_path / "maps.zip").read_bytes()
    with zipfile.ZipFile(fresh) as archive:
        for name in archive.namelist():
            assert archive.read(name) == (tmp_path / "maps" / name).read_bytes()


def test_old_maps_do_not_stay_among_new_ones(run: Run, tmp_path: Path) -> None:
    export_maps(run, tmp_path / "maps" / "deep", progress=False)
    export_maps(run, tmp_path / "maps", overwrite=True, progress=False)
    assert len(files(tmp_path / "maps")) == 3
    assert not (tmp_path / "maps" / "deep").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["maps"]


def test_what_is_no_map_is_never_overwritten(run: Run, tmp_path: Path) -> None:
    (tmp_path / "home" / "letters").mkdir(parents=True)
    (tmp_path / "home" / "letters" / "dear.txt").write_text("reader")
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "a.png").symlink_to(tmp_path / "home")
    (tmp_path / "photographs").mkdir()
    PIL.Image.new("L", (2, 2)).save(tmp_path / "photographs" / "cat.png")
    for name in ("home", "linked", "photographs"):
        with pytest.raises(OptionError, match="holds something other than exported maps"):
            export_maps(run, tmp_path / name, overwrite=True, progress=False)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OptionError, match="is a file; name a folder"):
        export_maps(run, tmp_path / "file", overwrite=True, progress=False)
    (tmp_path / "folder.zip").mkdir()
    with pytest.raises(OptionError, match="is a folder; name a file"):
        export_maps(run, tmp_path / "folder.zip", overwrite=True, progress=False)
    with pytest.raises(OptionError, match="cannot be replaced by maps"):
        export_maps(run, ".", overwrite=True, progress=False)
    with pytest.raises(OptionError, match="cannot be written"):
        export_maps(run, tmp_path / "file" / "maps", progress=False)
    assert (tmp_path / "home" / "letters" / "dear.txt").read_text() == "reader"


def test_a_run_folder_holds_the_run_alone(run: Run, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(run.path)
    for out in (run.path, run.path / "maps", run.path / "x.zip", tmp_path / "link" / "pictures"):
        with pytest.raises(OptionError, match="lies in the run folder"):
            export_maps(run, out, overwrite=True, progress=False)


def test_a_link_to_a_folder_stays_one(run: Run, tmp_path: Path) -> None:
    export_maps(run, tmp_path / "maps", progress=False)
    (tmp_path / "link").symlink_to(tmp_path / "maps")
    export_maps(run, tmp_path / "link", bits=16, overwrite=True, progress=False)
    assert (tmp_path / "link").is_symlink()
    assert pixels(next((tmp_path / "maps").iterdir())).dtype == np.uint16
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "maps"]


def test_an_empty_folder_is_fine(run: Run, tmp_path: Path) -> None:
    (tmp_path / "maps").mkdir()
    assert export_maps(run, tmp_path / "maps", progress=False).count == 3


@pytest.mark.parametrize("name", ["maps", "maps.zip"])
def test_an_interrupted_export_leaves_what_was_there(
    name: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = 0

    def interrupted(*arguments: object, **options: object) -> object:
        nonlocal calls
        calls += 1
        if calls % 2 == 0:
            raise KeyboardInterrupt
        return stored_saliency(*arguments, **options)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(maps, "stored_saliency", interrupted)
        with pytest.raises(KeyboardInterrupt):
            export_maps(run, tmp_path / name, progress=False)
    assert list(tmp_path.iterdir()) == []
    export_maps(run, tmp_path / name, progress=False)
    before = sorted((path, path.stat().st_mtime_ns) for path in tmp_path.rglob("*"))
    with monkeypatch.context() as patch:
        patch.setattr(maps, "stored_saliency", interrupted)
        with pytest.raises(KeyboardInterrupt):
            export_maps(run, tmp_path / name, overwrite=True, progress=False)
    assert sorted((path, path.stat().st_mtime_ns) for path in tmp_path.rglob("*")) == before


def spoilt(write_run: WriteRun, run: Run, folder: Path, stimuli: Sequence[str]) -> Run:
    """Copy a run, with the evidence of some stimuli's sign undecided."""
    undecided = pl.when(pl.col("stimulus").is_in(stimuli)).then(float("nan"))
    changed = undecided.otherwise(pl.col("evidence_activation")).cast(pl.Float32)
    maps = run.maps().with_columns(evidence_activation=changed)
    return write_run(folder, run.metrics, run.plan.to_json(), maps=maps)


def test_one_bad_map_never_ends_an_export(
    displays: Dataset, run: Run, tmp_path: Path, write_run: WriteRun
) -> None:
    bad = displays[1].id
    exported = export_maps(
        spoilt(write_run, run, tmp_path / "run", [bad]), tmp_path / "m", progress=False
    )
    assert exported.count == 2
    assert [stimulus for stimulus, _ in exported.failures] == [bad]
    assert "orientation 'activation' finds no sign" in exported.failures[0][1]
    assert len(files(tmp_path / "m")) == 2


def test_no_map_at_all_is_an_error_and_leaves_nothing(
    displays: Dataset, run: Run, tmp_path: Path, write_run: WriteRun
) -> None:
    every = spoilt(write_run, run, tmp_path / "run", [stimulus.id for stimulus in displays])
    for name in ("m", "m.zip"):
        with pytest.raises(OptionError, match="no map can be exported: its map is NaN"):
            export_maps(every, tmp_path / name, progress=False)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_stimuli_that_failed_are_told(tmp_path: Path, displays: Dataset) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "bad.png").write_bytes(b"no image")
    PIL.Image.fromarray(displays[0].image()).save(tmp_path / "images" / "good.png")
    study = qg.Study(
        qg.load_dataset("folder", tmp_path / "images"), cams=["center"], metrics=["cc"], sigmas=[0]
    )
    run = study.run(tmp_path / "run", progress=False)
    exported = export_maps(run, tmp_path / "m", progress=False)
    assert exported.count == 1
    assert exported.failures[0][0] == "bad"
    assert exported.failures[0][1] == run.failures()["message"][0]


def test_progress_is_shown_on_standard_error(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export_maps(run, tmp_path / "maps")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "3/3" in captured.err
