"""Which maps of a run are calibrated, and on which stimuli of a data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from quickgaze.cams import ORIENTATIONS
from quickgaze.catalogue import check_known, unknown_name
from quickgaze.errors import DatasetError, OptionError
from quickgaze.options import ModelOptions
from quickgaze.resampling import check_sigma
from quickgaze.stimuli import Dataset, Stimulus
from quickgaze.study import MapVariant, Run
from quickgaze.study.variants import CALIBRATED, CAM, NO_RULE, CamKey, evidence_of

Choice = Mapping[str, str | float | Sequence[str]]

_KEYS = (*CAM, "orientation", "sigma")


def chosen_maps(run: Run, variant: Choice) -> list[MapVariant]:
    """Find the maps of a run that fit, each with one orientation and one blur."""
    for key in variant:
        check_known("key of a map", key, _KEYS)
    maps = run.maps().filter(~pl.col("cam").str.ends_with(CALIBRATED))
    if maps.is_empty():
        raise OptionError(
            f"{run.place} has kept no maps, from which a calibration begins; take a run that "
            "computes them"
        )
    keys = maps.select(CAM).unique(maintain_order=True)
    for key in CAM:
        if key in variant:
            keys = _of_key(keys, key, variant[key])
    chosen = []
    for row in keys.iter_rows(named=True):
        own = CamKey(**row)
        signed = bool(evidence_of(own.rows(maps).row(0, named=True)))
        orientation = _orientation(run, variant.get("orientation")) if signed else NO_RULE
        sigma = _sigma(run, variant.get("sigma"))
        chosen.append(MapVariant(**row, orientation=orientation, sigma=sigma))
    return chosen


def _of_key(keys: pl.DataFrame, key: str, given: object) -> pl.DataFrame:
    wanted = list(given) if isinstance(given, list | tuple) else [given]
    known = keys[key].unique(maintain_order=True).to_list()
    for value in wanted:
        if value not in known:
            raise unknown_name(
                f"{key} of the run's maps", str(value), [str(each) for each in known]
            )
    return keys.filter(pl.col(key).is_in(wanted))


def _orientation(run: Run, given: object) -> str:
    if given is not None:
        name = str(given)
        if ORIENTATIONS[name].needs_density:
            raise OptionError(
                f"orientation {name!r} takes its sign from the human density, so its maps are no "
                "prediction that could be calibrated; choose another orientation"
            )
        return name
    planned = [each for each in run.plan.settings.orientations if _by_features(each)]
    default = ModelOptions.orientation
    return default if default in planned or not planned else planned[0]


def _by_features(orientation: str) -> bool:
    known = ORIENTATIONS.entries().get(orientation)
    return known is not None and not known.needs_density


def _sigma(run: Run, given: object) -> float:
    sigmas = run.plan.settings.sigmas
    if given is None:
        return ModelOptions.sigma if ModelOptions.sigma in sigmas else sigmas[0]
    if not isinstance(given, int | float):
        raise OptionError(f"sigma is {given!r}; give one standard deviation in pixels")
    check_sigma(given)
    return float(given)


def stimuli_of(run: Run, dataset: Dataset) -> tuple[Stimulus, ...]:
    """Find the stimuli of a run in a data set, in the order of the run."""
    known = {stimulus.id: stimulus for stimulus in dataset}
    lost = [name for name in run.plan.stimuli if name not in known]
    if lost:
        raise DatasetError(
            f"{dataset.name} lacks {len(lost):,} of the {len(run.plan.stimuli):,} stimuli of "
            f"{run.place}, such as {lost[0]!r}; load the data set that the run was computed on"
        )
    return tuple(known[name] for name in run.plan.stimuli)
