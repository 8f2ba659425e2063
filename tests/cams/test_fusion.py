"""Maps of single levels, averaged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

import quickgaze as qg
from quickgaze.backbones import Pyramid
from quickgaze.cams import activation, deviation, eigen, mean_over_levels
from quickgaze.errors import OptionError, UnknownNameError

MAKERS = pytest.mark.parametrize("make", [eigen, deviation, activation])


def reference_eigen(pyramid: Pyramid, size: tuple[int, int], image: int) -> Any:
    """Mean of single levels' EigenCAMs, and of their explained variances, word for word."""
    maps, shares = [], []
    for level in pyramid.levels.values():
        features = functional.interpolate(
            level[image : image + 1].abs().double(), size, mode="bilinear", align_corners=False
        )
        rows = features[0].flatten(1).T.numpy()
        centred = rows - rows.mean(0)
        _, values, right = np.linalg.svd(centred, full_matrices=False)
        projection = centred @ right[0]
        if np.corrcoef(projection, rows.mean(1))[0, 1] < 0:
            projection = -projection
        maps.append(projection / projection.std())
        shares.append(values[0] ** 2 / (values**2).sum())
    return np.mean(maps, 0).reshape(size), np.mean(shares)


@pytest.mark.parametrize("grid", ["coarsest", "1", "5x7"])
def test_eigen_is_the_mean_of_oriented_levels(
    random_pyramid: Callable[..., Pyramid], grid: str
) -> None:
    pyramid = random_pyramid(seed=7, batch=3)
    cam = mean_over_levels(eigen, pyramid, grid)
    for image in range(3):
        expected, share = reference_eigen(pyramid, cam.grid, image)
        np.testing.assert_allclose(cam.projection[image], expected, atol=1e-3)
        assert cam.explained_variance[image].item() == pytest.approx(share, rel=1e-4)


@pytest.mark.parametrize("make", [deviation, activation])
def test_sign_free_maps_are_averaged_alike(
    random_pyramid: Callable[..., Pyramid], make: Any
) -> None:
    pyramid = random_pyramid(seed=8, batch=2)
    cam = mean_over_levels(make, pyramid, "4x6", ["0", "s16"])
    levels = [make(pyramid.select([name]), "4x6").projection for name in ("0", "2")]
    scaled = [level / level.square().mean((1, 2), keepdim=True).sqrt() for level in levels]
    torch.testing.assert_close(cam.projection, (scaled[0] + scaled[1]) / 2)
    assert not cam.signed


def test_a_mean_has_evidence_of_its_own(random_pyramid: Callable[..., Pyramid]) -> None:
    cam = mean_over_levels(eigen, random_pyramid(seed=9, batch=2))
    assert set(cam.evidence) == {"activation", "extremum", "skew", "border", "lapack"}
    assert (cam.margin("activation") > 0).all()
    assert cam.sign("lapack").isnan().all()
    active = mean_over_levels(activation, random_pyramid(seed=9, batch=2)).projection
    for image in range(2):
        pair = torch.stack([cam.oriented("activation")[image], active[image]]).flatten(1)
        assert torch.corrcoef(pair)[0, 1] == pytest.approx(cam.margin("activation")[image].item())


@MAKERS
def test_one_level_is_that_level_scaled(random_pyramid: Callable[..., Pyramid], make: Any) -> None:
    pyramid = random_pyramid(seed=10)
    mean = mean_over_levels(make, pyramid, "1", ["1"]).oriented("activation")
    alone = make(pyramid.select(["1"]), "1").oriented("activation")
    torch.testing.assert_close(mean, alone / alone.square().mean().sqrt())


@MAKERS
def test_no_level_rules_by_its_scale(random_pyramid: Callable[..., Pyramid], make: Any) -> None:
    pyramid = random_pyramid(seed=11)
    loud = replace(pyramid, levels={**pyramid.levels, "0": pyramid.levels["0"] * 1000})
    expected = mean_over_levels(make, pyramid).projection
    torch.testing.assert_close(mean_over_levels(make, loud).projection, expected)
    scaled = mean_over_levels(partial(make, level_scale="std"), pyramid).projection
    torch.testing.assert_close(scaled, expected, atol=1e-5, rtol=1e-4)


@MAKERS
def test_one_bad_image_does_not_spoil_its_batch(
    random_pyramid: Callable[..., Pyramid], make: Any
) -> None:
    pyramid = random_pyramid(seed=12, batch=3)
    expected = mean_over_levels(make, pyramid)
    pyramid.levels["1"][1, 0, 0, 0] = torch.nan
    found = mean_over_levels(make, pyramid)
    assert found.projection[1].isnan().all()
    assert found.explained_variance[1].isnan()
    for image in (0, 2):
        torch.testing.assert_close(
            found.oriented("activation")[image], expected.oriented("activation")[image]
        )


@MAKERS
def test_the_batch_changes_nothing(random_pyramid: Callable[..., Pyramid], make: Any) -> None:
    together = random_pyramid(seed=13, batch=3)
    cam = mean_over_levels(make, together, "6x9")
    for image in range(3):
        levels = {name: level[image : image + 1] for name, level in together.levels.items()}
        alone = mean_over_levels(make, replace(together, levels=levels), "6x9")
        torch.testing.assert_close(
            alone.oriented("activation")[0],
            cam.oriented("activation")[image],
            atol=1e-4,
            rtol=1e-4,
        )


@MAKERS
def test_a_level_that_does_not_vary_is_left_out(
    random_pyramid: Callable[..., Pyramid], make: Any
) -> None:
    pyramid = random_pyramid(seed=14)
    flat = replace(pyramid, levels={**pyramid.levels, "1": torch.ones_like(pyramid.levels["1"])})
    found, expected = (mean_over_levels(make, flat, "4x6", levels) for levels in (None, ["0", "2"]))
    torch.testing.assert_close(found.projection, expected.projection)
    torch.testing.assert_close(
        found.explained_variance, expected.explained_variance, equal_nan=True
    )
    nothing = mean_over_levels(make, flat, "4x6", ["1"])
    assert nothing.projection.isnan().all()
    assert nothing.explained_variance.isnan().all()
    assert nothing.oriented("activation").isnan().all()


def test_a_component_that_a_level_lacks_is_refused(random_pyramid: Callable[..., Pyramid]) -> None:
    with pytest.raises(OptionError, match="with 5 channels has components 0 to 4"):
        mean_over_levels(partial(eigen, component=5), random_pyramid())


def test_an_unknown_fusion_gets_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'concatenate'"):
        qg.SaliencyModel(fusion="concat")
