"""What a model predicts of people with a readout, beside what its network shows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage.data import chelsea, coffee
from torch import nn

from quickgaze import SaliencyModel, load_backbone, wrap_backbone
from quickgaze.backbones import Backbone
from quickgaze.cams import Readout
from quickgaze.errors import OptionError, UndefinedMapWarning, UnknownNameError
from quickgaze.saliency import as_batch

ReadoutMaker = Callable[..., Readout]


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return load_backbone("efficientnet_lite0", device="cpu")


@pytest.fixture(scope="module")
def readout(make_readout: ReadoutMaker, backbone: Backbone) -> Readout:
    return make_readout(backbone)


@pytest.fixture(scope="module")
def model(backbone: Backbone, readout: Readout) -> SaliencyModel:
    return SaliencyModel(backbone, readout=readout)


def test_a_density_is_what_the_readout_gives(
    model: SaliencyModel, backbone: Backbone, readout: Readout
) -> None:
    cat = chelsea()[:120, :160]
    result = model(cat)
    assert result.density is not None
    assert (result.density.shape, result.density.dtype) == ((120, 160), np.float32)
    np.testing.assert_allclose(result.density.sum(dtype=np.float64), 1, atol=1e-5)
    expected = readout.density(backbone(as_batch([cat])), (120, 160))[0]
    np.testing.assert_array_equal(result.density, expected)


def test_the_map_stays_that_of_the_cam(model: SaliencyModel, backbone: Backbone) -> None:
    cat = chelsea()[:120, :160]
    plain, result = SaliencyModel(backbone)(cat), model(cat)
    assert plain.density is None
    np.testing.assert_array_equal(result.map, plain.map)
    np.testing.assert_array_equal(result.cam, plain.cam)
    assert result.grid == plain.grid


@pytest.mark.parametrize(
    "options", [{"sigma": 0}, {"sigma": 50}, {"grid": "s4"}, {"cam": "center"}]
)
def test_options_of_the_map_do_not_reach_the_density(
    model: SaliencyModel, backbone: Backbone, readout: Readout, options: dict[str, object]
) -> None:
    cat = chelsea()[:96, :128]
    other = SaliencyModel(backbone, readout=readout, **options)
    np.testing.assert_array_equal(other(cat).density, model(cat).density)


def test_the_cam_readout_is_the_density_on_its_grid(
    make_readout: ReadoutMaker, backbone: Backbone, tmp_path: Path
) -> None:
    readout = make_readout(backbone, centre_weight=0.0)
    path = readout.save(tmp_path)
    cat = chelsea()[:96, :128]
    shown = SaliencyModel(cam="readout", readout=path, sigma=0, device="cpu")
    result = shown(cat)
    assert result.grid == (6, 8)
    np.testing.assert_allclose(result.cam.sum(), 1, atol=1e-5)
    assert np.isnan(result.explained_variance)
    # a density is divided by its maximum, so that what is unlikely is not made impossible
    assert result.map.max() == 1
    assert result.map.min() > 0
    assert result.density is not None
    assert np.corrcoef(result.map.ravel(), result.density.ravel())[0, 1] > 0.98
    given = SaliencyModel(backbone, cam=readout.method(), sigma=0)(cat)
    np.testing.assert_array_equal(given.map, result.map)
    assert given.density is None


def test_a_cam_of_another_readout_stays_what_it_is(
    make_readout: ReadoutMaker, backbone: Backbone, readout: Readout
) -> None:
    other = make_readout(backbone, seed=1, centre_weight=0.0)
    result = SaliencyModel(backbone, cam=other.method(), readout=readout)(chelsea()[:96, :128])
    alone = SaliencyModel(backbone, cam="readout", readout=other)(chelsea()[:96, :128])
    np.testing.assert_array_equal(result.cam, alone.cam)
    assert result.density is not None
    assert alone.density is not None
    assert not np.allclose(result.density, alone.density)


def test_a_module_of_ones_own_has_readouts_too(make_readout: ReadoutMaker, tmp_path: Path) -> None:
    def wrapped(seed: int) -> Backbone:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            network = nn.Sequential(nn.Conv2d(3, 4, 4, stride=4), nn.Conv2d(4, 6, 2, stride=2))
        plain = {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0), "device": "cpu"}
        return wrap_backbone(network, {"fine": "0", "coarse": "1"}, name="mine", **plain)

    mine = wrapped(0)
    path = make_readout(mine, grid="coarse").save(tmp_path)
    result = SaliencyModel(mine, readout=path)(chelsea()[:64, :96])
    assert result.density is not None
    np.testing.assert_allclose(result.density.sum(), 1, atol=1e-5)
    with pytest.raises(OptionError, match=r"to the weights .* of mine \(SHA-256"):
        SaliencyModel(wrapped(1), readout=path)


def test_densities_of_several_images_stay_in_order(model: SaliencyModel) -> None:
    images = [chelsea()[:96, :128], coffee()[:64, :64], coffee()[100:196, :128]]
    for image, result in zip(images, model(images), strict=True):
        assert result.density is not None
        assert result.density.shape == image.shape[:2]
        alone = model(image).density
        np.testing.assert_allclose(result.density, alone, rtol=2e-4)


@pytest.mark.filterwarnings("ignore::quickgaze.errors.RandomWeightsWarning")
def test_one_that_comes_along_is_given_by_name(
    readout: Readout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quickgaze.cams._readout_files._PACKAGED", tmp_path)
    readout.save(tmp_path / "efficientnet_lite0-osie.safetensors")
    model = SaliencyModel(readout="osie", device="cpu")
    assert model.readout is not None
    assert model.readout.digest == readout.digest
    with pytest.raises(UnknownNameError, match=r"none comes with quickgaze for timm/resnet18"):
        SaliencyModel("timm/resnet18", weights="none", readout="osie", device="cpu")


@pytest.mark.filterwarnings("ignore::quickgaze.errors.RandomWeightsWarning")
def test_a_readout_of_another_network_is_refused(readout: Readout) -> None:
    with pytest.raises(OptionError, match="fitted to efficientnet_lite0, not to timm/resnet18"):
        SaliencyModel("timm/resnet18", weights="none", readout=readout, device="cpu")
    with pytest.raises(OptionError, match=r"the weights ImageNet-1k .* but these are none"):
        SaliencyModel(weights="none", readout=readout, device="cpu")
    with pytest.raises(OptionError, match=r"the geometry own size.* not short side 480"):
        SaliencyModel(geometry="short:480", readout=readout, device="cpu")


def test_without_a_readout_its_cam_says_what_it_needs() -> None:
    with pytest.raises(OptionError, match=r"give readout=FILE \(--readout FILE\)"):
        SaliencyModel(cam="readout", device="cpu")
    with pytest.raises(OptionError, match="readout is a float; give a file"):
        SaliencyModel(readout=0.5, device="cpu")


def test_an_image_without_finite_features_has_no_density(
    backbone: Backbone, readout: Readout
) -> None:
    class Broken(torch.nn.Module):
        def forward(self, batch: torch.Tensor) -> dict[str, torch.Tensor]:
            levels = dict(backbone.network(batch))
            return {name: level * torch.nan for name, level in levels.items()}

    broken = Backbone(
        backbone.spec, Broken(), backbone.weights, backbone.weights_hash, backbone.device, "fp32"
    )
    with pytest.warns(UndefinedMapWarning, match="its features are not finite"):
        result = SaliencyModel(broken, readout=readout)(chelsea()[:64, :64])
    assert result.density is not None
    assert np.isnan(result.density).all()
