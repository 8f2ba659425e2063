"""The commands import and export, as a user calls them."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import polars as pl
import pytest

import quickgaze as qg
from quickgaze.study import Run

Call = Callable[..., tuple[int, str, str]]

NAMES = ("CC_mask", "CC_standard", "NSS", "AUC-Judd", "KLD", "MAE", "MSE")


class Evil:
    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, ("touch MARK",)


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    """Results of two images, one of them without scores."""
    scores = dict.fromkeys(NAMES, np.float64(0.25))
    content = {"cat": ["cat.jpg", "cat.png", [scores, scores]], "dog": ["dog.jpg", "dog.png", []]}
    np.save(tmp_path / "backup.npy", np.array(content, dtype=object))
    return tmp_path / "backup.npy"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    displays = qg.load_dataset("popout", n=2, size=(120, 160))
    study = qg.Study(displays, orientations=["activation", "skew"], metrics=["cc"])
    return study.run(tmp_path_factory.mktemp("run") / "run", progress=False)


@pytest.mark.parametrize("command", ["import", "export"])
def test_both_explain_themselves(call: Call, command: str) -> None:
    code, out, _ = call(command, "--help")
    assert code == 0
    assert "--out" in out


def test_an_import_is_a_run(call: Call, backup: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    code, out, err = call("import", "cap6415", backup, "--out", folder)
    assert code == 1
    assert "0.250" in out
    assert f"run folder: {folder}" in out
    assert "failed: dog (score)" in err
    assert "note: Imported from the published results" in err
    assert call("summary", folder)[0] == 0
    code, out, _ = call("import", "cap6415", backup, "--out", folder)
    assert code == 1
    assert f"{folder} holds this import already; nothing was written" in out
    np.save(backup, np.array({"cat": ["", "", [{}, {}]]}, dtype=object))
    code, _, err = call("import", "cap6415", backup, "--out", folder)
    assert code == 2
    assert "holds a run of another study" in err


def test_a_good_import_is_a_success(call: Call, backup: Path, tmp_path: Path) -> None:
    scores = dict.fromkeys(NAMES, 0.5)
    np.save(backup, np.array({"cat": ["", "", [scores, scores]]}, dtype=object))
    assert call("import", "cap6415", backup, "--out", tmp_path / "run")[0] == 0


def test_a_hostile_file_is_refused(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    np.save("evil.npy", np.array({"cat": Evil()}, dtype=object))
    code, _, err = call("import", "cap6415", "evil.npy", "--out", "run")
    assert code == 2
    assert "error: evil.npy asks for os.system" in err
    assert "Traceback" not in err
    assert [path.name for path in tmp_path.iterdir()] == ["evil.npy"]


def test_other_results_are_not_known(call: Call, backup: Path, tmp_path: Path) -> None:
    code, _, err = call("import", "cap6416", backup, "--out", tmp_path / "run")
    assert code == 2
    assert "did you mean 'cap6415'" in err


def test_maps_to_a_folder_an_archive_and_hdf5(call: Call, run: Run, tmp_path: Path) -> None:
    skew = ("--orientation", "skew", "--sigma", 3)
    code, out, err = call("export", run.path, "--to", "maps", "--out", tmp_path / "m", *skew)
    assert code == 0, err
    assert f"2 maps in {tmp_path / 'm'}" in out
    assert len(list((tmp_path / "m").iterdir())) == 2
    archive = tmp_path / "m.zip"
    assert call("export", run.path, "--to", "maps", "--out", archive, "--bits", 16, *skew)[0] == 0
    assert len(zipfile.ZipFile(archive).namelist()) == 2
    file = tmp_path / "m.h5"
    code, _, _ = call("export", run.path, "--to", "hdf5", "--out", file, "--suffix", ".png", *skew)
    assert code == 0
    with h5py.File(file) as opened:
        assert list(opened) == ["popout-000000.png", "popout-000001.png"]


def test_tables(call: Call, run: Run, tmp_path: Path) -> None:
    out = tmp_path / "scores.csv"
    code, said, _ = call("export", run.path, "--to", "csv", "--out", out)
    assert code == 0
    assert str(out) in said
    assert pl.read_csv(out)["cc"].to_list() == run.scores()["cc"].to_list()
    out = tmp_path / "maps.parquet"
    assert call("export", run.path, "--to", "parquet", "--out", out, "--table", "maps")[0] == 0
    assert pl.read_parquet(out).equals(run.maps(), null_equal=True)
    code, _, err = call("export", run.path, "--to", "parquet", "--out", out)
    assert code == 2
    assert "is there already" in err
    assert call("export", run.path, "--to", "parquet", "--out", out, "--overwrite")[0] == 0
    out = tmp_path / "maps.csv"
    options = ("--table", "maps", "--projections")
    assert call("export", run.path, "--to", "csv", "--out", out, *options)[0] == 0
    assert "projection" in pl.read_csv(out).columns


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--to", "map"), "did you mean 'maps'"),
        (("--to", "maps"), "choose orientation (activation, skew)"),
        (("--to", "maps", "--orientation", "oracle"), "from the human density"),
        (("--to", "maps", "--cam", "center"), "has no such maps of the cam 'center'"),
        (("--to", "maps", "--orientation", "skew", "--bits", "12"), "bits is 12"),
        (("--to", "maps", "--table", "scores"), "--table is not an option of --to maps"),
        (("--to", "csv", "--sigma", "0"), "--sigma is not an option of --to csv, only of: maps"),
        (("--to", "csv", "--table", "score"), "did you mean 'scores'"),
        (("--to", "csv", "--projections"), "a column of the table maps"),
        (("--to", "hdf5", "--orientation", "skew"), "name it with suffix"),
    ],
)
def test_unusable_input_gets_a_sentence_and_code_2(
    call: Call, run: Run, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    code, _, err = call("export", run.path, *arguments, "--out", tmp_path / "out")
    assert code == 2
    assert "error: " in err
    assert message in err
    assert list(tmp_path.iterdir()) == []


def test_an_import_has_no_maps_to_export(call: Call, backup: Path, tmp_path: Path) -> None:
    call("import", "cap6415", backup, "--out", tmp_path / "run")
    code, _, err = call("export", tmp_path / "run", "--to", "maps", "--out", tmp_path / "m")
    assert code == 2
    assert "its scores were imported without maps" in err


def test_what_is_left_out_is_told(
    call: Call, run: Run, tmp_path: Path, write_run: Callable[..., Run]
) -> None:
    copy = tmp_path / "run"
    write_run(copy, run.metrics, run.plan.to_json(), maps=run.maps().head(1))
    options = ("--to", "maps", "--out", tmp_path / "m", "--orientation", "skew")
    code, out, err = call("export", copy, *options)
    assert code == 1
    assert "1 maps in" in out
    assert "is not complete: what has been computed so far is exported" in err
    assert "left out: popout-000001: it has not been computed yet" in err
