"""PyTorch is loaded only when it is needed."""

from __future__ import annotations

import subprocess
import sys

import pytest

import quickgaze


def _loaded_modules(code: str) -> set[str]:
    command = f"import sys\n{code}\nprint('\\n'.join(sys.modules))"
    done = subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", command], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "code",
    [
        "import quickgaze",
        "import quickgaze.cli",
        "import quickgaze; quickgaze.metrics.cc; quickgaze.load_dataset",
    ],
)
def test_torch_is_not_loaded(code: str) -> None:
    modules = _loaded_modules(code)
    assert "quickgaze" in modules
    assert "torch" not in modules


def test_every_public_name_is_there() -> None:
    for name in quickgaze.__all__:
        assert getattr(quickgaze, name) is not None
    assert callable(quickgaze.cams.eigen)
    assert callable(quickgaze.metrics.cc)
