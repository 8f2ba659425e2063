"""Freed memory that is kept for the next layer."""

from __future__ import annotations

import ctypes
import platform
import subprocess
import sys

import pytest

from quickgaze.backbones import keep_freed_memory

# In a process of its own, because it cannot be undone.
FAULTS = """
import resource
import numpy as np
from quickgaze.backbones import keep_freed_memory

def layer():
    np.ones(2**21), np.ones(2**22)

def faults():
    layer()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        layer()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

print(faults())
assert keep_freed_memory()
print(faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs the GNU C library")
def test_kept_memory_is_used_again_without_asking_the_system() -> None:
    done = subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", FAULTS], capture_output=True, text=True, check=True
    )
    # pages that the system had to find while the same memory was taken and freed ten times
    as_it_is, kept = map(int, done.stdout.split())
    assert kept < as_it_is / 10


def test_there_is_nothing_to_do_with_another_c_library(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        pytest.fail("another library has no such settings")

    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    monkeypatch.setattr(ctypes, "CDLL", refuse)
    assert not keep_freed_memory()
