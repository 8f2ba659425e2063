"""The pictures of what a readout predicts, beside those of what the network shows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from skimage.data import coffee

from quickgaze import SaliencyModel, load_backbone
from quickgaze.cams import Readout
from quickgaze.report import map_files


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    (folder / "kitchen").mkdir()
    for name in ("cup.png", "kitchen/cup.png"):
        PIL.Image.fromarray(coffee()).resize((96, 64)).save(folder / name)
    return folder


@pytest.fixture(scope="module")
def model(make_readout: Callable[..., Readout]) -> SaliencyModel:
    backbone = load_backbone("efficientnet_lite0", device="cpu")
    return SaliencyModel(backbone, readout=make_readout(backbone), cam="deviation")


def test_every_image_gets_both_pictures(model: SaliencyModel, photos: Path, tmp_path: Path) -> None:
    mapped = map_files(model, [photos], tmp_path, arrays=True)
    assert (mapped.count, mapped.failures) == (2, ())
    result = model(photos / "cup.png")
    assert result.density is not None
    for stem in ("cup", "kitchen/cup"):
        np.testing.assert_allclose(np.load(tmp_path / f"{stem}_density.npy"), result.density)
        with PIL.Image.open(tmp_path / f"{stem}_density.png") as picture:
            grey = np.asarray(picture)
        np.testing.assert_allclose(grey, result.density / result.density.max() * 255, atol=0.51)
        with PIL.Image.open(tmp_path / f"{stem}_map.png") as picture:
            np.testing.assert_allclose(np.asarray(picture), result.map * 255, atol=0.51)
        with PIL.Image.open(tmp_path / f"{stem}_density_overlay.png") as picture:
            assert (picture.size, picture.mode) == ((96, 64), "RGB")


def test_the_page_shows_both_and_says_what_they_are(
    model: SaliencyModel, photos: Path, tmp_path: Path
) -> None:
    page = map_files(model, [photos / "cup.png"], tmp_path).page.read_text(encoding="utf-8")
    for words in (
        "Where does efficientnet_lite0 look?",
        "saliency map",
        "predicted gaze",
        "efficientnet_lite0 on osie (of this test), 40 images",
        "pictures/0001-saliency-map.jpg",
        "pictures/0001-predicted-gaze.jpg",
    ):
        assert words in page
    assert (tmp_path / "pictures" / "0001-predicted-gaze.jpg").is_file()


def test_without_a_readout_nothing_is_predicted(photos: Path, tmp_path: Path) -> None:
    model = SaliencyModel(cam="deviation", device="cpu")
    page = map_files(model, [photos / "cup.png"], tmp_path, arrays=True).page
    assert "predicted" not in page.read_text(encoding="utf-8")
    assert not list(tmp_path.rglob("*density*"))
