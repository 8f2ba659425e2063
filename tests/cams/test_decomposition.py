"""Both ways to decompose, against a float64 singular value decomposition."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.data import coffee
from torch.nn import functional

import quickgaze as qg
from quickgaze.backbones import Pyramid
from quickgaze.cams._decomposition import (
    Components,
    dense_components,
    krylov_components,
    principal_components,
)
from quickgaze.cams._features import FeatureMatrix, GridLevel, feature_matrix
from quickgaze.saliency import as_batch

Array = npt.NDArray[np.float64]
Decompose = Callable[[FeatureMatrix, int], Components]


def densely(matrix: FeatureMatrix, count: int) -> Components:
    return dense_components(matrix.dense(), count)


WAYS: list[Decompose] = [densely, krylov_components, principal_components]


def matrix_of(rows: torch.Tensor, grid: tuple[int, int]) -> FeatureMatrix:
    """A feature matrix with the given rows, (B, N, C), all on the grid already."""
    cells = rows.mT.reshape(len(rows), -1, *grid)
    return FeatureMatrix((GridLevel(cells - cells.mean((2, 3), keepdim=True), None, None),), grid)


def reference(rows: Array, count: int) -> tuple[Array, Array]:
    """Projections (K, N) and explained variance (K,) by the textbook."""
    centred = rows - rows.mean(0)
    _, values, right = np.linalg.svd(centred, full_matrices=False)
    return (centred @ right[:count].T).T, (values**2 / (values**2).sum())[:count]


def reference_rows(pyramid: Pyramid, size: tuple[int, int], image: int) -> Array:
    """Features of one image on a grid over its content, cell by cell, as section by section."""
    parts = []
    for name, level in pyramid.levels.items():
        features = level[image].abs().double().numpy()
        extents = pyramid.content_cells(name)
        for axis, (target, extent) in enumerate(zip(size, extents, strict=True), start=1):
            centres = (np.arange(target) + 0.5) * extent / target - 0.5
            cells = np.arange(features.shape[axis])
            features = np.apply_along_axis(
                lambda values, at=centres, cells=cells: np.interp(at, cells, values), axis, features
            )
        parts.append(features.reshape(len(features), -1))
    return np.concatenate(parts).T


def assert_same(found: Components, image: int, rows: Array, count: int) -> None:
    projections, explained = reference(rows, count)
    np.testing.assert_allclose(found.explained_variance[image], explained, rtol=1e-4)
    for component in range(count):
        one, other = found.projections[image, component].double().numpy(), projections[component]
        assert abs(np.corrcoef(one, other)[0, 1]) >= 1 - 1e-6
        np.testing.assert_allclose(np.linalg.norm(one), np.linalg.norm(other), rtol=1e-4)


@pytest.mark.parametrize("decompose", WAYS)
@pytest.mark.parametrize("content", [(64, 96), (60, 87)])
@pytest.mark.parametrize("size", [(4, 6), (16, 24), (9, 30), (21, 5), (33, 40)])
def test_a_pyramid_on_any_grid(
    random_pyramid: Callable[..., Pyramid],
    decompose: Decompose,
    content: tuple[int, int],
    size: tuple[int, int],
) -> None:
    pyramid = random_pyramid(seed=3, batch=2, content=content)
    found = decompose(feature_matrix(pyramid, size), 2)
    for image in range(2):
        assert_same(found, image, reference_rows(pyramid, size, image), 2)


@pytest.mark.parametrize("decompose", WAYS)
@settings(deadline=None, max_examples=40)
@given(
    grid=st.tuples(st.integers(1, 7), st.integers(2, 7)),
    columns=st.integers(2, 40),
    seed=st.integers(0, 10_000),
    scale=st.sampled_from([1e-4, 1.0, 1e5]),
    offset=st.sampled_from([0.0, 30.0]),
)
def test_random_matrices(
    decompose: Decompose,
    grid: tuple[int, int],
    columns: int,
    seed: int,
    scale: float,
    offset: float,
) -> None:
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randn(2, grid[0] * grid[1], columns, generator=generator)
    # Eigenvalues that differ: equal ones have no eigenvectors to agree on.
    rows = (rows * 0.8 ** torch.arange(columns) + offset) * scale
    count = min(3, *rows.shape[1:])
    found = decompose(matrix_of(rows, grid), count)
    for image in range(2):
        centred = rows[image].double().numpy()
        projections, explained = reference(centred, count)
        np.testing.assert_allclose(found.explained_variance[image], explained, rtol=1e-4, atol=2e-6)
        gaps = np.abs(np.diff(np.append(explained, 0.0)))
        if gaps[0] > 1e-2:
            leading = found.projections[image, 0].double().numpy()
            assert abs(np.corrcoef(leading, projections[0])[0, 1]) >= 1 - 1e-6


@pytest.mark.parametrize("decompose", WAYS)
def test_several_components_are_orthogonal(decompose: Decompose) -> None:
    rows = torch.randn(1, 48, 60, generator=torch.Generator().manual_seed(2))
    projections = decompose(matrix_of(rows * 0.9 ** torch.arange(60), (6, 8)), 5).projections[0]
    gram = (projections @ projections.mT).numpy()
    scale = np.sqrt(np.outer(gram.diagonal(), gram.diagonal()))
    np.testing.assert_allclose(gram / scale, np.eye(5), atol=1e-3)


@pytest.mark.parametrize("decompose", WAYS)
def test_rank_one(decompose: Decompose) -> None:
    plane, weights = torch.rand(1, 30, 1), torch.rand(1, 1, 12)
    found = decompose(matrix_of(plane @ weights, (5, 6)), 2)
    assert found.explained_variance[0].tolist() == pytest.approx([1.0, 0.0], abs=1e-6)
    leading = found.projections[0, 0]
    assert abs(np.corrcoef(leading, plane.flatten())[0, 1]) >= 1 - 1e-6
    assert found.projections[0, 1].abs().max() < 1e-3 * leading.abs().max()


@pytest.mark.parametrize("decompose", WAYS)
@pytest.mark.parametrize("value", [0.0, 3.0])
def test_constant_features_have_no_component(decompose: Decompose, value: float) -> None:
    found = decompose(matrix_of(torch.full((1, 12, 5), value), (3, 4)), 1)
    assert (found.projections == 0).all()
    assert found.explained_variance.isnan().all()


@pytest.mark.parametrize("decompose", WAYS)
@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
def test_a_bad_image_stays_alone(decompose: Decompose, bad: float) -> None:
    rows = torch.rand(3, 20, 9, generator=torch.Generator().manual_seed(8))
    expected = decompose(matrix_of(rows, (4, 5)), 1)
    rows[1, 4, 2] = bad
    found = decompose(matrix_of(rows, (4, 5)), 1)
    assert found.projections[1].isnan().all()
    assert found.explained_variance[1].isnan().all()
    for image in (0, 2):
        torch.testing.assert_close(
            found.projections[image].abs(), expected.projections[image].abs(), atol=1e-5, rtol=0
        )


@pytest.mark.parametrize("decompose", WAYS)
def test_one_cell(decompose: Decompose) -> None:
    found = decompose(matrix_of(torch.rand(2, 1, 7), (1, 1)), 1)
    assert found.projections.shape == (2, 1, 1)
    assert (found.projections == 0).all()
    assert found.explained_variance.isnan().all()


@pytest.mark.parametrize("decompose", WAYS)
def test_one_column(decompose: Decompose) -> None:
    rows = torch.rand(1, 12, 1, generator=torch.Generator().manual_seed(4))
    found = decompose(matrix_of(rows, (3, 4)), 1)
    assert found.explained_variance.item() == pytest.approx(1.0)
    assert_same(found, 0, rows[0].double().numpy(), 1)


@pytest.mark.parametrize("decompose", WAYS)
def test_the_batch_changes_nothing(decompose: Decompose) -> None:
    generator = torch.Generator().manual_seed(9)
    rows = torch.randn(5, 63, 40, generator=generator) * 0.95 ** torch.arange(40)
    together = decompose(matrix_of(rows, (7, 9)), 2)
    for image in range(5):
        alone = decompose(matrix_of(rows[image : image + 1], (7, 9)), 2)
        for component in range(2):
            one, other = alone.projections[0, component], together.projections[image, component]
            sign = (one * other).sum().sign()
            torch.testing.assert_close(one * sign, other, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("grid", ["coarsest", "s16", "s8", "20x30"])
def test_real_features(grid: str) -> None:
    backbone = qg.load_backbone("efficientnet_lite0", device="cpu")
    pyramid = backbone(as_batch([coffee()]))
    size = pyramid.grid_size(grid)
    rows = reference_rows(pyramid, size, 0)
    for decompose in WAYS:
        assert_same(decompose(feature_matrix(pyramid, size), 3), 0, rows, 3)


def test_products_are_those_of_the_matrix(random_pyramid: Callable[..., Pyramid]) -> None:
    pyramid = random_pyramid(seed=6, batch=2, content=(60, 87))
    for size in ((3, 4), (10, 30), (40, 9), (16, 24)):
        matrix = feature_matrix(pyramid, size)
        generator = torch.Generator().manual_seed(0)
        vectors = torch.randn(2, matrix.columns, 3, generator=generator)
        planes = torch.randn(2, matrix.rows, 2, generator=generator)
        planes -= planes.mean(1, keepdim=True)
        for image in range(2):
            rows = reference_rows(pyramid, size, image)
            dense = rows - rows.mean(0)
            np.testing.assert_allclose(matrix.dense()[image], dense, atol=1e-5)
            np.testing.assert_allclose(
                matrix.product(vectors)[image], dense @ vectors[image].numpy(), atol=1e-4
            )
            np.testing.assert_allclose(
                matrix.transposed_product(planes)[image], dense.T @ planes[image].numpy(), atol=1e-3
            )
            np.testing.assert_allclose(matrix.square_sum()[image], (dense**2).sum(), rtol=1e-5)


def test_full_content_is_torchs_interpolation(random_pyramid: Callable[..., Pyramid]) -> None:
    pyramid = random_pyramid(seed=7)
    for size in ((4, 6), (16, 24), (13, 50)):
        resized = [
            functional.interpolate(level.abs(), size, mode="bilinear", align_corners=False)
            for level in pyramid.levels.values()
        ]
        rows = torch.cat(resized, 1).flatten(2).mT
        torch.testing.assert_close(
            feature_matrix(pyramid, size).dense(),
            rows - rows.mean(1, keepdim=True),
            atol=1e-5,
            rtol=1e-5,
        )


def test_std_divides_each_level_by_its_deviation(random_pyramid: Callable[..., Pyramid]) -> None:
    pyramid = random_pyramid(seed=8, batch=2)
    plain = feature_matrix(pyramid, (4, 6))
    scaled = feature_matrix(pyramid, (4, 6), "std")
    for name, before, after in zip(pyramid.levels, plain.levels, scaled.levels, strict=True):
        deviation = pyramid.levels[name].abs().std((1, 2, 3), correction=0, keepdim=True)
        torch.testing.assert_close(after.cells * deviation, before.cells, atol=1e-5, rtol=1e-5)


def test_the_pyramid_is_left_as_it_was(random_pyramid: Callable[..., Pyramid]) -> None:
    pyramid = random_pyramid(seed=9)
    before = {name: level.clone() for name, level in pyramid.levels.items()}
    for size in ((4, 6), (16, 24), (40, 40)):
        krylov_components(feature_matrix(pyramid, size, "std"), 1)
    for name, level in pyramid.levels.items():
        assert torch.equal(level, before[name])
