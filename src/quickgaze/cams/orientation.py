"""The rules that fix a component's sign.

A principal component has no sign of its own. Each rule gives a signed number per map, its
evidence: positive to keep the sign that the map has, negative to flip it. The absolute value is
the margin.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from quickgaze.catalogue import Catalogue


def correlation(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Pearson correlation over the cells of each map.

    Parameters
    ----------
    first, second : Tensor, shape (B, h, w)

    Returns
    -------
    Tensor, shape (B,), float32
        In [-1, 1]; NaN where one of the two is constant.
    """
    first, second = (centred(maps) for maps in (first, second))
    product = (first * second).sum((-2, -1))
    scale = (first.square().sum((-2, -1)) * second.square().sum((-2, -1))).sqrt()
    return (product / scale).clamp(-1, 1).float()


def centred(maps: torch.Tensor) -> torch.Tensor:
    """Take each map's mean from it, in float64 where the device has it."""
    maps = maps if maps.device.type == "mps" else maps.double()
    return maps - maps.mean((-2, -1), keepdim=True)


def activation_evidence(projection: torch.Tensor, activation: torch.Tensor) -> torch.Tensor:
    """Correlation of the map with the mean activation over channels.

    Parameters
    ----------
    projection : Tensor, shape (B, h, w)
    activation : Tensor, shape (B, h, w)
        Mean over the channels of the features on the same grid.

    Returns
    -------
    Tensor, shape (B,), float32
        In [-1, 1].
    """
    return correlation(projection, activation)


def extremum_evidence(projection: torch.Tensor) -> torch.Tensor:
    """Which of the two extremes lies further from zero, relative to it.

    Parameters
    ----------
    projection : Tensor, shape (B, h, w)

    Returns
    -------
    Tensor, shape (B,), float32
        ``(max + min) / max(|max|, |min|)``, in [-1, 1] for a map of mean 0.
    """
    highest, lowest = projection.amax((-2, -1)), projection.amin((-2, -1))
    return ((highest + lowest) / torch.maximum(highest.abs(), lowest.abs())).float()


def skew_evidence(projection: torch.Tensor) -> torch.Tensor:
    """Skewness g of the map's values, brought to [-1, 1].

    Parameters
    ----------
    projection : Tensor, shape (B, h, w)

    Returns
    -------
    Tensor, shape (B,), float32
        ``g / (1 + |g|)``, with g the third standardised moment.
    """
    deviation = centred(projection)
    variance = deviation.square().mean((-2, -1))
    skewness = deviation.pow(3).mean((-2, -1)) / variance.pow(1.5)
    return (skewness / (1 + skewness.abs())).float()


def border_evidence(projection: torch.Tensor) -> torch.Tensor:
    """Correlation of the map with being inside rather than on the border.

    Parameters
    ----------
    projection : Tensor, shape (B, h, w)

    Returns
    -------
    Tensor, shape (B,), float32
        In [-1, 1]; NaN for a grid that is all border (fewer than three cells either way). The
        border is the outermost ring of cells.
    """
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
        rule needs something else than these: LAPACK's own sign, or the human density.
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


ORIENTATIONS = Catalogue(
    "orientation",
    "quickgaze.orientations",
    {
        rule.name: rule
        for rule in (
            Orientation(
                "activation",
                "agrees with the mean activation over channels",
                activation_evidence,
            ),
            Orientation(
                "extremum",
                "the extreme further from zero is positive",
                lambda projection, _: extremum_evidence(projection),
            ),
            Orientation(
                "skew",
                "the third moment is positive",
                lambda projection, _: skew_evidence(projection),
            ),
            Orientation(
                "border",
                "the border is below the inside",
                lambda projection, _: border_evidence(projection),
            ),
            Orientation(
                "lapack",
                "as numpy.linalg.svd returned it, which is arbitrary; grids to 4,096 cells",
            ),
            Orientation(
                "oracle",
                "the sign that the human density prefers: an upper bound, never a model",
                needs_density=True,
            ),
        )
    },
)
"""Rules that fix the sign of a CAM, by name; installed packages may add to them."""


def orientation_evidence(
    projection: torch.Tensor, activation: torch.Tensor
) -> dict[str, torch.Tensor]:
    """Evidence of every rule that the features alone decide.

    Parameters
    ----------
    projection : Tensor, shape (B, h, w)
        Signed maps.
    activation : Tensor, shape (B, h, w)
        Mean over the channels of the features on the same grid.

    Returns
    -------
    dict of str to Tensor, shape (B,), float32
    """
    rules = ORIENTATIONS.entries().values()
    return {
        rule.name: rule.evidence(projection, activation)
        for rule in rules
        if rule.evidence is not None
    }
