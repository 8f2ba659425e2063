"""A way to call the command line in the process of the tests."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from quickgaze.cli import main

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Call the command line in this process: exit code, standard output, standard error."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["quickgaze", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "200")
        with pytest.raises(SystemExit) as finished:
            main()
        captured = capsys.readouterr()
        return int(finished.value.code or 0), captured.out, captured.err

    return run
