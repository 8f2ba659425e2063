"""The saliency maps of one variant, made again from what a run has kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from quickgaze.errors import OptionError, QuickgazeError
from quickgaze.exports.variants import MapVariant, choose_variant
from quickgaze.saliency import FloatMap
from quickgaze.study import Run, progress_bar, stored_saliency


@dataclass(frozen=True)
class Exported:
    """What became of the stimuli.

    Parameters
    ----------
    path : Path
        The folder or file that was written.
    variant : MapVariant
        What the maps are of.
    count : int
        How many maps it holds.
    failures : tuple of (str, str)
        Stimuli of the run that have none, and why.

    Examples
    --------
    >>> import tempfile
    >>> import quickgaze as qg
    >>> from quickgaze.exports import export_maps
    >>> displays = qg.load_dataset("popout", n=2, size=(120, 160))
    >>> study = qg.Study(displays, metrics=["cc"], orientations=["activation"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = study.run(f"{folder}/run", progress=False)
    ...     exported = export_maps(run, f"{folder}/maps.zip", progress=False)
    >>> exported.path.name, exported.count, exported.failures
    ('maps.zip', 2, ())
    """

    path: Path
    variant: MapVariant
    count: int
    failures: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class MapSource:
    """A run's saliency maps of one variant. Made by `MapSource.of`.

    Parameters
    ----------
    run : Run
    variant : MapVariant
    """

    run: Run
    variant: MapVariant

    @classmethod
    def of(cls, run: Run, variant: MapVariant | None) -> MapSource:
        """Take the given variant, or the only one that the run has."""
        return cls(run, choose_variant(run) if variant is None else variant)

    @property
    def stimuli(self) -> list[str]:
        """Ids of the stimuli that have such a map."""
        return self.variant.rows(self.run.maps())["stimulus"].to_list()

    def write(self, out: Path, put: Callable[[str, FloatMap], None], *, progress: bool) -> Exported:
        """Make each map and hand it on.

        Parameters
        ----------
        out : Path
            What will be written, for the result.
        put : callable
            Takes a stimulus's id and its map: (H, W), float32, in [0, 1].
        progress : bool
            Whether to show a progress bar.

        Returns
        -------
        Exported

        Raises
        ------
        OptionError
            If not a single map can be made; says why.
        """
        rows = self.variant.rows(self.run.maps())
        if rows.is_empty():
            raise OptionError(f"{self.run.place} has no maps of {self.variant}")
        failures = self._without_map(set(rows["stimulus"]))
        count = 0
        with progress_bar(progress) as bar:
            task = bar.add_task("maps", total=rows.height)
            for row in rows.iter_rows(named=True):
                try:
                    put(row["stimulus"], self._saliency(row))
                    count += 1
                except QuickgazeError as error:
                    failures.append((row["stimulus"], str(error)))
                bar.advance(task)
        if not count:
            raise OptionError(f"not a single map can be exported; {failures[-1][1]}")
        return Exported(out, self.variant, count, tuple(failures))

    def _saliency(self, row: dict[str, object]) -> FloatMap:
        variant = self.variant
        saliency = stored_saliency(
            row,
            variant.orientation,
            variant.sigma,
            rectify=self.run.plan["settings"]["rectify"],
        )
        if np.isnan(saliency).any():
            raise OptionError(
                f"its map is NaN: orientation {variant.orientation!r} cannot be told, or the "
                "features do not vary"
            )
        return saliency

    def _without_map(self, mapped: set[str]) -> list[tuple[str, str]]:
        """Stimuli of the plan that have no map, and why."""
        failed = {row["stimulus"]: row["message"] for row in self.run.failures().to_dicts()}
        return [
            (stimulus, failed.get(stimulus, "it has not been computed yet"))
            for stimulus in self.run.plan["stimuli"]
            if stimulus not in mapped
        ]
