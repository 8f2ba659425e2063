"""The saliency maps of one variant of a run: which are meant, and made again from what is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from quickgaze.cams import ORIENTATIONS
from quickgaze.errors import OptionError, QuickgazeError
from quickgaze.resampling import check_sigma
from quickgaze.saliency import FloatMap
from quickgaze.study import MapVariant, Run, progress_bar, stored_saliency
from quickgaze.study.variants import CAM, NO_RULE, evidence_of


def choose_variant(
    run: Run,
    *,
    backbone: str | None = None,
    cam: str | None = None,
    grid: str | None = None,
    component: int | None = None,
    orientation: str | None = None,
    sigma: float | None = None,
) -> MapVariant:
    """Choose one variant of the maps that a run has kept.

    Parameters
    ----------
    run : Run
    backbone, cam, grid, component : optional
        Needed where the run has several.
    orientation : str, optional
        Any rule that needs no density, even one that the run did not score. By default the run's,
        if it has only one.
    sigma : float, optional
        Any blur in pixels, even one that the run did not score. By default the run's, if it has
        only one.

    Returns
    -------
    MapVariant

    Raises
    ------
    OptionError
        If several variants remain (they are listed), if the run has kept no such maps, or if the
        orientation needs the human density.

    Examples
    --------
    >>> import tempfile
    >>> import quickgaze as qg
    >>> study = qg.Study(qg.load_dataset("popout", n=1), metrics=["cc"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     choose_variant(study.run(folder, progress=False), orientation="skew").sigma
    19.0
    """
    maps = run.maps()
    if maps.is_empty():
        raise OptionError(_no_maps(run))
    if backbone in run.plan.settings.maps:
        raise OptionError(_elsewhere(run, str(backbone)))
    given = {"backbone": backbone, "cam": cam, "grid": grid, "component": component}
    remaining = _matching(maps.select(CAM).unique(maintain_order=True), given, run)
    choices = {key: remaining[key].unique(maintain_order=True).to_list() for key in CAM}
    first = (maps.filter(pl.col("cam") == name).row(0, named=True) for name in choices["cam"])
    signed = any(evidence_of(row) for row in first)
    choices["orientation"] = _orientations(run, orientation) if signed else [NO_RULE]
    if sigma is not None:
        check_sigma(sigma)
    choices["sigma"] = list(run.plan.settings.sigmas) if sigma is None else [float(sigma)]
    several = {key: values for key, values in choices.items() if len(values) > 1}
    if several:
        listed = "; ".join(f"{key} ({', '.join(map(str, several[key]))})" for key in several)
        raise OptionError(f"{run.place} has maps of several variants; choose {listed}")
    return MapVariant(**{key: values[0] for key, values in choices.items()})


def _matching(keys: pl.DataFrame, given: dict[str, Any], run: Run) -> pl.DataFrame:
    for key, value in given.items():
        if value is None:
            continue
        kept = keys.filter(pl.col(key) == value)
        if kept.is_empty():
            known = ", ".join(map(str, keys[key].unique(maintain_order=True)))
            raise OptionError(
                f"{run.place} has no such maps of the {key} {value!r}; it has: {known}"
            )
        keys = kept
    return keys


def _orientations(run: Run, given: str | None) -> list[str]:
    planned = run.plan.settings.orientations if given is None else [given]
    usable = [name for name in planned if not ORIENTATIONS[name].needs_density]
    if not usable:
        raise OptionError(
            f"orientation {planned[0]!r} takes its sign from the human density, so its maps are "
            "not a model's prediction and are not exported; choose another orientation"
        )
    return usable


def _no_maps(run: Run) -> str:
    if run.plan.settings.maps:
        return _elsewhere(run, next(iter(run.plan.settings.maps)))
    reason = (
        "its scores were imported without maps"
        if run.complete and run.manifest.imported
        else "none of its stimuli has one"
    )
    return (
        f"{run.place} has kept no maps: {reason}. Export its tables, or export the maps of a run "
        "that computes them"
    )


def _elsewhere(run: Run, name: str) -> str:
    return (
        f"the maps of {name!r} were computed elsewhere and are not kept in {run.place}; "
        f"take them from there: {run.plan.settings.maps[name]}"
    )


@dataclass(frozen=True)
class Exported:
    """What an export has written.

    Parameters
    ----------
    path : Path
        The folder or file.
    variant : MapVariant
        The variant of the maps.
    count : int
        Number of maps written.
    failures : tuple of (str, str)
        Stimuli of the run without a map, and why.

    Examples
    --------
    >>> variant = MapVariant("efficientnet_lite0", "eigen", "coarsest", 0, "activation", 19.0)
    >>> Exported(Path("maps.zip"), variant, count=2, failures=()).path.name
    'maps.zip'
    """

    path: Path
    variant: MapVariant
    count: int
    failures: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class VariantMaps:
    """The saliency maps of one variant of a run."""

    run: Run
    variant: MapVariant

    @property
    def stimuli(self) -> list[str]:
        """Ids of the stimuli that have such a map."""
        return self.variant.rows(self.run.maps())["stimulus"].to_list()

    def write(self, out: Path, put: Callable[[str, FloatMap], None], *, progress: bool) -> Exported:
        """Make each map, (H, W) float32 in [0, 1], and pass it to `put`; fail if there is none."""
        rows = self.variant.rows(self.run.maps())
        if rows.is_empty():
            raise OptionError(f"{self.run.place} has no maps of {self.variant}")
        failures = self._without_map(set(rows["stimulus"]))
        count = 0
        with progress_bar(progress) as bar:
            each = rows.iter_rows(named=True)
            for row in bar.track(each, total=rows.height, description="maps"):
                stimulus = row["stimulus"]
                try:
                    put(stimulus, self._saliency(row))
                    count += 1
                except QuickgazeError as error:
                    failures.append((stimulus, str(error)))
        if not count:
            raise OptionError(f"no map can be exported: {failures[-1][1]}")
        return Exported(out, self.variant, count, tuple(failures))

    def _saliency(self, row: dict[str, object]) -> FloatMap:
        variant = self.variant
        rectify = self.run.plan.settings.rectify
        saliency = stored_saliency(row, variant.orientation, variant.sigma, rectify)
        if np.isnan(saliency).any():
            raise OptionError(
                f"its map is NaN: orientation {variant.orientation!r} finds no sign, or the "
                "features do not vary"
            )
        return saliency

    def _without_map(self, mapped: set[str]) -> list[tuple[str, str]]:
        """Stimuli of the plan without a map, and why."""
        failed = {row["stimulus"]: row["message"] for row in self.run.failures().to_dicts()}
        return [
            (stimulus, failed.get(stimulus, "it has not been computed yet"))
            for stimulus in self.run.plan.stimuli
            if stimulus not in mapped
        ]
