"""A run folder of maps that were made outside of a study, such as those of a fit, out of fold."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from quickgaze.bounds import GazePool
from quickgaze.places import PathLike, open_storage
from quickgaze.stimuli import Dataset
from quickgaze.stimuli.types import Size, Stimulus
from quickgaze.study._engine import read_pool
from quickgaze.study._folder import check_folder, complete_run
from quickgaze.study._helpers import ThreadHelpers, Ticket
from quickgaze.study._inputs import Failure
from quickgaze.study._known_bounds import KnownBounds
from quickgaze.study._lock import RunLock
from quickgaze.study._progress import progress_bar
from quickgaze.study._run import Run
from quickgaze.study._tables import ShardTables, TableStore
from quickgaze.study._tasks import StimulusTasks
from quickgaze.study.manifest import BackboneFacts
from quickgaze.study.plan import Plan
from quickgaze.study.stored import StoredMap
from quickgaze.study.variants import CamKey

_AHEAD = 8
"""Stimuli whose maps wait to be scored."""


@dataclass(frozen=True, eq=False)
class MadeMaps:
    """How the maps of each stimulus of a plan are made, given the image's (height, width).

    `only` holds options of scoring, such as ``{"sigmas": (0.0,)}``, that single CAMs have in place
    of the plan's; `backbones` say what the maps were made of; `pool` is the data set's gaze, where
    it has been read already; the scores of bounds in `bounds_of`, a run on the same gaze with the
    same options of bounds, are not computed again.
    """

    make: Callable[[Stimulus, Size], Sequence[StoredMap]]
    only: Mapping[CamKey, Mapping[str, Any]] = field(default_factory=dict)
    backbones: Mapping[str, BackboneFacts] = field(default_factory=dict)
    pool: GazePool | None = None
    bounds_of: Run | None = None


def keep_maps(
    plan: Plan, dataset: Dataset, made: MadeMaps, out: PathLike, *, progress: bool = True
) -> Run:
    """Score maps as a study scores its own, and keep both as an ordinary run.

    `dataset` holds the stimuli of the plan in their order. A stimulus whose maps cannot be made
    is a failure of the run. What `out` holds of the same plan already is not computed again.
    """
    storage = open_storage(out)
    check_folder(storage)

    def compute(lock: RunLock, missing: Sequence[int]) -> None:
        pool = made.pool or read_pool(dataset, progress)
        known = None if made.bounds_of is None else KnownBounds.of(made.bounds_of)
        tasks = StimulusTasks(plan.settings, pool=pool, only=made.only, known=known)
        store, parts = TableStore(storage, plan.settings.metrics), plan.shards()
        with closing(ThreadHelpers(tasks)) as helpers, progress_bar(progress) as bar:
            todo = [dataset.stimuli[parts[number]] for number in missing]
            task = bar.add_task("scores", total=sum(map(len, todo)))
            for number, stimuli in zip(missing, todo, strict=True):
                tables = ShardTables()
                for rows in _scored(stimuli, made, helpers):
                    tables.extend(rows)
                    bar.advance(task)
                store.write(number, tables)
                lock.renew()

    return complete_run(storage, plan, made.backbones, compute)


def _scored(
    stimuli: Sequence[Stimulus], made: MadeMaps, helpers: ThreadHelpers[StimulusTasks]
) -> Iterator[ShardTables]:
    """Rows of stimuli in their order, a few of them scored while the next maps are made."""
    waiting: deque[ShardTables | Ticket[ShardTables]] = deque()
    for stimulus in stimuli:
        waiting.append(_begun(stimulus, made, helpers))
        if len(waiting) > _AHEAD:
            yield _settled(waiting.popleft())
    yield from map(_settled, waiting)


def _begun(
    stimulus: Stimulus, made: MadeMaps, helpers: ThreadHelpers[StimulusTasks]
) -> ShardTables | Ticket[ShardTables]:
    try:
        size = stimulus.size
        maps = made.make(stimulus, size)
    except Exception as error:  # noqa: BLE001 - one bad stimulus never ends a run
        return ShardTables(failures=[Failure.of(stimulus.id, "cam", error).row()])
    return helpers.submit(StimulusTasks.rows, stimulus, size, maps)


def _settled(pending: ShardTables | Ticket[ShardTables]) -> ShardTables:
    return pending if isinstance(pending, ShardTables) else pending.result()
