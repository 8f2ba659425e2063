"""Memory that is used again at once, rather than given back between two images."""

from __future__ import annotations

import ctypes
import platform

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_LARGEST = 2**30


def keep_freed_memory() -> bool:
    """Let this process keep freed memory for what comes next.

    Each layer of a network takes fresh memory for its features and frees it soon. The C library
    of Linux gives large pieces back to the system each time, and the system then fills them with
    zeros page by page: up to a quarter of a forward pass on the CPU. The command line calls this
    once; it cannot be undone, so Python programs decide for themselves.

    Returns
    -------
    bool
        Whether there was something to do: True with the GNU C library, False elsewhere.

    Examples
    --------
    >>> done = keep_freed_memory()
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    library = ctypes.CDLL(None)
    thresholds = (_TRIM_THRESHOLD, _MMAP_THRESHOLD)
    return [library.mallopt(name, _LARGEST) for name in thresholds] == [1, 1]
