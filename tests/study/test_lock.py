"""One writer at a time, on folders of this machine and of object stores."""

from __future__ import annotations

import json
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from quickgaze import places
from quickgaze.errors import RunError
from quickgaze.places import Storage, open_storage
from quickgaze.study import _lock as locking
from quickgaze.study._lock import RunLock, locked


@pytest.fixture(params=["local", "memory", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "local":
        return open_storage(tmp_path / "run")
    if request.param == "s3":
        return open_storage(f"{request.getfixturevalue('bucket')}/run")
    return open_storage(f"memory://{tmp_path.name}/{time.time_ns()}")


def test_only_one_writer_holds_a_folder(storage: Storage) -> None:
    with (
        locked(storage),
        pytest.raises(RunError, match=rf"written by process {os.getpid()} of .* since 20"),
        locked(open_storage(storage.place) if "://" in storage.place else storage),
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


WRITERS, ROUNDS = 6, 5


@pytest.fixture
def one_request_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server of these tests looks and writes in two steps; a real one does so in one."""
    from moto.s3.responses import S3Response  # noqa: PLC0415 - slow to import

    put, busy = S3Response.put_object, threading.Lock()

    def alone(*arguments: object) -> object:
        with busy:
            return put(*arguments)

    monkeypatch.setattr(S3Response, "put_object", alone)


@pytest.mark.usefixtures("one_request_at_a_time")
@pytest.mark.parametrize("left", [False, True], ids=["a free folder", "a dead writer's folder"])
def test_of_writers_that_begin_at_once_one_holds_the_folder(bucket: str, left: bool) -> None:
    for number in range(ROUNDS):
        place = f"{bucket}/run-{number}"
        if left:
            open_storage(place).write("holder.json", _sign_of_a_dead_writer())
        assert sum(_begin_at_once(place)) == 1
        assert open_storage(place).names() == []


def _sign_of_a_dead_writer() -> bytes:
    sign = {"process": 7, "token": "dead", "sign_of_life": time.time() - 2 * locking.LEASE}
    return json.dumps(sign).encode()


def test_what_a_writer_left_that_died_as_it_took_the_folder_is_named(bucket: str) -> None:
    storage = open_storage(f"{bucket}/run")
    storage.write("taking.json", _sign_of_a_dead_writer())
    words = r"written by process 7 of .* If it died, remove s3://\d+/run/taking\.json"
    with pytest.raises(RunError, match=words), locked(storage):
        pass
    storage.remove("taking.json")
    with locked(storage) as lock:
        assert lock.holds()


def _begin_at_once(place: str) -> list[bool]:
    """Whether each of several writers held the folder, none of which ends before all began."""
    begin, end = threading.Barrier(WRITERS, timeout=30), threading.Barrier(WRITERS, timeout=30)

    def write(_number: int) -> bool:
        begin.wait()
        try:
            with locked(open_storage(place)) as lock:
                end.wait()
                return lock.holds()
        except RunError:
            end.wait()
            return False

    with ThreadPoolExecutor(WRITERS) as threads:
        return list(threads.map(write, range(WRITERS)))


def test_a_writer_that_is_slow_to_take_the_folder_is_not_overtaken(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another begins while the first has found the folder free and not yet signed."""
    storage, others = open_storage(f"{bucket}/run"), []
    renew = RunLock.renew

    def slowly(lock: RunLock) -> None:
        if not others:
            others.append("began")
            with pytest.raises(RunError, match="is being written by process"), locked(storage):
                pass
        renew(lock)

    monkeypatch.setattr(RunLock, "renew", slowly)
    with locked(storage) as lock:
        assert lock.holds()
        assert others


@pytest.mark.parametrize("reason", ["file system", "store"])
def test_a_place_where_two_writers_can_create_a_file_says_so(
    bucket: str, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    if reason == "file system":
        monkeypatch.setattr(places, "_EXCLUSIVE", frozenset())
    else:
        monkeypatch.setattr(Storage, "create", _ignore_what_is_there)
    storage = open_storage(f"{bucket}/run")
    with pytest.warns(UserWarning, match=r"run has no way .* do not start two runs") as told:
        _hold_against_another(storage)
    assert len(told) == 2
    assert storage.names() == []


def _hold_against_another(storage: Storage) -> None:
    with locked(storage) as lock:
        assert lock.holds()
        assert storage.names() == ["holder.json"]
        with pytest.raises(RunError, match="is being written by process"), locked(storage):
            pass


def _ignore_what_is_there(storage: Storage, name: str, content: bytes) -> bool:
    storage.write(name, content)
    return True


def test_files_are_created_once(bucket: str, tmp_path: Path) -> None:
    storage = open_storage(f"{bucket}/run")
    assert storage.create("a", b"first")
    assert not storage.create("a", b"second")
    assert storage.read("a") == b"first"
    with pytest.raises(NotImplementedError):
        open_storage(tmp_path).create("a", b"")
    with pytest.raises(RunError, match="a cannot be written"):
        open_storage("s3://no-such-bucket/run").create("a", b"")
