"""The rules that fix a component's sign.

Each gives a number per map, its evidence: positive keeps the sign, negative flips it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from array_api_compat import array_namespace

from quickgaze.catalogue import Catalogue

_Numbers = TypeVar("_Numbers", torch.Tensor, npt.NDArray[np.floating[Any]])


def sign_of(evidence: _Numbers) -> _Numbers:
    """Sign that evidence (array or tensor) gives a map: 1 or -1; 1 for 0, and NaN for NaN."""
    xp = array_namespace(evidence)
    ones = xp.ones_like(evidence)
    signs: _Numbers = xp.where(evidence < 0, -ones, ones)
    kept: _Numbers = xp.where(xp.isnan(evidence), evidence, signs)
    return kept


def correlation(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Pearson correlation of maps (B, h, w) over their cells, (B,); NaN where one is constant."""
    first, second = _centred(first), _centred(second)
    product = (first * second).sum((-2, -1))
    scale = (first.square().sum((-2, -1)) * second.square().sum((-2, -1))).sqrt()
    return (product / scale).clamp(-1, 1).float()


def _centred(maps: torch.Tensor) -> torch.Tensor:
    """Subtract each map's mean, in float64 where the device has it."""
    maps = maps if maps.device.type == "mps" else maps.double()
    return maps - maps.mean((-2, -1), keepdim=True)


def extremum_evidence(projection: torch.Tensor, _: torch.Tensor | None = None) -> torch.Tensor:
    """Which extreme lies further from zero: ``(max + min) / max(|max|, |min|)``, (B,)."""
    highest, lowest = projection.amax((-2, -1)), projection.amin((-2, -1))
    return ((highest + lowest) / torch.maximum(highest.abs(), lowest.abs())).float()


def skew_evidence(projection: torch.Tensor, _: torch.Tensor | None = None) -> torch.Tensor:
    """Skewness g of the map's values, brought to [-1, 1] as ``g / (1 + |g|)``, (B,)."""
    deviation = _centred(projection)
    variance = deviation.square().mean((-2, -1))
    skewness = deviation.pow(3).mean((-2, -1)) / variance.pow(1.5)
    return (skewness / (1 + skewness.abs())).float()


def border_evidence(projection: torch.Tensor, _: torch.Tensor | None = None) -> torch.Tensor:
    """Correlation with being inside the outermost ring of cells, (B,); NaN where all is border."""
    inside = torch.zeros_like(projection)
    inside[:, 1:-1, 1:-1] = 1
    return correlation(projection, inside)


@dataclass(frozen=True)
class Orientation:
    """A rule that fixes the sign.

    Parameters
    ----------
    name : str
    summary : str
        Which sign it gives, in one line.
    evidence : callable, optional
        From projection and mean activation, both (B, h, w), to evidence (B,). None where the
        rule needs something else: LAPACK's own sign, or the human density.
    needs_density : bool
        Whether the human density decides, so that no model can use the rule.

    Examples
    --------
    >>> from quickgaze.cams import ORIENTATIONS
    >>> ORIENTATIONS["skew"].summary, ORIENTATIONS["oracle"].needs_density
    ('the third moment is positive', True)
    """

    name: str
    summary: str
    evidence: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] | None = None
    needs_density: bool = False


_RULES = (
    Orientation("activation", "agrees with the mean activation over channels", correlation),
    Orientation("extremum", "the extreme further from zero is positive", extremum_evidence),
    Orientation("skew", "the third moment is positive", skew_evidence),
    Orientation("border", "the border is below the inside", border_evidence),
    Orientation(
        "lapack", "as numpy.linalg.svd returned it, which is arbitrary; grids to 4,096 cells"
    ),
    Orientation(
        "oracle",
        "the sign that the human density prefers: an upper bound, never a model",
        needs_density=True,
    ),
)

ORIENTATIONS = Catalogue(
    "orientation", "quickgaze.orientations", {rule.name: rule for rule in _RULES}
)
"""Rules that fix the sign of a CAM, by name; installed packages may add to them."""


def orientation_evidence(
    projection: torch.Tensor, activation: torch.Tensor
) -> dict[str, torch.Tensor]:
    """Evidence (B,) of every rule that the features decide, from maps and mean activations."""
    return {
        rule.name: rule.evidence(projection, activation)
        for rule in ORIENTATIONS.entries().values()
        if rule.evidence is not None
    }
