"""What all tests share."""

from __future__ import annotations

import os
from pathlib import Path

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
