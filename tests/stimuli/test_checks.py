from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from quickgaze.errors import DatasetError
from quickgaze.stimuli import (
    DATASETS,
    Check,
    Dataset,
    DatasetEntry,
    Fixations,
    Inspection,
    check_dataset,
    inspect,
    load_dataset,
    write_pysaliency_hdf5,
)
from quickgaze.stimuli._inspection import Points
from quickgaze.stimuli._salicon import VALIDATION_POINTS, expected_of_salicon

Write = Callable[..., Path]


def by_name(checks: Sequence[Check]) -> dict[str, Check]:
    named = {check.what: check for check in checks}
    assert len(named) == len(checks)
    return named


def test_the_osie_sample(osie_sample: Path) -> None:
    checks = by_name(check_dataset("osie", osie_sample))
    found = {what: (check.found, check.verdict) for what, check in checks.items()}
    assert found["points in fixations.mat"] == ("98,321", "ok")
    assert found["images listed in fixations.mat"] == ("700", "ok")
    assert found["md5 of fixations.mat"] == ("8efdf6fe66f38b6e70f854c7ff45aa70", "ok")
    assert found["observers per image"] == ("15", "ok")
    assert found["images that open"] == ("40", "ok")
    assert found["images of 600 x 800"] == ("40", "ok")
    assert found["images present"] == ("40", "cannot be told")
    assert found["listed images that are not there"] == ("660", "cannot be told")
    assert found["of these, outside the 600 x 800 image"] == ("0", "ok")
    assert checks["images present"].note == "only 40 of 700 images are there"


def test_an_osie_that_differs(tmp_path: Path, draw: Write) -> None:
    draw(tmp_path / "stimuli" / "1001.jpg")
    subject = {"fix_x": [1.0, 900.0], "fix_y": [1.0, 2.0], "fix_duration": [1.0, 2.0]}
    scipy.io.savemat(
        tmp_path / "fixations.mat", {"fixations": {"img": "1001.jpg", "subjects": subject}}
    )
    checks = by_name(check_dataset("osie", tmp_path))
    differing = {what for what, check in checks.items() if check.passed is False}
    assert differing == {
        "md5 of fixations.mat",
        "points",
        "images listed in fixations.mat",
        "points in fixations.mat",
        "of these, outside the 600 x 800 image",
        "observers per image",
        "images of 600 x 800",
    }
    assert checks["points"].found == "1 of 2 points outside"


def test_the_salicon_examples(salicon_examples: Path) -> None:
    checks = by_name(check_dataset("salicon", salicon_examples))
    assert checks["points in fixations_train2014examples.json"].found == "73,630"
    assert checks["points"].found == "0 of 73,630 points outside"
    assert checks["edition"].found == "2015r1 mouse samples"
    assert checks["images of the split train"].note == "only 10 of 10,000 images are there"
    assert {what for what, check in checks.items() if not check.passed} == {
        "images of the split train"
    }


def test_salicon_examples_that_were_changed(tmp_path: Path, salicon_examples: Path) -> None:
    name = "fixations_train2014examples.json"
    shutil.copytree(salicon_examples / "images", tmp_path / "images")
    text = (salicon_examples / name).read_text()
    position = text.index("[[") + 1
    (tmp_path / name).write_text(text[:position] + "[1, 1], " + text[position:])
    check = by_name(check_dataset("salicon", tmp_path))[f"points in {name}"]
    assert (check.expected, check.found, check.passed) == ("73,630", "73,631", False)
    next((tmp_path / "images").iterdir()).unlink()
    check = by_name(check_dataset("salicon", tmp_path))[f"points in {name}"]
    assert (check.passed, check.note) == (None, "only 9 of 10 images are there")


A, TRAIN = "COCO_val2014_000000000001", "COCO_train2014_000000000009"


def test_annotations_are_known_by_their_names(tmp_path: Path, draw: Write, annotate: Write) -> None:
    draw(tmp_path / f"{A}.jpg")
    path = annotate(tmp_path / "fixations_val2014.json", {f"{A}.jpg": {1: [[1, 1]]}})
    checks = by_name(check_dataset("salicon", tmp_path))
    digest = checks["md5 of fixations_val2014.json"]
    assert digest.expected == "3224f8cf86ea8d248d93583866b60c5f"
    assert digest.passed is False
    assert checks["points on the validation images"].verdict == "cannot be told"
    assert checks["points on the validation images"].expected == "38,846,998"
    assert checks["points on the validation images"].note == "only 1 of 5,000 images are there"
    assert checks["images of 480 x 640"].passed is False
    path.rename(tmp_path / "fixations_val2014mine.json")
    checks = by_name(check_dataset("salicon", tmp_path))
    assert checks["md5 of fixations_val2014mine.json"].passed is None


def whole_validation_set(edition: str, points: int) -> Inspection:
    """As an inspection would find it, without the files."""
    template = load_dataset("popout", n=1)[0]
    stimuli = tuple(
        dataclasses.replace(template, id=f"{number}", attributes={"split": "val"})
        for number in range(5000)
    )
    dataset = Dataset("salicon", stimuli, edition)
    counted = {stimulus.id: Points(1, 0, 1) for stimulus in stimuli[1:]}
    counted["0"] = Points(points - 4999 - 7, 7, 1)
    return Inspection(dataset, None, {(480, 640): 5000}, counted, 0)


@pytest.mark.parametrize("edition", VALIDATION_POINTS)
def test_a_whole_validation_set(edition: str) -> None:
    points = VALIDATION_POINTS[edition]
    label = f"{edition}, density maps"
    checks = by_name(expected_of_salicon(whole_validation_set(label, points)))
    assert all(check.passed for check in checks.values())
    assert checks["images of the split val"].found == "5,000"
    checks = by_name(expected_of_salicon(whole_validation_set(label, points - 1)))
    assert checks["points on the validation images"].passed is False


def test_editions_are_distinct(tmp_path: Path, draw: Write, record: Write, annotate: Write) -> None:
    """No two kinds of SALICON's gaze may be taken for one another."""
    for root in ("json", "json-maps", "mat", "mat-maps", "maps", "images"):
        draw(tmp_path / root / "images" / f"{A}.jpg")
        if "json" in root:
            annotate(tmp_path / root / "fixations_val2014.json", {f"{A}.jpg": {1: [[1, 1]]}})
        if "mat" in root:
            record(tmp_path / root / "fixations" / "val" / f"{A}.mat", [[[1, 1]]])
        if "maps" in root:
            draw(tmp_path / root / "maps" / f"{A}.png", mode="L")
    ways: list[tuple[str, dict[str, str]]] = [("json", {}), ("json-maps", {})]
    for root in ("mat", "mat-maps"):
        for points in ("fixations", "samples"):
            ways += [(root, {"edition": year, "points": points}) for year in ("2015", "2017")]
    ways += [("maps", {}), ("maps", {"edition": "2015"}), ("maps", {"edition": "2017"})]
    ways += [("images", {"split": "val"})]
    editions = [load_dataset("salicon", tmp_path / root, **way).edition for root, way in ways]
    assert len(set(editions)) == len(ways), editions
    for (root, way), edition in zip(ways, editions, strict=True):
        assert ("density maps" in edition) == ("maps" in root)
        assert way.get("edition", "") in edition
        if "points" in way or "json" in root:
            samples = way.get("points", "samples") == "samples"
            assert ("mouse samples" in edition) == samples
            assert ("fixations" in edition) != samples


def test_a_folder_with_bad_files(tmp_path: Path, draw: Write) -> None:
    draw(tmp_path / "images" / "good.png")
    draw(tmp_path / "images" / "small.png", size=(4, 4))
    draw(tmp_path / "images" / "bare.png")
    cut = draw(tmp_path / "images" / "cut.png", size=(60, 80))
    cut.write_bytes(cut.read_bytes()[:200])
    for name in ("good", "small"):
        draw(tmp_path / "maps" / f"{name}.png", mode="L")
    draw(tmp_path / "maps" / "gone.png", mode="L")
    (tmp_path / "fixations.csv").write_text("stimulus,observer,x,y\ngood,a,1,1\ngood,a,99,1\n")
    checks = by_name(check_dataset("folder", tmp_path, origin=0))
    opened = checks["images that open"]
    assert (opened.expected, opened.found, opened.passed) == ("4", "3", False)
    assert len(opened.details) == 1
    assert opened.details[0].startswith("cut: ")
    maps = checks["density maps of their image's size"]
    assert (maps.expected, maps.found, maps.passed) == ("2", "1", False)
    assert "small: the density" in maps.details[0]
    assert checks["points"].found == "1 of 2 points outside"
    assert checks["points"].passed is False
    assert checks["listed images that are not there"].found == "1"
    gaze = checks["images whose gaze can be read"]
    assert (gaze.expected, gaze.found, gaze.passed) == ("2", "1", False)
    assert gaze.note == "2 images have neither points nor a density map"


def test_one_image_without_gaze(tmp_path: Path, draw: Callable[..., Path]) -> None:
    draw(tmp_path / "images" / "a.png")
    checks = {check.what: check for check in check_dataset("folder", tmp_path)}
    gaze = checks["images whose gaze can be read"]
    assert gaze.note == "1 image has neither points nor a density map"
    notes = checks["notes on the data set"]
    assert (notes.found, notes.note) == (
        "1",
        "There is no gaze on these images: nothing can be scored.",
    )


class Broken:
    """Gaze of another package, which raises what it likes."""

    def read(self, _size: tuple[int, int]) -> Fixations:
        raise RuntimeError("disk on fire")


def test_gaze_that_fails_in_its_own_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids may hold whatever file names may, a colon too."""
    displays = load_dataset("popout", n=4)
    names = ("12:30", "12:31", "12:30: again", "noon")
    spoilt = [
        dataclasses.replace(display, id=name, gaze=display.gaze if name == "noon" else Broken())
        for display, name in zip(displays, names, strict=True)
    ]
    entry = DatasetEntry(lambda: Dataset("mine", tuple(spoilt), "1"), "mine")
    monkeypatch.setitem(DATASETS.own, "mine", entry)  # type: ignore[arg-type]
    gaze = by_name(check_dataset("mine"))["images whose gaze can be read"]
    assert (gaze.expected, gaze.found, gaze.passed) == ("4", "1", False)
    assert gaze.details == tuple(f"{name}: disk on fire" for name in names[:3])


def test_all_points_outside(tmp_path: Path, draw: Write) -> None:
    draw(tmp_path / "a.png")
    (tmp_path / "fixations.csv").write_text("stimulus,observer,x,y\na,o,99,1\n")
    assert by_name(check_dataset("folder", tmp_path, origin=0))["points"].passed is False


def test_images_alone(tmp_path: Path, draw: Write) -> None:
    for number in range(5):
        draw(tmp_path / f"{number}.png", size=(6, 8 + number))
    checks = by_name(check_dataset("folder", tmp_path))
    assert checks["image sizes"].found == "6 x 8 (1), 6 x 9 (1), 6 x 10 (1), 2 other sizes"
    assert checks["points"].passed is None
    assert checks["images whose gaze can be read"].passed is None


def test_gaze_on_resized_images(tmp_path: Path, draw: Write, annotate: Write) -> None:
    draw(tmp_path / f"{TRAIN}.jpg", size=(12, 16))
    annotate(tmp_path / "fixations_train2014.json", {f"{TRAIN}.jpg": {1: [[1, 1]]}})
    gaze = by_name(check_dataset("salicon", tmp_path))["images whose gaze can be read"]
    assert gaze.passed is False
    assert "not resized ones" in gaze.details[0]


def test_pysaliency_and_popout(tmp_path: Path) -> None:
    dataset = load_dataset("popout", n=2)
    write_pysaliency_hdf5(dataset, tmp_path)
    for checks in (check_dataset("pysaliency", tmp_path), check_dataset("popout", n=2)):
        assert all(check.passed for check in checks)
        assert by_name(checks)["points"].found == "0 of 2 points outside"


def test_what_cannot_be_loaded(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="does not hold OSIE"):
        check_dataset("osie", tmp_path)


def test_progress_and_expectations_of_other_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def watched(stimuli: Sequence[object]) -> Sequence[object]:
        seen.append(len(stimuli))
        return stimuli

    def expect(found: Inspection) -> list[Check]:
        return [Check.of_count("displays", 3, len(found.dataset), "of mine")]

    entry = DatasetEntry(DATASETS["popout"].load, "mine", expect=expect)
    monkeypatch.setitem(DATASETS.own, "mine", entry)  # type: ignore[arg-type]
    checks = check_dataset("mine", n=2, progress=watched)
    assert seen == [2]
    assert checks[-1] == Check("displays", "3", "2", False, "of mine")
    assert checks[-1].verdict == "differs"


def test_an_inspection_counts_observers(osie_sample: Path) -> None:
    dataset = load_dataset("osie", osie_sample)[:2]
    found = inspect(dataset)
    assert found.points_of(dataset).observers == 30
    assert sum(found.sizes.values()) == 2
    lengths = [len(fixations) for one in dataset if (fixations := one.fixations) is not None]
    assert found.points_of(dataset).inside == int(np.sum(lengths))
