"""What the tests of studies share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

CAP6415_BACKUP = Path(__file__).resolve().parents[3] / "shared" / "data" / "cap6415" / "backup.npy"


@pytest.fixture(scope="session")
def cap6415_backup() -> Path:
    """The published results of the CAP6415 study: 5,000 images."""
    if not CAP6415_BACKUP.is_file():
        if os.environ.get("CI") == "true":
            pytest.fail(f"the real data are not at {CAP6415_BACKUP}, and CI must have them")
        pytest.skip(f"the real data are not at {CAP6415_BACKUP}")
    return CAP6415_BACKUP


@pytest.fixture
def save_object(tmp_path: Path) -> Callable[..., Path]:
    """Write any object as the study wrote its results: pickled, in a ``.npy`` file."""

    def save(content: object, name: str = "backup.npy") -> Path:
        path = tmp_path / name
        array = np.empty((), object)
        array[()] = content
        np.save(path, array, allow_pickle=True)
        return path

    return save
