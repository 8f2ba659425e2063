"""Maps that do not exist: `eigen`, `deviation` and `activation` agree, and there is a reason."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch

from quickgaze.backbones import Pyramid
from quickgaze.cams import (
    CAMS,
    activation,
    center,
    deviation,
    eigen,
    mean_over_levels,
    spectral_residual,
    why_undefined,
)
from quickgaze.errors import OptionError

MAPS = pytest.mark.parametrize("make", [eigen, deviation, activation])
WAYS = pytest.mark.parametrize(
    "way", [lambda make: make, lambda make: partial(mean_over_levels, make)], ids=["joined", "mean"]
)


def pyramid_of(*levels: torch.Tensor) -> Pyramid:
    """A pyramid of levels (B, C, H, W) over images of 8 pixels a cell of the first."""
    height, width = (8 * cells for cells in levels[0].shape[2:])
    named = {str(number): level for number, level in enumerate(levels)}
    strides = {name: height // level.shape[2] for name, level in named.items()}
    return Pyramid(named, strides, (height, width), (height, width))


def random(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


UNDEFINED = {
    "zero": (torch.zeros(5, 8, 12), "its features are 0 everywhere"),
    "constant": (torch.full((5, 8, 12), 0.3), "its features are the same everywhere"),
    "by channel": (
        torch.tensor([0.1, -3.0, 1e4, 0.7, 1 / 3])[:, None, None].expand(5, 8, 12),
        "its features are the same everywhere",
    ),
    "nan": (torch.full((5, 8, 12), torch.nan), "its features are not finite in 0"),
    "infinite": (torch.full((5, 8, 12), -torch.inf), "its features are not finite in 0"),
    "one nan": (
        random(5, 8, 12).index_fill(0, torch.tensor([3]), torch.nan),
        "its features are not finite in 0",
    ),
}


@MAPS
@WAYS
@pytest.mark.parametrize("kind", UNDEFINED)
@pytest.mark.parametrize("grid", ["coarsest", "3x4", "11x7"])
def test_they_agree(make: Any, way: Any, kind: str, grid: str) -> None:
    features, reason = UNDEFINED[kind]
    batch = pyramid_of(torch.stack([random(5, 8, 12), features]))
    cam = way(make)(batch, grid)
    assert cam.projection[1].isnan().all()
    assert cam.oriented("activation")[1].isnan().all()
    assert cam.explained_variance[1].isnan()
    assert cam.oriented("activation")[0].isfinite().all()
    assert why_undefined(batch, cam, 1) == reason


@MAPS
@WAYS
def test_a_single_cell_shows_nothing(make: Any, way: Any) -> None:
    batch = pyramid_of(random(2, 5, 1, 1))
    cam = way(make)(batch)
    assert cam.projection.isnan().all()
    assert why_undefined(batch, cam, 0).startswith("its grid is a single cell; take a finer grid")


@MAPS
@pytest.mark.parametrize("level_scale", ["none", "std"])
@pytest.mark.parametrize("value", [0.1, 1 / 3, 1e-20, 7e10])
def test_rounding_is_no_map(make: Any, level_scale: str, value: float) -> None:
    noise = 1 + 1e-8 * random(1, 40, 31, 23)
    cam = make(pyramid_of(value * noise, value * noise[:, :, :7, :5]), level_scale=level_scale)
    assert cam.projection.isnan().all()


@MAPS
@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
def test_a_map_does_not_depend_on_the_scale_of_its_features(make: Any, scale: float) -> None:
    features = random(1, 5, 8, 12).abs() + 5
    expected = make(pyramid_of(features)).oriented("activation")
    found = make(pyramid_of(scale * features)).oriented("activation")
    torch.testing.assert_close(found / scale, expected, rtol=1e-3, atol=1e-4)


def test_a_component_beyond_the_rank_has_no_map() -> None:
    batch = pyramid_of(random(1, 1, 8, 12).abs() * torch.ones(1, 5, 1, 1))
    cam = eigen(batch, component=3)
    assert cam.projection.isnan().all()
    assert cam.explained_variance.item() == pytest.approx(0, abs=1e-6)
    assert why_undefined(batch, cam, 0).startswith("what the map shows is the same in all cells")


def test_deviation_of_two_cells_shows_nothing() -> None:
    batch = pyramid_of(torch.tensor([[[[0.0, 2.0]]]]))
    cam = deviation(batch)
    assert cam.projection.isnan().all()
    assert why_undefined(batch, cam, 0) == (
        "what the map shows is the same in all cells of the 1x2 grid"
    )
    assert eigen(batch).oriented("extremum").isfinite().all()


@MAPS
def test_a_level_without_features_does_not_hinder_the_others(make: Any) -> None:
    good, dead = random(1, 5, 8, 12), torch.zeros(1, 3, 4, 6)
    for way in (make, partial(mean_over_levels, make)):
        cam = way(pyramid_of(good, dead), "4x6")
        assert cam.oriented("activation").isfinite().all()


@MAPS
@WAYS
def test_features_that_require_a_gradient_are_taken(make: Any, way: Any) -> None:
    features = random(2, 5, 8, 12)
    for grid in ("coarsest", "3x4", "finest", "16x24"):
        expected = way(make)(pyramid_of(features), grid)
        cam = way(make)(pyramid_of(features.clone().requires_grad_()), grid)
        assert not cam.projection.requires_grad
        torch.testing.assert_close(cam.projection, expected.projection, rtol=0, atol=0)


@MAPS
@pytest.mark.parametrize("number", [torch.half, torch.bfloat16, torch.double])
@pytest.mark.parametrize("grid", ["coarsest", "3x4", "16x24"])
def test_features_of_every_type_are_taken(make: Any, number: torch.dtype, grid: str) -> None:
    features, coarse = (random(1, 5, *size).to(number) for size in ((8, 12), (4, 6)))
    found = make(pyramid_of(features, coarse), grid).projection
    expected = make(pyramid_of(features.float(), coarse.float()), grid).projection
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, expected, rtol=0, atol=0)


@pytest.mark.parametrize(
    "level", [torch.ones(1, 3, 4, 4, dtype=torch.int32), torch.ones(1, 3, 4, 4).bool(), [[1.0]]]
)
def test_levels_that_are_no_features_are_refused(level: Any) -> None:
    with pytest.raises(OptionError, match=r"levels are float tensors .*; level '0' is "):
        Pyramid({"0": level}, {"0": 8}, (32, 32), (32, 32))


@pytest.mark.parametrize("shape", [(0, 3, 4, 4), (1, 0, 4, 4), (1, 3, 0, 4), (1, 3, 4, 0)])
def test_levels_without_a_number_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(OptionError, match=r"at least one image, channel, row and column"):
        Pyramid({"0": torch.zeros(shape)}, {"0": 8}, (32, 32), (32, 32))


@pytest.mark.parametrize("make", [center, spectral_residual])
@pytest.mark.parametrize("size", [(0, 32), (32, 0)])
def test_images_without_rows_are_refused(make: Any, size: tuple[int, int]) -> None:
    with pytest.raises(OptionError, match="pixels have no map; an image has at least one row"):
        make(torch.zeros(1, 3, *size))


def test_maps_that_may_be_constant_stay_so() -> None:
    images = torch.full((1, 3, 32, 48), 0.5)
    assert (spectral_residual(images).projection == 0).all()
    assert (CAMS["uniform"].of_images(images).projection == 1).all()
