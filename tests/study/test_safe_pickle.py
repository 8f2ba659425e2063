"""Reading pickled arrays: plain values come back, and nothing else gets anywhere."""

from __future__ import annotations

import builtins
import contextlib
import io
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quickgaze.errors import DatasetError
from quickgaze.study import _safe_pickle as safe_pickle
from quickgaze.study._safe_pickle import LARGEST, read_object_array

PROTOCOLS = (2, 3, 4, 5)


def npy(content: object, protocol: int = 3) -> bytes:
    """A ``.npy`` file that holds an object, without NumPy's own choice of protocol."""
    array = np.empty((), object)
    array[()] = content
    return with_header(pickle.dumps(array, protocol))


def with_header(pickled: bytes, shape: str = "()") -> bytes:
    header = f"{{'descr': '|O', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (117 - len(header)) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + pickled


def read(content: bytes) -> Any:
    return read_object_array(content, "file").item()


class Call:
    """An object whose pickle calls something when it is read."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**200), 2**200)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
    ),
    max_leaves=20,
)


@given(content=PLAIN, protocol=st.sampled_from(PROTOCOLS))
def test_plain_values_come_back_as_they_were(content: object, protocol: int) -> None:
    assert read(npy(content, protocol)) == content


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "scalar",
    [
        *(np.float64(0.1), np.float32(0.1), np.float16(0.5), np.int8(-3), np.uint64(2**63)),
        *(np.True_, np.array(2.5, ">f4")[()], np.complex128(1 - 2j)),
    ],
    ids=lambda scalar: type(scalar).__name__,
)
def test_scalars_become_numbers(scalar: Any, protocol: int) -> None:
    found = read(npy({"a": scalar, "b": [scalar, scalar]}, protocol))
    assert found == {"a": scalar.item(), "b": [scalar.item(), scalar.item()]}
    assert type(found["a"]) is type(scalar.item())


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_arrays_within_the_array(protocol: int) -> None:
    grid = np.arange(6.0).reshape(2, 3)
    found = read(npy([grid, np.asfortranarray(grid), grid[:0].astype(">i2")], protocol))
    assert np.array_equal(found[0], grid)
    assert np.array_equal(found[1], grid)
    assert found[2].shape == (0, 3)


def test_a_whole_array_of_lists() -> None:
    array = np.empty((2, 1), object)
    array[:, 0] = [[1, 2], [3, 4]]
    found = read_object_array(with_header(pickle.dumps(array, 3), "(2, 1)"), "file")
    assert found.shape == (2, 1)
    assert found.tolist() == [[[1, 2]], [[3, 4]]]


@pytest.mark.parametrize("module", ["numpy.core.multiarray", "numpy._core.multiarray"])
def test_both_of_numpys_module_paths(module: str) -> None:
    content = npy(np.float64(0.25), 2)
    for other in (b"numpy._core.multiarray", b"numpy.core.multiarray"):
        content = content.replace(b"c" + other + b"\n", b"c" + module.encode() + b"\n")
    assert content.count(module.encode()) == 2
    assert read(content) == 0.25


def test_saved_by_numpy_itself() -> None:
    file = io.BytesIO()
    np.save(file, np.array([{"a": np.float32(0.5)}, [1]], object), allow_pickle=True)
    assert read_object_array(file.getvalue(), "file").tolist() == [{"a": 0.5}, [1]]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ((os.system, "touch MARK"), r"os\.system"),
        ((os.mkdir, "MARK"), r"os\.mkdir"),
        ((builtins.eval, "open('MARK', 'w')"), r"\w+\.eval"),
        ((builtins.getattr, "x", "upper"), r"\w+\.getattr"),
        ((np.load, "MARK"), r"numpy\.load"),
        ((np.memmap, "MARK", np.uint8, "w+", 0, (4,)), r"numpy\.\w*\.?\w*\.?memmap|numpy\.memmap"),
        ((bytearray, b"x"), r"\w+\.bytearray|BYTEARRAY8"),
    ],
    ids=lambda value: getattr(value[0], "__name__", "") if isinstance(value, tuple) else "",
)
def test_nothing_is_run(
    asked: tuple[Any, ...],
    name: str,
    protocol: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    content = npy({"a": [Call(asked[0], *asked[1:])]}, protocol)
    with pytest.raises(DatasetError, match=rf"file asks for ({name}), .* nothing in it was run"):
        read(content)
    assert list(tmp_path.iterdir()) == []


def test_the_same_file_would_have_been_run_by_numpy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bad.npy").write_bytes(npy({"a": Call(os.mkdir, "MARK")}))
    np.load("bad.npy", allow_pickle=True)
    assert Path("MARK").is_dir()


ARRAY = b"cnumpy.core.multiarray\n_reconstruct\n"
NDARRAY = b"cnumpy\nndarray\n"
DTYPE = b"cnumpy\ndtype\n"


@pytest.mark.parametrize(
    ("pickled", "message"),
    [
        (b"\x80\x03cos\nsystem\n(X\x02\x00\x00\x00lstR.", r"asks for os\.system"),
        (b"\x80\x03cnt\nsystem\n.", r"asks for os\.system"),
        (b"\x80\x04\x8c\x02os\x8c\x06system\x93.", r"asks for os\.system"),
        (b"\x80\x04\x8c\x05numpy\x8c\x0cload\x1b[31mred\x93.", r"asks for numpy\.'load\\x1b"),
        (b"\x80\x04K\x01K\x02\x93.", r"asks for a int\.a int"),
        (b"\x80\x03cnumpy\ndtype.newbyteorder\n.", r"asks for numpy\.dtype\.newbyteorder"),
        (b"\x80\x02Pid\n.", "the operation PERSID"),
        (b"\x80\x02K\x01Q.", "the operation BINPERSID"),
        (b"\x80\x02\x82\x01.", "the operation EXT1"),
        (b"(iposix\nsystem\n.", "the operation INST"),
        (b"\x80\x02(" + NDARRAY + b"o.", "the operation OBJ"),
        (b"\x80\x02" + NDARRAY + b")\x81.", "the operation NEWOBJ"),
        (b"\x80\x05\x97.", "the operation NEXT_BUFFER"),
        (b"\x80\x02" + NDARRAY + b"J\xff\xff\xff\x7f\x85R.", r"asks for numpy\.ndarray with"),
        (b"\x80\x02" + ARRAY + DTYPE + b"K\x00\x85C\x01b\x87R.", "not NumPy's own"),
        (b"\x80\x02" + DTYPE + b"X\x02\x00\x00\x00V9\x85R.", "the type V9"),
        (b"\x80\x02" + DTYPE + b"]\x85R.", "the type a list"),
        (b"\x80\x02" + DTYPE + b"}b.", "truncated or damaged"),
        (b"\x80\x02" + DTYPE + b"K\x01K\x02\x86b.", "truncated or damaged"),
        (b"\x80\x02]K\x01s.", "truncated or damaged"),
        (b"\x80\x02}K\x01K\x02s.", "keys are not text"),
        (b"\x80\x02})K\x02s.", "keys are not text"),
        (b"\x80\x02K\x01}R.", "truncated or damaged"),
        (b"\x80\x02K\x01a.", "truncated or damaged"),
        (b"\x80\x02u.", "truncated or damaged"),
        (b"\x80\x02h\x07.", "truncated or damaged"),
        (b"\x80\x02.", "left over"),
        (b"\x80\x02(K\x01.", "left over"),
        (b"\x80\x02K\x01.", "does not hold the array"),
        (b"\x80\x02c__builtin__\nbytes\nJ\xff\xff\xff\x7f\x85R.", "bytes with arguments"),
        (b"\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00aX\x03\x00\x00\x00hex\x86R.", "latin1"),
    ],
)
def test_crafted_pickles(pickled: bytes, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        read(with_header(pickled))


def test_a_memo_index_takes_no_memory() -> None:
    assert read(npy(None)) is None
    crafted = with_header(b"\x80\x02]r\xff\xff\xff\xff.")
    with pytest.raises(DatasetError, match="does not hold the array"):
        read(crafted)


def test_an_array_that_claims_more_than_there_is() -> None:
    content = npy(np.zeros(3))
    assert content.count(b"K\x03\x85") == 1
    with pytest.raises(DatasetError, match="values do not fit its shape"):
        read(content.replace(b"K\x03\x85", b"K\x04\x85"))


def test_object_flags_are_not_believed() -> None:
    """Bytes that pass for pointers would let a file read any memory."""
    content = pickle.dumps(np.array([1, 2], object), 3)
    forged = content[: content.rindex(b"]")] + b"C\x10" + bytes(16) + b"tb."
    with pytest.raises(DatasetError, match="do not fit"):
        read(with_header(forged, "(2,)"))


def test_an_array_within_itself() -> None:
    array = np.empty((), object)
    array[()] = [array]
    with pytest.raises(DatasetError, match="contains itself"):
        read(with_header(pickle.dumps(array, 3)))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not a .npy file"),
        (b"\x93NUMPY", "is not a .npy file"),
        (b"PK\x03\x04", "is not a .npy file"),
        (b"\x93NUMPY\x03\x00" + bytes(20), "is not a .npy file"),
        (b"\x93NUMPY\x01\x00\x05\x00exit\n", "is not a .npy file"),
        (b"\x93NUMPY\x01\x00\x20\x03" + b"(" * 800, "is not a .npy file"),
        (with_header(b""), "truncated or damaged"),
        (npy(1)[:-1], "truncated or damaged"),
        (with_header(npy(1)[128:], "(3,)"), "its header announces"),
    ],
)
def test_what_is_no_such_file(content: bytes, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        read(content)


def test_an_array_of_numbers_is_not_one_of_objects() -> None:
    file = io.BytesIO()
    np.save(file, np.zeros(3))
    with pytest.raises(
        DatasetError, match="holds an array of float64; an array of objects was expected"
    ):
        read(file.getvalue())


def test_a_text_that_python_only_warns_of_is_damaged() -> None:
    content = npy({"cat": ["a.jpg"]})
    start = content.index(b"\n", 10) + 1
    with pytest.raises(DatasetError, match="is truncated or damaged"):
        read(content[:start] + b"S'\\u'\n.")


def test_too_large_a_file_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safe_pickle, "_split", None)
    with pytest.raises(DatasetError, match="more than the 16,777,216 bytes"):
        read(bytes(LARGEST + 1))


@given(st.data())
@settings(max_examples=300)
def test_damage_anywhere_is_told_or_harmless(data: st.DataObject) -> None:
    scores = {"CC": np.float64(0.5), "NSS": np.float32(0.25)}
    content = bytearray(npy({"cat": ["a.jpg", "b.png", [scores, {"n": 3}]]}))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)))
    for damaged in (bytes(content), bytes(content[:cut])):
        with contextlib.suppress(DatasetError):
            assert isinstance(read_object_array(damaged, "file"), np.ndarray)
