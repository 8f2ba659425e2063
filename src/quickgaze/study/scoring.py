"""From one image's CAM to its scores under every orientation and blur, and to its bounds'."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import torch

from quickgaze.bounds import BoundInput, GazePool, score_bound
from quickgaze.cams import ORIENTATIONS, Cam
from quickgaze.metrics import Scores, score
from quickgaze.saliency import saliency_maps
from quickgaze.stimuli.types import Size
from quickgaze.study.inputs import Gaze
from quickgaze.study.plan import CamKey, Settings, Variant
from quickgaze.study.tables import Row


@dataclass(frozen=True)
class ScoreRows:
    """Rows that one CAM of one image, or its bounds, add to the tables."""

    scores: list[Row]
    undefined: list[Row]


@dataclass(frozen=True)
class Choice:
    """The sign that a rule chose.

    Parameters
    ----------
    sign : float
        1 or -1; NaN where the rule could not be evaluated.
    margin : float
        How clear the choice was.
    reason : str
        Why the sign is NaN.
    """

    sign: float
    margin: float
    reason: str = ""


def score_cam(key: CamKey, cam: Cam, size: Size, gaze: Gaze, settings: Settings) -> ScoreRows:
    """Score a CAM under every orientation and blur of a study.

    Only two maps are scored per blur, one of each sign, whatever the number of rules.

    Parameters
    ----------
    key : CamKey
        What the CAM is.
    cam : Cam
        A batch of one.
    size : (int, int)
        Height and width of the image.
    gaze : Gaze
        Where people looked in it.
    settings : Settings
        Orientations, blurs, metrics and convention.

    Returns
    -------
    ScoreRows
        A row of scores per variant, and a row per score that is undefined.
    """
    rows = ScoreRows([], [])
    orientations = settings.orientations if cam.signed else ("none",)
    for sigma in settings.sigmas:
        by_sign = _score_signs(cam, size, gaze, sigma, orientations, settings)
        for orientation in orientations:
            variant = Variant(
                **asdict(key), orientation=orientation, sigma=sigma, convention=settings.convention
            )
            choice = _choose(orientation, cam, by_sign)
            _add_rows(rows, variant, choice, cam, by_sign, settings.metrics)
    return rows


def score_bounds(
    stimulus: str, size: Size, gaze: Gaze, settings: Settings, pool: GazePool | None
) -> ScoreRows:
    """Score what the maps of a stimulus are held against.

    Parameters
    ----------
    stimulus : str
        Its id.
    size : (int, int)
        Height and width of the image.
    gaze : Gaze
        Where people looked in it.
    settings : Settings
        Bounds, metrics and convention.
    pool : GazePool or None
        The gaze of the whole data set; without it, no bound is scored.

    Returns
    -------
    ScoreRows
        A row of scores per bound, and a row per score that is undefined.
    """
    rows = ScoreRows([], [])
    if pool is None:
        return rows
    given = BoundInput(
        stimulus,
        size,
        gaze.density,
        gaze.fixations,
        pool,
        settings.density_sigma,
        settings.draws,
        settings.seed,
    )
    for name in settings.bounds:
        keys = {"stimulus": stimulus, "bound": name, "convention": settings.convention}
        found = score_bound(name, given, settings.metrics, settings.convention, gaze.beside)
        rows.scores.append({**keys, **found.values, "trials": found.trials})
        rows.undefined.extend(_undefined_rows(keys, found.reasons))
    return rows


def _undefined_rows(keys: Row, reasons: Mapping[str, str | None]) -> list[Row]:
    return [
        {**keys, "metric": name, "reason": reason}
        for name, reason in reasons.items()
        if reason is not None
    ]


def _score_signs(
    cam: Cam,
    size: Size,
    gaze: Gaze,
    sigma: float,
    orientations: tuple[str, ...],
    settings: Settings,
) -> dict[float, Scores]:
    """Scores of the map of each sign that some rule may ask for."""
    signs = {1.0, -1.0}
    metrics = settings.metrics
    if not cam.signed or not any(ORIENTATIONS[name].needs_density for name in orientations):
        chosen = (_sign(cam, name) for name in orientations)
        signs = {sign for sign in chosen if not math.isnan(sign)}
    elif "cc" not in metrics:
        metrics = (*metrics, "cc")
    if not signs:
        return {}
    ordered = sorted(signs)
    maps = [saliency_maps(cam.projection * sign, size, sigma, settings.rectify) for sign in ordered]
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
    return {sign: _alone(scores, index) for index, sign in enumerate(ordered)}


def _alone(scores: Scores, index: int) -> Scores:
    """Scores of one of the maps."""
    return Scores(
        {name: values[index : index + 1] for name, values in scores.values.items()},
        {name: reasons[index : index + 1] for name, reasons in scores.reasons.items()},
    )


def _sign(cam: Cam, orientation: str) -> float:
    """Find the sign that a rule gives, NaN where the grid or the features do not tell."""
    told = not cam.signed or orientation in cam.evidence
    return cam.sign(orientation).item() if told else math.nan


def _choose(orientation: str, cam: Cam, by_sign: dict[float, Scores]) -> Choice:
    """Find the sign that a rule gives to one image's map."""
    if cam.signed and ORIENTATIONS[orientation].needs_density:
        plus, minus = (by_sign[sign].values["cc"][0] for sign in (1.0, -1.0))
        if math.isnan(plus) or math.isnan(minus):
            reason = by_sign[1.0].reasons["cc"][0] or by_sign[-1.0].reasons["cc"][0]
            return Choice(math.nan, math.nan, f"orientation {orientation}: {reason}")
        return Choice(1.0 if plus >= minus else -1.0, abs(plus - minus) / 2)
    sign = _sign(cam, orientation)
    if math.isnan(sign):
        height, width = cam.grid
        return Choice(
            sign, sign, f"orientation {orientation} cannot be told on the {height}x{width} grid"
        )
    return Choice(sign, cam.margin(orientation).item())


def _add_rows(
    rows: ScoreRows,
    variant: Variant,
    choice: Choice,
    cam: Cam,
    by_sign: dict[float, Scores],
    metrics: tuple[str, ...],
) -> None:
    keys = asdict(variant)
    if math.isnan(choice.sign):
        values = dict.fromkeys(metrics, math.nan)
        reasons: dict[str, str | None] = dict.fromkeys(metrics, choice.reason)
    else:
        scores = by_sign[choice.sign]
        values = {name: float(scores.values[name][0]) for name in metrics}
        reasons = {name: scores.reasons[name][0] for name in metrics}
    rows.scores.append(
        {
            **keys,
            **values,
            "explained_variance": cam.explained_variance.item(),
            "orientation_margin": choice.margin,
        }
    )
    rows.undefined.extend(_undefined_rows(keys, reasons))
