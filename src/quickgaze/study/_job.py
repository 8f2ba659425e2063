"""What an engine is given to do, and how it makes the worker that does it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch

from quickgaze.backbones import Backbone, load_backbone
from quickgaze.errors import OptionError, RunInterruptedError
from quickgaze.places import Storage
from quickgaze.study._helpers import Helpers, ProcessHelpers, ThreadHelpers
from quickgaze.study._settings import Settings
from quickgaze.study._tasks import StimulusTasks
from quickgaze.study._worker import Shard, Worker

MOST_PROCESSES = 8
"""Processes that read and score for one device unless told otherwise."""


@dataclass(frozen=True, eq=False)
class WorkerRecipe:
    """How a worker is made, here or on another machine."""

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
        """Load the backbones of the settings, in their order."""
        chosen = self.settings
        return [
            self.loaded.get(name)
            or load_backbone(
                name, chosen.weights, device, chosen.precision, geometry=chosen.geometry
            )
            for name in chosen.backbones
        ]

    def start_helpers(
        self, tasks: StimulusTasks, backbones: Sequence[Backbone]
    ) -> Helpers[StimulusTasks]:
        """Start what reads and scores beside a device."""
        processes = self.helpers
        if processes is None:
            elsewhere = any(backbone.device.type != "cpu" for backbone in backbones)
            cores = os.cpu_count() or 1
            processes = min(MOST_PROCESSES, cores - 1) if elsewhere else 0
        return ProcessHelpers(tasks, processes) if processes else ThreadHelpers(tasks)

    def worker(self, backbones: Sequence[Backbone], helpers: Helpers[StimulusTasks]) -> Worker:
        """Make a worker of loaded backbones and started helpers."""
        return Worker(self.settings, backbones, self.batch_size, helpers)


@dataclass(frozen=True, eq=False)
class Job:
    """What an engine is given to do."""

    title: str
    shards: Sequence[Shard]
    storage: Storage
    tasks: StimulusTasks
    recipe: WorkerRecipe
    weights_hashes: Mapping[str, str]
    progress: bool

    @property
    def stimuli(self) -> int:
        """Number of stimuli of all shards."""
        return sum(len(shard.stimuli) for shard in self.shards)

    def interrupted(self, kept: int) -> RunInterruptedError:
        """Make the error that says how far the job came."""
        return RunInterruptedError(
            f"stopped after {kept} of {len(self.shards)} shards, which are kept; run the same "
            "command again to go on from there"
        )


def find_devices(device: str) -> list[str]:
    """Find the devices that a study computes on."""
    if device == "auto" and torch.cuda.device_count() > 1:
        return [f"cuda:{number}" for number in range(torch.cuda.device_count())]
    return [name.strip() for name in device.split(",")]
