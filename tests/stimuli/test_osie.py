from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from hypothesis import given, settings
from hypothesis import strategies as st

from quickgaze.errors import DatasetError
from quickgaze.stimuli._osie import load_osie

Write = Callable[..., Path]
Scan = Sequence[tuple[float, float, float]]


def record_osie(path: Path, gaze: Mapping[str, Sequence[Scan]], cells: bool = True) -> None:
    images = np.empty((len(gaze), 1), dtype=object)
    for row, (name, scans) in zip(images, gaze.items(), strict=True):
        subjects = np.empty((len(scans), 1), dtype=object)
        for subject, scan in zip(subjects, scans, strict=True):
            x, y, duration = np.array(scan, dtype=float).reshape(-1, 3).T
            subject[0] = {"fix_x": x, "fix_y": y, "fix_duration": duration.astype(np.uint16)}
        row[0] = {"img": name, "subjects": subjects}
    path.parent.mkdir(parents=True, exist_ok=True)
    content = images if cells else as_structs(images)
    scipy.io.savemat(path, {"fixations": content})


def as_structs(images: np.ndarray) -> np.ndarray:
    return np.array(
        [(image["img"], image["subjects"]) for image in images.ravel()],
        dtype=[("img", object), ("subjects", object)],
    )


GAZE = {
    "1002.jpg": [[(1, 1, 200), (8, 6, 100)], [], [(2.5, 3.5, 50)]],
    "1001.jpg": [[(4, 4, 10)], [(0.4, 1, 20), (9, 1, 30)], []],
    "1003.jpg": [[(4, 4, 10)], [], []],
}


@pytest.mark.parametrize("cells", [True, False])
@pytest.mark.parametrize("folders", [(".", "stimuli"), ("data/eye", "data/stimuli")])
def test_layouts(tmp_path: Path, draw: Write, cells: bool, folders: tuple[str, str]) -> None:
    record_osie(tmp_path / folders[0] / "fixations.mat", GAZE, cells)
    for name in ("1001.jpg", "1002.jpg", "9999.jpg"):
        draw(tmp_path / folders[1] / name)
    dataset = load_osie(tmp_path)
    assert [stimulus.id for stimulus in dataset] == ["1001", "1002"]
    assert dataset.missing == ("1003",)
    assert dataset.gaze == "fixations"
    assert dataset.density_sigma == 24
    first, second = (stimulus.fixations for stimulus in dataset)
    assert first is not None
    assert second is not None
    assert first.points.tolist() == [[3, 3]]
    assert first.dropped == 2
    assert second.points.tolist() == [[0, 0], [7, 5], [1.5, 2.5]]
    assert second.observer.tolist() == ["1", "1", "3"]
    assert second.duration is not None
    assert second.duration.tolist() == [200, 100, 50]


def test_reading_happens_once(tmp_path: Path, draw: Write) -> None:
    record_osie(tmp_path / "fixations.mat", GAZE)
    draw(tmp_path / "stimuli" / "1001.jpg")
    dataset = load_osie(tmp_path)
    (tmp_path / "fixations.mat").unlink()
    stimulus = pickle.loads(pickle.dumps(dataset[0]))  # noqa: S301
    assert stimulus.fixations.points.tolist() == [[3, 3]]
    assert len(pickle.dumps(dataset[0])) < 3000


@given(st.lists(st.tuples(*[st.floats(1, 8)] * 2, st.integers(0, 2000)), min_size=1, max_size=20))
@settings(max_examples=25, deadline=None)
def test_coordinates_count_from_zero(
    tmp_path_factory: pytest.TempPathFactory, scan: list[tuple[float, float, float]]
) -> None:
    root = tmp_path_factory.mktemp("osie")
    record_osie(root / "fixations.mat", {"1001.jpg": [scan]})
    (root / "stimuli").mkdir()
    (root / "stimuli" / "1001.jpg").touch()
    gaze = load_osie(root)[0].gaze
    assert gaze is not None
    fixations = gaze.read((8, 8))
    assert fixations.points.tolist() == [[x - 1, y - 1] for x, y, _ in scan]
    assert fixations.dropped == 0


def test_nothing_recognised(tmp_path: Path, draw: Write) -> None:
    with pytest.raises(DatasetError, match=r"does not hold OSIE; expected a file fixations\.mat"):
        load_osie(tmp_path)
    draw(tmp_path / "stimuli" / "7.jpg")
    with pytest.raises(DatasetError, match="does not hold OSIE"):
        load_osie(tmp_path)
    record_osie(tmp_path / "fixations.mat", GAZE)
    with pytest.raises(DatasetError, match="none of the 3 images"):
        load_osie(tmp_path)


@pytest.mark.parametrize("content", [b"", b"MATLAB 5.0 MAT-file" + bytes(200)])
def test_damaged(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "stimuli").mkdir()
    (tmp_path / "fixations.mat").write_bytes(content)
    with pytest.raises(DatasetError, match=r"fixations\.mat is not OSIE's .*fetch it again"):
        load_osie(tmp_path)


@pytest.mark.parametrize(
    "content", [{"other": 1}, {"fixations": 1}, {"fixations": {"img": "1001.jpg"}}]
)
def test_another_mat_file(tmp_path: Path, content: dict[str, object]) -> None:
    (tmp_path / "stimuli").mkdir()
    scipy.io.savemat(tmp_path / "fixations.mat", content)
    with pytest.raises(DatasetError, match="not OSIE's"):
        load_osie(tmp_path)


def test_columns_of_different_lengths(tmp_path: Path) -> None:
    (tmp_path / "stimuli").mkdir()
    subject = {"fix_x": [1.0, 2.0], "fix_y": [1.0], "fix_duration": [1.0, 2.0]}
    image = {"img": "1001.jpg", "subjects": subject}
    scipy.io.savemat(tmp_path / "fixations.mat", {"fixations": image})
    with pytest.raises(DatasetError, match="differ in number"):
        load_osie(tmp_path)


def test_names_that_lead_out_or_repeat(tmp_path: Path) -> None:
    (tmp_path / "stimuli").mkdir()
    record_osie(tmp_path / "fixations.mat", {"../../x.jpg": [[]]})
    with pytest.raises(DatasetError, match="not the name of a file inside"):
        load_osie(tmp_path)
    record_osie(tmp_path / "fixations.mat", {"1.jpg": [[]], "1.png": [[]]})
    with pytest.raises(DatasetError, match="lists an image twice"):
        load_osie(tmp_path)


def test_the_sample(osie_sample: Path) -> None:
    dataset = load_osie(osie_sample)
    assert len(dataset) == 40
    assert len(dataset.missing) == 660
    assert {stimulus.size for stimulus in dataset} == {(600, 800)}
    raw = scipy.io.loadmat(osie_sample / "fixations.mat", simplify_cells=True)["fixations"]
    points = 0
    slow = {}
    for image in raw:
        scans = [np.atleast_1d(subject["fix_x"]) for subject in image["subjects"]]
        points += sum(len(scan) for scan in scans)
        slow[image["img"]] = np.concatenate(scans) - 1
    assert (len(raw), points) == (700, 98_321)
    for stimulus in dataset:
        fixations = stimulus.fixations
        assert fixations is not None
        assert fixations.dropped == 0
        assert set(fixations.observer) <= {str(number) for number in range(1, 16)}
        np.testing.assert_array_equal(fixations.x, slow[f"{stimulus.id}.jpg"])
        assert fixations.duration is not None
        assert fixations.duration.min() > 0
