"""What a user sees while a study runs."""

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


class RateColumn(ProgressColumn):
    """Images per second, or what the field `unit` of a task names."""

    def render(self, task: Task) -> Text:
        """Write the rate of a task."""
        speed = task.finished_speed or task.speed
        rate = "" if speed is None else f"{speed:.1f} {task.fields.get('unit', 'images')}/s"
        return Text(rate, style="progress.data.speed")


def progress_bar(show: bool) -> Progress:
    """Make a progress bar with count, rate and time left, on standard error.

    Parameters
    ----------
    show : bool
        Whether anything is shown.

    Returns
    -------
    rich.progress.Progress

    Examples
    --------
    >>> with progress_bar(show=False) as bar:
    ...     task = bar.add_task("images", total=2)
    ...     for _ in range(2):
    ...         bar.advance(task)
    ...     bar.finished
    True
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
