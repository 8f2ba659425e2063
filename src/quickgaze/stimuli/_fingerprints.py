"""Short texts that change when files and arrays do, and stay when these are copied elsewhere."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np

from quickgaze.places import AnyPath, Span, read_spans

UNREADABLE = "unreadable"
"""Fingerprint of what cannot be read."""

ROWS = 9
"""Rows that are looked at of an array in an HDF5 file, spread from the first to the last."""

_BLOCK = 4096


def digest_of(parts: Iterable[bytes]) -> str:
    """Digest of some pieces of content, as 16 hexadecimal digits."""
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()


def fingerprint_of_file(path: AnyPath) -> str:
    """Size of a file in bytes, with a digest of 4 KiB at its beginning, middle and end."""
    try:
        blocks, size = read_spans(path, _blocks)
    except OSError:
        return UNREADABLE
    return f"{size}:{digest_of(blocks)}"


def _blocks(size: int) -> list[Span]:
    if size <= _BLOCK:
        return [(0, size)]
    # The middle too, because uncompressed maps begin and end with the same zeros.
    return [(start, start + _BLOCK) for start in (0, (size - _BLOCK) // 2, size - _BLOCK)]


def fingerprint_of_array(values: Any, most: int | None = None) -> str:
    """Type, shape and digest of an array, or of `most` of its rows; objects have none."""
    if values.dtype.kind == "O":
        raise ValueError("objects have no fingerprint")
    rows = len(values) if values.shape else 0
    if most is None or rows <= most:
        parts = [values[()]]
    else:
        parts = [values[row] for row in np.linspace(0, rows - 1, most).astype(int).tolist()]
    digest = digest_of(np.ascontiguousarray(part).tobytes() for part in parts)
    return f"{values.dtype}:{tuple(values.shape)}:{digest}"
