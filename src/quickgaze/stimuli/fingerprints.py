"""Short texts that change when files and points do, and stay when these are copied elsewhere."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from quickgaze.places import AnyPath, Span, read_spans

UNREADABLE = "unreadable"
"""Fingerprint of what cannot be read."""

ROWS = 9
"""Rows that are looked at of an array in an HDF5 file, spread from the first to the last."""

_BLOCK = 4096


def digest_of(parts: Iterable[bytes]) -> str:
    """Digest of some pieces of content, as 16 hexadecimal digits.

    Examples
    --------
    >>> digest_of([b"a", b"b"]) == digest_of([b"ab"])
    False
    """
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()


def fingerprint_of_file(path: AnyPath) -> str:
    """Size of a file in bytes, with a digest of 4 KiB at its beginning, middle and end.

    Parameters
    ----------
    path : Path or UPath

    Returns
    -------
    str
        The same for a copy elsewhere, whatever its name and time. ``"unreadable"`` if the file
        is not there or cannot be read.

    Notes
    -----
    The middle is there for uncompressed maps, which begin and end with the same zeros.

    Examples
    --------
    >>> from pathlib import Path
    >>> fingerprint_of_file(Path("no/such/file"))
    'unreadable'
    """
    try:
        blocks, size = read_spans(path, _blocks)
    except OSError:
        return UNREADABLE
    return f"{size}:{digest_of(blocks)}"


def _blocks(size: int) -> list[Span]:
    if size <= _BLOCK:
        return [(0, size)]
    starts = (0, max(size - _BLOCK, 0) // 2, size - _BLOCK)
    return [(start, start + _BLOCK) for start in starts]


def fingerprint_of_array(values: Any, most: int | None = None) -> str:
    """Type, shape and digest of an array.

    Parameters
    ----------
    values : ndarray or h5py.Dataset
    most : int, optional
        How many of its rows to look at, spread evenly; all by default.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If it holds Python objects.

    Examples
    --------
    >>> fingerprint_of_array(np.zeros((2, 3))) == fingerprint_of_array(np.zeros((3, 2)))
    False
    """
    if values.dtype.kind == "O":
        raise ValueError("objects have no fingerprint")
    rows = len(values) if values.shape else 0
    if most is None or rows <= most:
        parts = [_bytes(values[()])]
    else:
        parts = [_bytes(values[row]) for row in np.linspace(0, rows - 1, most).astype(int).tolist()]
    return f"{values.dtype}:{tuple(values.shape)}:{digest_of(parts)}"


def fingerprint_of_points(
    x: npt.NDArray[np.float64],
    y: npt.NDArray[np.float64],
    observer: npt.NDArray[np.str_],
    duration: npt.NDArray[np.float64] | None,
) -> str:
    """Digest of recorded points, one after the other.

    Parameters
    ----------
    x, y : ndarray, shape (n,), float64
    observer : ndarray, shape (n,), str
    duration : ndarray, shape (n,), float64, optional

    Returns
    -------
    str
        16 hexadecimal digits.
    """
    names = "\0".join(observer.tolist()).encode("utf-8", "surrogatepass")
    columns = (x, y) if duration is None else (x, y, duration)
    return digest_of([names, *(_bytes(np.asarray(column, dtype="<f8")) for column in columns)])


def _bytes(values: Any) -> bytes:
    return np.ascontiguousarray(values).tobytes()
