from __future__ import annotations

import io
import pickle
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from quickgaze.errors import StimulusError
from quickgaze.stimuli.densities import DensityFile

LEVELS = np.array([[0, 51, 102], [153, 204, 51]], dtype=np.uint8)
EXPECTED = np.float32([[0, 0.25, 0.5], [0.75, 1, 0.25]])


def saved(values: np.ndarray, path: Path, **options: object) -> DensityFile:
    if path.suffix == ".npy":
        np.save(path, values)
    else:
        PIL.Image.fromarray(values).save(path, **options)
    return DensityFile(path)


@pytest.mark.parametrize("ending", ["png", "tif", "bmp", "pgm", "npy", "NPY"])
def test_8_bit(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    if ending == "NPY":
        with path.open("wb") as file:
            np.save(file, LEVELS)
        density = DensityFile(path).read((2, 3))
    else:
        density = saved(LEVELS, path).read((2, 3))
    assert density.dtype == np.float32
    np.testing.assert_allclose(density, EXPECTED, rtol=1e-6)


@pytest.mark.parametrize(
    ("values", "ending"),
    [
        (LEVELS.astype(np.uint16) * 257, "png"),
        (LEVELS.astype(np.int32) * 70_000, "tif"),
        (LEVELS.astype(np.float32) / 1e6, "tif"),
        (LEVELS.astype(np.float64) * 1e300, "npy"),
        (LEVELS.astype(np.float16), "npy"),
        (LEVELS.astype(">i8"), "npy"),
        (np.asfortranarray(LEVELS), "npy"),
        (np.repeat(LEVELS[..., None], 3, axis=2), "png"),
    ],
)
def test_any_depth(tmp_path: Path, values: np.ndarray, ending: str) -> None:
    density = saved(values, tmp_path / f"a.{ending}").read((2, 3))
    np.testing.assert_allclose(density, EXPECTED, rtol=1e-5)
    assert density.dtype == np.float32


def test_palette_and_opaque_alpha(tmp_path: Path) -> None:
    for mode in ("P", "LA", "RGBA"):
        path = tmp_path / f"{mode}.png"
        PIL.Image.fromarray(LEVELS).convert(mode).save(path)
        np.testing.assert_allclose(DensityFile(path).read((2, 3)), EXPECTED, rtol=1e-6)


def test_bool_array(tmp_path: Path) -> None:
    density = saved(LEVELS > 100, tmp_path / "a.npy").read((2, 3))
    assert density.tolist() == [[0, 0, 1], [1, 1, 0]]


def test_orientation_is_applied(tmp_path: Path) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    density = saved(LEVELS, tmp_path / "a.png", exif=exif).read((3, 2))
    np.testing.assert_allclose(density, np.rot90(EXPECTED, -1), rtol=1e-6)


@pytest.mark.parametrize("ending", ["png", "npy"])
def test_zero_everywhere_stays_zero(tmp_path: Path, ending: str) -> None:
    density = saved(np.zeros((2, 3), dtype=np.uint8), tmp_path / f"a.{ending}").read((2, 3))
    assert density.dtype == np.float32
    assert not density.any()


@pytest.mark.parametrize("ending", ["png", "npy"])
def test_another_size(tmp_path: Path, ending: str) -> None:
    source = saved(LEVELS, tmp_path / f"a.{ending}")
    with pytest.raises(StimulusError, match=rf"a\.{ending} is 2 x 3, its image is 20 x 30"):
        source.read((20, 30))


@pytest.mark.parametrize("shape", [(6,), (2, 3, 1), (1, 2, 3), (2, 3, 3), ()])
def test_another_number_of_axes(tmp_path: Path, shape: tuple[int, ...]) -> None:
    source = saved(np.ones(shape), tmp_path / "a.npy")
    with pytest.raises(StimulusError, match=r"a\.npy is .*one value a pixel"):
        source.read((2, 3))


@pytest.mark.parametrize(
    ("value", "words"), [(np.nan, "NaN or infinity in 1 of 6"), (np.inf, "NaN"), (-0.1, "negative")]
)
@pytest.mark.parametrize("ending", ["npy", "tif"])
def test_values_that_no_density_has(tmp_path: Path, value: float, words: str, ending: str) -> None:
    values = LEVELS.astype(np.float32)
    values[1, 1] = value
    with pytest.raises(StimulusError, match=rf"a\.{ending} .*{words}"):
        saved(values, tmp_path / f"a.{ending}").read((2, 3))


class Boom:
    def __reduce__(self) -> tuple[object, ...]:
        return pytest.fail, ("a pickle was executed",)


def test_pickles_are_refused(tmp_path: Path) -> None:
    inside = np.empty((2, 3), dtype=object)
    inside[:] = Boom()
    np.save(tmp_path / "a.npy", inside, allow_pickle=True)
    (tmp_path / "b.npy").write_bytes(pickle.dumps(Boom()))
    for name in ("a.npy", "b.npy"):
        with pytest.raises(StimulusError, match=rf"{name} cannot be read"):
            DensityFile(tmp_path / name).read((2, 3))


@pytest.mark.parametrize("dtype", [complex, "U3", "datetime64[s]", [("a", float)]])
def test_arrays_of_something_else(tmp_path: Path, dtype: object) -> None:
    source = saved(np.zeros((2, 3), dtype=dtype), tmp_path / "a.npy")
    with pytest.raises(StimulusError, match=r"a\.npy holds values of type"):
        source.read((2, 3))


def test_archives(tmp_path: Path) -> None:
    with (tmp_path / "a.npy").open("wb") as file:
        np.savez(file, LEVELS)
    with pytest.raises(StimulusError, match="archive"):
        DensityFile(tmp_path / "a.npy").read((2, 3))


def test_a_header_that_claims_a_lot(tmp_path: Path) -> None:
    stream = io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": (10**6, 10**6)}
    np.lib.format.write_array_header_1_0(stream, header)
    (tmp_path / "a.npy").write_bytes(stream.getvalue() + bytes(100))
    with pytest.raises(StimulusError, match=r"a\.npy cannot be read"):
        DensityFile(tmp_path / "a.npy").read((10**6, 10**6))


@pytest.mark.parametrize("name", ["a.npy", "a.png"])
@pytest.mark.parametrize("content", [None, b"", b"text", b"\x93NUMPY\x01\x00"])
def test_missing_and_damaged(tmp_path: Path, name: str, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(StimulusError, match=name):
        DensityFile(tmp_path / name).read((2, 3))


def test_coloured_maps_are_refused(tmp_path: Path) -> None:
    jet = np.zeros((2, 3, 3), dtype=np.uint8)
    jet[..., 0], jet[..., 2] = LEVELS, 255 - LEVELS
    with pytest.raises(StimulusError, match="coloured"):
        saved(jet, tmp_path / "a.png").read((2, 3))


def test_transparent_maps_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StimulusError, match="transparent"):
        saved(np.stack([LEVELS, LEVELS], axis=2), tmp_path / "a.png").read((2, 3))


@given(
    arrays.arrays(np.float64, (3, 4), elements=st.floats(0, 1e6, allow_subnormal=False, width=32))
)
@settings(deadline=None)
def test_the_maximum_is_one(tmp_path_factory: pytest.TempPathFactory, values: np.ndarray) -> None:
    density = saved(values, tmp_path_factory.getbasetemp() / "density.npy").read((3, 4))
    assert density.max() == (1 if values.any() else 0)
    assert density.min() >= 0
