"""The Ray engine: the shards that are missing, on the machines of a cluster."""

from __future__ import annotations

import logging
import pickle
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from quickgaze.backbones import keep_freed_memory
from quickgaze.errors import OptionError, RunError, first_line, require
from quickgaze.study._helpers import ThreadHelpers, blas_alone
from quickgaze.study._job import Job
from quickgaze.study._lock import RunLock
from quickgaze.study._progress import progress_bar
from quickgaze.study._tables import TableStore


@dataclass(frozen=True)
class Share:
    """What one actor takes of a cluster, and how many actors there may be."""

    actors: int
    cpus: float
    gpus: int


def share_of(nodes: list[Mapping[str, float]]) -> Share:
    """Divide a cluster among actors, leaving each machine room to read and write.

    An actor pool that takes every processor starves the tasks that feed it, and both wait for ever.
    """
    gpus = int(sum(node.get("GPU", 0) for node in nodes))
    if gpus:
        return Share(gpus, 1.0, 1)
    processors = [node["CPU"] for node in nodes if node.get("CPU", 0) > 0]
    if not processors:
        raise OptionError("the Ray cluster has no processors; start a machine that has some")
    smallest = min(processors)
    return Share(len(processors), smallest - 1 if smallest > 1 else smallest / 2, 0)


class ShardActor:
    """Computes shards on one machine of a cluster, and writes them into the run folder itself."""

    def __init__(self, given: bytes, share: Share) -> None:
        job: Job = pickle.loads(given)  # noqa: S301 - made by this engine, on the driver
        if not share.gpus:
            torch.set_num_threads(max(1, round(share.cpus)))
        keep_freed_memory()
        backbones = job.recipe.load_backbones("cuda" if share.gpus else "cpu")
        for backbone in backbones:
            if backbone.weights_hash != job.weights_hashes[backbone.name]:
                raise RunError(
                    f"{backbone.name} has other weights on this machine of the cluster than "
                    "where the study was started; give all machines the same files"
                )
        self._store = TableStore(job.storage, job.recipe.settings.metrics)
        blas_alone()
        self._worker = job.recipe.worker(backbones, ThreadHelpers(job.tasks))

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """Compute and write the shards of a batch; give their numbers and sizes."""
        shards = [pickle.loads(content) for content in batch["shard"]]  # noqa: S301 - as above
        for number, tables in self._worker.compute(shards):
            self._store.write(number, tables)
        return {
            "number": np.array([shard.number for shard in shards]),
            "stimuli": np.array([len(shard.stimuli) for shard in shards]),
        }


def run_on_ray(job: Job, lock: RunLock, address: str | None) -> None:
    """Compute and keep the shards of a job on a cluster.

    Whatever a lost machine or process had begun is computed again elsewhere; a shard that is
    written twice is the same both times.
    """
    if not job.shards:
        return
    with _cluster(address) as ray:
        alive = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        share = share_of(alive)
        kept = 0
        with progress_bar(job.progress) as bar:
            task = bar.add_task(job.title, total=job.stimuli)
            try:
                for row in _computed(ray, job, share):
                    bar.advance(task, int(row["stimuli"]))
                    lock.renew()
                    kept += 1
            except KeyboardInterrupt:
                raise job.interrupted(kept) from None
            except ray.exceptions.RayError as error:
                raise RunError(
                    f"the cluster gave up after {kept} of {len(job.shards)} shards, which are "
                    f"kept ({first_line(error)}); run the same command again to go on from there"
                ) from error


def _computed(ray: Any, job: Job, share: Share) -> Iterator[Mapping[str, Any]]:
    """Have all shards computed, and report each as it is done."""
    context = ray.data.DataContext.get_current().copy()
    context.enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    # Everything but the shards is the same for all actors, and sent once to each machine.
    given = pickle.dumps(replace(job, shards=()))
    items = [{"shard": pickle.dumps(shard)} for shard in job.shards]
    with ray.data.DataContext.current(context):
        shards = ray.data.from_items(items, override_num_blocks=len(items))
        done = shards.map_batches(
            ShardActor,
            fn_constructor_args=(given, share),
            batch_size=1,
            compute=ray.data.ActorPoolStrategy(min_size=1, max_size=share.actors),
            num_cpus=share.cpus,
            num_gpus=share.gpus or None,
        )
        yield from done.iter_rows()


@contextmanager
def _cluster(address: str | None) -> Iterator[Any]:
    """Give Ray, connected to a cluster; disconnect from it if that was done here."""
    ray: Any = require("ray", "ray", "the engine 'ray'")
    require("ray.data", "ray", "the engine 'ray'")
    if ray.is_initialized():
        yield ray
        return
    if address is not None:
        _knock(address)
    try:
        ray.init(
            address=address or "local",
            include_dashboard=None if address else False,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise OptionError(f"the Ray cluster at {address} cannot be reached: {error}") from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """Find out in seconds what Ray would take minutes to give up on."""
    host, separator, port = address.removeprefix("ray://").rpartition(":")
    if not (separator and port.isdigit()):
        return
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except OSError as error:
        raise OptionError(
            f"the Ray cluster at {address} cannot be reached: {error}; name the address and port "
            "of its head, as `ray start --head` prints them"
        ) from error
