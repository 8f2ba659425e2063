"""Folders of this machine and of object stores, behind one face."""

from __future__ import annotations

import json
import os
import pickle
import time
from pathlib import Path

import pytest

from quickgaze.errors import OptionError, RunError
from quickgaze.study import lock as locking
from quickgaze.study.lock import locked
from quickgaze.study.storage import LocalStorage, RemoteStorage, Storage, open_storage


@pytest.fixture(params=["local", "memory"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "local":
        return open_storage(tmp_path / "run")
    return open_storage(f"memory://{tmp_path.name}/{time.time_ns()}")


def test_what_is_written_is_read(storage: Storage) -> None:
    assert storage.names() == []
    storage.write("plan.json", b"first")
    storage.write("plan.json", b"second")
    storage.write("scores/part-1", b"1")
    storage.write("scores/part-0", b"0")
    assert storage.read("plan.json") == b"second"
    assert storage.names() == ["plan.json"]
    assert storage.names("scores") == ["scores/part-0", "scores/part-1"]
    storage.remove("scores/part-0")
    storage.remove("scores/part-0")
    assert storage.names("scores") == ["scores/part-1"]
    with pytest.raises(FileNotFoundError):
        storage.read("scores/part-0")


def test_a_failed_write_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = LocalStorage(tmp_path)
    storage.write("part", b"old")

    def broken(_descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(RunError, match="part cannot be written: Input/output error"):
        storage.write("part", b"new")
    assert storage.read("part") == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["part"]


def test_the_content_is_on_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = []
    fsync, replace = os.fsync, Path.replace

    def flushed(descriptor: int) -> None:
        events.append(
            "folder" if Path(f"/proc/self/fd/{descriptor}").resolve().is_dir() else "file"
        )
        fsync(descriptor)

    def renamed(self: Path, target: Path) -> Path:
        events.append("name")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", flushed)
    monkeypatch.setattr(Path, "replace", renamed)
    LocalStorage(tmp_path).write("part", b"content")
    assert events == ["file", "name", "folder"]


def test_remote_storage_travels(tmp_path: Path) -> None:
    storage = RemoteStorage(f"memory://{tmp_path.name}")
    storage.write("a", b"1")
    assert pickle.loads(pickle.dumps(storage)).read("a") == b"1"  # noqa: S301 - our own bytes


def test_a_kind_of_url_that_nothing_is_installed_for() -> None:
    with pytest.raises(OptionError, match="nosuch://place cannot be used"):
        open_storage("nosuch://place")


def test_only_one_writer_holds_a_folder(storage: Storage) -> None:
    with (
        locked(storage),
        pytest.raises(RunError, match=rf"written by process {os.getpid()} of .* since 20"),
        locked(open_storage(storage.place) if "memory" in storage.place else storage),
    ):
        pass
    with locked(storage):
        assert "holder.json" in storage.names()
    assert "holder.json" not in storage.names()


def test_a_folder_is_held_on_a_machine_that_has_just_started(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 5.0)
    with locked(storage) as lock:
        assert lock.holds()


def test_what_another_has_taken_over_is_left_to_it(storage: Storage) -> None:
    with locked(storage) as lock:
        other = json.dumps({**json.loads(storage.read("holder.json")), "token": "other"})
        storage.write("holder.json", other.encode())
        assert not lock.holds()
    assert storage.read("holder.json") == other.encode()


def test_a_lease_that_has_run_out_is_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    storage = open_storage(f"memory://lease/{time.time_ns()}")
    with locked(storage) as lock:
        lock.renew()
        holder = storage.read("holder.json")
    storage.write("holder.json", holder)
    with pytest.raises(RunError, match="is being written"), locked(storage):
        pass
    monkeypatch.setattr(locking, "LEASE", 0.0)
    with locked(storage):
        assert storage.read("holder.json") != holder


def test_a_lock_is_let_go_after_an_error(storage: Storage) -> None:
    with pytest.raises(KeyError), locked(storage):
        raise KeyError
    with locked(storage):
        pass
