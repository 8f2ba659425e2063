"""From shards of stimuli to the rows of their tables. Every engine uses this one worker."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar

import torch

from quickgaze.backbones import Backbone, plain_torch
from quickgaze.cams import Cam, CamInput, CamOptions
from quickgaze.saliency import as_batch
from quickgaze.stimuli.types import Size, Stimulus
from quickgaze.study._helpers import HelperDiedError, Helpers, Ticket, compute_alone
from quickgaze.study._inputs import Failure
from quickgaze.study._settings import Settings
from quickgaze.study._tables import ShardTables
from quickgaze.study._tasks import StimulusTasks
from quickgaze.study.plan import cam_keys
from quickgaze.study.stored import StoredMap
from quickgaze.study.variants import NO_BACKBONE, CamKey

_T = TypeVar("_T")

_MOST_HELPERS = 8
"""Helpers that are kept busy at once, unless batches are larger."""


@dataclass(frozen=True, eq=False)
class Shard:
    """Stimuli that are computed and kept together."""

    number: int
    stimuli: Sequence[Stimulus]
    fingerprints: Sequence[str] | None = None


@dataclass(eq=False)
class _OpenShard:
    """A shard that is being computed: tables, or what will give them, by position."""

    number: int
    pending: dict[int, ShardTables | tuple[Stimulus, Ticket[Any]]] = field(default_factory=dict)

    def settle(self, position: int) -> ShardTables:
        """Wait for the tables of a stimulus."""
        pending = self.pending[position]
        if not isinstance(pending, ShardTables):
            found = _result(*pending, "score")
            pending = _failed(found) if isinstance(found, Failure) else found
            self.pending[position] = pending
        return pending

    def finished(self) -> tuple[int, ShardTables]:
        """Wait for all tables, and put their rows in order."""
        rows = ShardTables()
        for position in sorted(self.pending):
            rows.extend(self.settle(position))
        return self.number, rows


@dataclass(frozen=True, eq=False)
class _Read:
    """A stimulus that has been read, and its place in its shard."""

    position: int
    stimulus: Stimulus
    image: Any  # an Image, or the Failure to read it


class Worker:
    """Computes shards: one forward pass per image and backbone serves all variants."""

    def __init__(
        self,
        settings: Settings,
        backbones: Sequence[Backbone],
        batch_size: int,
        helpers: Helpers[StimulusTasks],
    ) -> None:
        self.settings = settings
        self.backbones = backbones
        self.batch_size = batch_size
        self.helpers = helpers
        self._unsettled: deque[tuple[_OpenShard, int]] = deque()
        # One thread for all shards: each new one would take memory of its own.
        self._staging = ThreadPoolExecutor(1, "staging", initializer=compute_alone)

    def compute(
        self, shards: Iterable[Shard], done: Callable[[int], None] = lambda _: None
    ) -> Iterator[tuple[int, ShardTables]]:
        """Compute all rows of shards, one after the other."""
        # a shard is scored while the next goes through the networks
        yield from map(_OpenShard.finished, _one_later(self._opened(shards, done)))

    def _opened(self, shards: Iterable[Shard], done: Callable[[int], None]) -> Iterator[_OpenShard]:
        for shard, readings in self._read_ahead(shards):
            current = _OpenShard(shard.number)
            for batch, images in self._staged(self._batches(shard, readings)):
                self._compute_batch(batch, images, current)
                done(len(batch))
            yield current

    def _read_ahead(self, shards: Iterable[Shard]) -> Iterator[tuple[Shard, Iterator[Any]]]:
        """Shards, each with an iterator of what its images were read as, a few ahead."""
        queue: deque[tuple[Shard, deque[Ticket[Any]]]] = deque()
        waiting = ((shard, position) for shard in shards for position in range(len(shard.stimuli)))
        ahead = 2 * self.batch_size + 2

        def submit(count: int) -> None:
            for shard, position in islice(waiting, count):
                if not queue or queue[-1][0] is not shard:
                    queue.append((shard, deque()))
                expected = None if shard.fingerprints is None else shard.fingerprints[position]
                queue[-1][1].append(
                    self.helpers.submit(StimulusTasks.image, shard.stimuli[position], expected)
                )

        def readings(shard: Shard, tickets: deque[Ticket[Any]]) -> Iterator[Any]:
            for stimulus in shard.stimuli:
                submit(1)
                yield _result(stimulus, tickets.popleft(), "image")

        submit(ahead)
        while queue:
            shard, tickets = queue[0]
            yield shard, readings(shard, tickets)
            queue.popleft()

    def _batches(self, shard: Shard, readings: Iterator[Any]) -> Iterator[list[_Read]]:
        """Batches of equally large images; each failure is a batch of its own."""
        by_size: dict[Size, list[_Read]] = {}
        for position, (stimulus, image) in enumerate(zip(shard.stimuli, readings, strict=True)):
            read = _Read(position, stimulus, image)
            if isinstance(image, Failure):
                yield [read]
                continue
            size = (image.shape[0], image.shape[1])
            by_size.setdefault(size, []).append(read)
            if len(by_size[size]) == self.batch_size:
                yield by_size.pop(size)
        yield from by_size.values()

    def _staged(
        self, batches: Iterator[list[_Read]]
    ) -> Iterator[tuple[list[_Read], Future[torch.Tensor]]]:
        """Batches, the images of the next on their way to the device before one is computed."""
        return _one_later((batch, self._staging.submit(self._stage, batch)) for batch in batches)

    def _stage(self, batch: Sequence[_Read]) -> torch.Tensor:
        device = self.backbones[0].device if self.backbones else "cpu"
        return as_batch([read.image for read in batch], device)

    def _compute_batch(
        self, batch: Sequence[_Read], images: Future[torch.Tensor], shard: _OpenShard
    ) -> None:
        """Compute the CAMs of a batch, and have them scored."""
        first = batch[0]
        if isinstance(first.image, Failure):
            shard.pending[first.position] = _failed(first.image)
            return
        try:
            cams = self._cams(images.result())
        except Exception as error:  # noqa: BLE001 - found out whose fault it is below
            if len(batch) == 1:
                failure = Failure.of(first.stimulus.id, "cam", error)
                shard.pending[first.position] = _failed(failure)
                return
            for alone, staged in self._staged([read] for read in batch):
                self._compute_batch(alone, staged, shard)
            return
        for read, own in zip(batch, cams, strict=True):
            size = (read.image.shape[0], read.image.shape[1])
            maps = [StoredMap(read.stimulus.id, key, size, cam) for key, cam in own]
            ticket = self.helpers.submit(StimulusTasks.rows, read.stimulus, size, maps)
            shard.pending[read.position] = (read.stimulus, ticket)
            self._unsettled.append((shard, read.position))
        # CAMs on their way to slow helpers would fill the memory.
        while len(self._unsettled) > 2 * self.batch_size + 2 * _MOST_HELPERS:
            oldest, position = self._unsettled.popleft()
            oldest.settle(position)

    @plain_torch()
    def _cams(self, images: torch.Tensor) -> list[list[tuple[CamKey, Cam]]]:
        """CAMs of each image of a batch (B, 3, H, W), on the CPU."""
        settings = self.settings
        computed: list[tuple[CamKey, Cam]] = []
        for backbone in self.backbones:
            given = CamInput(backbone, images)
            for key in cam_keys(settings, backbone.name):
                options = CamOptions.of(settings, key.grid, key.component)
                computed.append((key, settings.cam(key.cam).compute(given, options)))
        for key in cam_keys(settings, NO_BACKBONE):
            compute = settings.cam(key.cam).of_images
            if compute is not None:
                computed.append((key, compute(images)))
        # Only now, because to fetch a result is to wait for a device.
        cams: list[list[tuple[CamKey, Cam]]] = [[] for _ in images]
        for key, cam in computed:
            for own, part in zip(cams, cam.images(settings.orientations), strict=True):
                own.append((key, part))
        return cams


def _one_later(items: Iterable[_T]) -> Iterator[_T]:
    """Each item once the next one has been made."""
    made: deque[_T] = deque()
    for item in items:
        made.append(item)
        if len(made) > 1:
            yield made.popleft()
    yield from made


def _result(stimulus: Stimulus, ticket: Ticket[Any], stage: str) -> Any:
    """Wait for a task; where its process died, the stimulus has failed."""
    try:
        return ticket.result()
    except HelperDiedError as error:
        return Failure.of(stimulus.id, stage, error)


def _failed(failure: Failure) -> ShardTables:
    return ShardTables(failures=[failure.row()])
