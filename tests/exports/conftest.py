"""A run to export, and one whose stimuli have any ids."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

import quickgaze as qg
from quickgaze.stimuli import Dataset
from quickgaze.study import Run

SIZE = (120, 160)


@pytest.fixture(scope="session")
def displays() -> Dataset:
    return qg.load_dataset("popout", n=3, size=SIZE)


@pytest.fixture(scope="session")
def run(displays: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """One CAM under one rule: a single variant."""
    study = qg.Study(displays, orientations=["activation"], sigmas=[7], metrics=["cc", "nss"])
    return study.run(tmp_path_factory.mktemp("one") / "run", progress=False)


@pytest.fixture(scope="session")
def mixed(displays: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Several CAMs, grids, rules and blurs."""
    study = qg.Study(
        displays,
        cams=["eigen", "deviation"],
        grids=["coarsest", "s16"],
        orientations=["activation", "skew", "oracle"],
        sigmas=[0, 5],
        metrics=["cc"],
    )
    return study.run(tmp_path_factory.mktemp("mixed") / "run", progress=False)


@pytest.fixture
def run_named(displays: Dataset, tmp_path: Path) -> Callable[[Sequence[str]], Run]:
    """Run over displays that have been given these ids."""

    def make(names: Sequence[str], data_set: str = "popout") -> Run:
        stimuli = tuple(
            replace(stimulus, id=name)
            for stimulus, name in zip(displays[: len(names)], names, strict=True)
        )
        study = qg.Study(
            replace(displays, name=data_set, stimuli=stimuli),
            cams=["center"],
            metrics=["cc"],
            sigmas=[0],
            bounds=[],
        )
        return study.run(tmp_path / "named", progress=False)

    return make
