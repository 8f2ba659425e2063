"""EigenCAM, against a float64 singular value decomposition and the definition word for word."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch.nn import functional

from quickgaze.backbones import Pyramid
from quickgaze.cams import eigen
from quickgaze.cams._decomposition import lapack_projection
from quickgaze.errors import OptionError, UnknownNameError

Array = npt.NDArray[np.float64]


def reference_rows(pyramid: Pyramid, size: tuple[int, int], image: int) -> Array:
    """Features of one image on a grid, by torch's own interpolation; padding must be absent."""
    resized = [
        functional.interpolate(
            level[image : image + 1].abs().double(), size, mode="bilinear", align_corners=False
        )
        for level in pyramid.levels.values()
    ]
    return torch.cat(resized, 1)[0].flatten(1).T.numpy()


def reference_component(rows: Array, component: int) -> tuple[Array, float]:
    """Projection and explained variance by the textbook."""
    centred = rows - rows.mean(0)
    _, values, right = np.linalg.svd(centred, full_matrices=False)
    return centred @ right[component], float(values[component] ** 2 / (values**2).sum())


@pytest.mark.parametrize("grid", ["coarsest", "finest", "1", "s8", "5x7", "1x9"])
@pytest.mark.parametrize("component", [0, 1, 3])
def test_equals_a_float64_svd(
    random_pyramid: Callable[..., Pyramid], grid: str, component: int
) -> None:
    pyramid = random_pyramid(seed=1, batch=3)
    cam = eigen(pyramid, grid, component)
    for image in range(3):
        rows = reference_rows(pyramid, cam.grid, image)
        projection, explained = reference_component(rows, component)
        found = cam.projection[image].flatten().numpy()
        assert abs(np.corrcoef(found, projection)[0, 1]) >= 1 - 1e-6
        np.testing.assert_allclose(np.abs(found), np.abs(projection), atol=1e-4)
        np.testing.assert_allclose(cam.explained_variance[image].item(), explained, rtol=1e-4)


def test_a_literal_map() -> None:
    # Two channels that rise together over three cells: [0, 1, 2] and [0, 2, 4]. All variance lies
    # on one line, and the centred rows have lengths -sqrt(5), 0, sqrt(5) along it.
    features = torch.tensor([[[[0.0, 1.0, 2.0]], [[0.0, 2.0, 4.0]]]])
    cam = eigen(Pyramid({"0": features}, {"0": 1}, (1, 3), (1, 3)))
    expected = torch.tensor([[[-(5**0.5), 0.0, 5**0.5]]])
    torch.testing.assert_close(cam.oriented("activation"), expected, atol=1e-6, rtol=0)
    assert cam.explained_variance.item() == pytest.approx(1.0)
    assert cam.margin("activation").item() == pytest.approx(1.0)


def test_features_count_by_their_absolute_value(random_pyramid: Callable[..., Pyramid]) -> None:
    pyramid = random_pyramid()
    negated = Pyramid(
        {name: -level for name, level in pyramid.levels.items()},
        pyramid.strides,
        pyramid.input_size,
        pyramid.content,
    )
    torch.testing.assert_close(
        eigen(pyramid).oriented("activation"), eigen(negated).oriented("activation")
    )


def test_padding_does_not_shift_the_map() -> None:
    # A bump in the middle of the image, once without padding and once with a third of padding.
    bump = torch.exp(-((torch.arange(24.0) - 11.5) ** 2) / 18)
    level = (bump[:, None] * bump)[None, None] * torch.tensor([1.0, 2.0])[None, :, None, None]
    bare = eigen(Pyramid({"0": level}, {"0": 4}, (96, 96), (96, 96)), "12x12")
    padded_level = functional.pad(level, (0, 12, 0, 12), value=7.0)
    padded = eigen(Pyramid({"0": padded_level}, {"0": 4}, (144, 144), (96, 96)), "12x12")
    torch.testing.assert_close(
        padded.oriented("activation"), bare.oriented("activation"), atol=1e-5, rtol=1e-5
    )


def test_the_batch_changes_nothing(random_pyramid: Callable[..., Pyramid]) -> None:
    together = random_pyramid(seed=4, batch=5)
    cam = eigen(together, "6x9", component=1)
    for image in range(5):
        alone = Pyramid(
            {name: level[image : image + 1] for name, level in together.levels.items()},
            together.strides,
            together.input_size,
            together.content,
        )
        single = eigen(alone, "6x9", component=1)
        torch.testing.assert_close(
            single.oriented("activation")[0], cam.oriented("activation")[image], atol=1e-5, rtol=0
        )
        torch.testing.assert_close(single.explained_variance[0], cam.explained_variance[image])


def test_level_scale_makes_levels_count_alike(random_pyramid: Callable[..., Pyramid]) -> None:
    pyramid = random_pyramid(seed=2)
    loud = Pyramid(
        {**pyramid.levels, "0": pyramid.levels["0"] * 1000},
        pyramid.strides,
        pyramid.input_size,
        pyramid.content,
    )
    scaled = [eigen(each, level_scale="std").projection.abs() for each in (pyramid, loud)]
    torch.testing.assert_close(scaled[0], scaled[1], atol=1e-4, rtol=1e-4)
    unscaled = [eigen(each).projection.abs() for each in (pyramid, loud)]
    assert not torch.allclose(unscaled[0], unscaled[1], rtol=0.1)


def test_levels_can_be_chosen(random_pyramid: Callable[..., Pyramid]) -> None:
    pyramid = random_pyramid(seed=3)
    chosen = eigen(pyramid, "4x6", levels=["s8", "2"])
    rows = reference_rows(pyramid.select(["1", "2"]), (4, 6), 0)
    _, explained = reference_component(rows, 0)
    assert chosen.explained_variance.item() == pytest.approx(explained, rel=1e-4)


def test_features_that_do_not_vary_have_no_component() -> None:
    constant = Pyramid({"0": torch.ones(1, 3, 4, 4)}, {"0": 8}, (32, 32), (32, 32))
    cam = eigen(constant)
    assert cam.projection.isnan().all()
    assert cam.explained_variance.isnan().all()
    assert cam.sign("activation").isnan().all()
    assert cam.oriented("activation").isnan().all()


def test_one_bad_image_does_not_spoil_its_batch(random_pyramid: Callable[..., Pyramid]) -> None:
    pyramid = random_pyramid(seed=5, batch=3)
    expected = eigen(pyramid).oriented("activation")
    pyramid.levels["1"][1, 0, 0, 0] = torch.nan
    cam = eigen(pyramid)
    assert cam.projection[1].isnan().all()
    assert cam.explained_variance.isnan().tolist() == [False, True, False]
    for image in (0, 2):
        torch.testing.assert_close(cam.oriented("activation")[image], expected[image])


def test_lapack_has_the_sign_of_numpy(random_pyramid: Callable[..., Pyramid]) -> None:
    pyramid = random_pyramid(seed=6, batch=4)
    cam = eigen(pyramid)
    for image, oriented in enumerate(cam.oriented("lapack")):
        rows = reference_rows(pyramid, cam.grid, image).astype(np.float32)
        centred = rows - rows.mean(0)
        expected = centred @ np.linalg.svd(centred, full_matrices=True)[2][0]
        np.testing.assert_allclose(oriented.flatten(), expected, atol=1e-4)


def test_lapack_is_unknown_on_fine_grids(random_pyramid: Callable[..., Pyramid]) -> None:
    cam = eigen(random_pyramid(), "65x64")
    with pytest.raises(OptionError, match=r"'lapack' .* has no evidence on the 65x64 grid"):
        cam.sign("lapack")
    assert not cam.sign("activation").isnan().any()


def test_lapack_of_features_that_are_not_finite() -> None:
    assert lapack_projection(torch.full((1, 4, 3), torch.nan), 0).isnan().all()


@pytest.mark.parametrize("component", [-1, 24, 1000])
def test_a_component_that_there_is_not_is_refused(
    random_pyramid: Callable[..., Pyramid], component: int
) -> None:
    with pytest.raises(OptionError, match="a 4x6 grid with 31 channels has components 0 to 23"):
        eigen(random_pyramid(), component=component)


def test_unknown_names_are_refused(random_pyramid: Callable[..., Pyramid]) -> None:
    with pytest.raises(UnknownNameError, match="coarsest"):
        eigen(random_pyramid(), "corsest")
    with pytest.raises(UnknownNameError, match="none, std"):
        eigen(random_pyramid(), level_scale="sdt")
    with pytest.raises(UnknownNameError, match="Known: 0, 1, 2"):
        eigen(random_pyramid(), levels=["pool"])
