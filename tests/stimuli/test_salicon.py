from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from quickgaze.errors import DatasetError, OptionError, StimulusError, UnknownNameError
from quickgaze.stimuli._salicon import load_salicon

Write = Callable[..., Path]

A, B, C = (f"COCO_val2014_{number:012d}" for number in (1, 2, 3))
TRAIN = "COCO_train2014_000000000009"
LISTED = '{"id": %d, "file_name": "%s.jpg"}'
TEST = "COCO_test2014_000000000004"


@pytest.fixture
def release_2015(tmp_path: Path, draw: Write, annotate: Write) -> Path:
    root = tmp_path / "2015"
    for name in (A, B):
        draw(root / "images" / f"{name}.jpg")
    annotate(
        root / "fixations_val2014.json",
        {
            f"{B}.jpg": {7: [[1, 1], [6, 8]], "w8": [[2, 3]]},
            f"{A}.jpg": {7: [[3, 4]]},
            f"{C}.jpg": {7: [[3, 4]]},
        },
    )
    return root


@pytest.fixture
def release_2017(tmp_path: Path, draw: Write, record: Write) -> Path:
    root = tmp_path / "2017"
    for split, name in (("val", A), ("val", B), ("train", TRAIN), ("test", TEST)):
        draw(root / "images" / split / f"{name}.jpg")
        if split != "test":
            draw(root / "maps" / split / f"{name}.png", mode="L")
            record(root / "fixations" / split / f"{name}.mat", [[[1, 1], [8, 6]], [[9, 7]]])
    return root


def test_2015(release_2015: Path) -> None:
    dataset = load_salicon(release_2015)
    assert [stimulus.id for stimulus in dataset] == [A, B]
    assert dataset.edition == "2015r1 mouse samples"
    assert dataset.gaze == "mouse samples"
    assert dataset.missing == (C,)
    assert "not fixations" in " ".join(dataset.notes)
    assert dataset[1].attributes == {"split": "val"}
    fixations = dataset[1].fixations
    assert fixations is not None
    assert fixations.points.tolist() == [[0, 0], [7, 5], [2, 1]]
    assert fixations.observer.tolist() == ["7", "7", "w8"]
    density = dataset[0].density(sigma=0)
    assert density is not None
    assert np.argwhere(density).tolist() == [[2, 3]]


def test_2015_ids_may_be_text(tmp_path: Path, draw: Write, annotate: Write) -> None:
    draw(tmp_path / f"{A}.jpg")
    annotate(tmp_path / "fixations_val2014.json", {f"{A}.jpg": {"x": [[1, 2]]}}, text_ids=True)
    fixations = load_salicon(tmp_path)[0].fixations
    assert fixations is not None
    assert fixations.points.tolist() == [[1, 0]]


def test_2015_with_maps_beside(release_2015: Path, draw: Write) -> None:
    for folder in ("images", "maps"):
        draw(release_2015 / folder / f"{A}.png", mode="L")
        dataset = load_salicon(release_2015)
        assert dataset.edition == "2015r1 mouse samples, density maps"
        assert [stimulus.map is not None for stimulus in dataset] == [True, False]
        assert any("1 of 2 images have no density map" in note for note in dataset.notes)
        pixels = np.asarray(PIL.Image.open(release_2015 / folder / f"{A}.png"), dtype=float)
        np.testing.assert_allclose(dataset[0].density(), pixels / pixels.max(), rtol=1e-6)
        (release_2015 / folder / f"{A}.png").unlink()


def test_2015_points_outside_are_counted(tmp_path: Path, draw: Write, annotate: Write) -> None:
    draw(tmp_path / f"{A}.jpg")
    points = [[0, 1], [1, 0], [7, 1], [1, 9], [6, 8], [0.5, 0.5]]
    annotate(tmp_path / "fixations_val2014.json", {f"{A}.jpg": {1: points, 2: []}})
    fixations = load_salicon(tmp_path)[0].fixations
    assert fixations is not None
    assert fixations.points.tolist() == [[7, 5], [-0.5, -0.5]]
    assert fixations.dropped == 4


def test_2015_images_without_annotations(tmp_path: Path, draw: Write, annotate: Write) -> None:
    draw(tmp_path / f"{A}.jpg")
    draw(tmp_path / f"{B}.jpg")
    draw(tmp_path / "holiday.jpg")
    annotate(tmp_path / "fixations_val2014.json", {f"{A}.jpg": {1: [[1, 1]]}, f"{B}.jpg": {}})
    dataset = load_salicon(tmp_path)
    assert [stimulus.fixations is None for stimulus in dataset] == [False, True]
    assert "1 images without gaze were left out." in dataset.notes


def test_2015_resized_images_are_refused(release_2015: Path, draw: Write) -> None:
    draw(release_2015 / "images" / f"{A}.jpg", size=(12, 16))
    with pytest.raises(StimulusError, match=r"6 x 8 pixels .*has 12 x 16"):
        _ = load_salicon(release_2015)[0].fixations


def test_2015_a_changed_file_is_noticed(release_2015: Path) -> None:
    dataset = load_salicon(release_2015)
    path = release_2015 / "fixations_val2014.json"
    text = path.read_text()
    path.write_text(text.replace("[[3, 4]]", "[[3, 4], [5, 6]]"))
    with pytest.raises(StimulusError, match="json"):
        _ = dataset[1].fixations
    path.write_text(text + " ")
    with pytest.raises(StimulusError, match="has changed"):
        _ = dataset[1].fixations
    path.unlink()
    with pytest.raises(StimulusError, match="cannot be read"):
        _ = dataset[1].fixations


@pytest.mark.parametrize(
    "points", ["[[1]]", "[[1, 2, 3]]", "[1, 2]", "null", '[["a", 2]]', "[[1, null]]", '"[[1, 2]]"']
)
def test_2015_a_damaged_annotation_is_a_stimulus_error(
    tmp_path: Path, draw: Write, annotate: Write, points: str
) -> None:
    for name in (A, B):
        draw(tmp_path / f"{name}.jpg")
    samples = {f"{A}.jpg": {1: [[1, 1]]}, f"{B}.jpg": {1: [[987, 654]]}}
    path = annotate(tmp_path / "fixations_val2014.json", samples)
    path.write_text(path.read_text().replace("[[987, 654]]", points))
    dataset = load_salicon(tmp_path)
    assert len(dataset[0].fixations or []) == 1
    with pytest.raises(StimulusError, match=r"json is not a list of \[row, column\] pairs"):
        _ = dataset[1].fixations


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"images": []}',
        '{"images": [{"id": 1}], "annotations": []}',
        '{"images": [{"id": 1.5, "file_name": "a.jpg"}], "annotations": []}',
        '{"images": [], "annotations": [{"id": 1, "image_id": 3, "fixations": []}]}',
        '{"images": [], "annotations": [{"id": 1, "image_id": 3}]}',
        '{"images": [{"id": 1, "file_name": "\\ud800.jpg"}], "annotations": []}',
        f'{{"images": [{LISTED % (1, "a")}, {LISTED % (1, "b")}], "annotations": []}}',
        f'{{"images": [{LISTED % (1, "a")}, {LISTED % (2, "a")}], "annotations": []}}',
    ],
)
def test_2015_a_damaged_file_is_a_dataset_error(tmp_path: Path, draw: Write, text: str) -> None:
    draw(tmp_path / "a.jpg")
    (tmp_path / "fixations_val2014.json").write_text(text)
    with pytest.raises(DatasetError, match=r"fixations_val2014\.json .*fetch it again"):
        load_salicon(tmp_path)


def test_2015_a_truncated_file(release_2015: Path) -> None:
    path = release_2015 / "fixations_val2014.json"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DatasetError, match=r"fixations_val2014\.json .*damaged"):
        load_salicon(release_2015)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DatasetError, match="damaged"):
        load_salicon(release_2015)


@pytest.mark.parametrize("name", ["../../x.jpg", "/etc/x.jpg", "..\\x.jpg"])
def test_2015_names_do_not_lead_out(
    tmp_path: Path, draw: Write, annotate: Write, name: str
) -> None:
    draw(tmp_path / "x.jpg")
    draw(tmp_path / "a" / "root" / "x.jpg")
    annotate(tmp_path / "a" / "root" / "fixations_val2014.json", {name: {1: [[1, 1]]}})
    with pytest.raises(DatasetError, match="not the name of a file inside the data set"):
        load_salicon(tmp_path / "a" / "root")


def test_2015_splits_are_kept_apart(release_2015: Path, draw: Write, annotate: Write) -> None:
    draw(release_2015 / "images" / f"{TRAIN}.jpg")
    train = {f"{TRAIN}.jpg": {1: [[1, 1]]}}
    annotate(release_2015 / "fixations_train2014.json", train)
    with pytest.raises(DatasetError, match=r"train \(1 files\), val \(1 files\).*split='all'"):
        load_salicon(release_2015)
    assert [s.id for s in load_salicon(release_2015, split="val")] == [A, B]
    assert [s.id for s in load_salicon(release_2015, split="train")] == [TRAIN]
    together = load_salicon(release_2015, split="all")
    assert [s.attributes["split"] for s in together] == ["train", "val", "val"]
    annotate(release_2015 / "fixations_train2014examples.json", train)
    with pytest.raises(DatasetError, match=r"listed by more than one .*annotations='\.\.\.'"):
        load_salicon(release_2015, split="train")
    chosen = load_salicon(release_2015, annotations="fixations_train2014examples.json")
    assert [s.id for s in chosen] == [TRAIN]


def test_2015_stimuli_can_be_sent_to_workers(release_2015: Path) -> None:
    dataset = load_salicon(release_2015)
    copies = pickle.loads(pickle.dumps(dataset.stimuli))  # noqa: S301
    for stimulus, copy in zip(dataset, copies, strict=True):
        assert copy.fixations.points.tolist() == stimulus.fixations.points.tolist()
    assert len(pickle.dumps(dataset[0])) < 3000


def test_2017(release_2017: Path) -> None:
    dataset = load_salicon(release_2017, split="val")
    assert [stimulus.id for stimulus in dataset] == [A, B]
    assert dataset.edition == "2017 fixations, density maps"
    assert dataset.gaze == "fixations from mouse traces"
    assert any("taken for 2017" in note for note in dataset.notes)
    fixations = dataset[0].fixations
    assert fixations is not None
    assert fixations.points.tolist() == [[0, 0], [7, 5]]
    assert fixations.observer.tolist() == ["1", "1"]
    assert fixations.dropped == 1
    assert dataset[0].map is not None
    assert pickle.loads(pickle.dumps(dataset[0])).fixations.dropped == 1  # noqa: S301


def test_2017_splits(release_2017: Path) -> None:
    with pytest.raises(DatasetError, match=r"train \(1 files\), val \(2 files\)"):
        load_salicon(release_2017)
    assert len(load_salicon(release_2017, split="all")) == 3
    with pytest.raises(UnknownNameError, match="'vla'; did you mean 'val'"):
        load_salicon(release_2017, split="vla")  # type: ignore[arg-type]


def test_the_test_images_have_no_gaze(release_2017: Path) -> None:
    dataset = load_salicon(release_2017, split="test")
    assert [stimulus.id for stimulus in dataset] == [TEST]
    assert dataset.edition == "images only"
    assert dataset[0].fixations is None
    assert dataset[0].density() is None
    assert any("nothing can be scored" in note for note in dataset.notes)


def test_2017_other_release_and_samples(release_2017: Path) -> None:
    dataset = load_salicon(release_2017, split="val", edition="2015", points="samples")
    assert dataset.edition == "2015 mouse samples, density maps"
    assert dataset.gaze == "mouse samples"
    assert not any("taken for 2017" in note for note in dataset.notes)
    assert len(dataset[0].fixations or []) == 4


@pytest.mark.parametrize("upright", [True, False])
def test_2017_beside_the_images(tmp_path: Path, draw: Write, record: Write, upright: bool) -> None:
    draw(tmp_path / "val" / f"{A}.jpg")
    observers = [[[1, 2]], np.empty((0, 2)), np.empty((0, 0)), [[3, 4], [5, 6]]]
    record(tmp_path / "val" / f"{A}.mat", observers, upright=upright)
    record(tmp_path / "val" / f"{B}.mat", [[[1, 2]]])
    dataset = load_salicon(tmp_path)
    assert dataset.missing == (B,)
    fixations = dataset[0].fixations
    assert fixations is not None
    assert fixations.points.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert fixations.observer.tolist() == ["1", "4", "4"]


def test_2017_damaged_files_are_stimulus_errors(release_2017: Path, record: Write) -> None:
    path = release_2017 / "fixations" / "val" / f"{A}.mat"
    whole = path.read_bytes()
    record(path, [[[1, 2, 3]]])
    odd = path.read_bytes()
    stimulus = load_salicon(release_2017, split="val")[0]
    for content in (b"", b"text", whole[: len(whole) // 2], odd):
        path.write_bytes(content)
        with pytest.raises(StimulusError, match=rf"{A}\.mat does not hold SALICON gaze"):
            _ = stimulus.fixations
    record(path, [[[1, 2]]], size=(480, 640))
    with pytest.raises(StimulusError, match=r"480 x 640 pixels .* has 6 x 8"):
        _ = stimulus.fixations
    path.unlink()
    with pytest.raises(StimulusError, match=r"\.mat"):
        _ = stimulus.fixations


def test_both_releases_in_one_folder(release_2015: Path, record: Write) -> None:
    record(release_2015 / "fixations" / "val" / f"{A}.mat", [[[1, 2]]])
    with pytest.raises(DatasetError, match="choose with edition='2015' or edition='2017'"):
        load_salicon(release_2015)
    assert load_salicon(release_2015, edition="2015").edition == "2015r1 mouse samples"
    assert load_salicon(release_2015, edition="2017").edition == "2017 fixations"
    assert load_salicon(release_2015, annotations="fixations").edition == "2017 fixations"


def test_two_bare_folders(tmp_path: Path, draw: Write) -> None:
    for name in (A, B):
        draw(tmp_path / "val" / "Images_val" / f"{name}.jpg")
    for name in (B, C):
        draw(tmp_path / "val" / "Maps_val" / f"{name}.png", mode="L")
    dataset = load_salicon(tmp_path)
    assert [stimulus.id for stimulus in dataset] == [B]
    assert dataset.edition == "unknown release, density maps"
    assert dataset.gaze == "none"
    assert dataset.missing == (C,)
    assert any("no points" in note for note in dataset.notes)
    assert dataset[0].fixations is None
    assert dataset[0].density() is not None
    assert load_salicon(tmp_path, edition="2017").edition == "2017 release, density maps"


def test_two_bare_folders_by_option(tmp_path: Path, draw: Write) -> None:
    draw(tmp_path / "pictures" / "one.png")
    draw(tmp_path / "human" / "one.png", mode="L")
    draw(tmp_path / "mine" / "one.png", mode="L")
    dataset = load_salicon(tmp_path, images="pictures", maps="human")
    assert [stimulus.id for stimulus in dataset] == ["one"]
    elsewhere = load_salicon(tmp_path / "mine", images=tmp_path / "pictures", maps="../human")
    assert [stimulus.id for stimulus in elsewhere] == ["one"]
    with pytest.raises(DatasetError, match="nowhere cannot be listed"):
        load_salicon(tmp_path, images="nowhere")


def test_maps_of_one_name_in_two_folders(tmp_path: Path, draw: Write) -> None:
    draw(tmp_path / "images" / f"{A}.jpg")
    for folder in ("maps", "maps_mine"):
        draw(tmp_path / folder / f"{A}.png", mode="L")
    with pytest.raises(DatasetError, match="two density maps are called"):
        load_salicon(tmp_path)
    assert len(load_salicon(tmp_path, maps="maps")) == 1


def test_nothing_recognised(tmp_path: Path, draw: Write, record: Write) -> None:
    with pytest.raises(DatasetError, match=r"does not hold SALICON; expected .*Images_val"):
        load_salicon(tmp_path)
    draw(tmp_path / f"{A}.jpg")
    with pytest.raises(DatasetError, match="does not hold SALICON"):
        load_salicon(tmp_path)
    with pytest.raises(DatasetError, match="no image of the split 'train'; it holds val"):
        load_salicon(tmp_path, split="train")
    record(tmp_path / f"{B}.mat", [[[1, 2]]])
    with pytest.raises(DatasetError, match="gaze on 1 images but none of the images"):
        load_salicon(tmp_path)


def test_options_that_cannot_be_met(release_2015: Path, draw: Write) -> None:
    with pytest.raises(OptionError, match="mouse samples only"):
        load_salicon(release_2015, points="fixations")
    with pytest.raises(OptionError, match=r"edition='2017' needs the \.mat files"):
        load_salicon(release_2015, edition="2017")
    with pytest.raises(UnknownNameError, match="edition '2016'"):
        load_salicon(release_2015, edition="2016")  # type: ignore[arg-type]
    (release_2015 / "fixations_val2014.json").unlink()
    draw(release_2015 / "maps" / f"{A}.png", mode="L")
    with pytest.raises(OptionError, match="holds no points"):
        load_salicon(release_2015, points="samples")


def test_the_authors_examples(salicon_examples: Path) -> None:
    dataset = load_salicon(salicon_examples)
    path = salicon_examples / "fixations_train2014examples.json"
    content = json.loads(path.read_text())
    assert len(dataset) == 10
    assert dataset.missing == ()
    assert sum(len(stimulus.fixations or []) for stimulus in dataset) == 73_630
    assert sum(len(annotation["fixations"]) for annotation in content["annotations"]) == 73_630
    assert len(content["annotations"]) == 610
    listed = {image["id"]: image["file_name"] for image in content["images"]}
    low, high = np.full(2, np.inf), np.zeros(2)
    for stimulus in dataset:
        fixations = stimulus.fixations
        assert fixations is not None
        assert fixations.dropped == 0
        own = [a for a in content["annotations"] if listed[a["image_id"]] == f"{stimulus.id}.jpg"]
        slow = [(c - 1, r - 1, str(a["worker_id"])) for a in own for r, c in a["fixations"]]
        fast = zip(fixations.x, fixations.y, fixations.observer, strict=True)
        assert list(fast) == slow
        low = np.minimum(low, fixations.points.min(axis=0) + 1)
        high = np.maximum(high, fixations.points.max(axis=0) + 1)
        assert stimulus.image().shape == (480, 640, 3)
    assert (*low, *high) == (1, 1, 640, 480)
