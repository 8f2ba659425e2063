from __future__ import annotations

import io
import pickle
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageFile
import PIL.ImageOps
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quickgaze.errors import StimulusError
from quickgaze.stimuli.images import ImageFile, opened, read_image, upright

NOISE = np.random.default_rng(1).integers(0, 256, (5, 7, 3), dtype=np.uint8)


def image_size(path: Path) -> tuple[int, int]:
    return ImageFile(path).size()


def saved(image: PIL.Image.Image, path: Path, **options: object) -> Path:
    image.save(path, **options)
    return path


def test_rgb_is_read_as_it_is(tmp_path: Path) -> None:
    path = saved(PIL.Image.fromarray(NOISE), tmp_path / "a.png")
    image = read_image(path)
    assert image.dtype == np.uint8
    assert image.flags.writeable
    np.testing.assert_array_equal(image, NOISE)
    np.testing.assert_array_equal(read_image(str(path)), NOISE)
    assert image_size(path) == (5, 7)


@pytest.mark.parametrize(
    ("ending", "mode"),
    [
        *(("png", mode) for mode in ("1", "L", "P", "LA", "RGBA")),
        *(("tif", mode) for mode in ("1", "L", "P", "LA", "PA", "RGBA", "CMYK", "I", "F")),
        *(("jpg", mode) for mode in ("L", "CMYK", "YCbCr")),
        ("gif", "P"),
    ],
)
def test_any_mode_gives_rgb(tmp_path: Path, ending: str, mode: str) -> None:
    image = PIL.Image.fromarray(NOISE).convert("L").convert(mode)
    path = saved(image, tmp_path / f"a.{ending}")
    assert read_image(path).shape == (5, 7, 3)
    assert read_image(path).dtype == np.uint8
    assert image_size(path) == (5, 7)


def test_cmyk_jpeg(tmp_path: Path) -> None:
    red = PIL.Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    image = read_image(saved(red, tmp_path / "a.jpg"))
    np.testing.assert_allclose(image, np.broadcast_to([255, 0, 0], image.shape), atol=3)


def test_transparency_shows_white(tmp_path: Path) -> None:
    pixels = np.array([[[0, 0, 0, 0], [0, 0, 0, 255]], [[200, 0, 0, 128], [9, 9, 9, 255]]])
    path = saved(PIL.Image.fromarray(pixels.astype(np.uint8), "RGBA"), tmp_path / "a.png")
    image = read_image(path)
    assert image[0].tolist() == [[255, 255, 255], [0, 0, 0]]
    np.testing.assert_allclose(image[1, 0], [227, 127, 127], atol=1)


def test_grey_and_palette_transparency_show_white(tmp_path: Path) -> None:
    grey = PIL.Image.merge("LA", [PIL.Image.new("L", (4, 4), 0), PIL.Image.new("L", (4, 4), 0)])
    assert read_image(saved(grey, tmp_path / "grey.png")).min() == 255
    palette = PIL.Image.new("P", (4, 4), 3)
    palette.putpalette([0, 0, 0] * 256)
    assert read_image(saved(palette, tmp_path / "p.png", transparency=3)).min() == 255


@pytest.mark.parametrize("ending", ["png", "tif", "pgm"])
def test_16_bit_is_scaled_not_clipped(tmp_path: Path, ending: str) -> None:
    values = np.array([[0, 257, 32768], [65278, 65535, 128]], dtype=np.uint16)
    path = tmp_path / f"a.{ending}"
    if ending == "pgm":
        path.write_bytes(b"P5 3 2 65535\n" + values.astype(">u2").tobytes())
    else:
        PIL.Image.fromarray(values).save(path)
    image = read_image(path)
    assert image[..., 0].tolist() == [[0, 1, 128], [254, 255, 0]]


def test_big_endian_16_bit(tmp_path: Path) -> None:
    image = PIL.Image.frombytes("I;16B", (2, 2), np.array([0, 65535, 257, 514], ">u2").tobytes())
    assert read_image(saved(image, tmp_path / "a.tif"))[..., 1].tolist() == [[0, 255], [1, 2]]


def test_32_bit_beyond_16_is_scaled_by_its_range(tmp_path: Path) -> None:
    values = np.array([[-100, 0], [100, 155]], dtype=np.int32)
    image = read_image(saved(PIL.Image.fromarray(values), tmp_path / "a.tif"))
    assert image[..., 0].tolist() == [[0, 100], [200, 255]]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([[0.0, 0.25], [0.5, 0.75]], [[0, 64], [128, 191]]),
        ([[-1.0, 0.0], [1.0, 3.0]], [[0, 64], [128, 255]]),
        ([[7.0, 7.0], [7.0, 7.0]], [[0, 0], [0, 0]]),
    ],
)
def test_floats_are_shares_of_white_or_scaled(
    tmp_path: Path, values: list[list[float]], expected: list[list[int]]
) -> None:
    path = saved(PIL.Image.fromarray(np.array(values, dtype=np.float32)), tmp_path / "a.tif")
    assert read_image(path)[..., 2].tolist() == expected


def test_nan_in_a_float_image_is_refused(tmp_path: Path) -> None:
    values = np.array([[0.0, np.nan], [0.5, 0.75]], dtype=np.float32)
    with pytest.raises(StimulusError, match="NaN"):
        read_image(saved(PIL.Image.fromarray(values), tmp_path / "a.tif"))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("ending", "options"),
    [
        ("png", {}),
        ("webp", {"lossless": True}),
        ("jpg", {"quality": 95}),
        ("tif", {}),
        ("tif", {"compression": "tiff_lzw"}),
    ],
)
def test_exif_orientation(
    tmp_path: Path, orientation: int, ending: str, options: dict[str, object]
) -> None:
    smooth = np.add.outer(np.arange(40) * 4, np.arange(24) * 3).astype(np.uint8)
    stored = PIL.Image.fromarray(smooth)
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    path = saved(stored, tmp_path / f"a.{ending}", exif=exif, **options)
    marked = stored.copy()
    marked.getexif()[0x0112] = orientation
    expected = np.asarray(PIL.ImageOps.exif_transpose(marked))
    np.testing.assert_array_equal(upright(smooth, orientation), expected)
    image = read_image(path)
    assert image_size(path) == image.shape[:2] == expected.shape
    np.testing.assert_allclose(image[..., 0].astype(int), expected, atol=3)


def test_an_impossible_orientation_is_ignored(tmp_path: Path) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = 77
    path = saved(PIL.Image.fromarray(NOISE), tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(read_image(path), NOISE)


def test_size_is_read_from_the_header(tmp_path: Path) -> None:
    large = PIL.Image.fromarray(np.random.default_rng(0).integers(0, 256, (300, 200), np.uint8))
    path = saved(large, tmp_path / "a.png")
    path.write_bytes(path.read_bytes()[:200])
    assert image_size(path) == (300, 200)
    with pytest.raises(StimulusError, match=r"a\.png"):
        read_image(path)


@pytest.mark.parametrize("ending", ["png", "jpg", "gif", "tif", "bmp", "webp"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_truncated(tmp_path: Path, ending: str, share: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    path = saved(PIL.Image.fromarray(noise), tmp_path / f"a.{ending}")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(StimulusError, match=r"a\..*cannot be read as an image.*replace it"):
        read_image(path)


@pytest.mark.parametrize("content", [b"", b"This is text.", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"])
def test_no_image(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    for function in (read_image, image_size):
        with pytest.raises(StimulusError, match=r"a\.jpg.*cannot be read as an image"):
            function(path)


def test_wrong_ending_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    PIL.Image.fromarray(NOISE).save(path, "PNG")
    np.testing.assert_array_equal(read_image(path), NOISE)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    for function in (read_image, image_size):
        with pytest.raises(StimulusError, match=r"no image at .*a\.png"):
            function(tmp_path / "a.png")
        with pytest.raises(StimulusError, match="not a file"):
            function(tmp_path)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1)])
def test_a_side_of_one_pixel_is_too_small(tmp_path: Path, size: tuple[int, int]) -> None:
    path = saved(PIL.Image.new("RGB", size), tmp_path / "a.png")
    for function in (read_image, image_size):
        with pytest.raises(StimulusError, match=r"a\.png is .* at least 2 pixels"):
            function(path)


def png_header(width: int, height: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(bytes(1000))
    chunks = (
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        for chunk in (header, data, b"IEND")
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.parametrize("side", [10_000, 60_000])
@pytest.mark.parametrize("action", ["error", "ignore"])
def test_decompression_bomb(tmp_path: Path, side: int, action: str) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_header(side, side))
    with warnings.catch_warnings():
        warnings.simplefilter(action)  # type: ignore[arg-type]
        for function in (read_image, image_size):
            with pytest.raises(StimulusError, match=r"bomb\.png has more pixels than the limit"):
                function(path)


def test_pillow_is_left_as_it_was(tmp_path: Path) -> None:
    path = saved(PIL.Image.fromarray(NOISE), tmp_path / "a.png")
    before = warnings.filters[:]
    read_image(path)
    assert warnings.filters == before
    assert PIL.ImageFile.LOAD_TRUNCATED_IMAGES is False


def test_the_first_frame_is_read(tmp_path: Path) -> None:
    frames = [PIL.Image.new("L", (4, 4), value) for value in (10, 200)]
    path = tmp_path / "a.gif"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    assert read_image(path).max() == 10


def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "caf\udce9.png"
    try:
        path.write_bytes(b"")
    except OSError:
        pytest.skip("the file system wants UTF-8")
    with pytest.raises(StimulusError) as caught:
        read_image(path)
    assert str(caught.value).encode("utf-8")
    PIL.Image.fromarray(NOISE).save(path, "PNG")
    assert ImageFile(path).size() == (5, 7)


def test_image_file(tmp_path: Path) -> None:
    path = saved(PIL.Image.fromarray(NOISE), tmp_path / "a.png")
    source = pickle.loads(pickle.dumps(ImageFile(path)))  # noqa: S301
    np.testing.assert_array_equal(source.read(), NOISE)
    assert source.size() == (5, 7)
    assert source.fingerprint().startswith(f"a.png:{path.stat().st_size}:")
    path.unlink()
    assert source.fingerprint() == "a.png:unreadable"


def test_errors_within_the_block_keep_their_words(tmp_path: Path) -> None:
    path = saved(PIL.Image.fromarray(NOISE), tmp_path / "a.png")
    with pytest.raises(StimulusError, match="my words"), opened(path):
        raise StimulusError("my words")


def encoded(format_: str) -> bytes:
    stream = io.BytesIO()
    PIL.Image.fromarray(NOISE).save(stream, format_)
    return stream.getvalue()


@given(
    st.sampled_from(["PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP", "PPM"]),
    st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), max_size=6),
    st.integers(0, 5000),
)
@settings(max_examples=300, deadline=None)
def test_damage_gives_an_image_or_a_stimulus_error(
    tmp_path_factory: pytest.TempPathFactory,
    format_: str,
    changes: list[tuple[int, int]],
    length: int,
) -> None:
    content = bytearray(encoded(format_))
    for place, value in changes:
        content[place % len(content)] = value
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_bytes(content[: max(length % (2 * len(content)), 1)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            image = read_image(path)
        except StimulusError:
            return
    assert image.ndim == 3
    assert image.shape[2] == 3
    assert image.dtype == np.uint8
