"""The local engine: the shards that are missing, on the devices of this machine."""

from __future__ import annotations

import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from types import FrameType

from quickgaze.backbones import Backbone
from quickgaze.bounds import GazePool
from quickgaze.stimuli import Dataset
from quickgaze.study._helpers import blas_alone
from quickgaze.study._job import Job
from quickgaze.study._lock import RunLock
from quickgaze.study._progress import progress_bar
from quickgaze.study._tables import TableStore
from quickgaze.study._worker import Shard, Worker


def read_pool(dataset: Dataset, progress: bool) -> GazePool:
    """Read all gaze of a data set, which bounds and some metrics need before they begin."""
    with progress_bar(progress) as bar:
        task = bar.add_task(f"gaze of {dataset.name}", total=len(dataset))
        return GazePool.read(dataset, lambda more: bar.advance(task, more))


def run_locally(
    job: Job, lock: RunLock, devices: Sequence[str], backbones: Sequence[Backbone]
) -> None:
    """Compute and keep the shards of a job, each device its own."""
    recipe = job.recipe
    loaded = [backbones, *(recipe.load_backbones(device) for device in devices[1:])]
    helpers = [recipe.start_helpers(job.tasks, each) for each in loaded]
    try:
        workers = [recipe.worker(*each) for each in zip(loaded, helpers, strict=True)]
        with blas_alone():
            _compute(job, lock, workers)
    finally:
        for each in helpers:
            each.close()


def _compute(job: Job, lock: RunLock, workers: Sequence[Worker]) -> None:
    """Let workers compute until no shard is left, or until Ctrl-C."""
    waiting = deque(job.shards)
    store = TableStore(job.storage, job.recipe.settings.metrics)
    with progress_bar(job.progress) as bar, _finish_on_interrupt(waiting.clear, bar.console.print):
        task = bar.add_task(job.title, total=job.stimuli)

        def shards() -> Iterator[Shard]:
            with suppress(IndexError):
                while True:
                    yield waiting.popleft()

        def compute(worker: Worker) -> int:
            kept = 0
            try:
                for number, tables in worker.compute(
                    shards(), lambda more: bar.advance(task, more)
                ):
                    store.write(number, tables)
                    lock.renew()
                    kept += 1
            except BaseException:
                waiting.clear()
                raise
            return kept

        kept = sum(_on_each(compute, workers))
    if kept < len(job.shards):
        raise job.interrupted(kept)


def _on_each(compute: Callable[[Worker], int], workers: Sequence[Worker]) -> list[int]:
    """Let each worker compute; a single one in this thread."""
    if len(workers) == 1:
        return [compute(workers[0])]
    with ThreadPoolExecutor(len(workers), thread_name_prefix="device") as threads:
        return list(threads.map(compute, workers))


@contextmanager
def _finish_on_interrupt(stop: Callable[[], None], tell: Callable[[str], None]) -> Iterator[None]:
    """Turn the first Ctrl-C into a request to stop; the second interrupts as always."""
    if threading.current_thread() is not threading.main_thread():
        # signals reach the main thread alone
        yield
        return

    def handle(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, before)
        stop()
        tell("stopping: what has been begun is finished and kept; Ctrl-C again stops at once")

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
