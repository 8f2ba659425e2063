"""The principal components of features on a grid, by dense linear algebra."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

LAPACK_CELLS = 4096
"""Grid cells up to which a dense singular value decomposition is affordable."""


@dataclass(frozen=True, eq=False)
class Component:
    """One principal component of each matrix of a batch.

    Parameters
    ----------
    projection : Tensor, shape (B, N), float32
        The centred rows projected on the component; its sign is arbitrary.
    explained_variance : Tensor, shape (B,), float32
        In [0, 1]; NaN where the rows do not vary.
    """

    projection: torch.Tensor
    explained_variance: torch.Tensor


def principal_component(rows: torch.Tensor, component: int) -> Component:
    """Project the rows of each matrix on one of its principal components.

    Parameters
    ----------
    rows : Tensor, shape (B, N, C), float32
        N observations of C variables.
    component : int
        Which, from 0; below min(N, C).

    Returns
    -------
    Component
        A matrix whose rows do not vary in `component` + 1 directions has a projection of 0.
        One that holds a NaN or an infinity gives NaN.

    Notes
    -----
    The smaller of the two Gram matrices is decomposed in float64: its eigenvalues are the
    squared singular values, and its leading eigenvectors are as exact as the float32 features
    allow.
    """
    centred = (rows - rows.mean(1, keepdim=True)).double()
    finite = centred.isfinite().all(2).all(1)
    centred = torch.where(finite[:, None, None], centred, 0.0)
    observations, variables = centred.shape[1:]
    wide = observations <= variables
    gram = centred @ centred.mT if wide else centred.mT @ centred
    eigenvalues, eigenvectors = torch.linalg.eigh(gram)
    eigenvalue = eigenvalues[:, -1 - component].clamp(min=0)
    eigenvector = eigenvectors[:, :, -1 - component]
    if wide:
        projection = eigenvector * eigenvalue.sqrt()[:, None]
    else:
        projection = (centred @ eigenvector[:, :, None])[:, :, 0]
    total = gram.diagonal(dim1=1, dim2=2).sum(1)
    nothing = torch.full_like(total, torch.nan)
    explained = torch.where(total > 0, eigenvalue / total, nothing)
    return Component(
        torch.where(finite[:, None], projection, nothing[:, None]).float(),
        torch.where(finite, explained, nothing).float(),
    )


def lapack_projection(rows: torch.Tensor, component: int) -> torch.Tensor:
    """Project as `numpy.linalg.svd` returns the component, with the sign that LAPACK left.

    Parameters
    ----------
    rows : Tensor, shape (B, N, C), float32
        At most `LAPACK_CELLS` observations.
    component : int
        Which, from 0.

    Returns
    -------
    Tensor, shape (B, N), float32
        NaN where `rows` are not finite.
    """
    projections = []
    for matrix in rows.cpu().numpy():
        centred = matrix - matrix.mean(0)
        if np.isfinite(centred).all():
            right = np.linalg.svd(centred, full_matrices=False)[2]
            projections.append(centred @ right[component])
        else:
            projections.append(np.full(len(matrix), np.nan, np.float32))
    return torch.from_numpy(np.stack(projections)).to(rows.device)
