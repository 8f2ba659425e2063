"""`SaliencyModel`: whatever stands for an image in, maps out."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch
from skimage.data import chelsea, coffee

from quickgaze import SaliencyModel, load_backbone
from quickgaze.errors import OptionError, StimulusError, UnknownNameError
from quickgaze.saliency import SaliencyResult, overlay
from quickgaze.saliency._inputs import batches_by_size


@pytest.fixture(scope="module")
def model() -> SaliencyModel:
    return SaliencyModel("efficientnet_lite0", device="cpu")


@pytest.fixture(scope="module")
def cat(model: SaliencyModel) -> SaliencyResult:
    return model(chelsea())


def test_a_result_holds_what_it_says(cat: SaliencyResult) -> None:
    assert cat.map.shape == (300, 451)
    assert cat.map.dtype == cat.cam.dtype == np.float32
    assert (cat.map.min(), cat.map.max()) == (0, 1)
    assert cat.cam.shape == cat.grid == (10, 15)
    assert cat.cam.min() < 0 < cat.cam.max()
    assert 0 < cat.explained_variance <= 1
    assert 0 <= cat.orientation_margin <= 1


def test_the_cat_is_where_the_network_looks(cat: SaliencyResult) -> None:
    # The face fills the left half of the photograph, a blurred background the right one.
    assert cat.map[:, :300].mean() > 1.5 * cat.map[:, 300:].mean()


def test_every_kind_of_image_gives_the_same_map(
    model: SaliencyModel, cat: SaliencyResult, tmp_path: Path
) -> None:
    file = tmp_path / "cat.png"
    PIL.Image.fromarray(chelsea()).save(file)
    tensor = torch.from_numpy(chelsea()).permute(2, 0, 1) / 255
    for image in (file, str(file), PIL.Image.open(file), tensor):
        np.testing.assert_array_equal(model(image).map, cat.map)


def test_a_list_gives_a_list_in_its_order(model: SaliencyModel, cat: SaliencyResult) -> None:
    flipped = np.ascontiguousarray(chelsea()[:, ::-1])
    results = model([chelsea(), coffee(), flipped, chelsea()])
    assert [result.map.shape for result in results] == [
        (300, 451),
        (400, 600),
        (300, 451),
        (300, 451),
    ]
    for index in (0, 3):
        np.testing.assert_allclose(results[index].map, cat.map, atol=1e-4)
    assert np.abs(results[2].map - cat.map).max() > 0.1
    assert model([]) == []


@pytest.mark.parametrize("batch_size", [1, 2, 5])
def test_the_batch_size_changes_nothing(cat: SaliencyResult, batch_size: int) -> None:
    model = SaliencyModel(device="cpu", batch_size=batch_size)
    for result in model([chelsea()] * 5):
        np.testing.assert_allclose(result.map, cat.map, atol=1e-4)


def test_options_reach_the_map(cat: SaliencyResult) -> None:
    other = SaliencyModel(
        grid="s16", component=1, orientation="skew", sigma=0, levels=["s16", "s32"], rectify=False
    )(chelsea())
    assert other.grid == (19, 29)
    assert other.explained_variance < cat.explained_variance
    assert np.abs(other.map - cat.map).max() > 0.1


def test_a_loaded_backbone_is_taken_as_it_is(cat: SaliencyResult) -> None:
    loaded = load_backbone("efficientnet_lite0", device="cpu")
    model = SaliencyModel(loaded)
    assert model.backbone is loaded
    np.testing.assert_array_equal(model(chelsea()).map, cat.map)
    with pytest.raises(OptionError, match=r"weights is 'none', but .* is loaded already"):
        SaliencyModel(loaded, weights="none")
    with pytest.raises(OptionError, match="give geometry where it is loaded or wrapped"):
        SaliencyModel(loaded, geometry="native")


def test_the_geometry_decides_what_the_network_sees(cat: SaliencyResult) -> None:
    result = SaliencyModel(device="cpu", geometry="short:150")(chelsea())
    assert result.grid == (5, 8)
    assert result.map.shape == cat.map.shape


def test_the_overlay_shows_image_and_map(cat: SaliencyResult) -> None:
    picture = cat.overlay(chelsea())
    assert picture.size == (451, 300)
    assert picture.mode == "RGB"
    np.testing.assert_array_equal(np.asarray(cat.overlay(chelsea(), opacity=0)), chelsea())
    assert np.abs(np.asarray(picture).astype(int) - chelsea()).mean() > 10


def test_an_overlay_on_another_image_is_refused(cat: SaliencyResult) -> None:
    with pytest.raises(OptionError, match="the image is 400x600, the map 300x451"):
        cat.overlay(coffee())
    with pytest.raises(OptionError, match="opacity is 2"):
        cat.overlay(chelsea(), opacity=2)
    with pytest.raises(OptionError, match="no colour map 'infernal'"):
        cat.overlay(chelsea(), colormap="infernal")


def test_an_overlay_of_an_undefined_map_is_the_lowest_colour() -> None:
    image = np.zeros((2, 2, 3), np.uint8)
    undefined = np.full((2, 2), np.nan, np.float32)
    low = overlay(image, np.zeros((2, 2), np.float32), opacity=1)
    np.testing.assert_array_equal(np.asarray(overlay(image, undefined, opacity=1)), np.asarray(low))


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((4, 4, 2), np.uint8),
        np.full((4, 4, 3), 255.0),
        torch.zeros(4, 4, 3),
        torch.zeros(3, 4, 4, dtype=torch.uint8),
        torch.full((3, 4, 4), 255.0),
        torch.full((3, 4, 4), torch.nan),
        7,
    ],
)
def test_what_is_no_image_is_refused(model: SaliencyModel, image: object) -> None:
    with pytest.raises(OptionError, match="image"):
        model(image)  # type: ignore[call-overload]


def test_a_tensor_that_is_no_image_is_told_why(model: SaliencyModel) -> None:
    with pytest.raises(OptionError, match=r"this one is torch\.uint8"):
        model(torch.zeros(3, 4, 4, dtype=torch.uint8))
    with pytest.raises(OptionError, match=r"goes from 0 to 255"):
        model(torch.linspace(0, 255, 48).reshape(3, 4, 4))


def test_a_file_that_is_no_image_is_named(model: SaliencyModel, tmp_path: Path) -> None:
    file = tmp_path / "notes.jpg"
    file.write_text("not a picture")
    with pytest.raises(StimulusError, match=r"notes\.jpg"):
        model(file)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"backbone": "efficientnet"}, "did you mean 'efficientnet_lite0'"),
        ({"cam": "eigne"}, "did you mean 'eigen'"),
        ({"grid": "coarset"}, "did you mean 'coarsest'"),
        ({"orientation": "skwe"}, "did you mean 'skew'"),
        ({"level_scale": "sd"}, "none, std"),
    ],
)
def test_unknown_names_are_refused_at_once(options: dict[str, str], message: str) -> None:
    with pytest.raises(UnknownNameError, match=message):
        SaliencyModel(**options)


def test_options_that_no_model_can_have_are_refused() -> None:
    with pytest.raises(OptionError, match="needs the human density"):
        SaliencyModel(orientation="oracle")
    with pytest.raises(OptionError, match="sigma is -1"):
        SaliencyModel(sigma=-1)
    with pytest.raises(OptionError, match="batch_size is 0"):
        SaliencyModel(batch_size=0)
    with pytest.raises(OptionError, match="device 'abacus' cannot be used"):
        SaliencyModel(device="abacus")


def test_a_sign_that_the_grid_does_not_tell_is_an_error() -> None:
    with pytest.raises(OptionError, match=r"'lapack' .* has no evidence on the 75x113 grid"):
        SaliencyModel(grid="s4", orientation="lapack")(chelsea())
    with pytest.raises(OptionError, match="'border' gives no sign on the 2x4 grid"):
        SaliencyModel(grid="2x4", orientation="border")(chelsea())


def test_a_result_shows_itself_in_a_notebook(cat: SaliencyResult) -> None:
    with PIL.Image.open(io.BytesIO(cat._repr_png_())) as shown:
        assert shown.size == (451, 300)
        assert np.asarray(shown.convert("RGB")).std() > 10


def test_images_are_grouped_by_size() -> None:
    assert batches_by_size([(4, 6), (6, 4), (4, 6), (4, 6)], 2) == [[0, 2], [3], [1]]
