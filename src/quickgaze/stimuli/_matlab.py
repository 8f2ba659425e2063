"""Reading MATLAB's ``.mat`` files, and saying what a file is that cannot be read as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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

_AGAIN = "fetch it again"
_SIGNATURES = (
    (b"\x89HDF\r\n\x1a\n", "is an HDF5 file", "save it again in MATLAB with -v7"),
    (b"PK\x03\x04", "is a ZIP archive", "unpack it"),
    (b"\x1f\x8b", "is a gzip archive", "unpack it"),
    (b"%PDF", "is a PDF document", "give the MATLAB file"),
    (b"\x89PNG", "is a PNG image", "give it the ending .png"),
    (b"\xff\xd8\xff", "is a JPEG image", "give it the ending .jpg"),
    (b"\x93NUMPY", "is a NumPy array", "give it the ending .npy"),
    (b"version https://git-lfs", "is a pointer of Git LFS, not the file", "run: git lfs pull"),
)


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
    """Read a variable, and others where they are there; raise `MatError` or `OSError`."""
    content = _attempt(
        path, lambda file: scipy.io.loadmat(file, variable_names=[required, *others])
    )
    value = content.get(required)
    if value is None:
        raise MatError(f"{holds(list_mat(path))}; expected {required}")
    refuse_objects(required, value)
    return dict(content)


def list_mat(path: AnyPath) -> list[Variable]:
    """List the variables without their values; raise `MatError` or `OSError`."""
    found: list[Variable] = _attempt(path, _list)
    return found


def refuse_objects(name: str, value: object) -> None:
    """Refuse what only MATLAB can read."""
    if isinstance(value, MatlabOpaque | MatlabObject | MatlabFunction):
        raise MatError(
            f"holds {name} as an object of a MATLAB class, which only MATLAB reads; save it "
            "there as a matrix or a struct"
        )


def holds(variables: Sequence[Variable]) -> str:
    """Say what a file holds."""
    if not variables:
        return "holds no variable"
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


def _attempt(path: AnyPath, read: Any) -> Any:
    """Read from a file; an error of the library becomes one that says what the file is."""
    with open_file(path) as file:
        start = file.read(_HEADER + 8)
        reason = _not_mat(start)
        if reason:
            raise MatError(reason)
        file.seek(0)
        try:
            return read(file)
        except MatError:
            raise
        except Exception as error:
            raise MatError(
                f"is damaged or incomplete ({first_line(error) or type(error).__name__}); {_AGAIN}"
            ) from error


def _not_mat(start: bytes) -> str:
    """Say what a file is by its first bytes, if that is no MATLAB file of a version to be read."""
    if not start:
        return f"is empty; {_AGAIN}"
    if start.startswith(b"MATLAB 7.3") or start[_HEADER:].startswith(b"\x89HDF"):
        return "is a MATLAB file of version 7.3; save it again in MATLAB with -v7"
    for signature, what, advice in _SIGNATURES:
        if start.startswith(signature):
            return f"{what}; {advice}"
    if start.startswith(b"MATLAB 5") or b"\0" in start:
        return ""
    text = start.lstrip().lower()
    if text.startswith((b"<!doctype", b"<html", b"<head", b"<?xml")):
        return "is a web page; open its address in a browser, and download the file itself"
    return "is a text, not a MATLAB file; give it the ending .csv or .txt, or save it in MATLAB"
