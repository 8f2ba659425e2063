"""Folders as users have them: points as pictures, maps beside images, names with endings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest
import scipy.io

from quickgaze.errors import DatasetError
from quickgaze.stimuli import Dataset, load_dataset

Write = Callable[..., Path]

SIZE = (60, 80)
POINTS = [[10.0, 5.0], [70.0, 5.0], [40.0, 30.0]]


def marked() -> npt.NDArray[np.uint8]:
    picture = np.zeros(SIZE, dtype=np.uint8)
    for x, y in POINTS:
        picture[int(y), int(x)] = 255
    return picture


def blurred() -> npt.NDArray[np.uint8]:
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    return np.uint8(255 * np.exp(-((rows - 30) ** 2 + (columns - 40) ** 2) / 200))


def save(path: Path, values: npt.NDArray[np.uint8]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".npy":
        np.save(path, values)
    elif path.suffix == ".mat":
        scipy.io.savemat(path, {"fixLocs": values > 0})
    else:
        PIL.Image.fromarray(values).save(path, quality=90)
    return path


@pytest.fixture
def photo(draw: Write) -> Callable[[Path], Path]:
    return lambda path: draw(path, size=SIZE)


Photo = Callable[[Path], Path]


def points_of(dataset: Dataset, identifier: str) -> list[list[float]]:
    stimulus = next(each for each in dataset if each.id == identifier)
    assert stimulus.fixations is not None
    return stimulus.fixations.points.tolist()


@pytest.mark.parametrize("ending", ["png", "jpg", "mat", "npy", "bmp"])
def test_points_as_pictures(tmp_path: Path, photo: Photo, ending: str) -> None:
    for name in ("a", "b"):
        photo(tmp_path / "images" / f"{name}.jpg")
    save(tmp_path / "fixations" / f"a.{ending}", marked())
    save(tmp_path / "maps" / "a.png", blurred())
    dataset = load_dataset("folder", tmp_path)
    assert dataset.edition == "density maps and pictures of points"
    assert dataset.gaze == "fixations"
    assert points_of(dataset, "a") == POINTS
    assert dataset[0].density() is not None
    assert dataset[1].fixations is None
    assert "There is no gaze on 1 of 2 images." in dataset.notes


def test_pictures_of_points_with_the_usual_suffixes(tmp_path: Path, photo: Photo) -> None:
    """As MIT1003 has them: maps and points in one folder."""
    for name in ("i1", "i2"):
        photo(tmp_path / "ALLSTIMULI" / f"{name}.jpeg")
        save(tmp_path / "ALLFIXATIONMAPS" / f"{name}_fixMap.png", blurred())
        save(tmp_path / "ALLFIXATIONMAPS" / f"{name}_fixPts.png", marked())
    dataset = load_dataset(
        "folder", tmp_path, images="ALLSTIMULI", maps="ALLFIXATIONMAPS", fixations="ALLFIXATIONMAPS"
    )
    assert [each.id for each in dataset] == ["i1", "i2"]
    assert dataset.missing == ()
    for each in dataset:
        assert points_of(dataset, each.id) == POINTS
        density = each.density()
        assert density is not None
        assert np.unravel_index(density.argmax(), SIZE) == (30, 40)


@pytest.mark.parametrize(
    ("suffix", "given"), [("_SaliencyMap", None), ("_SALIENCYMAP", None), ("-gt", "-gt")]
)
def test_maps_with_a_suffix(tmp_path: Path, photo: Photo, suffix: str, given: str | None) -> None:
    photo(tmp_path / "images" / "a.jpg")
    save(tmp_path / "maps" / f"a{suffix}.png", blurred())
    dataset = load_dataset("folder", tmp_path, suffix=given)
    assert dataset[0].map is not None
    assert dataset.missing == ()


def test_a_suffix_of_ones_own_is_not_guessed(tmp_path: Path, photo: Photo) -> None:
    photo(tmp_path / "images" / "a.jpg")
    save(tmp_path / "maps" / "a-gt.png", blurred())
    with pytest.raises(DatasetError, match="names no image that is there: it calls them 'a-gt'"):
        load_dataset("folder", tmp_path)


def test_maps_beside_their_images(tmp_path: Path, photo: Photo) -> None:
    for name in ("a", "b"):
        photo(tmp_path / f"{name}.jpg")
        save(tmp_path / f"{name}_fixMap.png", blurred())
    with pytest.raises(DatasetError, match=r"together, such as a_fixMap\.png; move those to maps/"):
        load_dataset("folder", tmp_path)
    dataset = load_dataset("folder", tmp_path, images=".", maps=".")
    assert [each.id for each in dataset] == ["a", "b"]
    assert all(each.map is not None for each in dataset)


def test_siblings_that_hold_maps_are_not_images(tmp_path: Path, photo: Photo) -> None:
    for name in ("a", "b"):
        photo(tmp_path / "stimuli" / f"{name}.png")
        save(tmp_path / "heat" / f"{name}.png", blurred())
    with pytest.raises(
        DatasetError,
        match="heat looks like density maps, stimuli like images: give images=stimuli maps=heat",
    ):
        load_dataset("folder", tmp_path)
    dataset = load_dataset("folder", tmp_path, images="stimuli", maps="heat")
    assert [each.id for each in dataset] == ["a", "b"]
    assert all(each.map is not None for each in dataset)
    assert len(load_dataset("folder", tmp_path, images=".")) == 4


@pytest.mark.parametrize(
    ("folder", "make", "option"),
    [
        ("density", blurred, "maps"),
        ("fixation_maps", blurred, "maps"),
        ("fixation_points", marked, "fixations"),
    ],
)
def test_gaze_beside_the_usual_folder_of_images(
    tmp_path: Path,
    photo: Photo,
    folder: str,
    make: Callable[[], npt.NDArray[np.uint8]],
    option: str,
) -> None:
    for name in ("a", "b"):
        photo(tmp_path / "images" / f"{name}.png")
        save(tmp_path / folder / f"{name}.png", make())
    with pytest.raises(DatasetError, match=f"give images=images {option}={folder}; images=images"):
        load_dataset("folder", tmp_path)
    assert len(load_dataset("folder", tmp_path, images="images")) == 2
    dataset = load_dataset("folder", tmp_path, images="images", **{option: folder})
    assert all(each.map is not None or each.gaze is not None for each in dataset)


@pytest.mark.parametrize("ending", ["csv", "tab", "xlsx"])
def test_tables_beside_the_usual_folder_of_images(
    tmp_path: Path, photo: Photo, ending: str
) -> None:
    photo(tmp_path / "images" / "a.png")
    (tmp_path / "gaze").mkdir()
    (tmp_path / "gaze" / f"a.{ending}").write_text("x,y\n4,4\n")
    with pytest.raises(DatasetError, match="gaze looks like tables, images like images"):
        load_dataset("folder", tmp_path)


def test_maps_in_folders_below_their_images(tmp_path: Path, photo: Photo) -> None:
    """As CAT2000 is laid out: maps in Output, and once more beside the images."""
    for name in ("1", "2"):
        photo(tmp_path / "Stimuli" / "Art" / f"{name}.jpg")
        save(tmp_path / "Stimuli" / "Art" / "Output" / f"{name}_SaliencyMap.jpg", blurred())
    with pytest.raises(DatasetError, match=r"like density maps: give images=Stimuli maps=Stimuli"):
        load_dataset("folder", tmp_path)
    dataset = load_dataset("folder", tmp_path, images="Stimuli", maps="Stimuli")
    assert [each.id for each in dataset] == ["Art/1", "Art/2"]
    assert all(each.map is not None for each in dataset)
    for name in ("1", "2"):
        save(tmp_path / "FIXATIONLOCS" / "Art" / f"{name}.mat", marked())
    dataset = load_dataset("folder", tmp_path, images="Stimuli", fixations="FIXATIONLOCS")
    assert [each.id for each in dataset] == ["Art/1", "Art/2"]
    assert points_of(dataset, "Art/1") == POINTS


def test_maps_told_by_their_ending_alone(tmp_path: Path, photo: Photo) -> None:
    for name in ("a", "b"):
        photo(tmp_path / f"{name}.jpg")
        save(tmp_path / f"{name}.png", blurred())
    with pytest.raises(DatasetError, match=r"\*\.png like density maps: move each kind to a fold"):
        load_dataset("folder", tmp_path)


@pytest.mark.parametrize(("folder", "below"), [("images", "images"), ("", ".")])
def test_maps_told_by_a_suffix_of_ones_own(
    tmp_path: Path, photo: Photo, folder: str, below: str
) -> None:
    for name in ("a", "b"):
        photo(tmp_path / folder / f"{name}.jpg")
        save(tmp_path / folder / f"{name}_gt.png", blurred())
    with pytest.raises(DatasetError, match=f"give images={below} maps={below} suffix=_gt;"):
        load_dataset("folder", tmp_path)
    dataset = load_dataset("folder", tmp_path, images=below, maps=below, suffix="_gt")
    assert [each.id for each in dataset] == ["a", "b"]
    assert all(each.map is not None for each in dataset)


@pytest.mark.parametrize(
    ("option", "names", "words"),
    [
        (
            "maps",
            ["a.mat"],
            r"holds a\.mat, but no density maps; .* an image file or \.npy; maps=n",
        ),
        ("maps", ["a_fixPts.png"], r"holds a_fixPts\.png, but no density maps"),
        ("fixations", ["a_fixMap.png"], r"holds a_fixMap\.png, but no pictures of points"),
    ],
)
@pytest.mark.parametrize("named", [True, False])
def test_folders_of_which_nothing_is_read(
    tmp_path: Path, photo: Photo, option: str, names: list[str], words: str, *, named: bool
) -> None:
    photo(tmp_path / "images" / "a.jpg")
    folder = "truth" if named else option
    for name in names:
        save(tmp_path / folder / name, marked())
    given = {option: folder} if named else {}
    with pytest.raises(DatasetError, match=words):
        load_dataset("folder", tmp_path, images="images", **given)
    assert len(load_dataset("folder", tmp_path, images="images", **{option: "none"})) == 1


def test_siblings_that_all_hold_photographs_are_images(tmp_path: Path, photo: Photo) -> None:
    for kind in ("cats", "dogs"):
        for name in ("one", "two"):
            photo(tmp_path / kind / f"{name}.png")
    assert len(load_dataset("folder", tmp_path)) == 4


def test_folders_by_their_names_in_any_case(tmp_path: Path, photo: Photo) -> None:
    photo(tmp_path / "Images" / "a.png")
    save(tmp_path / "MAPS" / "a.png", blurred())
    save(tmp_path / "Fixations" / "a.png", marked())
    dataset = load_dataset("folder", tmp_path)
    assert [each.id for each in dataset] == ["a"]
    assert points_of(dataset, "a") == POINTS
    assert dataset[0].map is not None


def test_a_table_and_pictures_cannot_both_be_meant(tmp_path: Path, photo: Photo) -> None:
    photo(tmp_path / "images" / "a.png")
    save(tmp_path / "fixations" / "a.png", marked())
    (tmp_path / "fixations.csv").write_text("stimulus,observer,x,y\na,1,4,4\n")
    with pytest.raises(DatasetError, match=r"both fixations\.csv and pictures of points in fix"):
        load_dataset("folder", tmp_path, origin=0)
    assert points_of(load_dataset("folder", tmp_path, table="none"), "a") == POINTS
    read = load_dataset("folder", tmp_path, origin=0, fixations="none")
    assert points_of(read, "a") == [[4.0, 4.0]]


def test_tables_where_pictures_are_expected(tmp_path: Path, photo: Photo) -> None:
    photo(tmp_path / "images" / "a.png")
    (tmp_path / "fixations").mkdir()
    (tmp_path / "fixations" / "a.csv").write_text("x,y\n4,4\n")
    with pytest.raises(DatasetError, match=r"holds a\.csv, where pictures of points are expected"):
        load_dataset("folder", tmp_path)


def test_a_damaged_picture_fails_alone(tmp_path: Path, photo: Photo) -> None:
    photo(tmp_path / "images" / "a.png")
    photo(tmp_path / "images" / "b.png")
    save(tmp_path / "fixations" / "a.png", marked())
    save(tmp_path / "fixations" / "b.png", marked()[:10])
    dataset = load_dataset("folder", tmp_path)
    assert points_of(dataset, "a") == POINTS
    with pytest.raises(Exception, match=r"b\.png is 10 x 80, its image is 60 x 80"):
        _ = dataset[1].fixations


@pytest.mark.parametrize("option", ["images", "maps", "fixations"])
def test_a_folder_that_is_not_there(tmp_path: Path, photo: Photo, option: str) -> None:
    photo(tmp_path / "images" / "a.png")
    with pytest.raises(DatasetError, match=f"nowhere is not a folder; {option}= names one below"):
        load_dataset("folder", tmp_path, **{option: "nowhere"})


def test_toronto_as_a_folder(toronto_sample: Path) -> None:
    dataset = load_dataset("folder", toronto_sample, images="original", fixations="fixationLocs")
    assert [each.id for each in dataset] == ["1", "3"]
    assert dataset.missing == ("2",)
    for each in dataset:
        assert each.fixations is not None
        assert len(each.fixations) > 100
