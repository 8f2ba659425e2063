"""The CAMs by name."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch

import quickgaze as qg
from quickgaze.backbones import Backbone, BackboneSpec
from quickgaze.cams import CAMS, Cam, CamInput, CamMethod, CamOptions, as_cam, check_cam
from quickgaze.errors import OptionError, UnknownNameError
from quickgaze.saliency import as_batch

NAMES = [
    "eigen",
    "deviation",
    "activation",
    "gradcam",
    "gradcam++",
    "hirescam",
    "layercam",
    "eigengradcam",
    "scorecam",
    "ablationcam",
    "boxes",
    "readout",
    "center",
    "uniform",
    "spectral_residual",
]
# The others take a pass for each channel, a detector, or a readout.
QUICK = [name for name in NAMES if name not in ("scorecam", "ablationcam", "boxes", "readout")]


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return qg.load_backbone("efficientnet_lite0", device="cpu")


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    displays = qg.load_dataset("popout", n=2, size=(120, 160))
    return as_batch([display.image() for display in displays])


def test_all_cams_are_there() -> None:
    assert CAMS.names() == NAMES
    for name in NAMES:
        method = CAMS[name]
        assert method.name == name
        assert method.summary
        assert "\n" not in method.summary


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("devation", "deviation"), ("grad-cam", "gradcam"), ("centre", "center"), ("box", "boxes")],
)
def test_an_unknown_name_gets_the_nearest(name: str, nearest: str) -> None:
    with pytest.raises(UnknownNameError, match=f"did you mean '{nearest}'"):
        CAMS[name]


@pytest.mark.parametrize("name", QUICK)
def test_a_cam_is_what_its_entry_says(backbone: Backbone, images: torch.Tensor, name: str) -> None:
    method = CAMS[name]
    given = CamInput(backbone, images)
    cam = method.compute(given, CamOptions("coarsest"))
    assert len(cam.projection) == len(cam.explained_variance) == 2
    assert cam.projection.isfinite().all()
    assert cam.signed == method.signed
    finer = method.compute(given, CamOptions("s16"))
    assert (finer.grid != cam.grid) == method.has_grid
    if not method.has_components:
        other = method.compute(given, CamOptions("coarsest", component=1))
        torch.testing.assert_close(other.projection, cam.projection)


@pytest.mark.parametrize("name", ["eigen", "deviation", "activation"])
def test_fusion_and_levels_reach_the_map(
    backbone: Backbone, images: torch.Tensor, name: str
) -> None:
    given = CamInput(backbone, images)
    maps = [
        CAMS[name].compute(given, CamOptions(levels=levels, fusion=fusion)).projection
        for levels in (None, ("s16", "s32"))
        for fusion in ("concatenate", "mean")
    ]
    for first in range(4):
        for second in range(first):
            assert not torch.allclose(maps[first].abs(), maps[second].abs(), rtol=1e-2)


@pytest.mark.parametrize("name", ["center", "uniform", "spectral_residual"])
def test_baselines_take_no_features(backbone: Backbone, images: torch.Tensor, name: str) -> None:
    class NoFeatures(torch.nn.Module):
        def forward(self, _: torch.Tensor) -> dict[str, torch.Tensor]:
            pytest.fail("the network ran for nothing")

    blind = dataclasses.replace(backbone, network=NoFeatures())
    given = CamInput(blind, images)
    CAMS[name].compute(given, CamOptions())
    assert "pyramid" not in vars(given)


def brightness(given: CamInput, _: CamOptions) -> Cam:
    return Cam.unsigned(given.images.mean(1))


def test_a_cam_of_ones_own_is_taken_as_it_is(backbone: Backbone) -> None:
    def refuse(spec: BackboneSpec) -> None:
        raise OptionError(f"{spec.name} is blind")

    mine = CamMethod("my-brightness", "how bright the image is", brightness, check=refuse)
    assert as_cam(mine) is mine
    with pytest.raises(OptionError, match="efficientnet_lite0 is blind"):
        check_cam(mine, backbone.spec)


def test_names_and_entries_are_looked_up() -> None:
    assert as_cam("gradcam++") is as_cam(CAMS["gradcam++"]) is CAMS["gradcam++"]
    with pytest.raises(UnknownNameError, match="did you mean 'eigen'"):
        as_cam("eigne")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (CamMethod("", "bright", brightness), "CAM: '' cannot be a name; use letters"),
        (CamMethod("a,b", "bright", brightness), "CAM: 'a,b' cannot be a name; use letters"),
        (CamMethod("eigen", "bright", brightness), "another CAM 'eigen'; give yours another name"),
        (brightness, r"give a name or a quickgaze\.cams\.CamMethod, not a function"),
    ],
)
def test_objects_without_a_free_name_are_refused(given: Any, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        as_cam(given)
