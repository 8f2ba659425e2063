"""From one image's map to its scores under every orientation and blur, and to its bounds'."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import torch

from quickgaze.bounds import BoundInput, GazePool, score_bound
from quickgaze.cams import ORIENTATIONS
from quickgaze.metrics import Scores, score
from quickgaze.saliency import saliency_maps
from quickgaze.stimuli.types import Size
from quickgaze.study._inputs import Gaze
from quickgaze.study._settings import Settings
from quickgaze.study._tables import Row, ShardTables
from quickgaze.study.stored import StoredMap
from quickgaze.study.variants import FLIPPED, KEPT, NO_RULE, UNKNOWN, Sign


@dataclass(frozen=True)
class _Choice:
    """The sign that a rule chose, how clear the choice was, and why it could not choose."""

    sign: Sign
    margin: float = math.nan
    reason: str = ""


def score_map(stored: StoredMap, gaze: Gaze, settings: Settings) -> ShardTables:
    """Score a map under every orientation and blur of a study.

    Only two maps are scored per blur, one of each sign, whatever the number of rules.
    """
    rows = ShardTables()
    explained = stored.cam.explained_variance.item()
    orientations = settings.orientations if stored.cam.signed else (NO_RULE,)
    for sigma in settings.sigmas:
        by_sign = _score_signs(stored, gaze, sigma, orientations, settings)
        for orientation in orientations:
            choice = _choose(orientation, stored, by_sign)
            scores = by_sign.get(choice.sign)
            values, reasons = _values_of(settings.metrics, scores, choice.reason)
            keys = {
                "stimulus": stored.stimulus,
                **asdict(stored.key),
                "orientation": orientation,
                "sigma": sigma,
                "convention": settings.convention,
            }
            facts = {"explained_variance": explained, "orientation_margin": choice.margin}
            rows.scores.append({**keys, **values, **facts})
            rows.undefined.extend(_undefined_rows(keys, reasons))
    return rows


def _values_of(
    metrics: tuple[str, ...], scores: Scores | None, reason: str
) -> tuple[Mapping[str, float], Mapping[str, str | None]]:
    """Give the metrics of the only map that was scored; of none, NaN and the reason."""
    if scores is None:
        return dict.fromkeys(metrics, math.nan), dict.fromkeys(metrics, reason)
    values = {name: float(scores.values[name][0]) for name in metrics}
    return values, {name: scores.reasons[name][0] for name in metrics}


def score_bounds(
    stimulus: str, size: Size, gaze: Gaze, settings: Settings, pool: GazePool | None
) -> ShardTables:
    """Score what the maps of a stimulus are held against; nothing without the data set's gaze."""
    rows = ShardTables()
    if pool is None:
        return rows
    decided = settings.density_sigma, settings.draws, settings.seed
    given = BoundInput(stimulus, size, gaze.density, gaze.fixations, pool, *decided)
    metrics = settings.chosen_metrics()
    for name in settings.bounds:
        keys = {"stimulus": stimulus, "bound": name, "convention": settings.convention}
        found = score_bound(name, given, metrics, settings.convention, gaze.beside)
        rows.bounds.append({**keys, **found.values, "trials": found.trials})
        rows.undefined.extend(_undefined_rows(keys, found.reasons))
    return rows


def _undefined_rows(keys: Row, reasons: Mapping[str, str | None]) -> list[Row]:
    return [
        {**keys, "metric": name, "reason": reason}
        for name, reason in reasons.items()
        if reason is not None
    ]


def _score_signs(
    stored: StoredMap, gaze: Gaze, sigma: float, orientations: tuple[str, ...], settings: Settings
) -> dict[Sign, Scores]:
    """Scores of the map of each sign that some rule may ask for."""
    signs: set[Sign] = {KEPT, FLIPPED}
    metrics = settings.chosen_metrics()
    if not stored.cam.signed or not any(ORIENTATIONS[name].needs_density for name in orientations):
        signs = {stored.sign(name) for name in orientations} - {UNKNOWN}
    elif "cc" not in settings.metrics:
        metrics = (*metrics, "cc")
    if not signs:
        return {}
    ordered = sorted(signs)
    density = stored.cam.density
    maps = [
        saliency_maps(stored.signed(sign), stored.size, sigma, settings.rectify, density)
        for sign in ordered
    ]
    scores = score(
        metrics,
        torch.cat(maps).cpu().numpy(),
        gaze.density,
        gaze.points,
        settings.convention,
        others=gaze.beside.others,
        baseline=gaze.beside.baseline,
        seed=settings.seed,
    )
    return {
        sign: Scores(
            {name: values[index : index + 1] for name, values in scores.values.items()},
            {name: reasons[index : index + 1] for name, reasons in scores.reasons.items()},
        )
        for index, sign in enumerate(ordered)
    }


def _choose(orientation: str, stored: StoredMap, by_sign: Mapping[Sign, Scores]) -> _Choice:
    """Find the sign that a rule gives to one image's map."""
    cam = stored.cam
    if bool(cam.projection.isnan().any()):
        height, width = cam.grid
        undefined = (
            f"the CAM is NaN on the {height}x{width} grid: its features are the same everywhere, "
            "or not finite"
        )
        return _Choice(UNKNOWN, reason=undefined)
    if cam.signed and ORIENTATIONS[orientation].needs_density:
        plus, minus = (by_sign[sign].values["cc"][0] for sign in (KEPT, FLIPPED))
        if math.isnan(plus) or math.isnan(minus):
            reason = by_sign[KEPT].reasons["cc"][0] or by_sign[FLIPPED].reasons["cc"][0]
            return _Choice(UNKNOWN, reason=f"orientation {orientation}: {reason}")
        return _Choice(KEPT if plus >= minus else FLIPPED, abs(plus - minus) / 2)
    sign = stored.sign(orientation)
    if sign == UNKNOWN:
        height, width = cam.grid
        reason = f"orientation {orientation} gives no sign on the {height}x{width} grid"
        return _Choice(sign, reason=reason)
    return _Choice(sign, cam.margin(orientation).item())
