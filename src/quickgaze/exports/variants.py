"""Which of a run's saliency maps are meant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from quickgaze.cams import ORIENTATIONS
from quickgaze.errors import OptionError
from quickgaze.resampling import gaussian_blur
from quickgaze.study import CAM_KEYS, Run

_KEYS = tuple(name for name in CAM_KEYS if name != "stimulus")


@dataclass(frozen=True)
class MapVariant:
    """One saliency map for each stimulus of a run. Made by `choose_variant`.

    Parameters
    ----------
    backbone, cam, grid : str
        As in the run.
    component : int
        From 0.
    orientation : str
        Rule that fixes the sign; ``"none"`` where the CAM's sign is not open.
    sigma : float
        Blur in pixels; 0 is none.

    Examples
    --------
    >>> variant = MapVariant("efficientnet_lite0", "eigen", "coarsest", 0, "activation", 19.0)
    >>> variant.orientation, variant.sigma
    ('activation', 19.0)
    """

    backbone: str
    cam: str
    grid: str
    component: int
    orientation: str
    sigma: float

    def rows(self, maps: pl.DataFrame) -> pl.DataFrame:
        """Keep the rows of `Run.maps` that are its own.

        Parameters
        ----------
        maps : polars.DataFrame
            As `Run.maps` gives it.

        Returns
        -------
        polars.DataFrame
            The same columns, a row per stimulus.
        """
        return maps.filter(pl.all_horizontal(pl.col(key) == getattr(self, key) for key in _KEYS))


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
        Any rule that needs no density, also one that the run did not score; by default the
        run's, where it has a single one.
    sigma : float, optional
        Any blur in pixels, also one that the run did not score; by default the run's, where it
        has a single one.

    Returns
    -------
    MapVariant

    Raises
    ------
    OptionError
        If several remain, which are listed; if the run has none of these maps, or has kept
        none; if the orientation needs the human density.

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
    if backbone in run.plan["settings"].get("maps", {}):
        raise OptionError(_elsewhere(run, str(backbone)))
    given = {"backbone": backbone, "cam": cam, "grid": grid, "component": component}
    remaining = _matching(maps.select(_KEYS).unique(maintain_order=True), given, run)
    choices = {key: remaining[key].unique(maintain_order=True).to_list() for key in _KEYS}
    signed = [
        name for name in choices["cam"] if _is_signed(maps.filter(pl.col("cam") == name).head(1))
    ]
    choices["orientation"] = _orientations(run, orientation, signed)
    choices["sigma"] = _sigmas(run, sigma)
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
                f"{run.place} has no maps of the {key} {value!r} here; it has: {known}"
            )
        keys = kept
    return keys


def _is_signed(row: pl.DataFrame) -> bool:
    return any(
        row[column].null_count() == 0 for column in row.columns if column.startswith("evidence_")
    )


def _orientations(run: Run, given: str | None, signed: Sequence[str]) -> list[str]:
    if given is not None and given != "none" and ORIENTATIONS[given].needs_density:
        raise OptionError(_needs_density(given))
    if not signed:
        return ["none"]
    if given is not None:
        ORIENTATIONS[given]  # "none" is no rule for a map whose sign is open
        return [given]
    planned: Iterable[str] = run.plan["settings"]["orientations"]
    usable = [name for name in planned if not ORIENTATIONS[name].needs_density]
    if not usable:
        raise OptionError(_needs_density("oracle"))
    return usable


def _sigmas(run: Run, given: float | None) -> list[float]:
    if given is None:
        return [float(sigma) for sigma in run.plan["settings"]["sigmas"]]
    gaussian_blur([0.0], given, axes=(0,))  # refuses what is no blur
    return [float(given)]


def _needs_density(orientation: str) -> str:
    return (
        f"orientation {orientation!r} takes its sign from the human density, so that its maps are "
        "no model's: they are not exported; choose another orientation"
    )


def _no_maps(run: Run) -> str:
    if run.plan["settings"].get("maps"):
        return _elsewhere(run, next(iter(run.plan["settings"]["maps"])))
    reason = (
        "its scores were imported without maps"
        if run.complete and "imported" in run.manifest
        else "none of its stimuli has one"
    )
    return (
        f"{run.place} has kept no maps: {reason}. Its tables can be exported as CSV or "
        "Parquet; maps come from a run that computes them"
    )


def _elsewhere(run: Run, name: str) -> str:
    place = run.plan["settings"]["maps"][name]
    return (
        f"the maps of {name!r} were computed elsewhere and are not kept in {run.place}; "
        f"take them where they lie: {place}"
    )
