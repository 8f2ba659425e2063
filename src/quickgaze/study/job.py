"""What an engine is given to do, and how it makes the worker that does it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch

from quickgaze.backbones import Backbone, load_backbone
from quickgaze.errors import OptionError
from quickgaze.places import Storage
from quickgaze.study.helpers import Helpers, ProcessHelpers, ThreadHelpers
from quickgaze.study.plan import Settings
from quickgaze.study.tasks import StimulusTasks
from quickgaze.study.worker import Shard, Worker

MOST_PROCESSES = 8
"""Processes that read and score for one device unless told otherwise."""


@dataclass(frozen=True, eq=False)
class WorkerRecipe:
    """How a worker is made, here or on another machine.

    Parameters
    ----------
    settings : Settings
    batch_size : int
        Images that go through a network together.
    helpers : int or None
        Processes that read and score beside each device; 0 for threads. None chooses: threads
        where the network itself takes all cores, processes where it has a device of its own.
    loaded : mapping of str to Backbone
        Those of the backbones that were given as objects, by name.
    """

    settings: Settings
    batch_size: int
    helpers: int | None = None
    loaded: Mapping[str, Backbone] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise OptionError(f"batch_size is {self.batch_size}; give at least 1")
        if self.helpers is not None and self.helpers < 0:
            raise OptionError(f"helpers is {self.helpers}; give 0 for threads, or more")

    def load_backbones(self, device: str) -> list[Backbone]:
        """Load the backbones of the settings, in their order.

        Parameters
        ----------
        device : str
            Where they compute; those that were given as objects stay where they are.

        Returns
        -------
        list of Backbone
        """
        settings = self.settings
        return [
            self.loaded.get(name)
            or load_backbone(
                name,
                settings.weights,
                device,
                settings.precision,
                geometry=settings.geometry,
            )
            for name in settings.backbones
        ]

    def start_helpers(self, tasks: StimulusTasks, backbones: Sequence[Backbone]) -> Helpers:
        """Start what reads and scores beside a device.

        Parameters
        ----------
        tasks : StimulusTasks
        backbones : sequence of Backbone
            What computes on the device.

        Returns
        -------
        Helpers
        """
        processes = self.helpers
        if processes is None:
            elsewhere = any(backbone.device.type != "cpu" for backbone in backbones)
            cores = os.cpu_count() or 1
            processes = min(MOST_PROCESSES, cores - 1) if elsewhere else 0
        return ProcessHelpers(tasks, processes) if processes else ThreadHelpers(tasks)

    def worker(self, backbones: Sequence[Backbone], helpers: Helpers) -> Worker:
        """Make a worker of loaded backbones and started helpers."""
        return Worker(self.settings, backbones, self.batch_size, helpers)


@dataclass(frozen=True, eq=False)
class Job:
    """What an engine is given to do.

    Parameters
    ----------
    title : str
        Of the progress bar.
    shards : sequence of Shard
        Those that are missing.
    storage : Storage
        The run folder.
    tasks : StimulusTasks
        What is done for each stimulus away from the device.
    recipe : WorkerRecipe
        How workers are made.
    weights_hashes : mapping of str to str
        Of the weights that every worker must have, by backbone.
    progress : bool
        Whether to show a progress bar.
    """

    title: str
    shards: Sequence[Shard]
    storage: Storage
    tasks: StimulusTasks
    recipe: WorkerRecipe
    weights_hashes: Mapping[str, str]
    progress: bool


def find_devices(device: str) -> list[str]:
    """Find the devices that a study computes on.

    Parameters
    ----------
    device : str
        One or several, separated by commas; ``"auto"`` takes all GPUs, or else the CPU.

    Returns
    -------
    list of str
        At least one.

    Examples
    --------
    >>> find_devices("cpu"), find_devices("cuda:0, cuda:1")
    (['cpu'], ['cuda:0', 'cuda:1'])
    """
    if device == "auto" and torch.cuda.device_count() > 1:
        return [f"cuda:{number}" for number in range(torch.cuda.device_count())]
    return [name.strip() for name in device.split(",")]
