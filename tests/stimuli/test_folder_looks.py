"""What folders look like, by the content of a few of their files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest
import scipy.io
import scipy.ndimage

from quickgaze.places import as_path
from quickgaze.stimuli._folder_looks import explain_siblings, looks_like

SIZE = (60, 80)
STEMS = ("i1", "i2", "i3")

Pixels = npt.NDArray[np.generic]
Make = Callable[[int], Pixels]


def photograph(seed: int) -> Pixels:
    noise = np.random.default_rng(seed).random((*SIZE, 3))
    texture = scipy.ndimage.gaussian_filter(noise, (1, 1, 0))
    return np.rint(255 * (texture - texture.min()) / np.ptp(texture)).astype(np.uint8)


def grey_photograph(seed: int) -> Pixels:
    return photograph(seed)[..., 0]


def points(seed: int) -> Pixels:
    pixels = np.zeros(SIZE, dtype=np.uint8)
    rows, columns = np.random.default_rng(seed).integers(0, SIZE, (20, 2)).T
    pixels[rows, columns] = 255
    return pixels


def density(seed: int, sigma: float = 5.0) -> Pixels:
    blurred = scipy.ndimage.gaussian_filter(points(seed).astype(float), sigma)
    return np.rint(blurred * (255 / blurred.max())).astype(np.uint8)


def discs(seed: int) -> Pixels:
    return scipy.ndimage.grey_dilation(points(seed), size=3)


def mask(seed: int) -> Pixels:
    pixels = np.zeros(SIZE, dtype=np.uint8)
    pixels[5 + seed : 40, 10:60] = 255
    return pixels


def fill(folder: Path, make: Make, ending: str = ".png", suffix: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for seed, stem in enumerate(STEMS):
        path = folder / f"{stem}{suffix}{ending}"
        if ending == ".mat":
            scipy.io.savemat(path, {"fixLocs": make(seed)})
        elif ending == ".npy":
            np.save(path, make(seed))
        else:
            PIL.Image.fromarray(make(seed)).save(path)
    return folder


@pytest.mark.parametrize("ending", [".png", ".jpg", ".npy"])
@pytest.mark.parametrize(
    ("make", "look"),
    [
        (photograph, "images"),
        (grey_photograph, "images"),
        (density, "density maps"),
        (lambda seed: density(seed, 2), "density maps"),
        (lambda seed: density(seed, 12), "density maps"),
        (points, "pictures of points"),
        (discs, "pictures of points"),
        (mask, ""),
        (np.zeros_like, ""),
    ],
    ids=["photo", "grey", "density", "sharp", "wide", "points", "discs", "mask", "black"],
)
def test_looks(tmp_path: Path, ending: str, make: Make, look: str) -> None:
    made = (lambda _: np.zeros(SIZE, dtype=np.uint8)) if make is np.zeros_like else make
    assert looks_like(fill(tmp_path / "some", made, ending)) == look


@pytest.mark.parametrize(
    ("make", "look"), [(points, "pictures of points"), (density, "density maps")]
)
def test_matrices_of_matlab(tmp_path: Path, make: Make, look: str) -> None:
    assert looks_like(fill(tmp_path / "some", make, ".mat")) == look


def test_lists_of_points_are_tables(tmp_path: Path) -> None:
    for ending in (".npy", ".mat"):
        folder = fill(tmp_path / ending[1:], lambda _: np.ones((5, 2)), ending)
        assert looks_like(folder) == "tables"
    (tmp_path / "gaze").mkdir()
    (tmp_path / "gaze" / "i1.csv").write_text("x,y\n1,2\n")
    assert looks_like(tmp_path / "gaze") == "tables"


def test_what_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "some"
    folder.mkdir()
    assert looks_like(folder) == ""
    for name in ("a.png", "b.mat", "c.npy"):
        (folder / name).write_bytes(b"damaged")
    scipy.io.savemat(folder / "d.mat", {"fixations": {"x": 1}})
    np.save(folder / "e.npy", np.zeros(7))
    assert looks_like(folder) == ""
    fill(folder, points, ".png", "_fixPts")
    assert looks_like(folder) == "pictures of points"


def test_names_decide_between_equals(tmp_path: Path) -> None:
    for name, look in (("ALLFIXATIONMAPS", "density maps"), ("fixPts", "pictures of points")):
        folder = tmp_path / name
        folder.mkdir()
        PIL.Image.fromarray(density(0)).save(folder / "a.png")
        PIL.Image.fromarray(points(0)).save(folder / "b.png")
        assert looks_like(folder) == look


def test_subfolders_count(tmp_path: Path) -> None:
    fill(tmp_path / "Stimuli" / "Action", photograph)
    assert looks_like(tmp_path / "Stimuli") == "images"


def test_siblings(tmp_path: Path) -> None:
    fill(tmp_path / "ALLSTIMULI", photograph, ".jpg")
    fill(tmp_path / "ALLFIXATIONMAPS", density, ".jpg", "_fixMap")
    assert explain_siblings(tmp_path) == (
        "ALLFIXATIONMAPS looks like density maps, ALLSTIMULI like images: "
        "give images=ALLSTIMULI maps=ALLFIXATIONMAPS"
    )


def test_siblings_of_three_kinds(tmp_path: Path) -> None:
    """As CAT2000 is laid out."""
    for category in ("Action", "Art"):
        fill(tmp_path / "Stimuli" / category, photograph, ".jpg")
        fill(tmp_path / "FIXATIONMAPS" / category, density, ".jpg")
        fill(tmp_path / "FIXATIONLOCS" / category, points, ".mat")
    assert explain_siblings(tmp_path) == (
        "FIXATIONLOCS looks like pictures of points, FIXATIONMAPS like density maps, Stimuli like "
        "images: give images=Stimuli maps=FIXATIONMAPS fixations=FIXATIONLOCS"
    )


def test_siblings_of_which_one_holds_two_kinds(tmp_path: Path) -> None:
    """As MIT1003 is laid out."""
    fill(tmp_path / "ALLSTIMULI", photograph, ".jpeg")
    fill(tmp_path / "ALLFIXATIONMAPS", density, ".jpg", "_fixMap")
    fill(tmp_path / "ALLFIXATIONMAPS", points, ".jpg", "_fixPts")
    assert explain_siblings(tmp_path) == (
        "ALLFIXATIONMAPS/*_fixMap.jpg looks like density maps, ALLFIXATIONMAPS/*_fixPts.jpg like "
        "pictures of points, ALLSTIMULI like images: give images=ALLSTIMULI maps=ALLFIXATIONMAPS "
        "fixations=ALLFIXATIONMAPS"
    )


def test_all_kinds_in_one_folder(tmp_path: Path) -> None:
    fill(tmp_path, photograph, ".jpg")
    assert explain_siblings(tmp_path) == ""
    fill(tmp_path, density, ".png", "_SaliencyMap")
    assert explain_siblings(tmp_path) == (
        "*.jpg looks like images, *_SaliencyMap.png like density maps: give images=. maps=."
    )


def test_images_beside_a_folder_of_maps(tmp_path: Path) -> None:
    fill(tmp_path, photograph, ".jpg")
    fill(tmp_path / "truth", density)
    assert explain_siblings(tmp_path) == (
        "truth looks like density maps, the folder itself like images: give images=. maps=truth"
    )


def test_siblings_of_one_kind_twice_are_not_chosen_from(tmp_path: Path) -> None:
    fill(tmp_path / "photos", photograph, ".jpg")
    fill(tmp_path / "wide", lambda seed: density(seed, 9))
    fill(tmp_path / "narrow", density)
    assert explain_siblings(tmp_path) == (
        "narrow looks like density maps, photos like images, wide like density maps"
    )


def test_tables_count_where_they_are_named_like_the_images(tmp_path: Path) -> None:
    fill(tmp_path / "photos", photograph, ".jpg")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "readme.txt").write_text("Taken in Potsdam.\n")
    assert explain_siblings(tmp_path) == ""
    (tmp_path / "gaze").mkdir()
    (tmp_path / "gaze" / "i1.csv").write_text("x,y\n1,2\n")
    assert explain_siblings(tmp_path) == "gaze looks like tables, photos like images"


def test_nothing_to_say(tmp_path: Path) -> None:
    assert explain_siblings(tmp_path) == ""
    fill(tmp_path / "cats", photograph, ".jpg")
    assert explain_siblings(tmp_path) == ""
    fill(tmp_path / "dogs", grey_photograph, ".jpg")
    fill(tmp_path / ".hidden", density)
    (tmp_path / "empty").mkdir()
    assert explain_siblings(tmp_path) == ""


def test_siblings_elsewhere(tmp_path: Path) -> None:
    root = as_path("memory://siblings")
    for folder, make in (("photos", photograph), ("fixLocs", points)):
        for path in fill(tmp_path / folder, make).iterdir():
            there = root / folder / path.name
            there.parent.mkdir(parents=True, exist_ok=True)
            there.write_bytes(path.read_bytes())
    assert explain_siblings(root) == (
        "fixLocs looks like pictures of points, photos like images: "
        "give images=photos fixations=fixLocs"
    )


def test_real_images_are_images(osie_sample: Path, toronto_sample: Path, tmp_path: Path) -> None:
    assert looks_like(osie_sample / "stimuli") == "images"
    grey = tmp_path / "grey"
    grey.mkdir()
    for path in sorted((osie_sample / "stimuli").iterdir())[::10]:
        with PIL.Image.open(path) as image:
            image.convert("L").save(grey / f"{path.stem}.png")
    assert looks_like(grey) == "images"
    assert explain_siblings(toronto_sample) == (
        "fixationLocs looks like pictures of points, original like images: "
        "give images=original fixations=fixationLocs"
    )
