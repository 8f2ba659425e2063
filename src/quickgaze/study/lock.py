"""One writer at a time: who holds a run folder."""

from __future__ import annotations

import getpass
import json
import math
import os
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any

from filelock import FileLock, Timeout

from quickgaze.errors import RunError
from quickgaze.study.storage import LocalStorage, Storage, unwritable

LOCK = "lock"
"""File that the operating system locks in a local folder."""

HOLDER = "holder.json"
"""File that names who holds the folder."""

LEASE = 600.0
"""Seconds after which a holder of a remote folder that gave no sign is taken for dead."""


class RunLock:
    """What a writer holds while it writes.

    Parameters
    ----------
    storage : Storage
        The run folder.
    token : str
        Tells this holder from all others.
    """

    def __init__(self, storage: Storage, token: str) -> None:
        self._storage = storage
        self._token = token
        self._renewed = -math.inf

    def renew(self) -> None:
        """Give a sign of life; cheap, to be called after every shard."""
        if time.monotonic() - self._renewed < LEASE / 10:
            return
        self._renewed = time.monotonic()
        self._storage.write(HOLDER, json.dumps(_holder(self._token), indent=2).encode())

    def holds(self) -> bool:
        """Tell whether the folder names this holder, and no other."""
        return (_read_holder(self._storage) or {}).get("token") == self._token

    def let_go(self) -> None:
        """Leave the folder to others, unless one of them has taken it over already."""
        try:
            if self.holds():
                self._storage.remove(HOLDER)
        except OSError:
            # a full or vanished disk is told of where something is written; a lease runs out
            return


@contextmanager
def locked(storage: Storage) -> Iterator[RunLock]:
    """Hold a run folder for as long as the block lasts.

    A local folder is held by a lock of the operating system, which lets go of it when the
    process ends, however it ends. A remote one is held by a lease that must be renewed.

    Parameters
    ----------
    storage : Storage
        The run folder.

    Yields
    ------
    RunLock

    Raises
    ------
    RunError
        If another process holds it; says which.
    """
    held = _held_locally(storage) if isinstance(storage, LocalStorage) else _held_by_lease(storage)
    with held as lock:
        lock.renew()
        try:
            yield lock
        finally:
            lock.let_go()


@contextmanager
def _held_locally(storage: LocalStorage) -> Iterator[RunLock]:
    path = storage.folder / LOCK
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path, timeout=0)
        lock.acquire()
    except Timeout:
        raise RunError(_in_use(storage)) from None
    except OSError as error:
        raise unwritable(str(path), error) from error
    try:
        yield RunLock(storage, secrets.token_hex(8))
    finally:
        lock.release()


@contextmanager
def _held_by_lease(storage: Storage) -> Iterator[RunLock]:
    holder = _read_holder(storage)
    if holder is not None and time.time() - holder["sign_of_life"] < LEASE:
        raise RunError(_in_use(storage))
    lock = RunLock(storage, secrets.token_hex(8))
    lock.renew()
    # of two that began at once, the one that wrote last holds it
    time.sleep(0.2)
    if not lock.holds():
        raise RunError(_in_use(storage))
    yield lock


def _holder(token: str) -> dict[str, Any]:
    return {
        "host": socket.gethostname(),
        "process": os.getpid(),
        "user": _user(),
        "since": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "sign_of_life": time.time(),
        "token": token,
    }


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def _read_holder(storage: Storage) -> dict[str, Any] | None:
    try:
        holder = json.loads(storage.read(HOLDER))
        return {**holder, "sign_of_life": float(holder["sign_of_life"])}
    except (FileNotFoundError, KeyError, TypeError, ValueError):
        return None


def _in_use(storage: Storage) -> str:
    holder = _read_holder(storage)
    who = "another process"
    if holder is not None:
        who = (
            f"process {holder.get('process')} of {holder.get('user')} on {holder.get('host')}, "
            f"since {holder.get('since')}"
        )
    return (
        f"{storage.place} is being written by {who}; wait until it is done, stop it, or name "
        "another folder. A run can be read while it is written"
    )
