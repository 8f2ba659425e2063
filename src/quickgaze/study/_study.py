"""`Study`: a data set, scored under every combination of the options."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from quickgaze.backbones import Backbone
from quickgaze.catalogue import check_known
from quickgaze.errors import DatasetError, OptionError
from quickgaze.options import Named, StudyOptions, documented, takes
from quickgaze.places import PathLike, open_storage
from quickgaze.stimuli import Dataset
from quickgaze.study._engine import read_pool, run_locally
from quickgaze.study._fitted import check_backbones, with_readout
from quickgaze.study._folder import check_folder, complete_run
from quickgaze.study._inputs import needs
from quickgaze.study._job import Job, WorkerRecipe, find_devices
from quickgaze.study._lock import RunLock
from quickgaze.study._precomputed import open_precomputed
from quickgaze.study._run import Run
from quickgaze.study._settings import Settings
from quickgaze.study._tasks import StimulusTasks
from quickgaze.study._worker import Shard
from quickgaze.study.manifest import BackboneFacts
from quickgaze.study.planning import make_plan

ENGINES = ("local", "ray")


@dataclass(frozen=True)
class _Scored:
    dataset: Dataset


# the data set comes first: fields of the class named last do
@dataclass(frozen=True)
class _Given(StudyOptions, _Scored):
    """What a study is given."""


@documented(StudyOptions)
class Study:
    """A data set, scored under every combination of the options.

    Parameters
    ----------
    dataset : Dataset
        What to score on.
    {options}

    Raises
    ------
    UnknownNameError
        If a name is not known; the message offers the nearest.
    OptionError
        If an option cannot be used. Nothing has been computed.

    Notes
    -----
    A `Backbone`, `CamMethod` or `Metric` that is given as an object goes by its own name in the
    run. `weights`, `device`, `precision` and `geometry` are for the backbones given by name; on
    several GPUs, `device` ``"auto"`` takes all, and several devices are separated by commas.

    Examples
    --------
    >>> import tempfile
    >>> import quickgaze as qg
    >>> study = qg.Study(qg.load_dataset("popout", n=1), orientations=["activation"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     study.run(folder, progress=False).scores().columns[-4:]
    ['nss', 'auc', 'explained_variance', 'orientation_margin']
    """

    @takes(_Given)
    def __init__(self, given: _Given) -> None:
        self.dataset = given.dataset
        self.device = given.device
        self.shard_size = given.shard_size
        given = with_readout(given)
        self.loaded = _loaded(given.backbones or ())
        self.settings = Settings.of(given, self.dataset)
        if len(self.dataset) == 0:
            raise DatasetError(f"{self.dataset!r} is empty; there is nothing to score")
        stimuli = [stimulus.id for stimulus in self.dataset]
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
            How many images of the same size go through a network together; changes no value
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
        check_known("engine", engine, ENGINES)
        if address is not None and engine != "ray":
            raise OptionError(f"address is {address!r}; only the engine 'ray' has one")
        recipe = WorkerRecipe(self.settings, batch_size, helpers, self.loaded)
        storage = open_storage(out)
        check_folder(storage)
        devices = find_devices(self.device)
        backbones = recipe.load_backbones(devices[0])
        check_backbones(self.settings, backbones)
        plan = make_plan(self.settings, self.dataset, self.shard_size, backbones, self.precomputed)

        def compute(lock: RunLock, missing: Sequence[int]) -> None:
            parts = plan.shards()
            shards = [
                Shard(number, self.dataset.stimuli[parts[number]], plan.fingerprints[parts[number]])
                for number in missing
            ]
            pool = None
            if missing and (self.settings.bounds or needs(self.settings)):
                pool = read_pool(self.dataset, progress)
            tasks = StimulusTasks(self.settings, self.precomputed, pool)
            hashes = plan.weights_hashes
            job = Job(self.dataset.name, shards, storage, tasks, recipe, hashes, progress)
            if engine == "ray":
                from quickgaze.study._ray_engine import run_on_ray  # noqa: PLC0415 - an extra

                run_on_ray(job, lock, address)
            else:
                run_locally(job, lock, devices, backbones)

        facts = {each.name: BackboneFacts.of(each) for each in backbones}
        return complete_run(storage, plan, facts, compute)


def _loaded(backbones: Sequence[str | Named]) -> dict[str, Backbone]:
    """Backbones that were given as objects, by name."""
    loaded: dict[str, Backbone] = {}
    named = {each for each in backbones if isinstance(each, str)}
    for backbone in backbones:
        if isinstance(backbone, str):
            continue
        if not isinstance(backbone, Backbone):
            raise OptionError(
                f"{backbone!r} is not a backbone; give a name, or what load_backbone or "
                "wrap_backbone gave"
            )
        if backbone.name in named or loaded.get(backbone.name, backbone) is not backbone:
            raise OptionError(
                f"two of the backbones have the name {backbone.name!r}; give them names that "
                "differ, or score them in two studies"
            )
        loaded[backbone.name] = backbone
    return loaded
