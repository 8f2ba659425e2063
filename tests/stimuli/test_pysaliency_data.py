from __future__ import annotations

import json
import pickle
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import PIL.Image
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quickgaze.errors import DatasetError, OptionError, StimulusError
from quickgaze.stimuli import (
    Dataset,
    Fixations,
    Stimulus,
    from_pysaliency,
    load_dataset,
    to_pysaliency,
    write_pysaliency_hdf5,
)

Write = Callable[..., Path]


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


IMAGES = [noise(6, 8, 3), noise(5, 7), noise(9, 4, 3)]


@pytest.fixture
def trains(pysaliency_files: types.ModuleType) -> Any:
    return pysaliency_files.FixationTrains.from_fixation_trains(
        xs=[[0.0, 7.75], [3.0], [6.5, 9.0, -0.25]],
        ys=[[0.0, 5.5], [8.25], [4.0, 1.0, 1.0]],
        ts=[[0, 1], [0], [0, 1, 2]],
        ns=[0, 2, 1],
        subjects=[0, 0, 3],
        scanpath_fixation_attributes={"durations": [[0.2, 0.1], [0.3], [0.4, 0.5, 0.6]]},
        scanpath_attribute_mapping={"durations": "duration"},
    )


def fixations_of(stimulus: Stimulus) -> Fixations:
    fixations = stimulus.fixations
    assert fixations is not None
    return fixations


def hold_the_trains(dataset: Dataset) -> None:
    """Literal expectations: half a pixel less, seconds as milliseconds, three inside of five."""
    first, second, third = (fixations_of(stimulus) for stimulus in dataset)
    assert first.points.tolist() == [[-0.5, -0.5], [7.25, 5.0]]
    assert first.observer.tolist() == ["0", "0"]
    assert first.duration is not None
    np.testing.assert_allclose(first.duration, [200, 100])
    assert second.points.tolist() == [[6.0, 3.5]]
    assert (second.dropped, second.observer.tolist()) == (2, ["3"])
    assert third.points.tolist() == [[2.5, 7.75]]


def test_fixation_trains(tmp_path: Path, pysaliency_files: types.ModuleType, trains: Any) -> None:
    pysaliency_files.Stimuli(IMAGES).to_hdf5(str(tmp_path / "stimuli.hdf5"))
    trains.to_hdf5(str(tmp_path / "fixations.hdf5"))
    dataset = load_dataset("pysaliency", tmp_path)
    assert [stimulus.id for stimulus in dataset] == ["0", "1", "2"]
    assert [stimulus.size for stimulus in dataset] == [(6, 8), (5, 7), (9, 4)]
    assert (dataset.edition, dataset.density_sigma) == ("pysaliency FixationTrains 1.2", 19.0)
    hold_the_trains(dataset)
    np.testing.assert_array_equal(dataset[0].image(), IMAGES[0])
    np.testing.assert_array_equal(dataset[1].image(), np.repeat(IMAGES[1][..., None], 3, axis=2))
    named = load_dataset("pysaliency", tmp_path, edition="mine", density_sigma=30.0)
    assert (named.edition, named.density_sigma) == ("mine", 30.0)
    in_milliseconds = load_dataset("pysaliency", tmp_path, duration_unit="ms")
    np.testing.assert_allclose(fixations_of(in_milliseconds[2]).duration, [0.3])
    assert fixations_of(pickle.loads(pickle.dumps(dataset[0]))).dropped == 0  # noqa: S301


def test_pysaliency_counts_at_the_same_pixels(
    tmp_path: Path, pysaliency_files: types.ModuleType
) -> None:
    """A fixation's pixel is int(x) there and floor(x + 0.5) here."""
    generator = np.random.default_rng(1)
    x, y = generator.uniform(0, 8, 200), generator.uniform(0, 6, 200)
    theirs = pysaliency_files.Fixations.create_without_history(x, y, np.zeros(200, dtype=int))
    pysaliency_files.Stimuli(IMAGES[:1]).to_hdf5(str(tmp_path / "stimuli.hdf5"))
    theirs.to_hdf5(str(tmp_path / "fixations.hdf5"))
    ours = fixations_of(load_dataset("pysaliency", tmp_path)[0])
    assert (len(ours), ours.dropped) == (200, 0)
    assert set(ours.observer) == {"1"}
    np.testing.assert_array_equal(np.floor(ours.x + 0.5), theirs.x_int)
    np.testing.assert_array_equal(np.floor(ours.y + 0.5), theirs.y_int)


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_older_fixation_trains(
    tmp_path: Path, pysaliency_files: types.ModuleType, trains: Any, version: str
) -> None:
    """Held against pysaliency's own reader of these versions."""
    path = tmp_path / "fixations.hdf5"
    pysaliency_files.Stimuli(IMAGES).to_hdf5(str(tmp_path / "stimuli.hdf5"))
    trains.to_hdf5(str(path))
    with h5py.File(path, "a") as file:
        file.attrs["version"] = np.bytes_(version)
        del file.attrs["scanpath_attribute_mapping"], file["scanpath_fixation_attributes"]
        file["duration"] = [0.2, 0.1, 0.3, 0.4, 0.5, 0.6]
        file.attrs["__attributes__"] = np.bytes_(json.dumps(["subjects", "duration"]))
        if version == "1.0":
            del file["scanpath_attributes"]
    with pytest.warns(UserWarning, match="don't use attributes"):
        theirs = pysaliency_files.FixationTrains.read_hdf5(str(path))
    np.testing.assert_array_equal(theirs.x, trains.x)
    hold_the_trains(load_dataset("pysaliency", tmp_path))


def test_scanpath_fixations(tmp_path: Path, pysaliency_files: types.ModuleType) -> None:
    """The layout of pysaliency's later releases, in which padding is not always NaN."""
    pysaliency_files.Stimuli(IMAGES).to_hdf5(str(tmp_path / "stimuli.hdf5"))
    with h5py.File(tmp_path / "fixations.hdf5", "w") as file:
        file.attrs["type"], file.attrs["version"] = "ScanpathFixations", "1.0"
        paths = file.create_group("scanpaths")
        paths["xs"] = [[0.0, 7.75, 0], [3.0, 0, 0], [6.5, 9.0, -0.25]]
        paths["ys"] = [[0.0, 5.5, 0], [8.25, 0, 0], [4.0, 1.0, 1.0]]
        paths["n"], paths["length"] = [0, 2, 1], [2, 1, 3]
        paths.attrs["attribute_mapping"] = json.dumps({"durations": "duration", "ts": "t"})
        paths.create_group("scanpath_attributes")["subject"] = [0, 0, 3]
        timed = paths.create_group("fixation_attributes")
        timed.attrs["__attributes__"] = json.dumps(["durations", "ts"])
        timed["durations"] = [[0.2, 0.1, 0], [0.3, 0, 0], [0.4, 0.5, 0.6]]
        timed["ts"] = np.zeros((3, 3))
    dataset = load_dataset("pysaliency", tmp_path)
    assert dataset.edition == "pysaliency ScanpathFixations 1.0"
    hold_the_trains(dataset)


def test_stimuli_in_files(
    tmp_path: Path, pysaliency_files: types.ModuleType, trains: Any, draw: Write
) -> None:
    names = [draw(tmp_path / "images" / name, size).as_posix() for name, size in FILES.items()]
    # Without shapes, pysaliency opens the files and leaves them open.
    shapes = [(*size, 3) for size in FILES.values()]
    pysaliency_files.FileStimuli(names, shapes=shapes).to_hdf5(str(tmp_path / "stimuli_val.hdf5"))
    trains.to_hdf5(str(tmp_path / "fixations_val.hdf5"))
    files = {"stimuli": "stimuli_val.hdf5", "fixations": "fixations_val.hdf5"}
    dataset = load_dataset("pysaliency", tmp_path, **files)
    assert [stimulus.id for stimulus in dataset] == ["Action/001", "Art/001", "Art/002"]
    hold_the_trains(dataset)
    draw(Path(names[0]), (12, 16))
    with pytest.raises(StimulusError, match=r"of 6 x 8 pixels .* has 12 x 16"):
        _ = dataset[0].fixations
    Path(names[1]).unlink()
    dataset = load_dataset("pysaliency", tmp_path, **files)
    assert dataset.missing == ("Art/001",)
    assert len(dataset) == 2
    # As objects, too.
    draw(Path(names[1]), (5, 7))
    draw(Path(names[0]), (6, 8))
    stimuli = pysaliency_files.read_hdf5(str(tmp_path / "stimuli_val.hdf5"))
    hold_the_trains(from_pysaliency(stimuli, trains))


FILES = {"Action/001.png": (6, 8), "Art/001.png": (5, 7), "Art/002.png": (9, 4)}


@pytest.mark.parametrize(
    "name", ["../secret.png", "a/../../secret.png", "/etc/hostname", "C:/x.png", "..\\x.png", ""]
)
def test_names_that_lead_out(tmp_path: Path, draw: Write, name: str) -> None:
    root = tmp_path / "root"
    draw(tmp_path / "secret.png")
    root.mkdir()
    write_pysaliency_hdf5(a_dataset(), root)
    with h5py.File(root / "stimuli.hdf5", "w") as file:
        file.attrs["type"], file.attrs["version"] = "FileStimuli", "2.0"
        file["filenames"] = [name]
    with pytest.raises(DatasetError, match="not a file below"):
        load_dataset("pysaliency", root)


def test_a_folder_beside_is_named_with_a_wider_root(tmp_path: Path, draw: Write) -> None:
    draw(tmp_path / "images" / "a.png")
    write_pysaliency_hdf5(a_dataset(), tmp_path / "gaze")
    with h5py.File(tmp_path / "gaze" / "stimuli.hdf5", "w") as file:
        file.attrs["type"], file.attrs["version"] = "FileStimuli", "2.0"
        file["filenames"] = ["../images/a.png", "../images/b.png"]
    files = {"stimuli": "gaze/stimuli.hdf5", "fixations": "gaze/fixations.hdf5"}
    dataset = load_dataset("pysaliency", tmp_path, **files)
    assert [stimulus.id for stimulus in dataset] == ["a"]
    assert dataset.missing == ("b",)


class Drawn:
    """An image in memory."""

    def __init__(self, pixels: np.ndarray) -> None:
        self.pixels = pixels

    def read(self) -> np.ndarray:
        return self.pixels

    def size(self) -> tuple[int, int]:
        return self.pixels.shape[:2]

    def fingerprint(self) -> str:
        return "drawn"


class Looked:
    """Gaze in memory."""

    def __init__(self, fixations: Fixations) -> None:
        self.fixations = fixations

    def read(self, _size: tuple[int, int]) -> Fixations:
        return self.fixations


def a_dataset(observers: tuple[str, ...] = ("bob", "ann", "ann")) -> Dataset:
    gaze = Fixations.inside([0, 1.25, 7], [5, 2.5, 9], observers, (6, 8), [100, 250, 80])
    stimuli = (
        Stimulus("cats/tabby", Drawn(noise(6, 8, 3)), Looked(gaze)),
        Stimulus("empty", Drawn(noise(4, 5, 3))),
    )
    return Dataset("mine", stimuli, "first", "mouse samples", (), ("A note.",), 24.0)


def same(ours: Dataset, read: Dataset) -> None:
    for before, after in zip(ours, read, strict=True):
        np.testing.assert_array_equal(before.image(), after.image())
        assert before.id == after.id
        if before.fixations is None:
            assert len(fixations_of(after)) == 0
            continue
        np.testing.assert_allclose(fixations_of(after).points, before.fixations.points, atol=1e-12)
        np.testing.assert_allclose(fixations_of(after).duration, before.fixations.duration)
        assert fixations_of(after).observer.tolist() == before.fixations.observer.tolist()


@pytest.mark.parametrize("observers", [("bob", "ann", "ann"), ("7", "12", "12")])
def test_there_and_back(
    tmp_path: Path, pysaliency: types.ModuleType, observers: tuple[str, ...]
) -> None:
    ours = a_dataset(observers)
    write_pysaliency_hdf5(ours, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fixations.hdf5", "stimuli.hdf5"]
    read = load_dataset("pysaliency", tmp_path)
    same(ours, read)
    assert (read.edition, read.gaze) == ("mine, first", "mouse samples")
    assert (read.notes, read.density_sigma) == (("A note.",), 24.0)
    stimuli = pysaliency.read_hdf5(str(tmp_path / "stimuli.hdf5"))
    fixations = pysaliency.read_hdf5(str(tmp_path / "fixations.hdf5"))
    np.testing.assert_array_equal(stimuli[0].stimulus_data, ours[0].image())
    assert list(stimuli.attributes["stimulus"]) == ["cats/tabby", "empty"]
    assert fixations.x.tolist() == [0.5, 1.75]
    assert fixations.y_int.tolist() == [5, 3]
    assert fixations.subjects.tolist() == ([1, 0] if observers[0] == "bob" else [7, 12])
    np.testing.assert_allclose(fixations.duration, [0.1, 0.25])
    same(ours, from_pysaliency(stimuli, fixations, name="back"))
    write_pysaliency_hdf5(ours, tmp_path)
    same(ours, load_dataset("pysaliency", tmp_path))


def test_objects_there_and_back(pysaliency: types.ModuleType) -> None:
    ours = a_dataset()
    stimuli, fixations = to_pysaliency(ours)
    assert isinstance(fixations, pysaliency.Fixations)
    assert stimuli.sizes[0] == (6, 8)
    np.testing.assert_array_equal(
        pysaliency.datasets.as_stimulus(stimuli[0]).stimulus_data, noise(6, 8, 3)
    )
    assert stimuli[0].stimulus_id == pysaliency.datasets.get_image_hash(noise(6, 8, 3))
    back = from_pysaliency(stimuli, fixations, name="back", density_sigma=24)
    same(ours, back)
    assert (back.name, back.edition, back.density_sigma) == ("back", "pysaliency Fixations", 24)
    kept = fixations[fixations.n == 0]
    np.testing.assert_allclose(kept.duration, [0.1, 0.25])


def test_a_model_of_pysaliency_scores_the_same(pysaliency: types.ModuleType) -> None:
    """The NSS that pysaliency gives for a map is the one at our fixations' pixels."""
    ours = a_dataset()
    stimuli, fixations = to_pysaliency(ours)
    saliency = np.random.default_rng(3).normal(size=(6, 8))
    points = fixations_of(ours[0])
    at = saliency[np.floor(points.y + 0.5).astype(int), np.floor(points.x + 0.5).astype(int)]
    expected = (at - saliency.mean()) / saliency.std()

    class Model(pysaliency.SaliencyMapModel):  # type: ignore[name-defined, misc]
        def _saliency_map(self, _: object) -> np.ndarray:
            return saliency

    np.testing.assert_allclose(Model().NSSs(stimuli, fixations), expected)


def test_osie_by_way_of_pysaliency(tmp_path: Path, osie_sample: Path) -> None:
    ours = load_dataset("osie", osie_sample)[:3]
    write_pysaliency_hdf5(ours, tmp_path)
    same(ours, load_dataset("pysaliency", tmp_path))


@given(
    points=st.lists(
        st.tuples(
            st.integers(0, 2),
            st.floats(-3, 12),
            st.floats(-3, 12) | st.just(np.nan),
            st.sampled_from(["1", "2", "Ünal", "a b"]),
        ),
        min_size=1,
        max_size=30,
    )
)
@settings(max_examples=30, deadline=None)
def test_any_gaze_comes_back(points: list[tuple[int, float, float, str]]) -> None:
    sizes = [image.shape[:2] for image in IMAGES]
    slow = [[one for one in points if one[0] == index] for index in range(3)]
    stimuli = types.SimpleNamespace(stimuli=IMAGES, shapes=[image.shape for image in IMAGES])
    n, x, y, subjects = zip(*points, strict=True)
    gaze = types.SimpleNamespace(x=np.array(x), y=np.array(y), n=np.array(n), subject=subjects)
    for stimulus, size, mine in zip(from_pysaliency(stimuli, gaze), sizes, slow, strict=True):
        fixations = fixations_of(stimulus)
        inside = [p for p in mine if 0 <= p[1] < size[1] and 0 <= p[2] < size[0]]
        # What the subtraction rounds across the border is no matter of this test.
        if any(min(abs(p[1]), abs(p[2])) < 1e-9 for p in mine):
            continue
        assert fixations.observer.tolist() == [p[3] for p in inside]
        assert fixations.dropped == len(mine) - len(inside)
        np.testing.assert_allclose(fixations.x, [p[1] - 0.5 for p in inside], atol=1e-12)


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
    "two dimensions": ("fixations.hdf5", replace("x", [[1.0, 2.0]]), "not one dimension"),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_damaged(tmp_path: Path, case: str) -> None:
    name, edit, message = DAMAGE[case]
    write_pysaliency_hdf5(a_dataset(), tmp_path)
    change(tmp_path, name, edit)
    with pytest.raises(DatasetError, match=message):
        load_dataset("pysaliency", tmp_path)


def test_values_from_a_raw_file_are_refused(tmp_path: Path) -> None:
    write_pysaliency_hdf5(a_dataset(), tmp_path)
    (tmp_path / "secret").write_bytes(bytes(16))

    def edit(file: Any) -> None:
        del file["x"]
        outside = [(str(tmp_path / "secret"), 0, 16)]
        file.create_dataset("x", (2,), dtype="f8", external=outside)

    change(tmp_path, "fixations.hdf5", edit)
    with pytest.raises(DatasetError, match="from other files"):
        load_dataset("pysaliency", tmp_path)


def test_not_hdf5(tmp_path: Path) -> None:
    write_pysaliency_hdf5(a_dataset(), tmp_path)
    (tmp_path / "fixations.hdf5").write_text("text")
    with pytest.raises(DatasetError, match="does not hold fixations of pysaliency"):
        load_dataset("pysaliency", tmp_path)


def test_one_bad_image_is_that_images_matter(tmp_path: Path) -> None:
    write_pysaliency_hdf5(a_dataset(), tmp_path)
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
def test_pixels_of_any_kind(tmp_path: Path, pixels: np.ndarray, expected: int) -> None:
    write_pysaliency_hdf5(a_dataset(), tmp_path)
    change(tmp_path, "stimuli.hdf5", replace("1", pixels))
    image = load_dataset("pysaliency", tmp_path)[1].image()
    assert (image.shape, image.dtype) == ((2, 2, 3), np.uint8)
    assert (image == expected).all()


def test_options(tmp_path: Path) -> None:
    write_pysaliency_hdf5(a_dataset(), tmp_path)
    with pytest.raises(OptionError, match="unknown unit of durations 'min'"):
        load_dataset("pysaliency", tmp_path, duration_unit="min")
    with pytest.raises(OptionError, match="density_sigma is -1"):
        load_dataset("pysaliency", tmp_path, density_sigma=-1)
    with pytest.raises(DatasetError, match="does not hold pysaliency's files"):
        load_dataset("pysaliency", tmp_path, fixations="other.hdf5")


def test_objects_of_another_kind() -> None:
    stimuli = types.SimpleNamespace(stimuli=IMAGES, shapes=[image.shape for image in IMAGES])
    with pytest.raises(DatasetError, match="have no 'subjects'"):
        from_pysaliency(stimuli, types.SimpleNamespace(x=[1], y=[1], n=[0]))
    with pytest.raises(DatasetError, match="belong together"):
        from_pysaliency(object(), object())
    with pytest.raises(DatasetError, match="stimuli 5 to 5, but 3 stimuli"):
        from_pysaliency(stimuli, types.SimpleNamespace(x=[1], y=[1], n=[5], subjects=[1]))


def test_nothing_to_hand_over(tmp_path: Path, draw: Write) -> None:
    draw(tmp_path / "a.png")
    dataset = load_dataset("folder", tmp_path)
    with pytest.raises(DatasetError, match="no fixations inside the images of folder"):
        write_pysaliency_hdf5(dataset, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_damaged_image_leaves_nothing_behind(tmp_path: Path) -> None:
    dataset = a_dataset()
    bad = Stimulus("bad", load_bad(tmp_path), dataset[0].gaze)
    with pytest.raises(StimulusError, match="cannot be read"):
        write_pysaliency_hdf5(Dataset("x", (dataset[0], bad), "1"), tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def load_bad(folder: Path) -> Any:
    PIL.Image.fromarray(noise(6, 8, 3)).save(folder / "bad.png")
    (folder / "bad.png").write_bytes((folder / "bad.png").read_bytes()[:90])
    return load_dataset("folder", folder)[0].source


def test_without_pysaliency(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pysaliency", None)
    with pytest.raises(OptionError, match=r"pip install 'quickgaze\[pysaliency\]'"):
        to_pysaliency(a_dataset())


def test_without_what_pysaliency_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "pysaliency", raising=False)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    (tmp_path / "pysaliency.py").write_text("import pkg_resources")
    monkeypatch.setitem(sys.modules, "pkg_resources", None)
    with pytest.raises(OptionError, match=r"pkg_resources.*setuptools<81"):
        to_pysaliency(a_dataset())
    (tmp_path / "pysaliency.py").write_text("raise AttributeError('trapz')")
    with pytest.raises(OptionError, match="AttributeError: trapz"):
        to_pysaliency(a_dataset())


def test_without_h5py(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_pysaliency_hdf5(a_dataset(), tmp_path)
    monkeypatch.setitem(sys.modules, "h5py", None)
    for call in (
        lambda: load_dataset("pysaliency", tmp_path),
        lambda: write_pysaliency_hdf5(a_dataset(), tmp_path),
    ):
        with pytest.raises(OptionError, match=r"quickgaze\[hdf5\]"):
            call()
