"""`quickgaze map` counts no image as mapped that has no map."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import PIL.Image
import pytest
import timm
import torch
from skimage.data import chelsea

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    cat = PIL.Image.fromarray(chelsea())
    cat.resize((96, 64)).save(folder / "cat.png")
    cat.resize((2, 2)).save(folder / "tiny.png")
    return folder


@pytest.mark.parametrize("cam", ["eigen", "deviation", "activation"])
def test_an_image_without_a_map_is_a_failure(
    call: Call, images: Path, tmp_path: Path, cam: str
) -> None:
    out = tmp_path / "out"
    code, said, complained = call("map", images, "--out", out, "--cam", cam, "--npy")
    assert code == 1
    assert complained.count("tiny.png") == 1
    assert "tiny.png: the map is undefined (NaN): its grid is a single cell" in complained
    assert "warning" not in complained
    assert "1 maps and overlays" in said
    assert sorted(path.name for path in out.glob("*map*")) == ["cat_map.npy", "cat_map.png"]
    assert "tiny" not in (out / "index.html").read_text(encoding="utf-8")


def test_only_images_without_a_map(call: Call, images: Path, tmp_path: Path) -> None:
    code, said, complained = call("map", images / "tiny.png", "--out", tmp_path / "out")
    assert (code, "0 maps and overlays" in said) == (1, True)
    assert "its grid is a single cell" in complained


def test_weights_that_are_not_finite(call: Call, images: Path, tmp_path: Path) -> None:
    state = timm.create_model("test_resnet").state_dict()
    state["conv1.0.weight"].fill_(torch.nan)
    torch.save(state, tmp_path / "weights.pth")
    model = ("--backbone", "timm/test_resnet", "--weights", tmp_path / "weights.pth")
    code, _, complained = call("map", images / "cat.png", "--out", tmp_path / "out", *model)
    assert code == 1
    assert "cat.png: the map is undefined (NaN): its features are not finite in s2" in complained
    assert not list((tmp_path / "out").glob("*_map.png"))


def test_a_pickled_model_is_refused_in_one_line(call: Call, images: Path, tmp_path: Path) -> None:
    torch.save(timm.create_model("test_resnet"), tmp_path / "model.pth")
    model = ("--backbone", "timm/test_resnet", "--weights", tmp_path / "model.pth")
    code, said, complained = call("map", images, "--out", tmp_path / "out", *model)
    assert (code, said) == (2, "")
    assert complained.startswith("error: ")
    assert complained.count("\n") == 1
    assert "weights_only" not in complained


def test_slow_precision_is_said_in_one_line(
    call: Call, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quickgaze.backbones._speed._has_bf16", lambda: False)
    options = ("--precision", "bf16", "--device", "cpu")
    code, _, complained = call("map", images / "cat.png", "--out", tmp_path / "out", *options)
    assert code == 0
    assert complained.startswith("warning: efficientnet_lite0: this processor has no instructions")
    assert complained.count("warning") == 1
