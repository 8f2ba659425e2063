"""What lies in the folders of real people: damaged, wrong and hostile files of every kind."""

from __future__ import annotations

import os
import re
import socket
import stat
import struct
import subprocess
import tempfile
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import scipy.io

from quickgaze.errors import DatasetError, StimulusError
from quickgaze.stimuli import Dataset, Stimulus, check_dataset, load_dataset
from quickgaze.stimuli._folder import load_folder
from quickgaze.stimuli._hdf5 import opened_hdf5
from quickgaze.stimuli._salicon_files import MatlabGaze, index_annotations
from quickgaze.stimuli.densities import DensityFile
from quickgaze.stimuli.images import ImageFile, read_image

Write = Callable[..., Path]
Make = Callable[[Path], object]

NOBODY = 65534


def png_that_claims(width: int, height: int) -> bytes:
    """A tiny file whose header claims an image of any size."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + checksum

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    ends = chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + ends


def truncated(path: Path) -> None:
    PIL.Image.effect_noise((200, 100), 60).save(path, "JPEG")
    path.write_bytes(path.read_bytes()[:2000])


def to_itself(path: Path) -> None:
    path.symlink_to(path.name)


def to_each_other(path: Path) -> None:
    path.symlink_to(f"{path.name}.other")
    path.with_name(f"{path.name}.other").symlink_to(path.name)


def bound(path: Path) -> None:
    """Leave a socket. It is made elsewhere, since its path may not be long."""
    with tempfile.TemporaryDirectory() as short, socket.socket(socket.AF_UNIX) as made:
        made.bind(f"{short}/s")
        Path(short, "s").rename(path)


BAD: dict[str, tuple[Make, str]] = {
    "truncated": (truncated, "cannot be read as an image .*truncated"),
    "text": (lambda path: path.write_text("not an image"), "is of no known image format"),
    "postscript": (
        lambda path: path.write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n"),
        "is of no known image format",
    ),
    "empty": (lambda path: path.touch(), "is empty"),
    "header alone": (lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n"), "cannot be read"),
    "bomb": (
        lambda path: path.write_bytes(png_that_claims(60_000, 60_000)),
        "has more pixels than the limit of 89,478,485 that guards against decompression bombs",
    ),
    "small bomb": (
        lambda path: path.write_bytes(png_that_claims(10_000, 9_000)),
        "has more pixels than the limit",
    ),
    "nothing wide": (lambda path: path.write_bytes(png_that_claims(0, 5)), "cannot be read|needs"),
    "one pixel": (
        lambda path: PIL.Image.new("RGB", (1, 1)).save(path, "PNG"),
        "at least 2 pixels a side",
    ),
    "folder": (lambda path: path.mkdir(), "is a folder, not a file"),
    "dangling": (lambda path: path.symlink_to("nowhere"), "is a link that leads nowhere"),
    "loop": (to_itself, "is a link that leads nowhere"),
    "longer loop": (to_each_other, "is a link that leads nowhere"),
    "pipe": (os.mkfifo, "is a pipe, not a file"),
    "socket": (bound, "is a socket, not a file"),
    "device": (lambda path: path.symlink_to("/dev/zero"), "is a device, not a file"),
}


@pytest.fixture(params=list(BAD))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def in_time(function: Callable[[], object], seconds: float = 20) -> object:
    """Call a function that must not wait for ever; gives its result or its error."""
    done: list[object] = []

    def call() -> None:
        try:
            done.append(function())
        except Exception as error:  # noqa: BLE001 - it is what is asked for
            done.append(error)

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(seconds)
    assert not thread.is_alive(), "it hangs"
    return done[0]


def stimulus_of(dataset: Dataset, name: str) -> Stimulus:
    return next(stimulus for stimulus in dataset if stimulus.id == name)


@pytest.mark.parametrize("name", ["bad.jpg", "bad.png"])
def test_bad_images_are_listed_and_named(tmp_path: Path, draw: Write, kind: str, name: str) -> None:
    make, words = BAD[kind]
    for good in ("a.png", "z.png"):
        draw(tmp_path / "images" / good)
    make(tmp_path / "images" / name)
    dataset = load_folder(tmp_path)
    assert [stimulus.id for stimulus in dataset] == ["a", "bad", "z"]
    bad = stimulus_of(dataset, "bad")
    error = in_time(bad.image)
    assert isinstance(error, StimulusError)
    assert re.search(rf"bad\.\w+.*(?:{words})", str(error))
    assert len(str(in_time(bad.fingerprint))) == 16
    assert len(str(in_time(dataset.fingerprint))) == 64
    assert stimulus_of(dataset, "a").image().shape == (6, 8, 3)


def test_a_check_of_them_all(tmp_path: Path, draw: Write) -> None:
    draw(tmp_path / "images" / "good.png")
    for number, (make, _) in enumerate(BAD.values()):
        make(tmp_path / "images" / f"bad {number:02d}.jpg")
    checks = in_time(lambda: check_dataset("folder", tmp_path))
    assert isinstance(checks, list)
    opened = next(check for check in checks if check.what == "images that open")
    assert (opened.found, opened.verdict) == ("1", "differs")
    named = [line.partition(":")[0] for line in opened.details]
    assert named == [f"bad {number:02d}" for number in range(len(BAD))]
    for line, (_, words) in zip(opened.details, BAD.values(), strict=True):
        assert re.search(words, line)


def test_another_ending_than_its_content(tmp_path: Path, draw: Write) -> None:
    draw(tmp_path / "a.png").rename(tmp_path / "a.jpg")
    assert load_folder(tmp_path)[0].image().shape == (6, 8, 3)


def test_postscript_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pillow would have Ghostscript run it, whatever the file is called."""
    called: list[object] = []
    monkeypatch.setattr(subprocess, "check_call", lambda *command, **_: called.append(command))
    monkeypatch.setattr("PIL.EpsImagePlugin.gs_binary", "gs")
    BAD["postscript"][0](tmp_path / "a.png")
    for function in (read_image, lambda path: ImageFile(path).size()):
        with pytest.raises(StimulusError, match="of no known image format"):
            function(tmp_path / "a.png")
    assert not called


def test_a_folder_called_as_an_image_that_holds_images(tmp_path: Path, draw: Write) -> None:
    draw(tmp_path / "frames.gif" / "a.png")
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.png").mkdir()
    (tmp_path / "notes.png" / "readme.txt").touch()
    assert [one.id for one in load_folder(tmp_path)] == ["frames.gif/a", "notes"]


def test_names_that_read_alike(tmp_path: Path, draw: Write) -> None:
    """One name is not UTF-8, and the others are how it is written where that is not possible."""
    images = tmp_path / "images"
    source = draw(images / "x.png", size=(6, 8))
    names = ["caf\udce9.png", "caf\\xe9.png", "caf\\xe9.jpg", "other.png"]
    try:
        for number, name in enumerate(names):
            draw(images / "x.png", size=(6, 8 + number)).rename(images / name)
    except OSError:
        pytest.skip("the file system wants UTF-8")
    assert not source.exists()
    dataset = load_folder(tmp_path)
    widths = {one.id: one.size[1] for one in dataset}
    assert sorted(widths) == ["caf\\xe9.jpg", "caf\\xe9.png", "caf\\xe9.png (2)", "other"]
    assert sorted(widths.values()) == [8, 9, 10, 11]
    assert len(set(dataset.fingerprints())) == 4
    draw(tmp_path / "maps" / "caf\\xe9.jpg.png", size=(6, 10), mode="L")
    mapped = [one.id for one in load_folder(tmp_path) if one.map is not None]
    assert mapped == ["caf\\xe9.jpg"]
    for name in ("caf\\xe9.png.png", "caf\\xe9.png"):
        made = draw(tmp_path / "maps" / name, mode="L")
        with pytest.raises(DatasetError, match=r"which several images are called .* not UTF-8"):
            load_folder(tmp_path)
        made.unlink()


def test_a_number_that_is_taken(tmp_path: Path, draw: Write) -> None:
    try:
        for name in ("caf\udce9.png", "caf\\xe9.png", "caf\\xe9.png (2).gif"):
            draw(tmp_path / "x.png").rename(tmp_path / name)
    except OSError:
        pytest.skip("the file system wants UTF-8")
    names = [one.id for one in load_folder(tmp_path)]
    assert len(names) == len(set(names)) == 3


def nan(path: Path) -> None:
    np.save(path, np.where(np.eye(6, 8) > 0, np.nan, 1))


def shaped(*shape: int) -> Make:
    return lambda path: np.save(path, np.ones(shape))


def cut(path: Path) -> None:
    np.save(path, np.ones((6, 8)))
    path.write_bytes(path.read_bytes()[:-1])


BAD_MAPS: dict[str, tuple[Make, str]] = {
    "nan": (nan, "holds NaN or infinity in 6 of 48 pixels"),
    "another size": (shaped(8, 6), "is 8 x 6, its image is 6 x 8"),
    "three channels": (shaped(6, 8, 3), "is 6 x 8 x 3, its image is 6 x 8"),
    "cut off": (cut, "it ends before its last value"),
    "text": (lambda path: path.write_text("no array"), "cannot be read"),
    "empty": (lambda path: path.touch(), "cannot be read"),
    "folder": (lambda path: path.mkdir(), "is a folder, not a file"),
    "dangling": (lambda path: path.symlink_to("nowhere"), "is a link that leads nowhere"),
    "loop": (to_itself, "is a link that leads nowhere"),
    "pipe": (os.mkfifo, "is a pipe, not a file"),
    "socket": (bound, "is a socket, not a file"),
    "device": (lambda path: path.symlink_to("/dev/zero"), "is a device, not a file"),
}


@pytest.mark.parametrize("bad", list(BAD_MAPS))
def test_bad_maps_are_named(tmp_path: Path, draw: Write, bad: str) -> None:
    make, words = BAD_MAPS[bad]
    for name in ("a", "b"):
        draw(tmp_path / "images" / f"{name}.png")
        draw(tmp_path / "maps" / f"{name}.png", mode="L")
    (tmp_path / "maps" / "b.png").unlink()
    make(tmp_path / "maps" / "b.npy")
    dataset = load_folder(tmp_path)
    error = in_time(dataset[1].density)
    assert isinstance(error, StimulusError)
    assert re.search(rf"the density .*b\.npy.*{words}", str(error))
    assert len(str(in_time(dataset[1].fingerprint))) == 16
    assert dataset[1].image().shape == (6, 8, 3)
    assert dataset[0].density() is not None


@pytest.mark.parametrize("bad", ["pipe", "socket", "device", "folder", "loop", "empty", "text"])
def test_bad_maps_that_are_pictures(tmp_path: Path, bad: str) -> None:
    make, words = BAD[bad]
    make(tmp_path / "b.png")
    error = in_time(lambda: DensityFile(tmp_path / "b.png").read((6, 8)))
    assert isinstance(error, StimulusError)
    assert re.search(words, str(error))


@pytest.mark.parametrize("level", [0.0, 3.0])
def test_constant_maps_are_read(tmp_path: Path, draw: Write, level: float) -> None:
    """That no correlation with them is defined is for the metrics to say."""
    draw(tmp_path / "images" / "a.png")
    (tmp_path / "maps").mkdir()
    np.save(tmp_path / "maps" / "a.npy", np.full((6, 8), level))
    density = load_folder(tmp_path)[0].density()
    assert density is not None
    assert np.unique(density).tolist() == [min(level, 1)]


def test_points_that_are_all_outside(tmp_path: Path, draw: Write) -> None:
    draw(tmp_path / "a.png")
    (tmp_path / "fixations.csv").write_text(
        "stimulus,observer,x,y\na,ann,8,2\na,ann,-1,2\na,ann,nan,2\na,ann,1e30,inf\n"
    )
    stimulus = load_folder(tmp_path, origin=0)[0]
    assert stimulus.fixations is not None
    assert (len(stimulus.fixations), stimulus.fixations.dropped) == (0, 4)
    assert stimulus.density() is None


def test_pipes_instead_of_other_files(tmp_path: Path, draw: Write) -> None:
    pipe = tmp_path / "fixations.mat"
    os.mkfifo(pipe)
    error = in_time(lambda: MatlabGaze(pipe).read((6, 8)))
    assert isinstance(error, StimulusError)
    assert "is a pipe" in str(error)
    for read in (lambda: index_annotations(pipe), lambda: opened_hdf5(pipe, "x").__enter__()):
        error = in_time(read)
        assert isinstance(error, DatasetError)
        assert "is a pipe" in str(error)
    os.mkfifo(tmp_path / "fixations.csv")
    draw(tmp_path / "a.png")
    error = in_time(lambda: load_folder(tmp_path))
    assert isinstance(error, DatasetError)
    assert "fixations.csv, fixations.mat may hold gaze, but are not read" in str(error)
    (tmp_path / "stimuli").mkdir()
    assert isinstance(in_time(lambda: load_dataset("osie", tmp_path)), DatasetError)


@pytest.mark.parametrize("bad", ["folder", "loop", "pipe", "empty", "text"])
def test_one_bad_image_of_osie(tmp_path: Path, draw: Write, bad: str) -> None:
    subject = {"fix_x": [1.0], "fix_y": [2.0], "fix_duration": [100.0]}
    subjects = np.array([subject], dtype=object)
    images = [{"img": f"{name}.jpg", "subjects": subjects} for name in ("1001", "1002")]
    draw(tmp_path / "stimuli" / "1001.jpg")
    BAD[bad][0](tmp_path / "stimuli" / "1002.jpg")
    scipy.io.savemat(tmp_path / "fixations.mat", {"fixations": np.array(images, dtype=object)})
    dataset = load_dataset("osie", tmp_path)
    assert [one.id for one in dataset] == ["1001", "1002"]
    error = in_time(dataset[1].image)
    assert isinstance(error, StimulusError)
    assert re.search(BAD[bad][1], str(error))


@pytest.fixture
def without_rights() -> Iterator[Path]:
    """A folder of which others may see the names; nobody's rights while the test runs."""
    with tempfile.TemporaryDirectory() as made:
        folder, root = Path(made), os.geteuid() == 0
        folder.chmod(0o755)
        before = os.umask(0o022)
        yield folder
        os.umask(before)
        if root:
            os.seteuid(0)
        for path in folder.rglob("*"):
            if path.is_dir():
                path.chmod(stat.S_IRWXU)


def lock(path: Path) -> None:
    """Take all rights to a file or folder away; root, who needs none, becomes nobody."""
    path.chmod(0)
    if os.geteuid() == 0:
        os.seteuid(NOBODY)


def test_files_that_may_not_be_read(without_rights: Path, draw: Write) -> None:
    for name in ("images/a.png", "images/b.png", "maps/b.png"):
        draw(without_rights / name, mode="L")
    (without_rights / "maps" / "b.png").chmod(0)
    lock(without_rights / "images" / "a.png")
    dataset = load_folder(without_rights)
    with pytest.raises(StimulusError, match=r"a\.png may not be read .*change its permissions"):
        dataset[0].image()
    with pytest.raises(StimulusError, match=r"b\.png may not be read"):
        dataset[1].density()
    assert dataset[1].image().shape == (6, 8, 3)
    assert dataset[0].source.fingerprint() == "a.png:unreadable"


def test_folders_that_may_not_be_listed(without_rights: Path, draw: Write) -> None:
    """Nobody knows what is in them, so the data set is refused, and not loaded in part."""
    draw(without_rights / "images" / "a.png")
    draw(without_rights / "images" / "locked" / "b.png")
    lock(without_rights / "images" / "locked")
    with pytest.raises(DatasetError, match=r"locked cannot be listed"):
        load_folder(without_rights)
