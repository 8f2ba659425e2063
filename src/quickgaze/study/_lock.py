"""One writer at a time: who holds a run folder."""

from __future__ import annotations

import getpass
import json
import math
import os
import secrets
import socket
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from quickgaze.errors import RunError
from quickgaze.places import Storage, unwritable

LOCK = "lock"
"""File that the operating system locks in a local folder."""

TAKING = "taking.json"
"""File that is there, elsewhere, while a writer takes the folder."""

HOLDER = "holder.json"
"""File that names who holds the folder."""

LEASE = 600.0
"""Seconds after which a holder of a remote folder that gave no sign is taken for dead."""


class RunLock:
    """What a writer holds while it writes; `token` tells it from all others."""

    def __init__(self, storage: Storage, token: str) -> None:
        self._storage = storage
        self._token = token
        self._renewed = -math.inf

    def renew(self) -> None:
        """Give a sign of life; cheap, to be called after every shard."""
        if time.monotonic() - self._renewed < LEASE / 10:
            return
        self._renewed = time.monotonic()
        self._storage.write(HOLDER, _signed(self._token))

    def holds(self) -> bool:
        """Whether the folder names this holder."""
        return (_read_holder(self._storage, HOLDER) or {}).get("token") == self._token

    def let_go(self) -> None:
        """Leave the folder to others, unless one of them has taken it over already."""
        # A full or vanished disk is reported where something is written; a lease runs out.
        with suppress(OSError):
            if self.holds():
                self._storage.remove(HOLDER)


@contextmanager
def locked(storage: Storage) -> Iterator[RunLock]:
    """Hold a run folder for as long as the block lasts, or raise `RunError` with its holder."""
    folder = storage.folder
    held = _by_system(storage, folder) if isinstance(folder, Path) else _by_lease(storage)
    with held as lock:
        lock.renew()
        try:
            yield lock
        finally:
            lock.let_go()


@contextmanager
def _by_system(storage: Storage, folder: Path) -> Iterator[RunLock]:
    """Hold a local folder; the operating system lets go when the process ends, however it ends."""
    path = folder / LOCK
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path, timeout=0)
        lock.acquire()
    except Timeout:
        raise _in_use(storage) from None
    except OSError as error:
        raise unwritable(str(path), error) from error
    try:
        yield RunLock(storage, secrets.token_hex(8))
    finally:
        lock.release()


@contextmanager
def _by_lease(storage: Storage) -> Iterator[RunLock]:
    """Hold a remote folder by a lease, which must be renewed."""
    lock = RunLock(storage, secrets.token_hex(8))
    with _one_at_a_time(storage) as exclusive:
        if _alive(_read_holder(storage, HOLDER)):
            raise _in_use(storage)
        lock.renew()
        if not exclusive:
            # Of two that began at once, the one that wrote last holds it.
            time.sleep(0.2)
            if not lock.holds():
                raise _in_use(storage)
    yield lock


@contextmanager
def _one_at_a_time(storage: Storage) -> Iterator[bool]:
    """Let one writer at a time look who holds the folder and take it; whether that is certain."""
    exclusive = _may_take(storage)
    if not exclusive:
        warnings.warn(
            f"{storage.place} has no way to create a file that only one of two writers can create: "
            "do not start two runs on it in the same second",
            stacklevel=2,
        )
    try:
        yield exclusive
    finally:
        storage.remove(TAKING)


def _may_take(storage: Storage) -> bool:
    """Create `TAKING`, or raise `RunError` if another has; False where both could."""
    sign = _signed(secrets.token_hex(8))
    try:
        if not storage.create(TAKING, sign):
            # It does not expire: of two who remove what a dead writer left, both could go on.
            raise _in_use(storage, f". If it died, remove {storage.place}/{TAKING}")
        # Some stores that speak S3 take no notice of the condition, and create it once more.
        return not storage.create(TAKING, sign)
    except NotImplementedError:
        return False


def _signed(token: str) -> bytes:
    content = {
        "host": socket.gethostname(),
        "process": os.getpid(),
        "user": _user(),
        "since": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "sign_of_life": time.time(),
        "token": token,
    }
    return json.dumps(content, indent=2).encode()


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def _alive(holder: dict[str, Any] | None) -> bool:
    return holder is not None and time.time() - holder["sign_of_life"] < LEASE


def _read_holder(storage: Storage, name: str) -> dict[str, Any] | None:
    try:
        holder = json.loads(storage.read(name))
        return {**holder, "sign_of_life": float(holder["sign_of_life"])}
    except (FileNotFoundError, KeyError, TypeError, ValueError):
        return None


def _in_use(storage: Storage, advice: str = "") -> RunError:
    holder = _read_holder(storage, HOLDER) or _read_holder(storage, TAKING)
    who = "another process"
    if holder is not None:
        who = (
            f"process {holder.get('process')} of {holder.get('user')} on {holder.get('host')}, "
            f"since {holder.get('since')}"
        )
    return RunError(
        f"{storage.place} is being written by {who}; wait until it is done, stop it, or name "
        f"another folder. A run can be read while it is written{advice}"
    )
