"""The principal components of a feature matrix: dense where it is small, matrix-free elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from quickgaze.cams._features import FeatureMatrix

LAPACK_CELLS = 4096
"""Grid cells up to which a dense singular value decomposition is affordable."""

_DENSE_ELEMENTS = 2**20
_DENSE_SIDE = 1024
_LARGEST_BASIS = 160
_SPARE_VECTORS = 3
_ANGLE = 3e-4


@dataclass(frozen=True, eq=False)
class Components:
    """The leading principal components of each matrix of a batch."""

    projections: torch.Tensor  # (B, K, N), of the centred rows; their signs are arbitrary
    explained_variance: torch.Tensor  # (B, K), in [0, 1]; NaN where the rows do not vary


def principal_components(matrix: FeatureMatrix, count: int) -> Components:
    """Project rows on `count` leading components: 0 beyond the rank, NaN if X is not finite.

    Dense or not, the results agree within a correlation of 1 - 1e-6.
    """
    elements, side = matrix.rows * matrix.columns, min(matrix.rows, matrix.columns)
    if elements <= _DENSE_ELEMENTS and side <= _DENSE_SIDE:
        return dense_components(matrix.dense(), count)
    return krylov_components(matrix, count)


def dense_components(rows: torch.Tensor, count: int) -> Components:
    """Decompose the smaller of the two Gram matrices of rows (B, N, C) of mean 0."""
    # In float64 its eigenvectors are as exact as the float32 features allow.
    centred = _double(rows)
    wide = rows.shape[1] <= rows.shape[2]
    gram = centred @ centred.mT if wide else centred.mT @ centred
    total = gram.diagonal(dim1=1, dim2=2).sum(1)
    finite = total.isfinite()
    # A matrix with a NaN has no eigenvalues; its image is left out in the end.
    gram = torch.where(finite[:, None, None], gram, 0.0)
    eigenvalues, eigenvectors = (each.flip(-1) for each in torch.linalg.eigh(gram))
    leading = eigenvalues[:, :count].clamp(min=0)
    directions = eigenvectors[:, :, :count]
    projections = directions * leading.sqrt()[:, None] if wide else centred @ directions
    return _components(projections, leading, total, finite)


def krylov_components(matrix: FeatureMatrix, count: int) -> Components:
    """Find the components in a block Krylov space, by products with the matrix alone."""
    # Each step multiplies a block of vectors by X and by its transpose, two passes over the
    # features, and solves the eigenproblem on the space so far (Rayleigh-Ritz). It ends for an
    # image when the residual, divided by the gap to the next eigenvalue, bounds the angle to the
    # true component by 3e-4. Each image keeps what it had then, so that no value depends on the
    # others in its batch. The first vector is the mean over channels, with which the leading
    # component mostly agrees; the others are random, from a fixed seed.
    total = _double(matrix.square_sum())
    finite = total.isfinite()
    basis = _Basis(matrix, len(total))
    block = _start(matrix, total, min(count + _SPARE_VECTORS, matrix.rows, matrix.columns))
    limit = min(max(_LARGEST_BASIS, 4 * count), matrix.columns)
    found: _Ritz | None = None
    done = ~finite
    while True:
        basis.extend(block)
        ritz = basis.ritz(count)
        found = ritz if found is None else found.kept_where(done, ritz)
        done = done | (ritz.angle <= _ANGLE).all(1)
        if bool(done.all()) or basis.size >= limit:
            break
        block = basis.next_block(min(block.shape[2], limit - basis.size))
    return _components(basis.project(found), found.eigenvalues, total, finite)


@dataclass(frozen=True, eq=False)
class _Ritz:
    """Approximate eigenpairs within a basis, in float64."""

    eigenvalues: torch.Tensor  # (B, K)
    coefficients: torch.Tensor  # (B, m, K), of the eigenvectors in the basis
    # (B, K), bound of the angle to the true eigenvector, as far as the gaps are known
    angle: torch.Tensor

    def kept_where(self, done: torch.Tensor, later: _Ritz) -> _Ritz:
        """Keep these pairs for the images that are done, and take later ones for the others."""
        grown = later.coefficients.shape[1] - self.coefficients.shape[1]
        padded = torch.nn.functional.pad(self.coefficients, (0, 0, 0, grown))
        return _Ritz(
            torch.where(done[:, None], self.eigenvalues, later.eigenvalues),
            torch.where(done[:, None, None], padded, later.coefficients),
            torch.where(done[:, None], self.angle, later.angle),
        )


class _Basis:
    """Orthonormal vectors q, with X q and the transpose of X times X q, for a batch."""

    def __init__(self, matrix: FeatureMatrix, batch: int) -> None:
        self._matrix = matrix
        empty = _double(matrix.levels[0].cells.new_zeros(batch, matrix.columns, 0))
        self._vectors, self._images = empty, empty
        self._planes: list[torch.Tensor] = []

    @property
    def size(self) -> int:
        """Number of vectors."""
        return self._vectors.shape[2]

    def extend(self, block: torch.Tensor) -> None:
        """Add vectors that are orthonormal and orthogonal to those that are there."""
        planes = self._matrix.product(block)
        images = self._matrix.transposed_product(planes)
        self._planes.append(planes)
        self._vectors = torch.cat([self._vectors, block], 2)
        self._images = torch.cat([self._images, images.to(block.dtype)], 2)

    def ritz(self, count: int) -> _Ritz:
        """Find the leading eigenpairs of the transpose of X times X within the basis."""
        projected = self._vectors.mT @ self._images
        # A matrix with a NaN has no eigenvalues; its image is left out in the end.
        projected = torch.nan_to_num((projected + projected.mT) / 2, posinf=0.0, neginf=0.0)
        values, coefficients = (each.flip(-1) for each in torch.linalg.eigh(projected))
        leading = coefficients[:, :, :count]
        residual = self._images @ leading - self._vectors @ leading * values[:, None, :count]
        gaps = values - torch.nn.functional.pad(values, (0, 1))[:, 1:]
        gaps = torch.cummin(gaps[:, :count], dim=1).values
        size = residual.norm(dim=1)
        # A residual of rounding says nothing about the angle.
        negligible = size <= 1e-7 * values[:, :1].abs()
        angle = torch.where(negligible, 0.0, size / gaps.clamp(min=0))
        return _Ritz(values[:, :count].clamp(min=0), leading, angle)

    def next_block(self, width: int) -> torch.Tensor:
        """Orthonormalise the newest images against the basis: the next vectors."""
        block = self._images[:, :, -width:]
        for _ in range(2):
            block = block - self._vectors @ (self._vectors.mT @ block)
            block = _orthonormal(block)
        return block

    def project(self, ritz: _Ritz) -> torch.Tensor:
        """Give X times the eigenvectors, (B, N, K), of mean 0."""
        planes = torch.cat(self._planes, 2)
        return planes @ ritz.coefficients.to(planes.dtype)


def _start(matrix: FeatureMatrix, total: torch.Tensor, width: int) -> torch.Tensor:
    """Orthonormal vectors to start from, (B, C, width), the same for every image."""
    generator = torch.Generator().manual_seed(0)
    block = torch.randn(matrix.columns, width, generator=generator, dtype=torch.float64)
    block[:, 0] = 1.0
    orthonormal: torch.Tensor = torch.linalg.qr(block).Q.to(total)
    return orthonormal.repeat(len(total), 1, 1)


def _orthonormal(block: torch.Tensor) -> torch.Tensor:
    """Orthonormalise columns; those that depend on others become 0."""
    size = block.norm(dim=1, keepdim=True)
    scaled = torch.nan_to_num(block / torch.where(size > 0, size, 1.0))
    values, vectors = torch.linalg.eigh(scaled.mT @ scaled)
    independent = values > 1e-10
    inverse = torch.where(independent, values, 1.0).rsqrt() * independent
    orthonormal: torch.Tensor = scaled @ (vectors * inverse[:, None])
    return orthonormal


def _components(
    projections: torch.Tensor, eigenvalues: torch.Tensor, total: torch.Tensor, finite: torch.Tensor
) -> Components:
    varies = finite & (total > 0)
    explained = torch.where(varies[:, None], eigenvalues / total[:, None], torch.nan)
    projections = torch.where(finite[:, None, None], projections, torch.nan)
    return Components(projections.mT.float(), explained.clamp(max=1).float())


def _double(values: torch.Tensor) -> torch.Tensor:
    """Values in float64 where the device has it."""
    return values if values.device.type == "mps" else values.double()


def lapack_projection(rows: torch.Tensor, component: int) -> torch.Tensor:
    """Project rows (B, N, C) on a component as `numpy.linalg.svd` returns it, sign included.

    The result (B, N) is NaN where `rows` are not finite.
    """
    matrices = rows.cpu().numpy()
    projections = np.full(matrices.shape[:2], np.nan, matrices.dtype)
    for matrix, projection in zip(matrices, projections, strict=True):
        centred = matrix - matrix.mean(0)
        if np.isfinite(centred).all():
            projection[:] = centred @ np.linalg.svd(centred, full_matrices=False)[2][component]
    return torch.from_numpy(projections).to(rows.device)
