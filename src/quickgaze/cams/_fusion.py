"""How the levels of a pyramid become one map: joined before the map is made, or after."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from quickgaze.backbones import plain_torch
from quickgaze.backbones.pyramid import Pyramid
from quickgaze.cams._cam import Cam
from quickgaze.cams._orientation import orientation_evidence
from quickgaze.cams._sign_free import activation
from quickgaze.options import choices

FUSIONS = choices("fusion")

MapMaker = Callable[[Pyramid, str], Cam]
"""From a pyramid and a grid to a `Cam`: `eigen`, `deviation`, `activation`."""


def mean_over_levels(
    make: MapMaker,
    pyramid: Pyramid,
    grid: str = "coarsest",
    levels: Sequence[str] | None = None,
) -> Cam:
    """Average the maps of single levels: ``fusion="mean"``.

    Each level's map is made on the common grid from that level alone, oriented by the rule
    ``"activation"`` where its sign is open, and divided by its root mean square over the grid.

    Parameters
    ----------
    make : callable
        Makes a map of a pyramid on a grid: `eigen`, `deviation` or `activation`, other options
        bound with `functools.partial`.
    pyramid, grid, levels
        As for `eigen`.

    Returns
    -------
    Cam
        With evidence if the levels' maps had any; a mean has no sign from LAPACK, so that rule's
        is NaN. The explained variance is the mean over the levels. A level whose map is undefined
        although its features are finite, as of one that does not vary, or to which the rule gives
        no sign, is left out for that image; the map is NaN if that leaves none.

    Raises
    ------
    UnknownNameError
        If there is no such grid or level.
    OptionError
        If a level does not have the component asked for.

    Notes
    -----
    Without orientation, levels of opposite signs would cancel each other. Dividing by the root
    mean square (for `eigen` the standard deviation, as its maps have mean 0) gives every level
    the same weight, whatever its scale and number of channels, so that `level_scale` changes
    nothing. The activation that the mean is compared with for its own sign is averaged alike.

    Examples
    --------
    >>> from quickgaze.cams import eigen
    >>> bump = torch.tensor([[[[0.0, 4.0], [0.0, 0.0]]]])
    >>> pyramid = Pyramid({"0": bump, "1": 9 * bump}, {"0": 8, "1": 8}, (16, 16), (16, 16))
    >>> mean_over_levels(eigen, pyramid).oriented("activation")
    tensor([[[-0.5774,  1.7321],
             [-0.5774, -0.5774]]])
    """
    with plain_torch():
        return _mean(make, pyramid.select(levels), grid)


def _mean(make: MapMaker, pyramid: Pyramid, grid: str) -> Cam:
    height, width = pyramid.grid_size(grid)
    common = f"{height}x{width}"
    cams = [make(pyramid.select([name]), common) for name in pyramid.levels]
    maps = torch.stack([cam.projection for cam in cams])
    signs = torch.stack([cam.sign("activation") for cam in cams])
    undefined = maps.isnan().any(3).any(2)
    counts = ~(signs.isnan() | undefined)
    counted = counts.sum(0)
    maps = torch.where(counts[:, :, None, None], maps, 0.0)
    squares = maps.square().mean((2, 3))
    weights = signs.nan_to_num() / torch.where(squares == 0, 1.0, squares.sqrt())
    total = (maps * weights[:, :, None, None]).sum(0)
    unknown = counted == 0
    if bool(undefined.any()):
        unknown = unknown | _broken(pyramid)
    projection = torch.where(unknown[:, None, None], torch.nan, total / counted[:, None, None])
    explained = torch.stack([cam.explained_variance for cam in cams])
    shares = torch.where(counts, explained, 0.0).sum(0) / counted
    shares = torch.where(unknown, torch.nan, shares)
    evidence = {}
    if cams[0].signed:
        active = mean_over_levels(activation, pyramid, common).projection
        evidence = orientation_evidence(projection, active)
        evidence["lapack"] = torch.full_like(shares, torch.nan)
    return Cam(projection, shares, evidence, cams[0].component)


def _broken(pyramid: Pyramid) -> torch.Tensor:
    """Which images have features that are not finite, (B,)."""
    finite = [level.isfinite().flatten(1).all(1) for level in pyramid.levels.values()]
    return ~torch.stack(finite).all(0)
