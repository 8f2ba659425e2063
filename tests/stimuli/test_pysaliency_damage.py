"""Files of pysaliency that are damaged, or that somebody has made to do harm."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from quickgaze.errors import DatasetError, StimulusError
from quickgaze.stimuli import Dataset, load_dataset, write_pysaliency_hdf5

Make = Callable[..., Dataset]


def change(root: Path, name: str, edit: Callable[[Any], None]) -> None:
    with h5py.File(root / name, "a") as file:
        edit(file)


def replace(key: str, value: object) -> Callable[[Any], None]:
    def edit(file: Any) -> None:
        del file[key]
        file[key] = value

    return edit


def mark(key: str, value: object) -> Callable[[Any], None]:
    return lambda file: file.attrs.__setitem__(key, value)


def pickled(file: Any) -> None:
    del file["x"]
    file["x"] = np.void(pickle.dumps([1.0, 2.0]))


def endless(file: Any) -> None:
    del file["x"]
    file.create_dataset("x", shape=(10**12,), chunks=(2**20,), dtype="f8")


DAMAGE = {
    "another type": ("fixations.hdf5", mark("type", "Scores"), "expected fixations of pysaliency"),
    "a later version": ("fixations.hdf5", mark("version", "9.0"), "version '9.0'"),
    "no type": ("fixations.hdf5", lambda file: file.attrs.__delitem__("type"), "or is damaged"),
    "type is a number": ("fixations.hdf5", mark("type", 3), "is not a text"),
    "stimuli of another type": ("stimuli.hdf5", mark("type", "Film"), "expected stimuli"),
    "endless stimuli": ("stimuli.hdf5", mark("size", 10**9), "claims 1,000,000,000 images"),
    "too few": ("stimuli.hdf5", mark("size", 0), "do not belong together"),
    "one column short": ("fixations.hdf5", replace("y", [1.0]), "differ in length"),
    "no x": ("fixations.hdf5", lambda file: file.__delitem__("x"), "or is damaged"),
    "n beyond": ("fixations.hdf5", replace("n", [0, 7]), "stimuli 0 to 7, but 2 stimuli"),
    "n negative": ("fixations.hdf5", replace("n", [0, -1]), "do not belong together"),
    "texts for x": ("fixations.hdf5", replace("x", ["a", "b"]), "not numbers"),
    "pickled": ("fixations.hdf5", pickled, "not numbers"),
    "endless": ("fixations.hdf5", endless, "next to none"),
    "elsewhere": (
        "fixations.hdf5",
        lambda file: (
            file.__delitem__("x"),
            file.__setitem__("x", h5py.ExternalLink("other.hdf5", "/x")),
        ),
        "leads to another file",
    ),
    "two dimensions": ("fixations.hdf5", replace("x", [[1.0, 2.0]]), "has 2 dimensions, not 1"),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_damaged(tmp_path: Path, case: str, in_memory: Make) -> None:
    name, edit, message = DAMAGE[case]
    write_pysaliency_hdf5(in_memory(), tmp_path)
    change(tmp_path, name, edit)
    with pytest.raises(DatasetError, match=message):
        load_dataset("pysaliency", tmp_path)


def test_values_from_a_raw_file_are_refused(tmp_path: Path, in_memory: Make) -> None:
    write_pysaliency_hdf5(in_memory(), tmp_path)
    (tmp_path / "secret").write_bytes(bytes(16))

    def edit(file: Any) -> None:
        del file["x"]
        outside = [(str(tmp_path / "secret"), 0, 16)]
        file.create_dataset("x", (2,), dtype="f8", external=outside)

    change(tmp_path, "fixations.hdf5", edit)
    with pytest.raises(DatasetError, match="from other files"):
        load_dataset("pysaliency", tmp_path)


def test_not_hdf5(tmp_path: Path, in_memory: Make) -> None:
    write_pysaliency_hdf5(in_memory(), tmp_path)
    (tmp_path / "fixations.hdf5").write_text("text")
    with pytest.raises(DatasetError, match="does not hold fixations of pysaliency"):
        load_dataset("pysaliency", tmp_path)


def test_one_bad_image_is_that_images_matter(tmp_path: Path, in_memory: Make) -> None:
    write_pysaliency_hdf5(in_memory(), tmp_path)
    change(tmp_path, "stimuli.hdf5", replace("1", np.zeros((4, 5, 7), dtype=np.uint8)))
    change(tmp_path, "stimuli.hdf5", replace("0", np.zeros((6, 8, 3), dtype=np.float32)))
    dataset = load_dataset("pysaliency", tmp_path)
    with pytest.raises(StimulusError, match="pixels of type float32"):
        dataset[0].image()
    with pytest.raises(StimulusError, match=r"shape \(4, 5, 7\)"):
        dataset[1].image()
    (tmp_path / "stimuli.hdf5").unlink()
    with pytest.raises(StimulusError, match="cannot be read"):
        dataset[0].image()


@pytest.mark.parametrize(
    ("pixels", "expected"),
    [
        (np.full((2, 2), 65535, dtype=np.uint16), 255),
        (np.full((2, 2, 1), 7, dtype=np.int64), 7),
        (np.ones((2, 2), dtype=bool), 255),
        (np.zeros((2, 2, 4), dtype=np.uint8), 255),
    ],
)
def test_pixels_of_any_kind(
    tmp_path: Path, pixels: np.ndarray, expected: int, in_memory: Make
) -> None:
    write_pysaliency_hdf5(in_memory(), tmp_path)
    change(tmp_path, "stimuli.hdf5", replace("1", pixels))
    image = load_dataset("pysaliency", tmp_path)[1].image()
    assert (image.shape, image.dtype) == ((2, 2, 3), np.uint8)
    assert (image == expected).all()
