"""The chapter of maps before and after they are calibrated."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

import quickgaze as qg
from quickgaze.report import write_report
from quickgaze.study import Run


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run]:
    """A run, and its calibration."""
    folder = tmp_path_factory.mktemp("calibrated")
    displays = qg.load_dataset("popout", n=4, size=(120, 160))
    study = qg.Study(displays, cams=["center"], sigmas=[0], metrics=["kld", "cc"])
    run = study.run(folder / "run", progress=False)
    found = qg.calibrate(run, displays, out=folder / "calibrated", progress=False)
    assert found.run is not None
    return run, found.run


def _written(runs: list[Run], out: Path) -> Path:
    return write_report(runs, out, pictures=False, resamples=100, progress=False).page.parent


def test_a_calibrated_run_has_it(runs: tuple[Run, Run], tmp_path: Path) -> None:
    report = _written(list(runs), tmp_path / "report")
    page = (report / "index.html").read_text(encoding="utf-8")
    assert 'id="calibrated"' in page
    table = pl.read_csv(report / "tables" / "calibrated-run2.csv")
    assert table.select("cam", "metric").rows() == [
        ("center", "kld"),
        ("center", "cc"),
        ("center", "information_gain"),
    ]
    assert {"own", "calibrated", "gain", "people", "explained"} <= set(table.columns)


def test_other_runs_have_none(runs: tuple[Run, Run], tmp_path: Path) -> None:
    report = _written([runs[0]], tmp_path / "report")
    assert 'id="calibrated"' not in (report / "index.html").read_text(encoding="utf-8")
    assert not list((report / "tables").glob("calibrated*"))
