"""Reading MATLAB's ``.mat`` files, and saying what a file is that cannot be read as one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
import scipy.io
from scipy.io.matlab import MatlabFunction, MatlabObject, MatlabOpaque

from quickgaze.errors import first_line
from quickgaze.places import AnyPath, open_file

_HEADER = 512
_LISTED = 8  # variables that a message names

_OF_A_CLASS = "an object of a MATLAB class"
_KINDS = {
    "cell": "a cell array",
    "struct": "a struct",
    "char": "a text",
    "function": "a function",
    "object": _OF_A_CLASS,
    "opaque": _OF_A_CLASS,
}
NUMERIC = frozenset({"double", "single", "logical", "sparse"}) | {
    f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)
}
"""Classes of MATLAB whose values are numbers."""

_AGAIN = "save it again, or fetch it again"
_OTHERS = (
    (rb"\Z", f"is empty; {_AGAIN}"),
    (
        rb"MATLAB 7\.3|(?s:.{512})\x89HDF",
        "is a MATLAB file of version 7.3, which is HDF5; load it in MATLAB and save it with -v7",
    ),
    (rb"\x89HDF", "is an HDF5 file; save its content with -v7"),
    (rb"PK\x03\x04", "is a ZIP archive; unpack it"),
    (rb"\x1f\x8b", "is a gzip archive; unpack it"),
    (rb"%PDF", "is a PDF document; give the MATLAB file"),
    (rb"\x89PNG", "is a PNG image; give it the ending .png"),
    (rb"\xff\xd8\xff", "is a JPEG image; give it the ending .jpg"),
    (rb"\x93NUMPY", "is a NumPy array; give it the ending .npy"),
    (rb"version https://git-lfs", "is a pointer of Git LFS, not the file; run: git lfs pull"),
    (rb"# Created by Octave", "is a text file of Octave; save it again with -v7"),
    (
        rb"(?i)\s*<(!doctype|html|head|\?xml)",
        "is a web page; open its address in a browser, and download the file itself",
    ),
    (
        rb"(?!MATLAB 5)[^\0]*$",
        "is a text, not a MATLAB file; give the file that is meant, as MATLAB saves it",
    ),
)
"""Beginnings of files that are none to be read, and what to say of them."""


class MatError(ValueError):
    """A file that cannot be used; the message goes on after its name: what it is, what to do."""


@dataclass(frozen=True)
class Variable:
    """A variable of a file; `kind` is the name of its class in MATLAB."""

    name: str
    shape: tuple[int, ...]
    kind: str

    def __str__(self) -> str:
        shape = " x ".join(map(str, self.shape))
        return f"{self.name} ({_KINDS.get(self.kind, f'{shape} {self.kind}')})"


def read_mat(path: AnyPath, required: str, *others: str) -> Mapping[str, Any]:
    """Read a variable, and others where they are there, or raise `MatError`."""
    names = [required, *others]
    content: dict[str, Any] = _attempt(
        path, lambda file: scipy.io.loadmat(file, variable_names=names)
    )
    if required not in content:
        variables = list_mat(path)
        if Variable(required, (), "opaque") not in variables:
            raise MatError(f"{holds(variables)}; expected {required}")
    if isinstance(content.get(required), MatlabObject | MatlabFunction | None):
        raise MatError(
            f"holds {required} as {_OF_A_CLASS}, which only MATLAB reads; save it there again as "
            "a matrix or a struct"
        )
    return content


def list_mat(path: AnyPath) -> list[Variable]:
    """List the variables without their values, or raise `MatError`."""
    found: list[Variable] = _attempt(path, _list)
    return found


def holds(variables: Sequence[Variable]) -> str:
    """Say what a file holds."""
    if not variables:
        return "holds no variable, and may be incomplete"
    several = "s" * (len(variables) > 1)
    more = f" and {len(variables) - _LISTED} more" if len(variables) > _LISTED else ""
    return f"holds the variable{several} {', '.join(map(str, variables[:_LISTED]))}{more}"


def _list(file: IO[bytes]) -> list[Variable]:
    try:
        found = [Variable(*facts) for facts in scipy.io.whosmat(file)]
    except TypeError:  # scipy (to 1.17) cannot list objects of a class
        file.seek(0)
        found = [_variable(name, value) for name, value in scipy.io.loadmat(file).items()]
    return [variable for variable in found if not variable.name.startswith("__")]


def _variable(name: str, value: Any) -> Variable:
    if not isinstance(value, MatlabOpaque):
        return Variable(name, getattr(value, "shape", ()), _kind(value))
    own = value.ravel()[0][0] if value.size else name
    return Variable(
        own.decode("utf-8", "replace") if isinstance(own, bytes) else name, (), "opaque"
    )


def _kind(value: Any) -> str:
    dtype: np.dtype[Any] | None = getattr(value, "dtype", None)
    if dtype is None:
        return "char"
    named = {"O": "struct" if dtype.names else "cell", "V": "struct", "U": "char", "b": "logical"}
    return named.get(
        dtype.kind, {"float64": "double", "float32": "single"}.get(dtype.name, dtype.name)
    )


def _attempt(path: AnyPath, read: Callable[[IO[bytes]], Any]) -> Any:
    """Read from a file; an error of the library becomes one that says what the file is."""
    try:
        file = open_file(path)
    except OSError as error:
        raise MatError(f"cannot be read ({first_line(error)})") from error
    with file:
        try:
            refusal = _not_mat(file.read(_HEADER + 8))
            if not refusal:
                file.seek(0)
                return read(file)
        except Exception as error:
            raise MatError(
                f"is damaged or incomplete ({first_line(error) or type(error).__name__}); {_AGAIN}"
            ) from error
    raise MatError(refusal)


def _not_mat(start: bytes) -> str:
    """Say what a file is by its first bytes, if that is no MATLAB file of a version to be read."""
    return next((what for pattern, what in _OTHERS if re.match(pattern, start)), "")
