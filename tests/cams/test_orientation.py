"""The rules that fix the sign."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from quickgaze.backbones import Pyramid
from quickgaze.cams import ORIENTATIONS, Cam, eigen
from quickgaze.cams._orientation import (
    border_evidence,
    correlation,
    extremum_evidence,
    orientation_evidence,
    sign_of,
    skew_evidence,
)
from quickgaze.errors import OptionError, UnknownNameError

FROM_FEATURES = ["activation", "extremum", "skew", "border"]


def test_correlation_is_scipys() -> None:
    generator = torch.Generator().manual_seed(0)
    first, second = torch.randn(2, 3, 4, 5, generator=generator)
    found = correlation(first, second)
    for index in range(3):
        expected = stats.pearsonr(first[index].flatten(), second[index].flatten()).statistic
        assert found[index].item() == pytest.approx(expected, abs=1e-6)


def test_skew_is_scipys() -> None:
    maps = torch.rand(3, 6, 7, generator=torch.Generator().manual_seed(1)) ** 3
    for found, values in zip(skew_evidence(maps), maps, strict=True):
        skewness = stats.skew(values.flatten().double())
        assert found.item() == pytest.approx(skewness / (1 + abs(skewness)), abs=1e-6)


def test_extremum_literally() -> None:
    maps = torch.tensor([[[3.0, -1.0, 0.0]], [[1.0, -4.0, 0.0]]])
    torch.testing.assert_close(extremum_evidence(maps), torch.tensor([2 / 3, -3 / 4]))


def test_border_literally() -> None:
    inside_high = torch.zeros(1, 3, 3)
    inside_high[0, 1, 1] = 1.0
    torch.testing.assert_close(border_evidence(inside_high), torch.tensor([1.0]))
    torch.testing.assert_close(border_evidence(-inside_high), torch.tensor([-1.0]))
    assert border_evidence(torch.rand(1, 2, 9)).isnan().all()


@pytest.mark.parametrize("rule", FROM_FEATURES)
@given(seed=st.integers(0, 200))
def test_every_rule_turns_a_map_and_its_negative_into_the_same(rule: str, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    projection, activation = torch.randn(2, 1, 5, 6, generator=generator)
    projection -= projection.mean()
    variance = torch.tensor([0.5])
    oriented = [
        Cam(signed, variance, orientation_evidence(signed, activation), 0).oriented(rule)
        for signed in (projection, -projection)
    ]
    torch.testing.assert_close(oriented[0], oriented[1])


@pytest.mark.parametrize("rule", FROM_FEATURES)
@given(seed=st.integers(0, 200))
def test_margins_lie_between_0_and_1(rule: str, seed: int) -> None:
    maps = torch.randn(2, 4, 4, generator=torch.Generator().manual_seed(seed))
    maps -= maps.mean((1, 2), keepdim=True)
    margin = orientation_evidence(maps, maps.abs())[rule].abs()
    assert ((margin >= 0) & (margin <= 1)).all()


def test_evidence_of_zero_keeps_the_sign() -> None:
    cam = Cam(torch.ones(1, 1, 1), torch.ones(1), {"skew": torch.zeros(1)}, 0)
    assert cam.sign("skew").item() == 1


def test_the_oracle_cannot_be_told_from_features(random_pyramid: Callable[..., Pyramid]) -> None:
    cam = eigen(random_pyramid())
    with pytest.raises(OptionError, match="evidence for: activation, extremum, skew, border"):
        cam.oriented("oracle")


def test_an_unknown_rule_gets_the_nearest(random_pyramid: Callable[..., Pyramid]) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'activation'"):
        eigen(random_pyramid()).sign("activations")


def test_all_rules_are_there() -> None:
    assert ORIENTATIONS.names() == [*FROM_FEATURES, "lapack", "oracle"]


def test_a_sign_of_arrays_and_tensors() -> None:
    evidence = [-0.3, 0.0, 2.0, float("nan")]
    expected = [-1.0, 1.0, 1.0, float("nan")]
    np.testing.assert_array_equal(sign_of(np.array(evidence, np.float32)), expected)
    found = sign_of(torch.tensor(evidence))
    assert found.dtype == torch.float32
    np.testing.assert_array_equal(found, expected)
