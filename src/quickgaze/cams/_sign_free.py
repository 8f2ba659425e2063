"""Maps without a component, and so without an open sign: deviation and activation."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from quickgaze.backbones import plain_torch
from quickgaze.backbones.pyramid import Pyramid
from quickgaze.cams._cam import Cam
from quickgaze.cams._features import LEVEL_SCALES, ROUNDING, feature_matrix, plane_on_grid
from quickgaze.catalogue import check_known
from quickgaze.stimuli.types import Size

_CHANNELS_AT_ONCE = 32


def deviation(
    pyramid: Pyramid,
    grid: str = "coarsest",
    levels: Sequence[str] | None = None,
    level_scale: str = "none",
) -> Cam:
    """How far the features of each place are from their mean over the image.

    The absolute features of all levels are brought to one grid. The map is the root mean square
    over channels of their deviation from the channel's mean over the grid. It is never negative,
    so there is no sign to choose.

    Parameters
    ----------
    pyramid, grid, levels, level_scale
        As for `eigen`.

    Returns
    -------
    Cam
        Without evidence; its explained variance is NaN. Maps that would be the same everywhere,
        as of features that do not vary, and of images whose features are not finite, are NaN.

    Raises
    ------
    UnknownNameError
        If there is no such grid, level or level scale.

    Notes
    -----
    The map's square, summed over the grid and the channels, is the variance that the principal
    components of `eigen` share. With EfficientNet-Lite0, the coarsest grid, the levels ``s8``,
    ``s16`` and ``s32`` and ``level_scale="std"``, its mean correlation with human maps is 0.78 on
    ten SALICON and 0.54 on forty OSIE images; that of `eigen` is 0.66 and 0.51.

    Examples
    --------
    >>> features = torch.tensor([[[[0.0, 0.0, 3.0]], [[1.0, 1.0, 1.0]]]])
    >>> deviation(Pyramid({"0": features}, {"0": 8}, (8, 24), (8, 24))).projection
    tensor([[[0.7071, 0.7071, 1.4142]]])
    """
    check_known("level scale", level_scale, LEVEL_SCALES)
    with plain_torch():
        pyramid = pyramid.select(levels)
        size = pyramid.grid_size(grid)
        squares = [
            _squared_deviations(pyramid.select([name]), size) / _square_scale(level, level_scale)
            for name, level in pyramid.levels.items()
        ]
        return _cam(torch.stack(squares).sum(0).div(_channels(pyramid)).sqrt())


def activation(
    pyramid: Pyramid,
    grid: str = "coarsest",
    levels: Sequence[str] | None = None,
    level_scale: str = "none",
) -> Cam:
    """How active the network is at each place: the mean of the absolute features over channels.

    Parameters
    ----------
    pyramid, grid, levels, level_scale
        As for `eigen`.

    Returns
    -------
    Cam
        Never negative, without evidence; its explained variance is NaN. Maps that would be the
        same everywhere, and of images whose features are not finite, are NaN.

    Raises
    ------
    UnknownNameError
        If there is no such grid, level or level scale.

    Examples
    --------
    >>> features = torch.tensor([[[[0.0, -2.0]], [[1.0, 4.0]]]])
    >>> activation(Pyramid({"0": features}, {"0": 8}, (8, 16), (8, 16))).projection
    tensor([[[0.5000, 3.0000]]])
    """
    check_known("level scale", level_scale, LEVEL_SCALES)
    with plain_torch():
        pyramid = pyramid.select(levels)
        size = pyramid.grid_size(grid)
        sums = [
            plane_on_grid(pyramid, name, level.abs().sum(1), size)
            / _square_scale(level, level_scale).sqrt()
            for name, level in pyramid.levels.items()
        ]
        return _cam(torch.stack(sums).sum(0) / _channels(pyramid))


def _squared_deviations(pyramid: Pyramid, size: Size) -> torch.Tensor:
    """Squared deviations of one level from its channels' means, summed over them, (B, h, w)."""
    (level,) = feature_matrix(pyramid, size).levels
    (features,) = pyramid.levels.values()
    squares = features.new_zeros(len(features), *size)
    for cells in torch.split(level.cells, _CHANNELS_AT_ONCE, dim=1):
        planes = level.to_grid(cells)
        squares += (planes - planes.mean((2, 3), keepdim=True)).square().sum(1)
    # What rounding leaves of constant features would be blown up to a map from 0 to 1.
    varying, whole = (_norm(each) for each in (level.cells, features))
    return torch.where((varying <= ROUNDING * whole)[:, None, None], 0.0, squares)


def _square_scale(level: torch.Tensor, level_scale: str) -> torch.Tensor:
    """Variance of a level that its square is divided by, (B, 1, 1); 1 where it is not scaled."""
    if level_scale == "none":
        return level.new_ones(len(level), 1, 1)
    features = level.abs()
    scale = features.std((1, 2, 3), correction=0)
    varies = scale > ROUNDING * features.mean((1, 2, 3))
    return torch.where(varies, scale.square(), 1.0)[:, None, None]


def _norm(values: torch.Tensor) -> torch.Tensor:
    return values.square().sum((1, 2, 3)).sqrt()


def _channels(pyramid: Pyramid) -> int:
    return sum(pyramid.shape(name)[1] for name in pyramid.levels)


def _cam(maps: torch.Tensor) -> Cam:
    """Give maps (B, h, w) that are finite and vary by more than rounding, and NaN for others."""
    highest, lowest = maps.amax((1, 2), keepdim=True), maps.amin((1, 2), keepdim=True)
    defined = highest.isfinite() & (highest - lowest > ROUNDING * highest)
    return Cam.unsigned(torch.where(defined, maps, torch.nan))
