"""EigenCAM: the map on which most of the features' variance lies."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from quickgaze.backbones.pyramid import Pyramid
from quickgaze.cams.cam import Cam
from quickgaze.cams.decomposition import LAPACK_CELLS, lapack_projection, principal_component
from quickgaze.cams.features import features_on_grid
from quickgaze.cams.orientation import correlation, orientation_evidence
from quickgaze.errors import OptionError


def eigen(
    pyramid: Pyramid,
    grid: str = "coarsest",
    component: int = 0,
    levels: Sequence[str] | None = None,
    level_scale: str = "none",
) -> Cam:
    """EigenCAM over all levels of a pyramid.

    The absolute features of all levels, brought to one grid and joined over channels, are the
    rows of a matrix, one row a grid cell. The map is their projection on a principal component.

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
        With the evidence of every rule that the features decide, and LAPACK's sign where the
        grid has at most 4,096 cells (NaN elsewhere). Maps of images whose features do not vary
        are 0, of images whose features are not finite NaN.

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
    pyramid = pyramid.select(levels)
    height, width = size = pyramid.grid_size(grid)
    features = features_on_grid(pyramid, size, level_scale)
    limit = min(features.shape[1], height * width)
    if not 0 <= component < limit:
        raise OptionError(
            f"component {component} does not exist: a {height}x{width} grid with "
            f"{features.shape[1]} channels has components 0 to {limit - 1}"
        )
    rows = features.flatten(2).mT
    found = principal_component(rows, component)
    projection = found.projection.reshape(-1, *size)
    evidence = orientation_evidence(projection, features.mean(1))
    if height * width <= LAPACK_CELLS:
        lapack = lapack_projection(rows, component).reshape(-1, *size)
        evidence["lapack"] = correlation(projection, lapack).sign()
    else:
        evidence["lapack"] = torch.full_like(found.explained_variance, torch.nan)
    return Cam(projection, found.explained_variance, evidence, component)
