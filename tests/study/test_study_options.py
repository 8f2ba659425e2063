"""What a study makes of its options before it begins, and which it refuses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import quickgaze as qg
from quickgaze.errors import DatasetError, OptionError, UnknownNameError
from quickgaze.metrics import CONVENTIONS, METRICS
from quickgaze.stimuli import Dataset
from quickgaze.stimuli.types import Stimulus
from quickgaze.study._settings import default_metrics


@pytest.fixture(scope="module")
def displays() -> Dataset:
    return qg.load_dataset("popout", n=5, size=(120, 160))


def test_every_convention_has_default_metrics_that_it_defines() -> None:
    for convention in CONVENTIONS:
        metrics = default_metrics(convention)
        assert metrics
        assert all(convention in METRICS[name].conventions for name in metrics)


def test_metrics_follow_the_convention(displays: Dataset, tmp_path: Path) -> None:
    study = qg.Study(displays[:1], convention="cap6415", orientations=["activation"])
    run = study.run(tmp_path / "run", progress=False)
    assert run.metrics == ["cc", "cc_union", "kld", "mae", "mse", "nss", "auc"]
    assert set(run.scores()["convention"]) == {"cap6415"}
    with pytest.raises(OptionError, match="sim"):
        qg.Study(displays, convention="cap6415", metrics=["sim"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"backbones": ["efficientnet"]}, "did you mean 'efficientnet_lite0'"),
        ({"cams": ["eigenn"]}, "did you mean 'eigen'"),
        ({"grids": ["finet"]}, "did you mean 'finest'"),
        ({"orientations": ["orcale"]}, "did you mean 'oracle'"),
        ({"metrics": ["ncc"]}, "did you mean 'cc'"),
        ({"convention": "tubingen"}, "did you mean 'tuebingen'"),
        ({"levels": ["s64"]}, "unknown level of efficientnet_lite0 's64'"),
        ({"level_scale": "sdt"}, "did you mean 'std'"),
    ],
)
def test_unknown_names_end_a_study_before_it_begins(
    displays: Dataset, options: dict[str, object], message: str
) -> None:
    with pytest.raises(UnknownNameError, match=message):
        qg.Study(displays, **options)


def test_options_are_kept_as_plain_values_each_once(displays: Dataset, tmp_path: Path) -> None:
    study = qg.Study(
        displays, sigmas=[7, 7.0, 0], density_sigma=9, weights=tmp_path, maps=None, bounds=()
    )
    settings = study.settings
    assert (settings.sigmas, settings.density_sigma) == ((7.0, 0.0), 9.0)
    assert all(isinstance(each, float) for each in (*settings.sigmas, settings.density_sigma))
    assert (settings.weights, settings.maps, settings.bounds) == (str(tmp_path), {}, ())


def test_unusable_options_end_a_study_before_it_begins(displays: Dataset, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="sigma is -3"):
        qg.Study(displays, sigmas=[-3])
    with pytest.raises(OptionError, match="grids is empty"):
        qg.Study(displays, grids=[])
    with pytest.raises(OptionError, match="component is -1"):
        qg.Study(displays, components=[-1])
    with pytest.raises(UnknownNameError, match="unknown engine 'spark'"):
        qg.Study(displays).run(tmp_path / "run", engine="spark")
    with pytest.raises(OptionError, match="batch_size is 0"):
        qg.Study(displays).run(tmp_path / "run", batch_size=0)
    with pytest.raises(DatasetError, match="empty"):
        qg.Study(displays[:0])
    with pytest.raises(DatasetError, match="several stimuli"):
        qg.Study(replace(displays, stimuli=(displays[0], displays[0])))
    assert not (tmp_path / "run").exists()


def test_what_lies_in_files_is_fingerprinted_once(
    displays: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a data set elsewhere, each fingerprint is a request."""
    whole = displays.fingerprint()
    taken: list[str] = []
    fingerprint = Stimulus.fingerprint

    def counted(self: Stimulus) -> str:
        taken.append(self.id)
        return fingerprint(self)

    monkeypatch.setattr(Stimulus, "fingerprint", counted)
    study = qg.Study(displays, metrics=["cc"], orientations=["activation"], device="cpu")
    monkeypatch.setattr("quickgaze.study._study.run_locally", lambda *_: None)
    plan = study.run(tmp_path / "run", progress=False).plan
    assert sorted(taken) == sorted(stimulus.id for stimulus in displays)
    assert plan["dataset"]["fingerprint"] == whole
