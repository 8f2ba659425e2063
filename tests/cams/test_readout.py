"""Readouts, against the formula written out slowly."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pytest
import torch
from scipy import ndimage, special
from torch.nn import functional

from quickgaze import load_backbone
from quickgaze.backbones import Backbone, Pyramid, find_spec
from quickgaze.cams import (
    CAMS,
    CamInput,
    CamOptions,
    Readout,
    as_cam,
    check_cam,
    readout_features,
)
from quickgaze.errors import OptionError

Array = npt.NDArray[np.float64]
ReadoutMaker = Callable[..., Readout]
PyramidMaker = Callable[..., Pyramid]


def resized(plane: Array, size: tuple[int, int]) -> Array:
    given = torch.from_numpy(np.ascontiguousarray(plane))[None, None]
    made = functional.interpolate(given, size, mode="bilinear", align_corners=False)
    return cast("Array", made[0, 0].numpy())


def reference(readout: Readout, features: torch.Tensor, size: tuple[int, int]) -> Array:
    """Log density of one image of features (C, h, w), cell by cell and unit by unit."""
    x = features.double().numpy()
    parts = {name: tensor.double().numpy() for name, tensor in readout.tensors.items()}
    logits = np.zeros(x.shape[1:])
    for row in range(x.shape[1]):
        for column in range(x.shape[2]):
            z = (x[:, row, column] - parts["mean"]) / parts["deviation"]
            units = [
                float(weights @ z + bias)
                for weights, bias in zip(parts["weights"], parts["bias"], strict=True)
            ]
            if readout.card.hidden:
                softened = [np.log1p(np.exp(unit)) for unit in units]
                logits[row, column] = sum(softened * parts["output"])
            else:
                logits[row, column] = units[0]
    if readout.sigma:
        logits = ndimage.gaussian_filter(logits, readout.sigma, mode="reflect", truncate=4.0)
    centre = readout.centre_weight * resized(parts["centre_bias"], size)
    values = resized(logits, size) + centre
    return cast("Array", values - special.logsumexp(values))


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return load_backbone("efficientnet_lite0", device="cpu")


def two_cells(a: float, b: float) -> Pyramid:
    return Pyramid({"0": torch.tensor([[[[a, b]]]])}, {"0": 8}, (8, 16), (8, 16))


@pytest.mark.parametrize("hidden", [0, 1])
def test_literal_density_of_two_cells(make_readout: ReadoutMaker, hidden: int) -> None:
    parts: dict[str, Any] = {"mean": torch.tensor([1.0]), "deviation": torch.tensor([2.0])}
    parts |= {"weights": torch.tensor([[3.0]]), "bias": torch.tensor([0.5])}
    parts |= {"centre_bias": torch.zeros(60, 80), "output": torch.tensor([2.0]) if hidden else None}
    made = make_readout(channels=1, hidden=hidden, sigma=0.0, centre_weight=0.0)
    readout = replace(made, **parts)
    # z is 0 and 1, so the units are 0.5 and 3.5
    first, second = (0.5, 3.5) if not hidden else 2 * np.log1p(np.exp([0.5, 3.5]))
    expected = 1 / (1 + np.exp(second - first))
    found = readout.log_density(two_cells(1.0, 3.0)).exp()
    np.testing.assert_allclose(found.flatten(), [expected, 1 - expected], rtol=1e-6)


def test_the_centre_bias_alone_is_the_density_of_flat_features(make_readout: ReadoutMaker) -> None:
    left = torch.zeros(60, 80)
    left[:, :40] = 1.0
    readout = replace(make_readout(channels=1, centre_weight=2.0), centre_bias=left)
    density = readout.log_density(two_cells(5.0, 5.0)).exp().flatten()
    # the cells' centres lie at columns 19.5 and 59.5 of the centre bias: logits of 2 and 0
    np.testing.assert_allclose(density, [1 / (1 + np.exp(-2)), 1 / (1 + np.exp(2))], rtol=1e-6)


def test_the_blur_is_reflected_and_in_cells(make_readout: ReadoutMaker) -> None:
    made = make_readout(channels=1, hidden=0, sigma=0.7, centre_weight=0.0)
    plain = {"mean": torch.zeros(1), "deviation": torch.ones(1)}
    readout = replace(made, **plain, weights=torch.ones(1, 1), bias=torch.zeros(1))
    logits = torch.tensor([[[[4.0, 0.0, 0.0, 0.0, 0.0]]]])
    pyramid = Pyramid({"0": logits}, {"0": 8}, (8, 40), (8, 40))
    expected = ndimage.gaussian_filter1d(logits.flatten().numpy(), 0.7, mode="reflect")
    found = readout.log_density(pyramid).flatten()
    np.testing.assert_allclose(found - found[-1], expected - expected[-1], atol=1e-5)


@pytest.mark.parametrize("hidden", [0, 1, 2, 5])
@pytest.mark.parametrize("sigma", [0.0, 1.3])
@pytest.mark.parametrize("grid", ["0", "1", "2", "5x7"])
def test_equals_the_formula(
    make_readout: ReadoutMaker,
    random_pyramid: PyramidMaker,
    hidden: int,
    sigma: float,
    grid: str,
) -> None:
    levels = ("0", "1", "2")
    readout = make_readout(channels=31, hidden=hidden, sigma=sigma, levels=levels, grid=grid)
    pyramid = random_pyramid(seed=2, batch=2, content=(56, 90))
    features = readout_features(pyramid, levels, grid)
    found = readout.log_density(pyramid)
    assert (found.dtype, found.shape) == (torch.float32, features[:, 0].shape)
    pixels = readout.density(pyramid, (56, 90))
    assert (pixels.dtype, pixels.shape) == (torch.float32, (2, 56, 90))
    for image in range(2):
        expected = reference(readout, features[image], pyramid.grid_size(grid))
        np.testing.assert_allclose(found[image], expected, rtol=0, atol=2e-5)
        expected = np.exp(reference(readout, features[image], (56, 90)))
        np.testing.assert_allclose(pixels[image], expected, rtol=1e-4)


@pytest.mark.parametrize("size", [(1, 1), (7, 5), (64, 96), (300, 451)])
def test_a_density_sums_to_one(
    make_readout: ReadoutMaker, random_pyramid: PyramidMaker, size: tuple[int, int]
) -> None:
    readout = make_readout(channels=9, levels=("1",), grid="1")
    pyramid = random_pyramid(batch=2)
    sums = readout.density(pyramid, size).double().sum((1, 2))
    np.testing.assert_allclose(sums, 1, atol=1e-5)
    np.testing.assert_allclose(readout.log_density(pyramid).exp().sum((1, 2)), 1, atol=1e-5)


def test_a_density_of_the_grid_s_size_is_that_of_the_grid(
    make_readout: ReadoutMaker, random_pyramid: PyramidMaker
) -> None:
    readout = make_readout(channels=9, levels=("1",), grid="1")
    pyramid = random_pyramid()
    on_grid = readout.log_density(pyramid)
    torch.testing.assert_close(readout.density(pyramid, (8, 12)).log(), on_grid)
    features = readout_features(pyramid, ("1",), "1")
    torch.testing.assert_close(readout.log_density_of(features), on_grid)
    torch.testing.assert_close(
        readout.density_of(features, (20, 30)), readout.density(pyramid, (20, 30))
    )


def test_half_floats_are_computed_with_as_floats(
    make_readout: ReadoutMaker, random_pyramid: PyramidMaker
) -> None:
    readout = make_readout(channels=9, levels=("1",), grid="1")
    features = readout_features(random_pyramid(), ("1",), "1")
    halves = readout.log_density_of(features.half())
    assert halves.dtype == torch.float32
    torch.testing.assert_close(halves, readout.log_density_of(features), atol=0.02, rtol=0)


def test_images_of_a_batch_do_not_meet(
    make_readout: ReadoutMaker, random_pyramid: PyramidMaker
) -> None:
    readout = make_readout(channels=9, levels=("1",), grid="1")
    pyramid = random_pyramid(seed=5, batch=3)
    pyramid.levels["1"][1, 4, 2, 3] = torch.inf
    together = readout.log_density(pyramid)
    assert together[1].isnan().all()
    assert readout.density(pyramid, (9, 9))[1].isnan().all()
    for image in (0, 2):
        level = pyramid.levels["1"][image : image + 1]
        alone = Pyramid({"1": level}, {"1": 8}, (64, 96), (64, 96))
        torch.testing.assert_close(together[image], readout.log_density(alone)[0])


def test_what_the_caller_told_torch_changes_nothing(
    make_readout: ReadoutMaker, random_pyramid: PyramidMaker
) -> None:
    readout = make_readout(channels=9, levels=("1",), grid="1")
    pyramid = random_pyramid()
    exact = readout.density(pyramid, (40, 60))
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(readout.density(pyramid, (40, 60)), exact, rtol=0, atol=0)


def test_padding_does_not_reach_a_density(make_readout: ReadoutMaker) -> None:
    readout = make_readout(channels=1, hidden=0)
    whole = Pyramid({"0": torch.rand(1, 1, 4, 6)}, {"0": 8}, (32, 48), (32, 48))
    padded = functional.pad(whole.levels["0"], (0, 2, 0, 1), value=50.0)
    within = Pyramid({"0": padded}, {"0": 8}, (40, 64), (32, 48))
    torch.testing.assert_close(readout.log_density(within), readout.log_density(whole))
    torch.testing.assert_close(readout.density(within, (9, 9)), readout.density(whole, (9, 9)))


def test_other_levels_and_channels_are_refused(
    make_readout: ReadoutMaker, random_pyramid: PyramidMaker
) -> None:
    readout = make_readout(channels=8, levels=("1",), grid="1")
    with pytest.raises(OptionError, match="fitted to 8 channels, and the levels 1 have 9; take"):
        readout.log_density(random_pyramid())
    with pytest.raises(OptionError, match="unknown level 'block'"):
        make_readout(levels=("block",), grid="s8").log_density(random_pyramid())


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"mean": torch.zeros(4)}, r"deviation is \(3,\) where \(4,\) is expected"),
        ({"mean": torch.zeros(0)}, r"mean is \(0,\) where \(1,\) is expected"),
        ({"mean": torch.zeros(())}, r"mean is \(\) where"),
        ({"deviation": torch.zeros(3)}, "deviation has to be above 0"),
        ({"deviation": torch.tensor([1.0, -1.0, 1.0])}, "deviation has to be above 0"),
        ({"weights": torch.zeros(3, 2)}, r"weights is \(3, 2\) where \(2, 3\) is expected"),
        ({"weights": torch.full((2, 3), torch.nan)}, "weights has to be finite"),
        ({"bias": torch.zeros(2).double()}, "bias has to be finite numbers of float32"),
        ({"bias": torch.tensor([0.0, torch.inf])}, "bias has to be finite"),
        ({"output": None}, "with 2 hidden units has .*output"),
        ({"centre_bias": torch.zeros(80, 60)}, r"centre_bias is \(80, 60\) where \(60, 80\)"),
        ({"sigma": -1.0}, "sigma is -1.0; give 0 to 100 cells"),
        ({"sigma": float("nan")}, "sigma is nan"),
        ({"sigma": 1e9}, "sigma is 1000000000.0"),
        ({"centre_weight": float("inf")}, "centre_weight is inf; give a finite number"),
    ],
)
def test_parts_that_do_not_fit_are_refused(
    make_readout: ReadoutMaker, wrong: dict[str, Any], message: str
) -> None:
    with pytest.raises(OptionError, match=message):
        replace(make_readout(), **wrong)


@pytest.mark.parametrize(
    ("card", "message"),
    [
        ({"levels": ()}, r"levels are \[\]; a readout needs some"),
        ({"levels": ("0", "0")}, "each once"),
        ({"grid": "fine"}, "unknown grid 'fine'"),
        ({"weights": "two\nlines"}, r"weights is 'two\\nlines'; give a line of text"),
        ({"dataset": "\x1b[31mred"}, "dataset is .*; give a line of text"),
        ({"licence": "a" * 1001}, "licence is 'a{40}'; give a line of text"),
        ({"grid": "100000x9"}, "at most 2048 cells a side"),
        ({"grid": "9x4096"}, "at most 2048 cells a side"),
        ({"hidden": -1}, "hidden is -1"),
    ],
)
def test_cards_that_no_readout_has_are_refused(
    make_readout: ReadoutMaker, card: dict[str, Any], message: str
) -> None:
    with pytest.raises(OptionError, match=message):
        make_readout(**card)


def test_its_name_and_digest_tell_readouts_apart(make_readout: ReadoutMaker) -> None:
    readout = make_readout()
    assert readout.digest == make_readout().digest
    assert readout.name == f"tiny-osie-{readout.digest[:8]}"
    others = [make_readout(seed=1), make_readout(images=41), make_readout(sigma=1.5)]
    others += [make_readout(centre_weight=0.9), make_readout(hidden=3), make_readout(channels=4)]
    assert len({readout.digest, *(other.digest for other in others)}) == 7


class TestCam:
    """The CAM of a readout."""

    def test_it_is_the_density_on_the_readout_s_grid(
        self, make_readout: ReadoutMaker, backbone: Backbone
    ) -> None:
        readout = make_readout(backbone)
        given = CamInput(backbone, torch.rand(2, 3, 96, 130))
        for options in (CamOptions(), CamOptions(grid="3x3", levels=("s8",), level_scale="std")):
            cam = readout.method().compute(given, options)
            assert (cam.grid, cam.signed, cam.component) == ((6, 9), False, 0)
            torch.testing.assert_close(
                cam.projection, readout.log_density(given.pyramid).exp(), rtol=0, atol=0
            )

    def test_it_goes_by_the_catalogue_s_name(self, make_readout: ReadoutMaker) -> None:
        method = make_readout().method()
        assert as_cam(method) is method
        named = CAMS["readout"]
        for name in ("name", "summary", "signed", "has_grid", "has_components"):
            assert getattr(method, name) == getattr(named, name)
        assert (method.backbone, named.backbone) == ("tiny", None)
        impostor = replace(CAMS["deviation"], name="readout")
        with pytest.raises(OptionError, match="another CAM 'readout'"):
            as_cam(impostor)

    def test_it_can_be_sent_to_other_processes(
        self, make_readout: ReadoutMaker, backbone: Backbone
    ) -> None:
        method = make_readout(backbone).method()
        sent = pickle.loads(pickle.dumps(method))  # noqa: S301 - our own
        given = CamInput(backbone, torch.rand(1, 3, 64, 64))
        torch.testing.assert_close(
            sent.compute(given, CamOptions()).projection,
            method.compute(given, CamOptions()).projection,
        )

    def test_without_a_readout_it_says_what_it_needs(self, backbone: Backbone) -> None:
        with pytest.raises(OptionError, match=r"needs a readout: give readout=FILE \(--readout"):
            check_cam("readout", backbone.spec)
        with pytest.raises(OptionError, match="needs a readout"):
            CAMS["readout"].compute(CamInput(backbone, torch.rand(1, 3, 64, 64)), CamOptions())

    def test_an_image_of_one_cell_is_looked_at_all_over(
        self, make_readout: ReadoutMaker, backbone: Backbone
    ) -> None:
        given = CamInput(backbone, torch.rand(1, 3, 16, 16))
        readout = make_readout(backbone)
        cam = readout.method().compute(given, CamOptions())
        assert (cam.projection.tolist(), cam.density) == ([[[1.0]]], True)
        np.testing.assert_allclose(readout.density(given.pyramid, (16, 16)).sum(), 1, atol=1e-5)


class TestBackbone:
    """A readout belongs to a network, its weights and its geometry."""

    def test_its_own_is_taken(self, make_readout: ReadoutMaker, backbone: Backbone) -> None:
        readout = make_readout(backbone)
        readout.check(backbone)
        check_cam(readout.method(), backbone.spec)
        make_readout(backbone, geometry="").check(backbone)

    def test_another_network_is_refused(
        self, make_readout: ReadoutMaker, backbone: Backbone
    ) -> None:
        readout = make_readout(backbone)
        message = (
            "fitted to efficientnet_lite0, not to timm/resnet18; take "
            "backbone='efficientnet_lite0', or fit a readout to timm/resnet18"
        )
        with pytest.raises(OptionError, match=message):
            check_cam(readout.method(), find_spec("timm/resnet18"))

    def test_other_weights_are_refused(
        self, make_readout: ReadoutMaker, backbone: Backbone
    ) -> None:
        readout = make_readout(backbone, weights_hash="0123456789abcdef")
        message = (
            r"the weights ImageNet-1k of efficientnet_lite0 \(SHA-256 0123456789ab\), but these "
            rf"are ImageNet-1k \({backbone.weights_hash[:12]}\); give those weights, or fit"
        )
        with pytest.raises(OptionError, match=message):
            readout.check(backbone)
        given = CamInput(backbone, torch.rand(1, 3, 64, 64))
        with pytest.raises(OptionError, match=message):
            readout.method().compute(given, CamOptions())

    def test_another_geometry_is_refused(
        self, make_readout: ReadoutMaker, backbone: Backbone
    ) -> None:
        smaller = backbone.spec.at("short:480")
        with pytest.raises(OptionError, match=r"with the geometry own size.* not short side 480"):
            make_readout(backbone).check(cast("Backbone", SimpleNamespace(spec=smaller)))
