from __future__ import annotations

import errno
import hashlib
import shutil
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pytest

from quickgaze.errors import DatasetError
from quickgaze.stimuli.downloading import Patience, download, size_of_remote

CONTENT = np.random.default_rng(0).bytes(3_000_000)
MD5 = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()
HURRIED = Patience(attempts=3, first_wait=0.001, timeout=5)


class Web(Protocol):
    files: dict[str, bytes]
    asked: list[tuple[str, str | None]]
    statuses: list[int]
    break_after: list[int]
    ranges: bool
    address: str


def fetch(web: Web, folder: Path, md5: str | None = MD5, **options: Any) -> Path:
    download(f"{web.address}/file", folder / "file", md5, patience=HURRIED, **options)
    return folder / "file"


@pytest.fixture
def held(web: Web) -> Web:
    web.files["/file"] = CONTENT
    return web


def resumed_at(web: Web) -> list[int]:
    """Where requests began, in units of a block: what a broken connection loses at most."""
    starts = [asked or "bytes=0-" for _, asked in web.asked]
    return [int(start.removeprefix("bytes=").removesuffix("-")) // 2**14 for start in starts]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_whole(held: Web, tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    path = fetch(held, tmp_path / "new", report=lambda done, total: told.append((done, total)))
    assert path.read_bytes() == CONTENT
    assert names(tmp_path / "new") == ["file"]
    assert told[0] == (0, len(CONTENT))
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert size_of_remote(f"{held.address}/file") == len(CONTENT)


def test_once_is_enough(held: Web, tmp_path: Path) -> None:
    fetch(held, tmp_path)
    fetch(held, tmp_path)
    fetch(held, tmp_path, md5=None)
    assert len(held.asked) == 1


def test_it_goes_on_where_it_broke_off(held: Web, tmp_path: Path) -> None:
    held.break_after = [1_000_000, 500_000]
    assert fetch(held, tmp_path).read_bytes() == CONTENT
    assert resumed_at(held) == [0, 1_000_000 // 2**14, 1_000_000 // 2**14 + 500_000 // 2**14]


def test_it_begins_anew_where_it_cannot_go_on(held: Web, tmp_path: Path) -> None:
    held.break_after, held.ranges = [1_000_000], False
    assert fetch(held, tmp_path).read_bytes() == CONTENT
    assert resumed_at(held) == [0, 1_000_000 // 2**14]


def test_what_arrived_is_kept_for_the_next_call(held: Web, tmp_path: Path) -> None:
    held.break_after = [1_000_000, 0, 0]
    with pytest.raises(DatasetError, match="what has arrived is kept"):
        fetch(held, tmp_path)
    assert names(tmp_path) == ["file.part"]
    assert fetch(held, tmp_path).read_bytes() == CONTENT
    assert resumed_at(held)[-1] == 1_000_000 // 2**14
    assert names(tmp_path) == ["file"]


def test_without_a_digest_nothing_is_joined(held: Web, tmp_path: Path) -> None:
    (tmp_path / "file.part").write_bytes(b"of another version")
    held.break_after = [1_000_000]
    assert fetch(held, tmp_path, md5=None).read_bytes() == CONTENT
    assert [asked for _, asked in held.asked] == [None, None]


@pytest.mark.parametrize("part", [CONTENT, CONTENT + b"more"])
def test_a_part_that_is_whole_or_more(held: Web, tmp_path: Path, part: bytes) -> None:
    (tmp_path / "file.part").write_bytes(part)
    assert fetch(held, tmp_path).read_bytes() == CONTENT


@pytest.mark.parametrize("resumed", [False, True])
def test_another_digest(held: Web, tmp_path: Path, resumed: bool) -> None:
    if resumed:
        (tmp_path / "file.part").write_bytes(b"rubbish")
        expected, found = MD5, hashlib.md5(b"rubbish" + CONTENT[7:], usedforsecurity=False)
    else:
        expected, found = "0" * 32, hashlib.md5(CONTENT, usedforsecurity=False)
    with pytest.raises(DatasetError, match=f"should be {expected}, but is {found.hexdigest()}"):
        fetch(held, tmp_path, md5=expected)
    assert names(tmp_path) == []


def test_a_wrong_file_in_its_place(held: Web, tmp_path: Path) -> None:
    """It is replaced by the right one, and stays where there is none."""
    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(DatasetError, match="not the expected file"):
        fetch(held, tmp_path, md5="0" * 32)
    assert (tmp_path / "file").read_bytes() == b"old"
    assert fetch(held, tmp_path).read_bytes() == CONTENT


def test_not_found(web: Web, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"answers 404 Not Found; the file may have moved"):
        fetch(web, tmp_path)
    assert len(web.asked) == 1
    assert names(tmp_path) == []
    assert size_of_remote(f"{web.address}/file") is None


def test_a_server_that_is_busy_for_a_while(held: Web, tmp_path: Path) -> None:
    held.statuses = [503, 429]
    assert fetch(held, tmp_path).read_bytes() == CONTENT
    assert len(held.asked) == 3


def test_a_server_that_is_busy_for_good(held: Web, tmp_path: Path) -> None:
    held.statuses = [503] * 9
    with pytest.raises(DatasetError, match="answers 503"):
        fetch(held, tmp_path)
    assert len(held.asked) == 3


def test_waits_grow(held: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("time.sleep", waits.append)
    held.statuses = [503] * 3
    download(f"{held.address}/file", tmp_path / "file", MD5, patience=Patience(first_wait=1.5))
    assert waits == [1.5, 3.0, 6.0]


def test_nobody_answers(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="cannot be fetched"):
        download("http://127.0.0.1:9/file", tmp_path / "file", MD5, patience=HURRIED)
    with pytest.raises(DatasetError, match="not an address"):
        download("http://", tmp_path / "file", MD5, patience=HURRIED)
    assert size_of_remote("http://127.0.0.1:9/file") is None


def test_no_space(held: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: types.SimpleNamespace(free=7))
    with pytest.raises(DatasetError, match=r"3,000,000 bytes are needed to fetch file.* only 7"):
        fetch(held, tmp_path)
    assert "file" not in names(tmp_path)


def test_space_runs_out(held: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original: Callable[..., Any] = Path.open

    def full(path: Path, *arguments: Any, **options: Any) -> Any:
        if path.name == "file.part" and "b" in str(arguments) and "r" not in str(arguments):
            raise OSError(errno.ENOSPC, "No space left on device")
        return original(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(DatasetError, match="the disk is full"):
        fetch(held, tmp_path)
    assert names(tmp_path) == []
