"""What is shown and known of runs as they are really written: each says in its plan what it is."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

import quickgaze as qg
from quickgaze.errors import RandomWeightsWarning
from quickgaze.findings import across, shown_and_known
from quickgaze.study import Run

pytestmark = pytest.mark.slow

LEVEL = {"levels": ["s32"], "hidden": 0, "folds": 2, "progress": False}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Run]:
    """A study, its calibration, readouts of trained and random weights, one given as a file."""
    folder = tmp_path_factory.mktemp("known")
    displays = qg.load_dataset("popout", n=6, size=(120, 160))
    options = {"metrics": ["cc"], "sigmas": [0]}
    study = qg.Study(displays, cams=["deviation"], **options)
    found = {"shown": study.run(folder / "shown", progress=False)}
    qg.calibrate(found["shown"], displays, folds=2, out=folder / "calibrated", progress=False)
    readout = qg.fit_readout(displays, out=folder / "known", **LEVEL)
    qg.fit_readout(displays, out=folder / "shuffled", shuffle=True, **LEVEL)
    with pytest.warns(RandomWeightsWarning):
        qg.fit_readout(displays, weights="none", out=folder / "random", **LEVEL)
    plain = readout.adapted("popout", centre_weight=0)
    for name, each in (("applied", readout), ("plain", plain)):
        given = qg.Study(displays, cams=["readout"], readout=each, **options)
        found[name] = given.run(folder / name, progress=False)
    found["calibrated"] = qg.open_run(folder / "calibrated")
    for name in ("known", "random", "shuffled"):
        found[name] = qg.open_run(folder / name / "run")
    return found


def test_each_is_told_by_its_plan(runs: Mapping[str, Run]) -> None:
    found = shown_and_known(list(runs.values()), "cc", resamples=100)
    titled = "fitted on 6 images of popout (generated, version 1)"
    assert found.select("kind", "what", "levels", "seen").rows() == [
        ("baseline", "centre bias", None, None),
        ("baseline", "linear readout, fitted to shuffled gaze", "s32", "none"),
        ("shown", "deviation", "s2, s4, s8, s16, s32", None),
        ("shown", "deviation, calibrated", "s2, s4, s8, s16, s32", None),
        ("known", "linear readout", "s32", "none"),
        ("applied", f"linear readout, {titled}", "s32", "all"),
        ("applied", f"linear readout, no centre bias, {titled}", "s32", "all"),
        ("known", "linear readout, random weights", "s32", "none"),
    ]
    assert set(found["images"]) == {6}
    one = runs["known"].scores()["cc"].mean()
    assert found.filter(what="linear readout")["mean"].item() == pytest.approx(one)


def test_across_tells_them_too(runs: Mapping[str, Run]) -> None:
    found = across([runs[name] for name in ("known", "applied", "plain", "random")], "cc")
    assert found.select("random_weights", "changed", "seen").rows() == [
        (False, "", "none"),
        (False, "", "all"),
        (False, "no centre bias", "all"),
        (True, "", "none"),
    ]
