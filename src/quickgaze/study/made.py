"""Maps that were made in another way than by a study's CAMs: kept and scored as a run."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timezone

from quickgaze.backbones import Backbone
from quickgaze.options import StudyOptions
from quickgaze.places import PathLike, open_storage
from quickgaze.stimuli import Dataset
from quickgaze.stimuli.types import Size
from quickgaze.study._engine import read_pool
from quickgaze.study._folder import begin, check_folder
from quickgaze.study._helpers import ThreadHelpers
from quickgaze.study._lock import locked
from quickgaze.study._planning import make_plan
from quickgaze.study._progress import progress_bar
from quickgaze.study._run import Run, open_run
from quickgaze.study._settings import Settings
from quickgaze.study._tables import ShardTables, TableStore, write_json
from quickgaze.study._tasks import StimulusTasks
from quickgaze.study.manifest import Manifest
from quickgaze.study.stored import StoredMap

MapOf = Callable[[str, Size], StoredMap]
"""Gives the map of a stimulus, by id, whose image has a size; raises where there is none."""


def score_made(
    dataset: Dataset,
    backbone: Backbone,
    given: StudyOptions,
    map_of: MapOf,
    out: PathLike,
    progress: bool = True,
) -> Run:
    """Score one map for each stimulus, and keep it, in a new run folder."""
    settings, started = Settings.of(given, dataset), datetime.now(timezone.utc)
    storage = open_storage(out)
    check_folder(storage)
    plan = make_plan(settings, dataset, given.shard_size, [backbone])
    tasks = StimulusTasks(settings, (), read_pool(dataset, progress))
    store = TableStore(storage, settings.metrics)
    with (
        locked(storage) as lock,
        progress_bar(progress) as bar,
        closing(ThreadHelpers(tasks)) as helpers,
    ):
        begin(storage, plan)
        task = bar.add_task(f"scores of {dataset.name}", total=len(dataset))
        for number, part in enumerate(plan.shards()):
            tickets = [
                helpers.submit(StimulusTasks.rows_of_made, stimulus, map_of)
                for stimulus in dataset.stimuli[part]
            ]
            tables = ShardTables()
            for ticket in tickets:
                tables.extend(ticket.result())
                bar.advance(task)
            store.write(number, tables)
            lock.renew()
        run = open_run(storage)
        failed, undefined = run.failures().height, run.undefined().height
        manifest = Manifest.of(plan, failed, undefined, run.all_points(), [backbone], started)
        write_json(storage, "manifest.json", manifest.to_json(plan))
    return run
