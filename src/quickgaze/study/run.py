"""`Run`: a run folder, read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl

from quickgaze.errors import RunError
from quickgaze.study.plan import FORMAT
from quickgaze.study.tables import TableStore


class Run:
    """What stands in a run folder. Made by `open_run`.

    Parameters
    ----------
    path : Path
        The folder.
    plan : dict
        What was to be computed.

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

    def __init__(self, path: Path, plan: dict[str, Any]) -> None:
        self.path = path
        self.plan = plan
        self._store = TableStore(path, plan["settings"]["metrics"])

    def __repr__(self) -> str:
        state = "complete" if self.complete else "incomplete"
        return f"Run({str(self.path)!r}, {len(self.plan['stimuli'])} stimuli, {state})"

    @property
    def complete(self) -> bool:
        """Whether every shard has been computed."""
        return (self.path / "manifest.json").is_file()

    @property
    def manifest(self) -> dict[str, Any]:
        """Settings, data set, weights, versions and counts of a complete run.

        Raises
        ------
        RunError
            If the run is not complete.
        """
        if not self.complete:
            raise RunError(f"{self.path} is not complete; run the same study again to finish it")
        return _read_json(self.path / "manifest.json")

    @property
    def metrics(self) -> list[str]:
        """Names of the metrics, in the order of their columns."""
        return list(self.plan["settings"]["metrics"])

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

    def undefined(self) -> pl.DataFrame:
        """One row per score that is NaN, with the reason.

        Returns
        -------
        polars.DataFrame
            The keys of the score, ``metric`` and ``reason``. For the score of a bound, only
            ``stimulus``, ``bound`` and ``convention`` are filled.
        """
        return self._store.read("undefined")


def open_run(path: str | Path) -> Run:
    """Open a run folder, complete or not.

    Parameters
    ----------
    path : path
        The folder.

    Returns
    -------
    Run

    Raises
    ------
    RunError
        If it is no run folder, or one of another version's format.

    Examples
    --------
    >>> open_run("no/such/folder")
    Traceback (most recent call last):
    ...
    quickgaze.errors.RunError: no/such/folder is not a run folder: it holds no plan.json
    """
    folder = Path(path)
    if not (folder / "plan.json").is_file():
        raise RunError(f"{folder} is not a run folder: it holds no plan.json")
    plan = _read_json(folder / "plan.json")
    if plan.get("format") != FORMAT:
        raise RunError(
            f"{folder} has format {plan.get('format')}, this version reads {FORMAT}; "
            "compute it anew or open it with the version that wrote it"
        )
    return Run(folder, plan)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise RunError(f"{path} cannot be read: {error}") from error
    return content
