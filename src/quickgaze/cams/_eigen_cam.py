"""EigenCAM: the map on which most of the features' variance lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from quickgaze.backbones import plain_torch
from quickgaze.backbones.pyramid import Pyramid
from quickgaze.cams._cam import Cam, Evidence, alone
from quickgaze.cams._decomposition import (
    LAPACK_CELLS,
    Components,
    lapack_projection,
    principal_components,
)
from quickgaze.cams._features import ROUNDING, FeatureMatrix, feature_matrix
from quickgaze.cams._orientation import correlation, orientation_evidence
from quickgaze.errors import OptionError


def eigen(
    pyramid: Pyramid,
    grid: str = "coarsest",
    component: int = 0,
    levels: Sequence[str] | None = None,
    level_scale: str = "none",
) -> Cam:
    """EigenCAM over all levels of a pyramid.

    The absolute features of all levels are brought to one grid and joined over channels: a
    matrix with a row for each cell. The map is their projection on a principal component.

    Parameters
    ----------
    pyramid : Pyramid
        Features of a batch of images.
    grid : str
        Where the levels are brought together: a level's name, ``"coarsest"``, ``"finest"``, a
        stride (``"s32"``) or height x width (``"30x40"``).
    component : int
        Which principal component, from 0.
    levels : sequence of str, optional
        The levels to use; all by default.
    level_scale : {"none", "std"}
        ``"std"`` divides each level by its standard deviation.

    Returns
    -------
    Cam
        With the evidence of every rule that the features decide, and of LAPACK's sign where the
        grid has at most 4,096 cells. Maps of images whose features do not vary, or not along this
        component, or are not finite, are NaN.

    Raises
    ------
    UnknownNameError
        If there is no such grid, level or level scale.
    OptionError
        If there is no such component.

    References
    ----------
    Muhammad, M. B. and Yeasin, M. (2020). Eigen-CAM: Class Activation Map using Principal
    Components. IJCNN.

    Examples
    --------
    >>> features = torch.zeros(1, 3, 4, 4)
    >>> features[0, :, 1, 2] = 1.0
    >>> cam = eigen(Pyramid({"0": features}, {"0": 8}, (32, 32), (32, 32)))
    >>> cam.oriented("activation")[0].argmax().item(), cam.explained_variance.item()
    (6, 1.0)
    """
    with plain_torch():
        return _eigen(pyramid.select(levels), grid, component, level_scale)


def _eigen(pyramid: Pyramid, grid: str, component: int, level_scale: str) -> Cam:
    height, width = size = pyramid.grid_size(grid)
    matrix = feature_matrix(pyramid, size, level_scale)
    limit = min(matrix.rows, matrix.columns)
    if not 0 <= component < limit:
        raise OptionError(
            f"component {component} does not exist: a {height}x{width} grid with "
            f"{matrix.columns} channels has components 0 to {limit - 1}"
        )
    found = principal_components(matrix, component + 1)
    projection, explained = _defined(found, matrix, component)
    known = orientation_evidence(projection, _mean_activation(matrix))
    if matrix.rows > LAPACK_CELLS:
        return Cam(projection, explained, known, component)
    lapack = _LapackSign(projection, matrix, component)
    return Cam(projection, explained, Evidence({**known, "lapack": lapack}), component)


def _defined(
    found: Components, matrix: FeatureMatrix, component: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Map (B, h, w) and explained variance (B,) of a component; NaN where rounding made them."""
    planes, explained = found.projections[:, component], found.explained_variance[:, component]
    energy = planes.double() if planes.device.type != "mps" else planes
    energy = energy.square().sum(1)
    least = ROUNDING**2 * (torch.zeros_like(energy) if matrix.taken is None else matrix.taken)
    planes = torch.where((energy > least)[:, None], planes, torch.nan)
    explained = torch.where(energy > least * explained, explained, torch.nan)
    return planes.reshape(-1, *matrix.size), explained


@dataclass(frozen=True, eq=False)
class _LapackSign:
    """Evidence of the sign that LAPACK gives: 1 if maps (B, h, w) have it, -1 otherwise."""

    projection: torch.Tensor
    matrix: FeatureMatrix | torch.Tensor  # of the features, or dense, (B, N, C)
    component: int

    @plain_torch()
    def __call__(self) -> torch.Tensor:
        """Decompose the matrices densely, (B,)."""
        arbitrary = lapack_projection(self._dense(), self.component)
        return correlation(self.projection, arbitrary.reshape_as(self.projection)).sign()

    def images(self) -> list[_LapackSign]:
        """Split it into that of single images, on the CPU and in memory of their own."""
        parts = zip(alone(self.projection), alone(self._dense()), strict=True)
        return [_LapackSign(*part, self.component) for part in parts]

    def _dense(self) -> torch.Tensor:
        return self.matrix if isinstance(self.matrix, torch.Tensor) else self.matrix.dense()


def _mean_activation(matrix: FeatureMatrix) -> torch.Tensor:
    """Mean over channels of the features on the grid, (B, h, w), up to a constant."""
    first = matrix.levels[0].cells
    ones = first.new_full((len(first), matrix.columns, 1), 1 / matrix.columns)
    return matrix.product(ones)[:, :, 0].reshape(-1, *matrix.size)
