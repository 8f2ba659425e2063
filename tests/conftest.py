"""What all tests share."""

from __future__ import annotations

import json
import os
import sys
import types
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import fsspec
import hypothesis
import numpy as np
import polars as pl
import pytest
import torch

from quickgaze.backbones import Backbone
from quickgaze.cams import Readout, ReadoutCard
from quickgaze.places import open_storage
from quickgaze.study import Run, open_run
from quickgaze.study._tables import TABLES, ShardTables, TableStore
from quickgaze.study.plan import FORMAT

# how long an example takes says more about the machine than about the code
hypothesis.settings.register_profile("quickgaze", deadline=None)
hypothesis.settings.load_profile("quickgaze")

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def _real_data(name: str) -> Path:
    folder = SHARED_DATA / name
    if not folder.is_dir():
        if os.environ.get("CI") == "true":
            pytest.fail(f"the real data are not at {folder}, and CI must have them")
        pytest.skip(f"the real data are not at {folder}")
    return folder


@pytest.fixture(scope="session")
def salicon_examples() -> Path:
    """Ten SALICON images with the raw 2015 annotation."""
    return _real_data("salicon-examples")


@pytest.fixture(scope="session")
def osie_sample() -> Path:
    """Forty of OSIE's images with the whole file of fixations."""
    return _real_data("osie-sample")


@pytest.fixture(scope="session")
def toronto_sample() -> Path:
    """Two of Toronto's images and three of its pictures of points."""
    return _real_data("toronto-sample")


@pytest.fixture(scope="session")
def cap6415_backup() -> Path:
    """The published results of the CAP6415 study: 5,000 images."""
    return _real_data("cap6415") / "backup.npy"


@pytest.fixture(scope="session")
def pysaliency() -> types.ModuleType:
    """The pysaliency package, an independent reference for metrics and files.

    Its release 0.2.22 imports ``pkg_resources`` and calls ``numpy.trapz``, which newer releases
    of setuptools and NumPy do not have; neither is needed for what the tests ask of it.
    """
    if hasattr(np, "trapezoid"):
        np.trapz = np.trapezoid  # noqa: NPY201
    resources = types.ModuleType("pkg_resources")
    resources.resource_string = resources.resource_listdir = None
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        # gone again afterwards: pytest itself would take it for the real one
        patch.setitem(sys.modules, "pkg_resources", resources)
        warnings.simplefilter("ignore")
        import pysaliency  # noqa: PLC0415 - after what it needs is there
    return pysaliency


@pytest.fixture
def write_run() -> Callable[..., Run]:
    """Write a run folder of tables made by hand: rows, or a data frame, by the table's name."""

    def write(
        folder: Path,
        metrics: Iterable[str],
        plan: Mapping[str, Any] | None = None,
        **tables: pl.DataFrame | Iterable[Mapping[str, Any]],
    ) -> Run:
        if plan is None:
            settings = {"metrics": list(metrics), "convention": "tuebingen"}
            plan = {"format": FORMAT, "settings": settings, "stimuli": []}
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "plan.json").write_text(json.dumps(plan))
        rows = {
            name: table.rows(named=True) if isinstance(table, pl.DataFrame) else list(table)
            for name, table in tables.items()
        }
        content = ShardTables(**{name: rows.get(name, []) for name in TABLES})
        TableStore(open_storage(folder), list(metrics)).write(0, content)
        return open_run(folder)

    return write


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """Address of an S3 server in this process, without access to any network."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from moto.server import ThreadedMotoServer  # noqa: PLC0415 - slow to import
    made = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    made.start()
    host, port = made.get_host_and_port()
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    yield f"http://{host}:{port}"
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    made.stop()


@pytest.fixture
def bucket(server: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """An empty bucket, with what is needed to reach it in the environment."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", server)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    name = f"s3://{abs(hash(request.node.nodeid))}"
    fsspec.filesystem("s3").mkdir(name)
    return name


@pytest.fixture(scope="session")
def make_card() -> Callable[..., ReadoutCard]:
    """Make the card of a readout; what is given stands in it."""

    def make(backbone: Backbone | None = None, **given: Any) -> ReadoutCard:
        facts: dict[str, Any] = {
            "backbone": "tiny",
            "weights": "by hand",
            "weights_hash": "00ff",
            "levels": ("0",),
            "grid": "0",
            "hidden": 2,
            "dataset": "osie",
            "edition": "of this test",
            "gaze": "eye tracking",
            "licence": "CC BY 4.0",
            "images": 40,
            "fingerprint": "f0",
            "seed": 0,
            "folds": 10,
            "scores": {"cc": 0.5},
            "chosen": {"weight_decay": 1e-3},
            "versions": {"quickgaze": "0.1.0"},
        }
        if backbone is not None:
            facts |= {
                "backbone": backbone.name,
                "weights": backbone.weights,
                "weights_hash": backbone.weights_hash,
                "levels": backbone.level_names[-2:],
                "grid": "s16",
                "geometry": str(backbone.spec.geometry),
            }
        return ReadoutCard(**{**facts, **given})

    return make


@pytest.fixture(scope="session")
def make_readout(make_card: Callable[..., ReadoutCard]) -> Callable[..., Readout]:
    """Make a readout of random weights, for a backbone's last two levels or for any channels."""

    def make(
        backbone: Backbone | None = None,
        channels: int = 3,
        seed: int = 0,
        sigma: float = 1.0,
        centre_weight: float = 0.8,
        **card: Any,
    ) -> Readout:
        made = make_card(backbone, **card)
        if backbone is not None:
            channels = sum(
                level.channels for level in backbone.spec.levels if level.name in made.levels
            )
        generator = torch.Generator().manual_seed(seed)
        units = max(1, made.hidden)
        return Readout(
            made,
            mean=torch.randn(channels, generator=generator),
            deviation=torch.rand(channels, generator=generator) + 0.5,
            weights=torch.randn(units, channels, generator=generator) / channels**0.5,
            bias=torch.randn(units, generator=generator),
            output=torch.randn(units, generator=generator) if made.hidden else None,
            sigma=sigma,
            centre_weight=centre_weight,
            centre_bias=torch.randn(60, 80, generator=generator),
        )

    return make
