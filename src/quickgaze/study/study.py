"""`Study`: a data set, scored under every combination of the options."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from typing import Any

from quickgaze.backbones import Backbone
from quickgaze.backbones.spec import WeightsChoice
from quickgaze.cams import ORIENTATIONS
from quickgaze.catalogue import unknown_name
from quickgaze.errors import DatasetError, OptionError
from quickgaze.places import PathLike, Storage, open_storage
from quickgaze.stimuli import Dataset
from quickgaze.study.defaults import default_bounds, default_metrics
from quickgaze.study.engine import read_pool, run_locally
from quickgaze.study.folder import begin, check_folder, missing_shards
from quickgaze.study.inputs import needs
from quickgaze.study.job import Job, WorkerRecipe, find_devices
from quickgaze.study.lock import locked
from quickgaze.study.manifest import manifest
from quickgaze.study.plan import Plan, Settings
from quickgaze.study.precomputed import open_precomputed
from quickgaze.study.run import Run, open_run
from quickgaze.study.tables import TableStore, write_json
from quickgaze.study.tasks import StimulusTasks
from quickgaze.study.worker import Shard

ENGINES = ("local", "ray")


class Study:
    """A data set, scored under every combination of the options.

    Parameters
    ----------
    dataset : Dataset
        What to score on.
    backbones : sequence of str or Backbone, optional
        As for `SaliencyModel`. What is given as an object goes by its own name. By default
        ``"efficientnet_lite0"``, or none where there are `maps` and no `cams`.
    cams : sequence of str, optional
        As for `SaliencyModel`; by default ``"eigen"``.
    grids : sequence of str
        As for `SaliencyModel`.
    orientations : sequence of str, optional
        Rules that fix the sign; all by default, which costs no more than two.
    sigmas : sequence of float
        Blurs of the saliency map in pixels; 0 is none.
    metrics : sequence of str, optional
        Names; by default the usual ones of the convention.
    components : sequence of int
        Principal components, from 0.
    convention : str
        That the metrics are computed in.
    density_sigma : float, optional
        Blur in pixels of fixations where the data set provides no density; by default the one
        that the data set's authors use.
    levels : sequence of str, optional
        Levels of the pyramid to use; all by default.
    level_scale : {"none", "std"}
        ``"std"`` divides each level by its standard deviation.
    fusion : {"concatenate", "mean"}
        Whether the levels' channels are joined, or a map is made of each level and averaged.
    rectify : bool
        Whether negative values of the CAM are set to 0.
    weights : str or path
        ``"default"``, ``"none"`` (random) or a file. This and the next three options are for
        the backbones that are given by name.
    device : str
        ``"auto"`` takes all GPUs, or else the CPU; several are separated by commas.
    precision : {"auto", "fp32", "tf32", "bf16"}
        What the backbones compute in.
    geometry : str
        How images are resized for them: ``"default"``, ``"native"``, ``"detector"`` or
        ``"short:480"``.
    shard_size : int
        Stimuli per shard, the unit in which results are kept.
    maps : mapping of str to path, optional
        Maps that were computed elsewhere, by the model's name: a folder of images in shades of
        grey or ``.npy`` files, or an HDF5 file, called as the stimuli and of their sizes. They
        are scored as they are, under every blur in `sigmas` (0 is none), with the name as
        ``backbone``, the cam ``"precomputed"`` and the orientation ``"none"``.
    bounds : sequence of str, optional
        Baselines and ceilings to compute from the data set, to hold the scores against; by
        default all that it has the gaze for, see `default_bounds`.
    draws : int
        How many observers, and splits into halves, each stimulus's ceilings are averaged over.
    seed : int
        Of all draws: of observers, of halves, and in the metrics that draw.

    Raises
    ------
    UnknownNameError
        If a name is not known; the message offers the nearest.
    OptionError
        If an option cannot be used. Nothing has been computed.

    Examples
    --------
    >>> import tempfile
    >>> import quickgaze as qg
    >>> study = qg.Study(qg.load_dataset("popout", n=1), orientations=["activation"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     study.run(folder, progress=False).scores().columns[-4:]
    ['nss', 'auc', 'explained_variance', 'orientation_margin']
    """

    def __init__(
        self,
        dataset: Dataset,
        backbones: Sequence[str | Backbone] | None = None,
        cams: Sequence[str] | None = None,
        grids: Sequence[str] = ("coarsest",),
        orientations: Sequence[str] | None = None,
        sigmas: Sequence[float] = (19.0,),
        metrics: Sequence[str] | None = None,
        *,
        components: Sequence[int] = (0,),
        convention: str = "tuebingen",
        density_sigma: float | None = None,
        levels: Sequence[str] | None = None,
        level_scale: str = "none",
        fusion: str = "concatenate",
        rectify: bool = True,
        weights: WeightsChoice = "default",
        device: str = "auto",
        precision: str = "auto",
        geometry: str = "default",
        shard_size: int = 64,
        maps: Mapping[str, PathLike] | None = None,
        bounds: Sequence[str] | None = None,
        draws: int = 5,
        seed: int = 0,
    ) -> None:
        maps_alone = bool(maps) and cams is None
        if backbones is None:
            backbones = () if maps_alone else ("efficientnet_lite0",)
        if cams is None:
            cams = ("eigen",) if backbones else ()
        self.dataset = dataset
        self.device = device
        self.shard_size = shard_size
        self.loaded = _loaded(backbones)
        self.settings = Settings(
            backbones=_once(each if isinstance(each, str) else each.name for each in backbones),
            cams=_once(cams),
            grids=_once(grids),
            components=_once(components),
            orientations=_once(ORIENTATIONS.entries() if orientations is None else orientations),
            sigmas=_once(float(sigma) for sigma in sigmas),
            metrics=_once(default_metrics(convention) if metrics is None else metrics),
            convention=convention,
            density_sigma=dataset.density_sigma if density_sigma is None else density_sigma,
            levels=None if levels is None else _once(levels),
            level_scale=level_scale,
            fusion=fusion,
            rectify=rectify,
            weights=str(weights),
            precision=precision,
            geometry=geometry,
            maps={name: os.fspath(path) for name, path in (maps or {}).items()},
            bounds=_once(default_bounds(dataset) if bounds is None else bounds),
            draws=draws,
            seed=seed,
            loaded={name: backbone.spec for name, backbone in self.loaded.items()},
        )
        if len(dataset) == 0:
            raise DatasetError(f"{dataset!r} is empty; there is nothing to score")
        stimuli = [stimulus.id for stimulus in dataset]
        self.precomputed = open_precomputed(self.settings.maps, stimuli)

    def run(
        self,
        out: PathLike,
        engine: str = "local",
        *,
        batch_size: int = 4,
        helpers: int | None = None,
        address: str | None = None,
        progress: bool = True,
    ) -> Run:
        """Compute what is not there yet and write it into a run folder.

        A shard of stimuli is written whole or not at all. If `out` holds an unfinished run of
        the same study, only its missing or damaged shards are computed. Ctrl-C finishes and
        keeps what has been begun.

        Parameters
        ----------
        out : path or str
            The run folder, made if it is not there; a local path, or the URL of a folder of an
            object store, as ``s3://bucket/run``.
        engine : {"local", "ray"}
            Where to compute: on the devices of this machine, or on a Ray cluster.
        batch_size : int
            How many equally large images go through a network together; changes no value
            beyond float rounding.
        helpers : int, optional
            Processes that read images and score maps beside each device; 0 is threads instead.
            By default threads where the network computes on the CPU, processes beside a GPU.
        address : str, optional
            Of a Ray cluster; one is started on this machine by default.
        progress : bool
            Whether to show a progress bar with rate and time left, on standard error.

        Returns
        -------
        Run
            Complete; stimuli that could not be scored stand in its `failures`.

        Raises
        ------
        RunError
            If `out` holds something else, a run of another study (says what differs), is being
            written by another process (says which), or cannot be written.
        RunInterruptedError
            After Ctrl-C.
        UnknownNameError
            If there is no such engine.
        WeightsError
            If weights cannot be found or do not fit.
        """
        if engine not in ENGINES:
            raise unknown_name("engine", engine, ENGINES)
        if address is not None and engine != "ray":
            raise OptionError(f"address is {address!r}; only the engine 'ray' has one")
        recipe = WorkerRecipe(self.settings, batch_size, helpers, self.loaded)
        storage = open_storage(out)
        check_folder(storage)
        devices = find_devices(self.device)
        backbones = recipe.load_backbones(devices[0])
        plan = self._plan(backbones)
        started = datetime.now(timezone.utc)
        with locked(storage) as lock:
            begin(storage, plan)
            store = TableStore(storage, self.settings.metrics)
            missing = missing_shards(store, len(plan.shards()))
            run = open_run(storage)
            if run.complete and not missing:
                return run
            storage.remove("manifest.json")
            job = self._job(plan, missing, storage, recipe, progress)
            if engine == "ray":
                from quickgaze.study.ray_engine import run_on_ray  # noqa: PLC0415 - an extra

                run_on_ray(job, lock, address)
            else:
                run_locally(job, lock, devices, backbones)
            write_json(storage, "manifest.json", manifest(plan, run, backbones, started))
        return run

    def _job(
        self,
        plan: Plan,
        missing: Sequence[int],
        storage: Storage,
        recipe: WorkerRecipe,
        progress: bool,
    ) -> Job:
        settings, ranges = self.settings, plan.shards()
        pool = None
        if missing and (settings.bounds or needs(settings.metrics)):
            pool = read_pool(self.dataset, progress)
        shards = [
            Shard(
                number,
                self.dataset.stimuli[ranges[number].start : ranges[number].stop],
                plan.fingerprints[ranges[number].start : ranges[number].stop],
            )
            for number in missing
        ]
        tasks = StimulusTasks(settings, self.precomputed, pool)
        hashes = plan.weights_hashes
        return Job(self.dataset.name, shards, storage, tasks, recipe, hashes, progress)

    def _plan(self, backbones: Sequence[Backbone]) -> Plan:
        dataset = self.dataset
        prints = dataset.fingerprints()
        description = {
            "name": dataset.name,
            "edition": dataset.edition,
            "gaze": dataset.gaze,
            "fingerprint": dataset.fingerprint(prints),
            "missing": len(dataset.missing),
            "notes": list(dataset.notes),
        }
        hashes = {backbone.name: backbone.weights_hash for backbone in backbones}
        stimuli = tuple(stimulus.id for stimulus in dataset)
        inputs = {backbone.name: _inputs(backbone) for backbone in backbones}
        maps = {each.name: each.source.fingerprint for each in self.precomputed}
        return Plan(
            self.settings,
            description,
            hashes,
            stimuli,
            self.shard_size,
            inputs,
            maps,
            tuple(prints),
        )


def _loaded(backbones: Sequence[str | Backbone]) -> dict[str, Backbone]:
    """Backbones that were given as objects, by name."""
    loaded: dict[str, Backbone] = {}
    named = {each for each in backbones if isinstance(each, str)}
    for backbone in backbones:
        if isinstance(backbone, str):
            continue
        if backbone.name in named or loaded.get(backbone.name, backbone) is not backbone:
            raise OptionError(
                f"two of the backbones have the name {backbone.name!r}; give them names that "
                "differ, or score them in two studies"
            )
        loaded[backbone.name] = backbone
    return loaded


def _inputs(backbone: Backbone) -> dict[str, Any]:
    """Say what decides the features beside the weights, as plain values."""
    spec = backbone.spec
    geometry = asdict(spec.geometry)
    size = spec.geometry.fixed_size
    return {
        "geometry": {**geometry, "fixed_size": None if size is None else list(size)},
        "mean": list(spec.mean),
        "std": list(spec.std),
        "levels": [f"{level.name}:{level.stride}" for level in spec.levels],
        "precision": backbone.precision,
    }


def _once(names: Any) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(names))
