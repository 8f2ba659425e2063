"""Beginning a run in a folder, going on with the one that is there, and finishing it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path

from quickgaze.errors import DamagedRunWarning, RunError
from quickgaze.places import Storage
from quickgaze.study._lock import HOLDER, LOCK, TAKING, RunLock, locked
from quickgaze.study._run import Run, open_run
from quickgaze.study._tables import TableStore, write_json
from quickgaze.study.manifest import BackboneFacts, Manifest
from quickgaze.study.plan import Plan, differences


def check_folder(storage: Storage) -> None:
    """Refuse a folder that holds something else than a run."""
    folder = storage.folder
    if isinstance(folder, Path):
        if folder.exists() and not folder.is_dir():
            raise RunError(f"{folder} is a file; name a folder for the run")
        held = {each.name for each in folder.iterdir()} if folder.is_dir() else set()
    else:
        held = {Path(name).name for name in storage.names()}
    if "plan.json" not in held and not held <= {LOCK, HOLDER, TAKING}:
        raise RunError(f"{storage.place} holds something that is not a run; name another folder")


def begin(storage: Storage, plan: Plan) -> None:
    """Write the plan into the run folder, or hold it against the one that is there."""
    ours = plan.to_json()
    if "plan.json" not in storage.names():
        write_json(storage, "plan.json", ours)
        return
    found = differences(ours, open_run(storage).plan.to_json())
    if found:
        raise RunError(
            f"{storage.place} holds a run of another study: {'; '.join(found)} (here is what was "
            "asked for, there is the folder). Name another folder, or ask for the same."
        )


def missing_shards(store: TableStore, count: int) -> list[int]:
    """Find the shards that must be computed, and warn of those that are damaged."""
    written = store.written()
    missing = []
    for shard in range(count):
        reason = store.damage(shard) if shard in written else "it has not been computed"
        if reason is None:
            continue
        missing.append(shard)
        if shard in written:
            warnings.warn(f"{reason}; its shard is computed anew", DamagedRunWarning, stacklevel=2)
    return missing


def complete_run(
    storage: Storage,
    plan: Plan,
    backbones: Mapping[str, BackboneFacts],
    compute: Callable[[RunLock, Sequence[int]], None],
) -> Run:
    """Have the shards of a plan computed that are not there, and write the manifest last.

    `compute` writes the shards whose numbers it is given, while it alone holds the folder.
    """
    started = datetime.now(timezone.utc)
    with locked(storage) as lock:
        begin(storage, plan)
        missing = missing_shards(TableStore(storage, plan.settings.metrics), len(plan.shards()))
        run = open_run(storage)
        if run.complete and not missing:
            return run
        storage.remove("manifest.json")
        compute(lock, missing)
        failed, undefined = run.failures().height, run.undefined().height
        manifest = Manifest.of(plan, failed, undefined, run.all_points(), backbones, started)
        write_json(storage, "manifest.json", manifest.to_json(plan))
    return run
