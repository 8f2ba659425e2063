"""Images as users bring them: read right, or refused with the reason."""

from __future__ import annotations

from typing import Any

import numpy as np
import PIL.Image
import pytest
import torch

from quickgaze import SaliencyModel
from quickgaze.errors import OptionError
from quickgaze.saliency import as_batch
from quickgaze.saliency._inputs import as_image

COLOUR = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)
GREY = COLOUR[..., 0]
RAMP = np.linspace(0, 1, 144).reshape(6, 8, 3)
AS_COLOUR = np.repeat(GREY[..., None], 3, axis=2)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_floats_from_0_to_1_are_8_bits(dtype: Any) -> None:
    found = as_image((COLOUR / 255).astype(dtype))
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, COLOUR)
    np.testing.assert_array_equal(as_image((GREY / 255).astype(dtype)), AS_COLOUR)


def test_grey_is_red_green_and_blue_alike() -> None:
    np.testing.assert_array_equal(as_image(GREY), AS_COLOUR)
    np.testing.assert_array_equal(as_image(PIL.Image.fromarray(GREY)), AS_COLOUR)
    np.testing.assert_array_equal(as_image(np.zeros((5, 3), np.uint8)), np.zeros((5, 3, 3)))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_tensors_of_any_float(dtype: torch.dtype) -> None:
    tensor = torch.tensor([0, 1, 0.5], dtype=dtype).reshape(3, 1, 1).expand(3, 2, 2)
    assert as_image(tensor)[0, 0].tolist() == [0, 255, 128]


def test_a_model_takes_floats_and_grey() -> None:
    model = SaliencyModel("efficientnet_lite0", device="cpu")
    image = np.random.default_rng(1).integers(0, 256, (96, 128, 3), np.uint8)
    grey = np.repeat(image[..., :1], 3, axis=2)
    results = model([image, image / 255, grey, image[..., 0], image[..., 0] / 255])
    assert [each.map.shape for each in results] == [(96, 128)] * 5
    for first, second in ((0, 1), (2, 3), (2, 4)):
        np.testing.assert_allclose(results[first].map, results[second].map, atol=1e-5)


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (COLOUR.astype(np.int64), "this one is int64; divide it by its largest possible value"),
        (COLOUR.astype(np.uint16), "this one is uint16; divide"),
        (GREY.astype(np.int32), "this one is int32"),
        (COLOUR > 9, "this one is bool; divide it by its largest possible value, .* 1 for bool"),
        (COLOUR.astype(object), "this one is object$"),
        (COLOUR.astype(complex), "this one is complex128$"),
        (255.0 * RAMP, "float64 and goes from 0 to 255. Divide it by 255"),
        (np.float32(65535) * RAMP.astype(np.float32), "float32 and goes from 0 to 65535$"),
        (2 * RAMP - 1, "goes from -1 to 1$"),
        (np.full((6, 8, 3), np.nan), "float64 and holds NaN"),
        (np.full((6, 8), np.inf), "goes from inf to inf"),
        (np.zeros((6, 8, 4), np.uint8), r"shape \(6, 8, 4\); drop its fourth channel"),
        (np.zeros((6, 8, 1), np.uint8), r"shape \(6, 8, 1\); drop its last axis"),
        (np.zeros((3, 6, 8), np.uint8), r"shape \(3, 6, 8\); put its channels last"),
        (np.zeros((2, 6, 8, 3), np.uint8), r"shape \(2, 6, 8, 3\)"),
        (np.zeros(8, np.uint8), r"shape \(8,\)"),
        (torch.zeros(6, 8, 3), r"shape \(6, 8, 3\); put its channels first"),
        (torch.zeros(1, 6, 8), r"shape \(1, 6, 8\); give grey three channels"),
        (torch.zeros(6, 8), r"shape \(6, 8\); give grey three channels"),
        (torch.zeros(2, 3, 6, 8), "give the images of a batch as a list"),
        (torch.zeros(3, 6, 8, dtype=torch.int64), r"this one is torch\.int64; divide"),
        (torch.zeros(3, 6, 8, dtype=torch.complex64), r"this one is torch\.complex64$"),
        (torch.full((3, 6, 8), torch.nan), "float32 and holds NaN"),
        (torch.zeros(3, 6, 8, requires_grad=True), r"give tensor\.detach\(\)"),
        ({"image": COLOUR}, "this is a dict$"),
        (None, "this is a NoneType$"),
    ],
)
def test_the_reason_is_said(array: Any, reason: str) -> None:
    with pytest.raises(OptionError, match=reason):
        as_image(array)
    with pytest.raises(OptionError, match=reason):
        as_batch([array])


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((0, 8, 3), np.uint8),
        np.zeros((0, 8)),
        np.zeros((6, 0, 3), np.float32),
        torch.zeros(3, 0, 8),
        torch.zeros(3, 6, 0),
        PIL.Image.new("L", (8, 0)),
    ],
)
def test_an_image_without_pixels_is_refused(image: Any) -> None:
    with pytest.raises(OptionError, match=r"at least one row and one column; this one has (0|6) x"):
        as_image(image)


def test_masked_images_are_refused_where_anything_is_masked() -> None:
    for image in (COLOUR, COLOUR / 255, GREY):
        masked = np.ma.masked_greater(image, image.mean())
        for call in (as_image, lambda image: as_batch([COLOUR, image])):
            with pytest.raises(OptionError, match=r"the image must not be masked.*filled\(0\)"):
                call(masked)
    nothing = np.ma.masked_array(COLOUR, mask=False)
    found = as_image(nothing)
    assert type(found) is np.ndarray
    np.testing.assert_array_equal(found, COLOUR)


def test_a_batch_takes_images_of_one_size() -> None:
    np.testing.assert_array_equal(as_batch([COLOUR]), as_batch([COLOUR / 255]))
    assert as_batch([GREY, COLOUR]).shape == (2, 3, 6, 8)
    with pytest.raises(OptionError, match=r"images of one size .* got 5 x 8 and 6 x 8"):
        as_batch([COLOUR, COLOUR[1:]])
    with pytest.raises(OptionError, match="got no image"):
        as_batch([])
