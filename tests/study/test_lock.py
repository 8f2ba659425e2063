"""One writer at a time, on folders of this machine and of object stores."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from quickgaze.errors import RunError
from quickgaze.places import Storage, open_storage
from quickgaze.study import lock as locking
from quickgaze.study.lock import locked


@pytest.fixture(params=["local", "memory"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "local":
        return open_storage(tmp_path / "run")
    return open_storage(f"memory://{tmp_path.name}/{time.time_ns()}")


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
