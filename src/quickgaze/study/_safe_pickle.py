"""Object arrays in ``.npy`` files, read by interpreting their pickle instead of running it.

There is nothing to call: a few known names of NumPy stand for what they would make, any other
name ends the reading.
"""

from __future__ import annotations

import io
import math
import pickletools
import re
import struct
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy_format

from quickgaze.errors import DatasetError

_ObjectArray = npt.NDArray[np.object_]

LARGEST = 16 * 2**20
"""Bytes that a file may have; each can ask for about a hundred bytes of memory."""

_MULTIARRAY = ("numpy.core.multiarray", "numpy._core.multiarray")  # before and since NumPy 2

_UNREADABLE = (
    ValueError,
    IndexError,
    KeyError,
    TypeError,
    struct.error,
    OverflowError,
    DeprecationWarning,
    SyntaxWarning,
)

_NUMBER = re.compile(r"b1|[iu](1|2|4|8)|f(2|4|8|16)|c(8|16|32)")
_OBJECT = re.compile(r"O[48]?")
_PLAIN = {"BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT"} | {
    f"{size}{kind}{wide}"
    for kind in ("BINUNICODE", "BINBYTES")
    for size, wide in (("", ""), ("SHORT_", ""), ("", "8"))
}


class _Damaged(Exception):  # noqa: N818 - it never leaves this module
    """What is wrong with a file, in words that follow its name."""


def read_object_array(content: bytes, name: str) -> _ObjectArray:
    """Read an array of plain objects as `numpy.save` writes it, or raise `DatasetError`.

    NumPy's scalars become Python's numbers; keys of dictionaries are str. `name` is for messages.
    """
    try:
        return _read(content)
    except _Damaged as error:
        raise DatasetError(f"{name} {error}; nothing in it was run") from None


def _read(content: bytes) -> _ObjectArray:
    if len(content) > LARGEST:
        raise _Damaged(f"has more than the {LARGEST:,} bytes that such a file may have")
    shape, pickled = _split(content)
    array = _Interpreter().read(pickled)
    if not isinstance(array, np.ndarray) or array.dtype.kind != "O" or array.shape != shape:
        raise _Damaged("does not hold the array of objects that its header announces")
    return array


def _split(content: bytes) -> tuple[tuple[int, ...], bytes]:
    """Shape from the header, and what follows it."""
    file = io.BytesIO(content)
    readers = {
        (1, 0): npy_format.read_array_header_1_0,
        (2, 0): npy_format.read_array_header_2_0,
    }
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            shape, _, dtype = readers[npy_format.read_magic(file)](file)
    except Exception as error:  # noqa: BLE001 - NumPy's parser fails in many ways on what is damaged
        raise _Damaged(f"is not a .npy file as numpy.save writes it ({error})") from None
    if dtype.kind != "O":
        raise _Damaged(f"holds an array of {dtype}; an array of objects was expected")
    return shape, file.read()


class _PendingDtype:
    """A type that the file names first and describes later; `places` is where the memo holds it."""

    def __init__(self, arguments: tuple[Any, ...]) -> None:
        self.places: list[int] = []
        code = arguments[0] if arguments else None
        if not isinstance(code, str) or not (_NUMBER.fullmatch(code) or _OBJECT.fullmatch(code)):
            raise _Damaged(f"asks for the type {_shown(code)}; numbers and objects were expected")
        self._code = "O" if code.startswith("O") else code

    def built(self, state: object) -> np.dtype[Any]:
        # The rest of the state is NumPy's own bookkeeping, which may contradict the code.
        match state:
            case (3, "<" | ">" | "|" | "=" as order, None, None, None, *_):
                try:
                    return np.dtype(self._code).newbyteorder(order)
                except TypeError:
                    problem = f"asks for the type {self._code!r}, which does not exist here"
                    raise _Damaged(problem) from None
        raise _Damaged("asks for a type with fields; numbers and objects were expected")


class _PendingArray:
    """An array that the file announces first and fills later."""

    def __init__(self, arguments: tuple[Any, ...]) -> None:
        self.places: list[int] = []
        if not arguments or arguments[0] != _Name(_ndarray):
            raise _Damaged("asks for an array that is not NumPy's own")

    def built(self, state: object) -> npt.NDArray[Any]:
        match state:
            case (1, tuple(shape), np.dtype() as dtype, bool(fortran), list() | bytes() as data):
                pass
            case _:
                raise _Damaged("holds an array whose parts do not fit")
        if not all(type(side) is int and side >= 0 for side in shape):
            raise _Damaged("holds an array whose shape is not one of whole numbers")
        size = math.prod(shape)
        if dtype.kind == "O" and isinstance(data, list) and len(data) == size:
            array = np.empty(size, object)
            for index, value in enumerate(data):  # all at once, lists would become columns
                array[index] = value
        elif dtype.kind != "O" and isinstance(data, bytes) and len(data) == size * dtype.itemsize:
            array = np.frombuffer(data, dtype).copy()
        else:
            raise _Damaged("holds an array whose values do not fit its shape")
        try:
            return array.reshape(shape, order="F" if fortran else "C")
        except ValueError as error:
            raise _Damaged(f"holds an array that cannot be made ({error})") from None


@dataclass(frozen=True)
class _Name:
    """One of the allowed names, as a value: what it makes is made by this module."""

    make: Callable[[tuple[Any, ...]], object]


class _Interpreter:
    """A stack, a memo, and the opcodes that `pickle` writes for plain values."""

    def __init__(self) -> None:
        self._stack: list[Any] = []
        push = self._stack.append
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}
        self._steps: Mapping[str, Callable[[Any], None]] = {
            "PROTO": lambda _: None,
            "FRAME": lambda _: None,
            "MARK": lambda _: self._marks.append(len(self._stack)),
            "NONE": lambda _: push(None),
            "NEWTRUE": lambda _: push(True),
            "NEWFALSE": lambda _: push(False),
            "EMPTY_LIST": lambda _: push([]),
            "EMPTY_DICT": lambda _: push({}),
            "EMPTY_TUPLE": lambda _: push(()),
            "TUPLE1": lambda _: push(tuple(self._taken(1))),
            "TUPLE2": lambda _: push(tuple(self._taken(2))),
            "TUPLE3": lambda _: push(tuple(self._taken(3))),
            "TUPLE": lambda _: push(tuple(self._marked())),
            "APPEND": lambda _: self._extend(self._taken(1)),
            "APPENDS": lambda _: self._extend(self._marked()),
            "SETITEM": lambda _: self._update(self._taken(2)),
            "SETITEMS": lambda _: self._update(self._marked()),
            "BINPUT": self._put,
            "LONG_BINPUT": self._put,
            "MEMOIZE": lambda _: self._put(len(self._memo)),
            "BINGET": self._get,
            "LONG_BINGET": self._get,
            "GLOBAL": lambda names: self._name(*names.split(" ", 1)),
            "STACK_GLOBAL": lambda _: self._name(*self._taken(2)),
            "REDUCE": lambda _: self._reduce(*self._taken(2)),
            "BUILD": lambda _: self._build(*self._taken(1)),
            "STOP": lambda _: None,
            **dict.fromkeys(_PLAIN, push),
        }

    def read(self, pickled: bytes) -> object:
        """Interpret a pickle; gives the one value that it holds."""
        try:
            # of texts that are damaged, pickletools only warns
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                for opcode, argument, _ in pickletools.genops(pickled):
                    self._step(opcode.name, argument)
        except _UNREADABLE as error:
            raise _Damaged(f"is truncated or damaged ({error})") from None
        if len(self._stack) != 1 or self._marks:
            raise _Damaged("is damaged: it ends with something left over")
        return self._stack[0]

    def _step(self, name: str, argument: object) -> None:
        step = self._steps.get(name)
        if step is None:
            raise _Damaged(f"asks for the operation {name}, which data do not need")
        step(argument)

    def _taken(self, count: int) -> list[Any]:
        return self._taken_from(len(self._stack) - count)

    def _marked(self) -> list[Any]:
        return self._taken_from(self._marks.pop())

    def _taken_from(self, start: int) -> list[Any]:
        if not (self._marks[-1] if self._marks else 0) <= start <= len(self._stack):
            raise IndexError("a value is missing")
        taken = self._stack[start:]
        del self._stack[start:]
        return taken

    def _extend(self, items: list[Any]) -> None:
        if not isinstance(self._stack[-1], list):
            raise TypeError("something that is not a list is added to")
        self._stack[-1].extend(items)

    def _update(self, items: list[Any]) -> None:
        keys = items[::2]
        if not isinstance(self._stack[-1], dict) or len(items) % 2:
            raise TypeError("something that is not a dictionary is added to")
        # Hashing nested tuples may take for ever, or more stack than there is.
        if not all(isinstance(key, str) for key in keys):
            raise _Damaged("holds a dictionary whose keys are not text")
        self._stack[-1].update(zip(keys, items[1::2], strict=True))

    def _put(self, place: int) -> None:
        value = self._stack[-1]
        self._memo[place] = value
        if isinstance(value, _PendingArray | _PendingDtype):
            value.places.append(place)

    def _get(self, place: int) -> None:
        value = self._memo[place]
        if isinstance(value, _PendingArray | _PendingDtype):
            raise _Damaged("holds an array that contains itself")
        self._stack.append(value)

    def _name(self, module: object, name: object) -> None:
        make = None
        if isinstance(module, str) and isinstance(name, str):
            make = _ALLOWED.get((module, name))
        if make is None:
            # On Linux and on Windows, os.system calls itself posix.system and nt.system.
            shown = "os" if module in ("posix", "nt") else module
            raise _Damaged(f"asks for {_shown(shown)}.{_shown(name)}, which plain data do not need")
        self._stack.append(_Name(make))

    def _reduce(self, name: object, arguments: object) -> None:
        if not isinstance(name, _Name) or not isinstance(arguments, tuple):
            raise TypeError("something that is not a name is called")
        self._stack.append(name.make(arguments))

    def _build(self, state: object) -> None:
        pending = self._stack[-1]
        if not isinstance(pending, _PendingArray | _PendingDtype):
            raise TypeError("the state of something plain is set")
        value = pending.built(state)
        self._stack[-1] = value
        for place in pending.places:
            self._memo[place] = value


def _shown(value: object) -> str:
    """Text for a message, whatever a file has put there."""
    if not isinstance(value, str):
        return f"a {type(value).__name__}"
    return value[:80] if value.isprintable() else ascii(value[:80])


def _scalar(arguments: tuple[Any, ...]) -> object:
    match arguments:
        case (np.dtype() as dtype, bytes(data)) if dtype.kind != "O":
            if len(data) == dtype.itemsize:
                return np.frombuffer(data, dtype)[0].item()
    raise _Damaged("holds a number whose bytes do not fit its type")


def _bytes(arguments: tuple[Any, ...]) -> bytes:
    match arguments:
        case (str(text), "latin1"):
            return text.encode("latin1")
    raise _Damaged("holds bytes in another encoding than latin1")


def _no_bytes(arguments: tuple[Any, ...]) -> bytes:
    if arguments:
        raise _Damaged("asks for bytes with arguments of its own")
    return b""


def _ndarray(_: tuple[Any, ...]) -> object:
    raise _Damaged("asks for numpy.ndarray with arguments of its own")


_ALLOWED: Mapping[tuple[str, str], Callable[[tuple[Any, ...]], object]] = {
    ("numpy", "dtype"): _PendingDtype,
    ("numpy", "ndarray"): _ndarray,
    # These two are how Python 3 writes bytes into a pickle that Python 2 could read.
    ("_codecs", "encode"): _bytes,
    ("__builtin__", "bytes"): _no_bytes,
    **{(module, "_reconstruct"): _PendingArray for module in _MULTIARRAY},
    **{(module, "scalar"): _scalar for module in _MULTIARRAY},
}
"""The names that a file may ask for, and what is made in their place."""
