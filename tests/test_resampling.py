"""Resizing and blurring, against torch and SciPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from quickgaze.errors import OptionError
from quickgaze.resampling import (
    bilinear_matrix,
    bilinear_taps,
    blurred_plane,
    blurred_points,
    enlarging_matrix,
    gaussian_blur,
    pooling_matrix,
)


@given(target=st.integers(1, 40), source=st.integers(1, 40), seed=st.integers(0, 99))
def test_bilinear_is_what_torch_does(target: int, source: int, seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=source)
    expected = torch.nn.functional.interpolate(
        torch.from_numpy(values)[None, None], target, mode="linear", align_corners=False
    )
    np.testing.assert_allclose(
        bilinear_matrix(target, source) @ values, expected.flatten(), atol=1e-12
    )


@given(
    target=st.integers(1, 40),
    source=st.integers(1, 40),
    share=st.floats(0.1, 1.0),
)
def test_bilinear_weights_sum_to_one(target: int, source: int, share: float) -> None:
    matrix = bilinear_matrix(target, source, share * source)
    assert (matrix >= 0).all()
    np.testing.assert_allclose(matrix.sum(1), 1)


def test_an_extent_leaves_padding_out() -> None:
    content = np.arange(6.0)
    padded = np.concatenate([content, [99.0, 99.0]])
    np.testing.assert_allclose(bilinear_matrix(6, 8, extent=6.0) @ padded, content)


def test_a_ramp_lies_at_cell_centres_of_a_partial_extent() -> None:
    # 10 cells of which 7.5 are content: 3 grid cells have their centres at 1.25, 3.75, 6.25.
    ramp = np.arange(10.0) + 0.5
    np.testing.assert_allclose(bilinear_matrix(3, 10, extent=7.5) @ ramp, [1.25, 3.75, 6.25])


def test_literal_taps_and_weights() -> None:
    taps = bilinear_taps(2, 4)
    assert (taps.lower.tolist(), taps.upper.tolist()) == ([0, 2], [1, 3])
    assert taps.share.tolist() == [0.5, 0.5]
    assert bilinear_matrix(2, 4).tolist() == [[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]]
    assert bilinear_matrix(2, 4, extent=2.0).tolist() == [[1, 0, 0, 0], [0, 1, 0, 0]]


def test_a_literal_blur() -> None:
    blurred = [0.11, 0.79, 0.11]
    np.testing.assert_allclose(gaussian_blur([0.0, 1.0, 0.0], 0.5, axes=(0,)), blurred, atol=5e-3)
    line = np.array([[0.0, 1.0, 0.0]])
    np.testing.assert_allclose(blurred_plane(line, 0.5), [blurred], atol=5e-3)
    twice = blurred_points(np.array([0, 0]), np.array([1, 1]), (1, 3), 0.5)
    np.testing.assert_allclose(twice, [[0.21, 1.57, 0.21]], atol=5e-3)


def test_enlarging_is_resampling_and_then_blurring() -> None:
    matrix = enlarging_matrix(4, 2, 0.5)
    expected = [[0.97, 0.03], [0.72, 0.28], [0.28, 0.72], [0.03, 0.97]]
    np.testing.assert_allclose(matrix, expected, atol=5e-3)
    np.testing.assert_allclose(
        matrix, gaussian_blur(bilinear_matrix(4, 2), 0.5, axes=(0,)), atol=1e-12
    )


def test_matrices_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        bilinear_matrix(2, 3)[0, 0] = 5


@given(sigma=st.floats(0.3, 30), seed=st.integers(0, 99))
def test_blur_is_what_scipy_does_one_axis_after_the_other(sigma: float, seed: int) -> None:
    values = np.random.default_rng(seed).random((17, 23))
    expected = values
    for axis in (0, 1):
        expected = ndimage.gaussian_filter1d(expected, sigma, axis, mode="reflect", truncate=4.0)
    np.testing.assert_allclose(gaussian_blur(values, sigma, axes=(0, 1)), expected, atol=1e-12)
    np.testing.assert_allclose(gaussian_blur(values, sigma, axes=(0, 1)).sum(), values.sum())


def test_no_blur_changes_nothing() -> None:
    values = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(gaussian_blur(values, 0, axes=(0, 1)), values)


@pytest.mark.parametrize("sigma", [-1.0, float("nan"), float("inf")])
def test_an_impossible_blur_is_refused(sigma: float) -> None:
    with pytest.raises(OptionError, match="sigma"):
        gaussian_blur([1.0], sigma, axes=(0,))


@given(
    sigma=st.sampled_from([0.0, 0.7, 3.0, 30.0]),
    count=st.integers(1, 60),
    height=st.sampled_from([1, 9, 2050]),
    seed=st.integers(0, 99),
)
def test_blurred_points_are_blurred_counts(
    sigma: float, count: int, height: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    size = (height, 13)
    rows, columns = rng.integers(0, size[0], count), rng.integers(0, size[1], count)
    counts = np.zeros(size)
    np.add.at(counts, (rows, columns), 1)
    expected = gaussian_blur(counts, sigma, axes=(0, 1))
    found = blurred_points(rows, columns, size, sigma)
    np.testing.assert_allclose(found, expected, atol=1e-14)
    np.testing.assert_array_equal(found == 0, expected == 0)


@pytest.mark.parametrize(
    ("target", "source", "extent", "expected"),
    [
        (2, 4, None, [[0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5]]),
        (2, 3, None, [[2 / 3, 1 / 3, 0], [0, 1 / 3, 2 / 3]]),
        (1, 3, 2.5, [[0.4, 0.4, 0.2]]),
        (2, 5, 3.0, [[2 / 3, 1 / 3, 0, 0, 0], [0, 1 / 3, 2 / 3, 0, 0]]),
        (3, 3, None, np.eye(3)),
        (4, 2, None, [[1, 0], [0.75, 0.25], [0.25, 0.75], [0, 1]]),
    ],
)
def test_literal_shares_of_areas(
    target: int, source: int, extent: float | None, expected: list[list[float]]
) -> None:
    np.testing.assert_allclose(pooling_matrix(target, source, extent), expected, atol=1e-12)


@given(target=st.integers(1, 20), times=st.integers(1, 6), seed=st.integers(0, 99))
def test_pooling_by_a_whole_number_is_a_mean_of_blocks(target: int, times: int, seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=(target, times))
    pooled = pooling_matrix(target, target * times) @ values.ravel()
    np.testing.assert_allclose(pooled, values.mean(1), atol=1e-12)


@given(target=st.integers(1, 40), source=st.integers(1, 40), share=st.floats(0.1, 1.0))
def test_no_cell_of_the_content_is_left_out(target: int, source: int, share: float) -> None:
    extent = share * source
    matrix = pooling_matrix(target, source, extent)
    assert (matrix >= 0).all()
    np.testing.assert_allclose(matrix.sum(1), 1)
    if extent > target:  # each cell counts as much as it is covered
        covered = (extent - np.arange(source)).clip(0, 1)
        np.testing.assert_allclose(matrix.sum(0) * extent / target, covered, atol=1e-9)
