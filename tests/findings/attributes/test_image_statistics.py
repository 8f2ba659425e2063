"""Statistics of images whose values are known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import quickgaze as qg
from quickgaze.errors import OptionError
from quickgaze.findings import image_attributes
from quickgaze.findings.attributes import _clutter as clutter
from quickgaze.findings.attributes import _image_statistics as module
from quickgaze.findings.attributes._clutter import subband_entropy, subbands
from quickgaze.findings.attributes._image_statistics import (
    colourfulness,
    image_statistics,
    spectral_slope,
)


def grey(plane: np.ndarray) -> np.ndarray:
    return np.repeat(np.asarray(plane, dtype=np.uint8)[..., np.newaxis], 3, axis=2)


def power_law(slope: float, seed: int = 0) -> np.ndarray:
    """Noise whose amplitude goes as frequency to the power of slope, (240, 320) in [0, 1]."""
    noise = np.random.default_rng(seed).standard_normal((240, 320))
    radius = np.hypot(np.fft.fftfreq(240)[:, None], np.fft.fftfreq(320))
    radius[0, 0] = 1
    plane = np.fft.ifft2(np.fft.fft2(noise) * radius**slope).real
    return (plane - plane.min()) / np.ptp(plane)


def test_an_image_of_one_colour() -> None:
    found = image_statistics(np.full((60, 80, 3), 51, np.uint8))
    assert found["brightness"] == pytest.approx(0.2)
    assert found["spectral_slope"] is None
    names = ("contrast", "colourfulness", "entropy", "edge_density", "clutter")
    assert [found[name] for name in names] == [0] * 5


def test_stripes() -> None:
    stripes = np.tile(np.repeat([0, 255], 16), (128, 4))
    found = image_statistics(grey(stripes))
    assert (found["brightness"], found["contrast"], found["entropy"]) == (0.5, 0.5, 1.0)
    assert found["colourfulness"] == 0
    # seven edges on 128 columns; each lies between two columns and marks both, but the first
    # and last rows have none
    assert found["edge_density"] == pytest.approx(7 * 2 / 128 * 126 / 128, rel=1e-12)


@pytest.mark.parametrize("side", [16, 20])
def test_last_bits_decide_nothing(side: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:256, :256] // side
    # together the three colours have a luma halfway between two steps of 256
    board = np.stack([(x + y) % 2 * 151, x % 2 * 111, (y + 1) % 2 * 111], 2).astype(np.uint8)
    expected = [image_statistics(each) for each in (board, grey(board[..., 0]))]

    def noisy(function: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
        def changed(*args: object, **options: object) -> np.ndarray:
            values = function(*args, **options)
            return values * (1 + rng.choice([-2e-16, 0, 2e-16], size=values.shape))

        return changed

    for name in ("rgb2gray", "gaussian"):
        monkeypatch.setattr(module, name, noisy(getattr(module, name)))
    monkeypatch.setattr(clutter, "rgb2lab", noisy(clutter.rgb2lab))
    found = [image_statistics(each) for each in (board, grey(board[..., 0]))]
    assert found == [pytest.approx(each, rel=1e-10, abs=1e-10) for each in expected]


def test_colourfulness_by_hand() -> None:
    # red and green: rg is 255 and -255, yb 127.5 for both
    assert colourfulness(np.array([[[1.0, 0, 0], [0, 1.0, 0]]])) == pytest.approx(255 + 0.3 * 127.5)
    # blue and black: rg is 0, yb -255 and 0
    blue = 127.5 + 0.3 * 127.5
    assert colourfulness(np.array([[[0, 0, 1.0], [0, 0, 0]]])) == pytest.approx(blue)


@pytest.mark.parametrize("slope", [0.0, -0.5, -1.0, -1.5, -2.0])
def test_the_slope_of_noise_with_a_known_one(slope: float) -> None:
    found = [spectral_slope(power_law(slope, seed)) for seed in range(4)]
    assert np.mean(found) == pytest.approx(slope, abs=0.1)


def test_clutter_rises_from_nothing_to_noise() -> None:
    blank = np.full((128, 128, 3), 0.5)
    disc = blank.copy()
    disc[40:80, 40:80] = 1
    noise = np.random.default_rng(0).random((128, 128, 3))
    values = [subband_entropy(each) for each in (blank, disc, noise)]
    assert values[0] == 0
    assert values[0] < values[1] < values[2]
    # 16,384 normal values in 128 bins over their range
    band = np.random.default_rng(1).normal(size=128 * 128)
    shares = np.histogram(band, 128)[0] / band.size
    expected = -(shares[shares > 0] * np.log2(shares[shares > 0])).sum()
    first = subbands(noise[..., 0])[0]
    counts = np.histogram(first, 128)[0] / first.size
    assert -(counts[counts > 0] * np.log2(counts[counts > 0])).sum() == pytest.approx(
        expected, abs=0.3
    )


@pytest.mark.parametrize(("cycles", "scale"), [(32, 0), (16, 1), (8, 2)])
@pytest.mark.parametrize("orientation", range(4))
def test_a_grating_stands_in_the_subband_of_its_scale_and_orientation(
    cycles: int, scale: int, orientation: int
) -> None:
    y, x = np.mgrid[:128, :128] / 128
    angle = np.pi * orientation / 4
    grating = np.sin(2 * np.pi * cycles * (x * np.cos(angle) + y * np.sin(angle)))
    energy = [float((band[4:-4, 4:-4] ** 2).mean()) for band in subbands(grating)]
    assert int(np.argmax(energy)) == scale * 4 + orientation
    # the band's own grating passes unchanged: a sine has a mean square of one half
    assert max(energy) == pytest.approx(0.5, rel=0.1)


def test_subbands_of_any_size_cover_the_image() -> None:
    for size in ((2, 2), (33, 47), (64, 65)):
        bands = subbands(np.random.default_rng(0).random(size))
        expected = [tuple(-(-side // 2**scale) for side in size) for scale in range(3)]
        assert [band.shape for band in bands[::4]] == expected


@given(st.integers(2, 40), st.integers(2, 40), st.integers(0, 2**16))
@settings(max_examples=25, deadline=None)
def test_any_image_has_finite_values_in_their_range(height: int, width: int, seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    found = image_statistics(image)
    slope = found.pop("spectral_slope")
    assert slope is None or np.isfinite(slope)
    limits = {"brightness": 1, "contrast": 0.5, "colourfulness": 400, "entropy": 8}
    limits |= {"edge_density": 1, "clutter": 12}
    assert all(0 <= found[name] <= limit for name, limit in limits.items())


def test_large_images_are_reduced_first() -> None:
    plane = np.rint(power_law(-1.0) * 255)
    large = grey(np.kron(plane, np.ones((4, 4))))
    small, reduced = (image_statistics(each, size=320) for each in (grey(plane), large))
    for name in ("brightness", "contrast", "clutter"):
        assert reduced[name] == pytest.approx(small[name], rel=0.1)


def test_one_damaged_image_does_not_end_the_others(tmp_path: Path) -> None:
    PIL.Image.new("RGB", (64, 64), "white").save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"no image")
    table = image_attributes(qg.load_dataset("folder", root=tmp_path))
    assert table["stimulus"].to_list() == ["a", "b"]
    assert table["brightness"].to_list() == [1.0, None]
    assert table["reason"][0] is None
    assert "cannot be read as an image" in table["reason"][1]
    with pytest.raises(OptionError, match="size is 16"):
        image_attributes([], size=16)


def test_photographs_have_the_slopes_and_colours_of_photographs(osie_sample: Path) -> None:
    table = image_attributes(qg.load_dataset("osie", root=osie_sample)[:6], size=256)
    assert table["spectral_slope"].is_between(-2, -0.8).all()
    assert table["clutter"].is_between(3, 6).all()
    assert table["colourfulness"].is_between(5, 120).all()
