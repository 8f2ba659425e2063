"""What is said of ``.mat`` files that cannot be used, wherever one is read."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import h5py
import numpy as np
import PIL.Image
import pytest
import scipy.io

from quickgaze.errors import DatasetError, QuickgazeError, StimulusError
from quickgaze.stimuli._matlab import MatError, list_mat, read_mat
from quickgaze.stimuli._osie import load_osie
from quickgaze.stimuli._point_pictures import PointPicture
from quickgaze.stimuli._salicon_files import MatlabGaze

Reader = tuple[str, type[QuickgazeError], Callable[[Path], object]]


def read_osie(path: Path) -> object:
    (path.parent / "stimuli").mkdir(exist_ok=True)
    return load_osie(path.replace(path.with_name("fixations.mat")).parent)


READERS: Sequence[Reader] = (
    ("fixations", DatasetError, read_osie),
    ("gaze", StimulusError, lambda path: MatlabGaze(path).read((6, 8))),
    ("fixLocs", StimulusError, lambda path: PointPicture(path).read((6, 8))),
)


def element(kind: int, content: bytes) -> bytes:
    return struct.pack("<II", kind, len(content)) + content + bytes(-len(content) % 8)


def object_of_a_class(name: str) -> bytes:
    """Write a variable as MATLAB writes ``containers.Map``, tables and texts in double quotes."""
    flags = element(6, struct.pack("<II", 17, 0))
    numbers = element(6, struct.pack("<6I", 0xDD000000, 2, 1, 1, 1, 1))
    described = element(6, struct.pack("<II", 13, 0)) + element(5, struct.pack("<ii", 6, 1))
    matrix = element(14, described + element(1, b"") + numbers)
    names = element(1, name.encode()) + element(1, b"MCOS") + element(1, b"containers.Map")
    header = b"MATLAB 5.0 MAT-file".ljust(116) + bytes(8) + struct.pack("<H", 0x0100) + b"IM"
    return header + element(14, flags + names + matrix)


def version_73(name: str) -> bytes:
    """Write a variable as MATLAB does with -v7.3: HDF5 behind a header of 512 bytes."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", userblock_size=512) as file:
        file[name] = np.zeros((8, 6))
    content = buffer.getvalue()
    return b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\0\2IM" + content[128:]


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("fixations.mat", "")
    return buffer.getvalue()


def picture() -> bytes:
    buffer = io.BytesIO()
    PIL.Image.new("L", (8, 6)).save(buffer, "png")
    return buffer.getvalue()


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 12\n"
PAGE = b"\n<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>"

OTHERS = {
    "version 7.3": (version_73, r"a MATLAB file of version 7\.3.* save it with -v7"),
    "7.3 by another library": (lambda name: version_73(name)[512:], "an HDF5 file; .*-v7"),
    "an object": (object_of_a_class, "an object of a MATLAB class"),
    "a web page": (lambda _: PAGE, "a web page; .* download the file itself"),
    "a pointer": (lambda _: LFS, "a pointer of Git LFS.*git lfs pull"),
    "a text": (lambda _: b"x,y\n1,2\n", "a text, not a MATLAB file"),
    "Octave": (lambda _: b"# Created by Octave 6.1\n# name: a\n", "Octave; .* -v7"),
    "an archive": (lambda _: archive(), "a ZIP archive; unpack it"),
    "an image": (lambda _: picture(), r"a PNG image; .*\.png"),
}


@pytest.mark.parametrize("reader", READERS, ids=["osie", "salicon", "picture"])
@pytest.mark.parametrize("kind", OTHERS)
def test_a_file_of_another_kind(tmp_path: Path, reader: Reader, kind: str) -> None:
    (name, error, read), (make, said) = reader, OTHERS[kind]
    path = tmp_path / "a.mat"
    path.write_bytes(make(name))
    with pytest.raises(error, match=rf"\.mat.*{said}") as raised:
        read(path)
    assert "fetch it again" not in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("reader", READERS, ids=["osie", "salicon", "picture"])
def test_other_variables(tmp_path: Path, reader: Reader) -> None:
    _, error, read = reader
    content = {"a": np.zeros((3, 4)), "b": {"c": 1}, "d": "text", "e": np.ones((2, 5), bool)}
    scipy.io.savemat(tmp_path / "a.mat", content)
    said = r"holds the variables a \(3 x 4 double\), b \(a struct\), d \(a text\), e \(2 x 5 .*\); "
    with pytest.raises(error, match=f"{said}expected") as raised:
        read(tmp_path / "a.mat")
    assert "fetch it again" not in str(raised.value)


@pytest.mark.parametrize("reader", READERS, ids=["osie", "salicon", "picture"])
@pytest.mark.parametrize("part", ["nothing", "some of the header", "half", "all but the end"])
def test_a_damaged_file_is_fetched_again(tmp_path: Path, reader: Reader, part: str) -> None:
    name, error, read = reader
    path = tmp_path / "a.mat"
    values = np.random.default_rng(0).random((6, 8))
    scipy.io.savemat(path, {name: values}, do_compression=True)
    whole = path.read_bytes()
    ends = {"nothing": 0, "some of the header": 60, "half": len(whole) // 2}
    path.write_bytes(whole[: ends.get(part, len(whole) - 9)])
    with pytest.raises(error, match=r"\.mat.* it again"):
        read(path)


@pytest.mark.parametrize(
    ("reader", "content"),
    [
        (READERS[0], {"fixations": {"img": "1001.jpg"}}),
        (READERS[0], {"fixations": np.zeros((4, 2))}),
        (READERS[1], {"gaze": np.zeros((4, 2))}),
        (READERS[1], {"gaze": {"location": np.zeros((4, 2))}}),
    ],
)
def test_a_variable_of_that_name_with_something_else(
    tmp_path: Path, reader: Reader, content: dict[str, object]
) -> None:
    _, error, read = reader
    scipy.io.savemat(tmp_path / "a.mat", content)
    with pytest.raises(error, match=r"its variable \w+ holds something else .*authors") as raised:
        read(tmp_path / "a.mat")
    assert "again" not in str(raised.value)


def test_what_lies_beside_an_object_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.mat"
    scipy.io.savemat(path, {"fixLocs": np.eye(6, 8)})
    path.write_bytes(object_of_a_class("notes") + path.read_bytes()[128:])
    assert [str(one) for one in list_mat(path)] == [
        "notes (an object of a MATLAB class)",
        "fixLocs (6 x 8 double)",
    ]
    np.testing.assert_array_equal(read_mat(path, "fixLocs")["fixLocs"], np.eye(6, 8))
    assert len(PointPicture(path).read((6, 8))) == 6
    with pytest.raises(MatError, match=r"notes \(an object of a MATLAB class\), .*expected gaze"):
        read_mat(path, "gaze")


def test_what_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "a.mat").mkdir()
    with pytest.raises(MatError, match="is a folder, not a file"):
        list_mat(tmp_path / "a.mat")
    with pytest.raises(MatError, match="does not exist"):
        read_mat(tmp_path / "b.mat", "gaze")
    (tmp_path / "c.mat").write_bytes(b"MATLAB 5.0 MAT-file".ljust(124) + b"\0\1IM")
    with pytest.raises(MatError, match="holds no variable, and may be incomplete; expected gaze"):
        read_mat(tmp_path / "c.mat", "gaze")


def test_many_variables_are_not_all_listed(tmp_path: Path) -> None:
    scipy.io.savemat(tmp_path / "a.mat", {f"v{number}": 1.0 for number in range(30)})
    with pytest.raises(MatError, match="and 22 more; expected gaze"):
        read_mat(tmp_path / "a.mat", "gaze")
