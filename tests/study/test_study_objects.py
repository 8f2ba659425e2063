"""Backbones, CAMs and metrics of one's own, given as objects where names are taken."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import quickgaze as qg
from quickgaze import findings
from quickgaze.cams import CAMS, Cam, CamInput, CamMethod, CamOptions
from quickgaze.errors import OptionError, RunError
from quickgaze.metrics import METRICS, Definition, FixatedPixels, Metric, PreparedMap, evaluate
from quickgaze.report import summary_data, summary_table, write_report
from quickgaze.stimuli import Dataset
from quickgaze.study import Run


def _brightest(given: CamInput, _: CamOptions) -> Cam:
    return Cam.unsigned(given.images.mean(1))


BRIGHTEST = CamMethod("brightest", "how bright the image is", _brightest, False, False, False)


def _farthest(prediction: PreparedMap, fixated: FixatedPixels) -> float:
    return float(1 - prediction.at(fixated.pixels).mean())


DEFINITIONS = {"tuebingen": Definition("fixations", _farthest)}


def _gap(maps: np.ndarray, fixations: np.ndarray, convention: str = "tuebingen") -> np.ndarray:
    return evaluate("gap", DEFINITIONS, convention, maps, fixations)


GAP = Metric(
    name="gap",
    function=_gap,
    definitions=DEFINITIONS,
    higher_is_better=False,
    range=(0.0, 1.0),
    unit="",
    summary="how far the map is from 1 where people looked",
    reference="this test",
)


def test_two_of_one_name_are_refused(displays: Dataset) -> None:
    darkest = replace(BRIGHTEST, summary="how dark the image is")
    with pytest.raises(OptionError, match="two of the CAMs have the name 'brightest'"):
        qg.Study(displays, cams=[BRIGHTEST, "eigen", darkest])
    assert qg.Study(displays, cams=[BRIGHTEST, replace(BRIGHTEST)]).settings.cams == ("brightest",)


@pytest.fixture(scope="module")
def displays() -> Dataset:
    return qg.load_dataset("popout", n=3, size=(120, 160))


def _study(displays: Dataset) -> qg.Study:
    return qg.Study(displays, cams=[BRIGHTEST, "center"], metrics=[GAP, "cc"], sigmas=[0])


@pytest.fixture(scope="module")
def run(displays: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return _study(displays).run(tmp_path_factory.mktemp("objects") / "run", progress=False)


def test_objects_go_by_their_names(run: Run, displays: Dataset) -> None:
    scores = run.scores()
    assert set(scores["cam"]) == {"brightest", "center"}
    ours = scores.row(0, named=True)
    model = qg.SaliencyModel(cam=BRIGHTEST, sigma=0)
    saliency = model(displays[0].image()).map
    assert ours["gap"] == pytest.approx(_gap(saliency, displays[0].fixations.points), abs=1e-6)
    assert model.cam == "brightest"


def test_helper_processes_know_them_too(run: Run, displays: Dataset, tmp_path: Path) -> None:
    other = _study(displays).run(tmp_path / "run", helpers=1, progress=False)
    assert other.scores().equals(run.scores())


def test_a_run_that_is_opened_later_tells_what_they_were(run: Run, tmp_path: Path) -> None:
    opened = qg.open_run(run.path)
    table = findings.means(opened, resamples=100)
    assert set(table["metric"]) == {"gap", "cc"}
    best = findings.ranking(opened, "gap", 1, variant={"cam": "brightest"}).row(0, named=True)
    own = opened.scores().filter(cam="brightest")["gap"]
    assert best["score"] == own.min(), "the lowest is the best"
    metric = opened.plan.settings.metric("gap")
    assert (metric.summary, metric.higher_is_better) == (GAP.summary, False)
    with pytest.raises(OptionError, match="'gap' was given as an object"):
        metric.function(None, None)
    assert summary_data(findings.summary(opened))[0]["metrics"]["gap"]["images"] == 3
    assert summary_table(findings.summary(opened), "own").columns
    report = write_report(opened, tmp_path / "report", papers=False, resamples=100, progress=False)
    assert "gap" in report.page.read_text(encoding="utf-8")


def test_another_study_with_another_object_is_another_run(run: Run, displays: Dataset) -> None:
    assert _study(displays).run(run.path, progress=False).scores().equals(run.scores())
    other = replace(GAP, higher_is_better=True)
    study = qg.Study(displays, cams=[BRIGHTEST, "center"], metrics=[other, "cc"], sigmas=[0])
    with pytest.raises(RunError, match="higher_is_better is True here and False there"):
        study.run(run.path, progress=False)


def test_objects_that_cannot_be_used_are_refused(displays: Dataset) -> None:
    with pytest.raises(OptionError, match="another CAM 'eigen'"):
        qg.Study(displays, cams=[replace(BRIGHTEST, name="eigen")])
    with pytest.raises(OptionError, match="another metric 'cc'"):
        qg.Study(displays, metrics=[replace(GAP, name="cc")])
    with pytest.raises(OptionError, match="not a backbone"):
        qg.Study(displays, backbones=[BRIGHTEST])
    with pytest.raises(OptionError, match="CamMethod"):
        qg.SaliencyModel(cam=GAP)


def test_an_object_of_the_catalogue_is_the_same_as_its_name(displays: Dataset) -> None:
    given = qg.Study(displays, cams=[CAMS["center"]], metrics=[METRICS["cc"]]).settings
    assert given == qg.Study(displays, cams=["center"], metrics=["cc"]).settings
    assert not given.own_metrics
