"""`Run`: a run folder, read."""

from __future__ import annotations

import json
import os
from html import escape
from pathlib import Path
from typing import Any

import polars as pl

from quickgaze.errors import RunError
from quickgaze.places import PathLike, Storage, open_storage
from quickgaze.stimuli.points import Points
from quickgaze.study._tables import TableStore
from quickgaze.study.manifest import Manifest
from quickgaze.study.plan import FORMAT, Plan


class Run:
    """What stands in a run folder. Made by `open_run`.

    Parameters
    ----------
    storage : Storage
        The folder.
    plan : Plan
        What was to be computed: ``settings``, ``dataset``, ``stimuli`` and what else tells it
        from others. Also a mapping of what the file holds: ``plan["settings"]``.

    Examples
    --------
    >>> import tempfile
    >>> import quickgaze as qg
    >>> displays = qg.load_dataset("popout", n=2)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = qg.Study(displays, metrics=["cc"]).run(folder, progress=False)
    ...     run.scores().height, run.failures().height, run.complete
    (12, 0, True)
    """

    def __init__(self, storage: Storage, plan: Plan) -> None:
        self.plan = plan
        self._storage = storage
        self._store = TableStore(storage, plan.settings.metrics)

    def __repr__(self) -> str:
        state = "complete" if self.complete else "incomplete"
        return f"Run({self.place!r}, {len(self.plan.stimuli)} stimuli, {state})"

    def _repr_html_(self) -> str:
        """Say what the run is, for notebooks."""
        dataset = self.plan.dataset
        facts = {
            "run": self.place,
            "state": "complete" if self.complete else "incomplete",
            "data set": dataset.title,
            "stimuli": f"{len(self.plan.stimuli):,}",
            "failed": f"{self.failures().height:,}",
            "gaze": self.all_points().in_words(),
            "metrics": ", ".join(self.metrics),
        }
        cells = (
            f"<tr><th>{escape(name)}</th><td>{escape(fact)}</td></tr>"
            for name, fact in facts.items()
        )
        return f"<table>{''.join(cells)}</table>"

    @property
    def place(self) -> str:
        """Where the run lies: a path, or a URL."""
        return self._storage.place

    @property
    def path(self) -> Path:
        """The folder of a run on this machine.

        Raises
        ------
        RunError
            If the run lies elsewhere.
        """
        if isinstance(self._storage.folder, Path):
            return self._storage.folder
        raise RunError(f"{self.place} is not on this machine; copy it here first")

    @property
    def complete(self) -> bool:
        """Whether every shard has been computed."""
        return "manifest.json" in self._storage.names()

    @property
    def manifest(self) -> Manifest:
        """Backbones, versions, counts and times of a complete run.

        Also a mapping of what the file holds: ``manifest["settings"]``.

        Raises
        ------
        RunError
            If the run is not complete.
        """
        if not self.complete:
            raise RunError(f"{self.place} is not complete; run the same study again to finish it")
        return Manifest.from_json(_read_json(self._storage, "manifest.json"))

    @property
    def metrics(self) -> list[str]:
        """Names of the metrics, in the order of their columns."""
        return list(self.plan.settings.metrics)

    def scores(self) -> pl.DataFrame:
        """One row per stimulus and variant: its keys, then one column a metric.

        Returns
        -------
        polars.DataFrame
            ``stimulus, backbone, cam, grid, component, orientation, sigma, convention``, the
            metrics (NaN where undefined), ``explained_variance, orientation_margin``.
        """
        return self._store.read("scores")

    def maps(self) -> pl.DataFrame:
        """One row per stimulus and CAM: the map on its grid and the evidence for its sign.

        Returns
        -------
        polars.DataFrame
            ``projection`` holds ``height`` x ``width`` values, row by row; each
            ``evidence_<rule>`` is positive where the rule keeps its sign.
        """
        return self._store.read("maps")

    def failures(self) -> pl.DataFrame:
        """One row per stimulus that could not be scored.

        Returns
        -------
        polars.DataFrame
            ``stimulus, stage, error, message``.
        """
        return self._store.read("failures")

    def bounds(self) -> pl.DataFrame:
        """One row per stimulus and bound: what people and baselines score.

        Returns
        -------
        polars.DataFrame
            ``stimulus, bound, convention``, the metrics (NaN where undefined) and ``trials``:
            how many maps the scores are the mean of.
        """
        return self._store.read("bounds")

    def points(self) -> pl.DataFrame:
        """One row per stimulus with gaze: how many of its points lie on the image.

        Returns
        -------
        polars.DataFrame
            ``stimulus, inside, outside, observers``, and counts that tell why points lie outside.
        """
        return self._store.read("points")

    def all_points(self) -> Points:
        """Count the points on all stimuli that have been computed.

        Returns
        -------
        Points
            ``inside``, ``outside``, and ``cause``: in words, why they may have been misread.
        """
        counted = self.points().drop("stimulus").iter_rows(named=True)
        return sum((Points(**row) for row in counted), Points())

    def undefined(self) -> pl.DataFrame:
        """One row per score that is NaN, with the reason.

        Returns
        -------
        polars.DataFrame
            The keys of the score, ``metric`` and ``reason``. For the score of a bound, only
            ``stimulus``, ``bound`` and ``convention`` are filled.
        """
        return self._store.read("undefined")


def open_run(place: PathLike | Storage) -> Run:
    """Open a run folder, complete or not, even while it is being written.

    Parameters
    ----------
    place : path, str or Storage
        The folder: a local path, or the URL of one on an object store.

    Returns
    -------
    Run

    Raises
    ------
    RunError
        If it is not a run folder, or has the format of another version.

    Examples
    --------
    >>> open_run("no/such/folder")
    Traceback (most recent call last):
    ...
    quickgaze.errors.RunError: no/such/folder is not a run folder: it holds no plan.json
    """
    storage = open_storage(place) if isinstance(place, str | os.PathLike) else place
    try:
        content = _read_json(storage, "plan.json")
    except FileNotFoundError:
        raise RunError(f"{storage.place} is not a run folder: it holds no plan.json") from None
    if content.get("format") != FORMAT:
        raise RunError(
            f"{storage.place} has format {content.get('format')}, this version reads {FORMAT}; "
            "compute it anew or open it with the version that wrote it"
        )
    return Run(storage, Plan.from_json(content))


def _read_json(storage: Storage, name: str) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(storage.read(name))
    except FileNotFoundError:
        raise
    except (ValueError, OSError) as error:
        raise RunError(f"{storage.place}/{name} cannot be read: {error}") from error
    return content
