"""Data sets in memory and on an S3 server of this machine, against the same in local folders."""

from __future__ import annotations

import multiprocessing
import operator
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import fsspec
import numpy as np
import polars as pl
import pytest
import scipy.io
from upath import UPath

from quickgaze.errors import DatasetError, OptionError, StimulusError
from quickgaze.places import as_path
from quickgaze.stimuli import (
    Dataset,
    check_dataset,
    load_dataset,
    plan_fetch,
    write_pysaliency_hdf5,
)
from quickgaze.stimuli.densities import ArchivedMap, DensityFile

Write = Callable[..., Path]
Upload = Callable[[Path], str]


def _upload(root: Path, place: str) -> str:
    filesystem, folder = fsspec.url_to_fs(place)
    for path in root.rglob("*"):
        if path.is_file():
            filesystem.pipe(f"{folder}/{path.relative_to(root).as_posix()}", path.read_bytes())
    return place


@pytest.fixture(params=["memory", "s3"])
def upload(request: pytest.FixtureRequest) -> Upload:
    """Copies a folder to another place, and says where."""

    def copy(root: Path) -> str:
        if request.param == "memory":
            return _upload(root, f"memory://{request.node.name}/{root.name}")
        return _upload(root, f"{request.getfixturevalue('bucket')}/data/{root.name}")

    return copy


def same(here: Dataset, there: Dataset) -> None:
    """Everything is read from the other place as it is here, in this and after a journey."""
    assert [one.id for one in there] == [one.id for one in here]
    assert (there.edition, there.gaze, there.missing) == (here.edition, here.gaze, here.missing)
    assert there.notes == here.notes
    assert there.fingerprints() == here.fingerprints()
    for local, remote in zip(here, there, strict=True):
        travelled = pickle.loads(pickle.dumps(remote))  # noqa: S301
        for other in (remote, travelled):
            assert other.size == local.size
            np.testing.assert_array_equal(other.image(), local.image())
            assert (other.fixations is None) == (local.fixations is None)
            if local.fixations is not None and other.fixations is not None:
                np.testing.assert_array_equal(other.fixations.points, local.fixations.points)
                assert other.fixations.observer.tolist() == local.fixations.observer.tolist()
        density = remote.density()
        np.testing.assert_array_equal(density, local.density())


@pytest.fixture
def folder(tmp_path: Path, draw: Write) -> Path:
    root = tmp_path / "folder"
    for name in ("images/b.png", "images/a.JPG", "images/deep/er/c d#1.tif", "images/.hidden.png"):
        draw(root / name)
    draw(root / "maps" / "a.png", mode="L")
    np.save(root / "maps" / "b.npy", np.eye(6, 8))
    (root / "fixations.csv").write_text(
        "stimulus,observer,x,y\na,ann,1,2\nb,ann,1,2\nb,bob,3,99\ngone,bob,1,1\n"
    )
    return root


def test_folders(folder: Path, upload: Upload) -> None:
    there = load_dataset("folder", upload(folder), origin=0)
    assert [one.id for one in there] == ["a", "b", "deep/er/c d#1"]
    same(load_dataset("folder", folder, origin=0), there)


def test_folders_without_a_folder_of_images(tmp_path: Path, draw: Write, upload: Upload) -> None:
    for name in ("a.png", "cats/b.png", "maps/a.png"):
        draw(tmp_path / "plain" / name, mode="L")
    pl.DataFrame({"stimulus": "a", "observer": "ann", "x": [1.0], "y": [2.0]}).write_parquet(
        tmp_path / "plain" / "fixations.parquet"
    )
    place = upload(tmp_path / "plain")
    same(
        load_dataset("folder", tmp_path / "plain", origin=0),
        load_dataset("folder", place, origin=0),
    )


def test_osie(osie_sample: Path, tmp_path: Path, upload: Upload) -> None:
    root = tmp_path / "osie"
    (root / "stimuli").mkdir(parents=True)
    shutil.copy(osie_sample / "fixations.mat", root)
    for path in sorted((osie_sample / "stimuli").iterdir())[:2]:
        shutil.copy(path, root / "stimuli")
    place = upload(root)
    there = load_dataset("osie", place)
    assert len(there) == 2
    assert len(there.missing) == 698
    same(load_dataset("osie", root), there)
    checks = {check.what: check for check in check_dataset("osie", place)}
    assert checks["md5 of fixations.mat"].verdict == "ok"
    assert checks["points in fixations.mat"].found == "98,321"
    assert checks["images that open"].found == "2"


def test_osie_like_files(tmp_path: Path, draw: Write, upload: Upload) -> None:
    subject = {"fix_x": [1.0, 8.0], "fix_y": [2.0, 3.0], "fix_duration": [100.0, 200.0]}
    images = [{"img": "1001.jpg", "subjects": np.array([subject], dtype=object)}]
    root = tmp_path / "osie"
    draw(root / "data/stimuli/1001.jpg")
    (root / "data/eye").mkdir()
    content = {"fixations": np.array(images, dtype=object)}
    scipy.io.savemat(root / "data/eye/fixations.mat", content)
    there = load_dataset("osie", upload(root))
    assert there[0].fixations is not None
    assert there[0].fixations.points.tolist() == [[0, 1], [7, 2]]
    same(load_dataset("osie", root), there)


def test_salicon_annotations(tmp_path: Path, draw: Write, annotate: Write, upload: Upload) -> None:
    root = tmp_path / "salicon"
    workers = {f"w{number}": [[1 + number % 6, 1 + number % 8]] * 3 for number in range(9)}
    samples = {"a.jpg": workers, "b.jpg": {"w1": [[5, 6]]}, "c.jpg": {}, "d.jpg": {"w": [[1, 1]]}}
    for name in ("a", "b", "c"):
        draw(root / "pictures" / f"{name}.jpg")
    annotate(root / "fixations_val2014.json", samples)
    place = upload(root)
    there = load_dataset("salicon", place)
    assert there.missing == ("d",)
    same(load_dataset("salicon", root), there)
    checks = check_dataset("salicon", place)
    assert [check.found for check in checks if check.what == "images that open"] == ["3"]
    elsewhere = load_dataset("salicon", root, images=f"{place}/pictures")
    same(load_dataset("salicon", root), elsewhere)
    apart = {"images": "pictures", "annotations": "fixations_val2014.json"}
    same(load_dataset("salicon", root, **apart), load_dataset("salicon", place, **apart))


def test_salicon_matlab_files_and_maps(
    tmp_path: Path, draw: Write, record: Write, upload: Upload
) -> None:
    root = tmp_path / "salicon"
    for split in ("train", "val"):
        name = f"COCO_{split}2014_000000000001"
        draw(root / f"images/{split}/{name}.jpg")
        draw(root / f"maps/{split}/{name}.png", mode="L")
        record(root / f"fixations/{split}/{name}.mat", [[[1, 2]], [[3, 4], [8, 6]]])
    place = upload(root)
    there = load_dataset("salicon", place, split="val")
    assert [one.attributes for one in there] == [{"split": "val"}]
    same(load_dataset("salicon", root, split="val"), there)
    assert len(load_dataset("salicon", place, split="all")) == 2


def test_pysaliency_files(folder: Path, tmp_path: Path, upload: Upload) -> None:
    shutil.rmtree(folder / "maps")
    root = tmp_path / "pysaliency"
    write_pysaliency_hdf5(load_dataset("folder", folder, origin=0), root)
    same(load_dataset("pysaliency", root), load_dataset("pysaliency", upload(root)))


@pytest.fixture
def file_stimuli(tmp_path: Path, draw: Write) -> Path:
    """HDF5 files of pysaliency that name image files, one of which is not there."""
    import h5py  # noqa: PLC0415

    root = tmp_path / "named"
    draw(root / "pictures" / "a.png")
    with h5py.File(root / "stimuli.hdf5", "w") as file:
        file.attrs.update({"type": "FileStimuli", "version": "2.1", "__attributes__": "[]"})
        names = ["pictures/a.png", "pictures/b.png"]
        file.create_dataset("filenames", data=names, dtype=h5py.string_dtype())
        file["shapes"] = np.array([(6, 8, 3), (6, 8, 3)])
    with h5py.File(root / "fixations.hdf5", "w") as file:
        file.attrs.update({"type": "Fixations", "version": "1.0", "__attributes__": "[]"})
        file["x"], file["y"], file["n"] = [1.5, 2.5], [1.5, 2.5], [0, 1]
        file["subjects"] = [0, 1]
    return root


def test_pysaliency_files_that_name_images(file_stimuli: Path, upload: Upload) -> None:
    there = load_dataset("pysaliency", upload(file_stimuli))
    assert there.missing == ("b",)
    same(load_dataset("pysaliency", file_stimuli), there)


@pytest.mark.parametrize("name", ["../secret.png", "/etc/passwd", "pictures/../../x", "..\\x", ""])
def test_listed_names_do_not_lead_out(file_stimuli: Path, name: str, upload: Upload) -> None:
    import h5py  # noqa: PLC0415

    with h5py.File(file_stimuli / "stimuli.hdf5", "r+") as file:
        file["filenames"][1] = name
    with pytest.raises(DatasetError, match="which is not a file below"):
        load_dataset("pysaliency", upload(file_stimuli))


def test_stimuli_are_read_in_another_process(folder: Path, bucket: str) -> None:
    """Started anew, it opens a connection of its own."""
    place = _upload(folder, f"{bucket}/folder")
    dataset = load_dataset("folder", place, origin=0)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        prints = pool.map(operator.methodcaller("fingerprint"), dataset)
        images = pool.map(operator.methodcaller("image"), dataset)
    assert prints == dataset.fingerprints()
    for stimulus, image in zip(dataset, images, strict=True):
        np.testing.assert_array_equal(image, stimulus.image())


def test_what_is_replaced_or_gone_is_noticed(folder: Path, upload: Upload) -> None:
    place = upload(folder)
    dataset = load_dataset("folder", place, origin=0)
    before = dataset.fingerprints()
    filesystem, root = fsspec.url_to_fs(place)
    filesystem.pipe(f"{root}/images/b.png", (folder / "images/a.JPG").read_bytes())
    filesystem.rm_file(f"{root}/images/a.JPG")
    filesystem.pipe(f"{root}/maps/b.npy", b"no array")
    after = dataset.fingerprints()
    assert [one == other for one, other in zip(before, after, strict=True)] == [False, False, True]
    with pytest.raises(StimulusError, match=r"there is no image at .*://.*/images/a\.JPG"):
        dataset[0].image()
    with pytest.raises(StimulusError, match=r"density .*://.*/maps/b\.npy cannot be read"):
        dataset[1].density()


def test_damaged_files_are_named(folder: Path, upload: Upload) -> None:
    (folder / "images/b.png").write_bytes(b"")
    (folder / "images/a.JPG").write_bytes(b"text")
    dataset = load_dataset("folder", upload(folder), origin=0)
    for stimulus, words in zip(dataset, ("is of no known image format", "is empty"), strict=False):
        with pytest.raises(StimulusError, match=words):
            stimulus.image()
    checks = {check.what: check for check in check_dataset("folder", upload(folder), origin=0)}
    assert checks["images that open"].details[0].startswith("a: ")


def test_damaged_tables_are_named(folder: Path, upload: Upload) -> None:
    (folder / "fixations.csv").write_text("no,table")
    with pytest.raises(DatasetError, match=r"://.*fixations\.csv lacks the columns"):
        load_dataset("folder", upload(folder), origin=0)


def test_a_root_that_is_not_there(upload: Upload, tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "file").touch()
    place = upload(tmp_path / "root")
    with pytest.raises(DatasetError, match=r"://.*nothing does not exist; the data set 'osie'"):
        load_dataset("osie", f"{place}/nothing")
    with pytest.raises(DatasetError, match=r"://.*file is not a folder"):
        load_dataset("osie", f"{place}/file")
    with pytest.raises(DatasetError, match=r"://.* does not hold SALICON"):
        load_dataset("salicon", place)


def test_a_server_that_cannot_be_reached(monkeypatch: pytest.MonkeyPatch, bucket: str) -> None:
    assert bucket
    root = UPath(
        "s3://nowhere/data",
        endpoint_url="http://127.0.0.1:9",
        config_kwargs={"retries": {"max_attempts": 1}, "connect_timeout": 1},
    )
    monkeypatch.setattr("s3fs.S3FileSystem.retries", 1)
    with pytest.raises(DatasetError, match=r"s3://nowhere/data cannot be reached .*credentials"):
        load_dataset("folder", root)


def test_options_travel_with_a_path(folder: Path, server: str, bucket: str) -> None:
    """A path with its own endpoint needs nothing in the environment."""
    place = _upload(folder, f"{bucket}/folder")
    options = {"endpoint_url": server, "key": "somebody", "secret": "hidden-word"}
    dataset = load_dataset("folder", UPath(place, **options), origin=0)
    same(load_dataset("folder", folder, origin=0), dataset)
    assert "hidden-word" not in f"{dataset} {dataset.fingerprint()}"
    with pytest.raises(DatasetError) as caught:
        load_dataset("osie", UPath(place, **options))
    assert "hidden-word" not in str(caught.value)


def test_maps_of_a_model(tmp_path: Path, upload: Upload) -> None:
    import h5py  # noqa: PLC0415

    root = tmp_path / "maps"
    root.mkdir()
    np.save(root / "a.npy", np.eye(3))
    with h5py.File(root / "maps.h5", "w") as file:
        file["a"] = np.eye(3)
    place = as_path(upload(root))
    np.testing.assert_array_equal(DensityFile(place / "a.npy").read((3, 3)), np.eye(3))
    np.testing.assert_array_equal(ArchivedMap(place / "maps.h5", "a").read((3, 3)), np.eye(3))
    here = ArchivedMap(root / "maps.h5", "a").fingerprint()
    assert ArchivedMap(place / "maps.h5", "a").fingerprint() == here
    with pytest.raises(StimulusError, match=r"gone\.h5 cannot be read"):
        ArchivedMap(place / "gone.h5", "a").read((3, 3))


def test_data_are_fetched_to_this_machine_only() -> None:
    with pytest.raises(OptionError, match=r"s3://bucket/osie is not on this machine"):
        plan_fetch("osie", "s3://bucket/osie")
