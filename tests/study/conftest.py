"""What the tests of studies share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest


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
