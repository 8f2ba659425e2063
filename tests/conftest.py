"""What all tests share."""

from __future__ import annotations

import os
import sys
import types
import warnings
from pathlib import Path

import numpy as np
import pytest

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
def pysaliency() -> types.ModuleType:
    """The pysaliency package, an independent reference for metrics and files.

    Its release 0.2.22 imports ``pkg_resources`` and calls ``numpy.trapz``, which newer releases
    of setuptools and NumPy do not have; neither is needed for what the tests ask of it.
    """
    if not hasattr(np, "trapz"):
        np.trapz = np.trapezoid  # noqa: NPY201
    if "pkg_resources" not in sys.modules:
        resources = types.ModuleType("pkg_resources")
        resources.resource_string = resources.resource_listdir = None
        sys.modules["pkg_resources"] = resources
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pysaliency  # noqa: PLC0415 - after what it needs is there
    return pysaliency
