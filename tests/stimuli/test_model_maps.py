"""Maps that a model has written to disk."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import h5py
import numpy as np
import PIL.Image
import pytest

from quickgaze.errors import DatasetError, OptionError, StimulusError
from quickgaze.stimuli.densities import ArchivedMap, open_model_maps

VALUES = np.array([[0.0, 1.0, 2.0], [3.0, 4.0, 8.0]])


def archive(path: Path, **maps: object) -> Path:
    with h5py.File(path, "w") as file:
        for name, values in maps.items():
            file[name] = values
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Maps as images and arrays, in subfolders too."""
    place = tmp_path / "maps"
    (place / "cats").mkdir(parents=True)
    np.save(place / "a.npy", VALUES)
    PIL.Image.fromarray((VALUES * 31).astype(np.uint8)).save(place / "cats" / "tabby.png")
    PIL.Image.fromarray((VALUES * 31).astype(np.uint8)).save(place / "b.jpg.png")
    (place / "notes.txt").write_text("not a map")
    return place


def test_a_folder_of_maps(folder: Path) -> None:
    found = open_model_maps(folder)
    assert list(found.maps) == ["a", "b.jpg", "cats/tabby"]
    for name in ("a", "cats/tabby"):
        np.testing.assert_allclose(found.maps[name].read((2, 3)), VALUES / 8, atol=1e-6)


def test_an_archive_of_maps(tmp_path: Path) -> None:
    path = archive(tmp_path / "maps.h5", **{"a.jpg": VALUES, "cats/tabby": VALUES.astype("f2")})
    found = open_model_maps(path)
    assert sorted(found.maps) == ["a", "cats/tabby"]
    for source in found.maps.values():
        read = source.read((2, 3))
        np.testing.assert_allclose(read, VALUES / 8)
        assert read.dtype == np.float32


def test_maps_are_paired_by_id_and_else_by_the_last_part_of_it(folder: Path) -> None:
    found = open_model_maps(folder)
    assert list(found.paired(["a", "cats/tabby", "dog"])) == ["a", "cats/tabby"]
    # An image file's name with its ending, and one in another folder.
    pairs = found.paired(["train/a", "b.jpg", "tabby"])
    assert pairs == {
        "train/a": found.maps["a"],
        "b.jpg": found.maps["b.jpg"],
        "tabby": found.maps["cats/tabby"],
    }
    assert found.paired(["b"]) == {"b": found.maps["b.jpg"]}


def test_a_last_part_that_several_share_pairs_nothing(folder: Path) -> None:
    found = open_model_maps(folder)
    assert found.paired(["train/a", "val/a"]) == {}
    assert list(found.paired(["a", "val/a"])) == ["a"]
    (folder / "dogs").mkdir()
    np.save(folder / "dogs" / "tabby.npy", VALUES)
    assert open_model_maps(folder).paired(["tabby"]) == {}


def test_what_is_wanted_is_named(folder: Path, tmp_path: Path) -> None:
    assert open_model_maps(folder).wanted("x") == f"{folder / 'x'}.png or .npy"
    path = archive(tmp_path / "maps.h5", a=VALUES)
    assert open_model_maps(path).wanted("x") == f"the data set 'x' in {path}"


def test_two_maps_of_one_name_are_refused(folder: Path, tmp_path: Path) -> None:
    np.save(folder / "cats" / "tabby.npy", VALUES)
    with pytest.raises(DatasetError, match="two maps of 'cats/tabby'"):
        open_model_maps(folder)
    path = archive(tmp_path / "maps.h5", **{"a": VALUES, "a.png": VALUES})
    with pytest.raises(DatasetError, match="two maps of 'a'"):
        open_model_maps(path)


def test_a_place_without_maps_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"no-such-place does not exist"):
        open_model_maps(tmp_path / "no-such-place")
    with pytest.raises(DatasetError, match="holds no map"):
        open_model_maps(tmp_path)
    with pytest.raises(DatasetError, match="holds no map"):
        open_model_maps(archive(tmp_path / "empty.h5"))
    (tmp_path / "text.h5").write_text("not HDF5")
    with pytest.raises(DatasetError, match=r"text\.h5 cannot be read as HDF5"):
        open_model_maps(tmp_path / "text.h5")


def test_a_damaged_archive_is_refused_in_words(tmp_path: Path) -> None:
    content = archive(tmp_path / "maps.h5", a=VALUES, b=VALUES).read_bytes()
    names = content.index(b"HEAP")
    path = tmp_path / "damaged.h5"
    path.write_bytes(content[: names + 8] + b"\xff" * 24 + content[names + 32 :])
    with pytest.raises(DatasetError, match=r"damaged\.h5 cannot be read as HDF5"):
        open_model_maps(path)


def test_types_with_a_name_are_no_maps(tmp_path: Path) -> None:
    path = archive(tmp_path / "maps.h5", a=VALUES, level=np.dtype("f4"))
    assert list(open_model_maps(path).maps) == ["a"]
    with pytest.raises(StimulusError, match="'level' is not an array"):
        ArchivedMap(path, "level").read((2, 3))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (VALUES[:1], r"is 1 x 3, its image is 2 x 3"),
        (VALUES[None], r"is 1 x 2 x 3"),
        (np.float64(3), "a single number"),
        (VALUES - 1, "negative values, down to -1"),
        (VALUES * np.nan, "NaN or infinity in 6 of 6"),
        (VALUES.astype(complex), "values of type complex128"),
        ("a map", "values of type object"),
    ],
)
def test_values_that_no_map_has_are_refused(tmp_path: Path, values: object, message: str) -> None:
    path = archive(tmp_path / "maps.h5", a=values)
    with pytest.raises(StimulusError, match=rf"map 'a' in .*maps\.h5 .*{message}"):
        ArchivedMap(path, "a").read((2, 3))


def test_a_map_that_is_gone_is_named(tmp_path: Path) -> None:
    path = archive(tmp_path / "maps.h5", a=VALUES)
    with pytest.raises(StimulusError, match="map 'b' in"):
        ArchivedMap(path, "b").read((2, 3))
    with pytest.raises(StimulusError, match=r"gone\.h5 cannot be read"):
        ArchivedMap(tmp_path / "gone.h5", "a").read((2, 3))


def test_the_fingerprint_changes_with_the_maps(folder: Path) -> None:
    before = open_model_maps(folder).fingerprint
    assert open_model_maps(folder).fingerprint == before
    np.save(folder / "c.npy", VALUES)
    assert open_model_maps(folder).fingerprint != before


def test_archived_maps_travel_between_processes(tmp_path: Path) -> None:
    source = ArchivedMap(archive(tmp_path / "maps.h5", a=VALUES), "a")
    assert pickle.loads(pickle.dumps(source)) == source  # noqa: S301 - our own


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = archive(tmp_path / "maps.h5", a=VALUES)
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(OptionError, match=r"pip install 'quickgaze\[hdf5\]'"):
        open_model_maps(path)
