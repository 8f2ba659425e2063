"""The local engine: one shard after the other, on this machine."""

from __future__ import annotations

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from quickgaze.bounds import GazePool
from quickgaze.stimuli import Dataset
from quickgaze.study.plan import Plan
from quickgaze.study.tables import TableStore
from quickgaze.study.worker import Worker


class RateColumn(ProgressColumn):
    """Images per second."""

    def render(self, task: Task) -> Text:
        """Write the rate of a task."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.1f} images/s", style="progress.data.speed")


def progress_bar(show: bool) -> Progress:
    """Make a progress bar with count, rate and time left, on standard error.

    Parameters
    ----------
    show : bool
        Whether anything is shown.

    Returns
    -------
    rich.progress.Progress
    """
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        RateColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not show,
        speed_estimate_period=300,
    )


def read_pool(dataset: Dataset, progress: bool) -> GazePool:
    """Read all gaze of a data set, which bounds and some metrics need before they begin.

    Parameters
    ----------
    dataset : Dataset
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    GazePool
    """
    with progress_bar(progress) as bar:
        task = bar.add_task(f"gaze of {dataset.name}", total=len(dataset))
        return GazePool.read(dataset, lambda more: bar.advance(task, more))


def run_locally(
    plan: Plan, dataset: Dataset, worker: Worker, store: TableStore, progress: bool
) -> None:
    """Compute the shards that are missing, in order.

    Parameters
    ----------
    plan : Plan
        What to compute.
    dataset : Dataset
        The stimuli, in the plan's order.
    worker : Worker
        Computes a shard.
    store : TableStore
        Takes it.
    progress : bool
        Whether to show a progress bar.
    """
    missing = [
        (number, shard) for number, shard in enumerate(plan.shards()) if not store.has(number)
    ]
    with progress_bar(progress) as bar:
        task = bar.add_task(dataset.name, total=sum(len(shard) for _, shard in missing))
        for number, shard in missing:
            stimuli = dataset.stimuli[shard.start : shard.stop]
            store.write(number, worker.compute(stimuli, lambda more: bar.advance(task, more)))
