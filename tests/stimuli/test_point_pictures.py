"""Points as pictures: images and matrices in which a pixel is white where somebody looked."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest
import scipy.io
import scipy.ndimage
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from quickgaze.errors import StimulusError
from quickgaze.places import as_path
from quickgaze.stimuli._point_pictures import PICTURE_SUFFIXES, PointPicture, bare_stem
from quickgaze.stimuli.images import ImageFile
from quickgaze.stimuli.types import ALL_OBSERVERS, Stimulus

SIZE = (48, 64)
POINTS = [[5, 0], [63, 0], [20, 17], [21, 17], [0, 47]]  # row by row

Pixels = npt.NDArray[np.generic]


def picture(level: float = 1, dtype: npt.DTypeLike = np.float64) -> Pixels:
    pixels = np.zeros(SIZE, dtype=dtype)
    columns, rows = np.array(POINTS).T
    pixels[rows, columns] = level
    return pixels


def save(path: Path, pixels: Pixels, name: str = "fixLocs", **options: object) -> Path:
    if path.suffix == ".mat":
        scipy.io.savemat(path, {name: pixels})
    elif path.suffix == ".npy":
        np.save(path, pixels)
    else:
        PIL.Image.fromarray(pixels).save(path, **options)
    return path


def points_of(path: Path, size: tuple[int, int] = SIZE) -> list[list[float]]:
    fixations = PointPicture(path).read(size)
    assert set(fixations.observer) <= {ALL_OBSERVERS}
    assert fixations.dropped == 0
    assert fixations.duration is None
    return fixations.points.tolist()


@pytest.mark.parametrize("ending", ["png", "bmp", "gif", "tif", "pgm", "jpg", "jpeg"])
def test_an_image(tmp_path: Path, ending: str) -> None:
    assert points_of(save(tmp_path / f"a.{ending}", picture(255, np.uint8))) == POINTS


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.uint8, np.int16, np.bool_])
@pytest.mark.parametrize("ending", ["mat", "npy"])
def test_a_matrix(tmp_path: Path, ending: str, dtype: npt.DTypeLike) -> None:
    assert points_of(save(tmp_path / f"a.{ending}", picture(1, dtype))) == POINTS


@pytest.mark.parametrize("name", ["fixLocs", "fixations", "white", "myOwn"])
def test_the_variable_of_a_mat_file(tmp_path: Path, name: str) -> None:
    assert points_of(save(tmp_path / "a.mat", picture(), name)) == POINTS
    others = {"rate": 500.0, "who": "ann", "info": {"n": 3}}
    scipy.io.savemat(tmp_path / "b.mat", {**others, name: picture()})
    assert points_of(tmp_path / "b.mat") == POINTS


def test_of_several_matrices_the_named_one_counts_or_that_of_the_size(tmp_path: Path) -> None:
    others = {"density": picture(7), "screen": np.ones((3, 4))}
    scipy.io.savemat(tmp_path / "a.mat", {**others, "fixLocs": picture()})
    assert points_of(tmp_path / "a.mat") == POINTS
    scipy.io.savemat(tmp_path / "b.mat", {"screen": np.ones((3, 4)), "mine": picture()})
    assert points_of(tmp_path / "b.mat") == POINTS
    scipy.io.savemat(tmp_path / "c.mat", {"mine": picture(), "yours": picture()})
    with pytest.raises(StimulusError, match=r"mine \(48 x 64 double\), yours .*expected one"):
        points_of(tmp_path / "c.mat")


@pytest.mark.parametrize("dtype", [np.float64, np.bool_])
def test_a_sparse_matrix(tmp_path: Path, dtype: npt.DTypeLike) -> None:
    sparse = scipy.sparse.csc_array(picture(1, dtype))
    scipy.io.savemat(tmp_path / "a.mat", {"fixLocs": sparse})
    assert points_of(tmp_path / "a.mat") == POINTS


@pytest.mark.parametrize(
    ("part", "values"),
    [
        ("indices", [10**6] * 5),
        ("indices", [-1] * 5),
        ("indptr", [0, *[10**6] * 63, 5]),
        ("indptr", [0, *[10**6] * 63, 0]),
        ("indptr", [0, -7, *[5] * 63]),
    ],
)
def test_a_damaged_sparse_matrix_does_not_end_the_process(
    tmp_path: Path, part: str, values: list[int]
) -> None:
    sparse = scipy.sparse.csc_array(picture())
    path = tmp_path / "a.mat"
    scipy.io.savemat(path, {"fixLocs": sparse})
    whole = path.read_bytes()
    stored = getattr(sparse, part).astype(np.int32).tobytes()
    assert whole.count(stored) == 1
    path.write_bytes(whole.replace(stored, np.array(values, dtype=np.int32).tobytes()))
    with pytest.raises(StimulusError, match=r"a\.mat is damaged.* it again"):
        points_of(path)


def test_a_mat_file_of_version_4(tmp_path: Path) -> None:
    scipy.io.savemat(tmp_path / "a.mat", {"fixLocs": picture()}, format="4")
    assert points_of(tmp_path / "a.mat") == POINTS


def test_half_of_the_maximum(tmp_path: Path) -> None:
    """Compression leaves levels around each point, which are no points."""
    pixels = picture(255, np.uint8)
    path = save(tmp_path / "a.jpg", pixels, quality=50)
    with PIL.Image.open(path) as image:
        stored = np.asarray(image)
    assert np.count_nonzero(stored) > 2 * len(POINTS)
    assert points_of(path) == POINTS
    pixels[30, 30:32] = 127, 128
    lossless = points_of(save(tmp_path / "a.png", pixels))
    assert lossless == sorted([*POINTS, [31, 30]], key=lambda point: (point[1], point[0]))


@pytest.mark.parametrize(
    ("mode", "level"), [("1", 1), ("L", 1), ("I;16", 65535), ("I", 70000), ("F", 0.5), ("RGB", 9)]
)
def test_any_mode_and_level(tmp_path: Path, mode: str, level: float) -> None:
    types = {"1": np.bool_, "I;16": np.uint16, "I": np.int32, "F": np.float32}
    pixels = picture(level, types.get(mode, np.uint8))
    pixels = np.repeat(pixels[..., np.newaxis], 3, axis=2) if mode == "RGB" else pixels
    assert points_of(save(tmp_path / "a.tif", pixels)) == POINTS


@pytest.mark.parametrize("ending", ["mat", "npy", "png"])
def test_small_whole_numbers_are_counts(tmp_path: Path, ending: str) -> None:
    counts = np.zeros(SIZE, dtype=np.uint8)
    counts[3, 4], counts[3, 9], counts[40, 2] = 1, 3, 2
    found = points_of(save(tmp_path / f"a.{ending}", counts))
    assert found == [[4, 3], *[[9, 3]] * 3, *[[2, 40]] * 2]


def test_other_numbers_are_no_counts(tmp_path: Path) -> None:
    for level in (2, 15, 16, 0.25):
        assert points_of(save(tmp_path / "a.npy", picture(level))) == POINTS


@pytest.mark.parametrize("ending", ["png", "mat", "npy"])
def test_levels_of_which_half_would_be_dropped(tmp_path: Path, ending: str) -> None:
    """Durations or observers as levels: not all of these are above half of the maximum."""
    pixels = np.zeros(SIZE, dtype=np.uint8)
    for number, (x, y) in enumerate(POINTS):
        pixels[y, x] = 50 + 50 * number
    with pytest.raises(StimulusError, match="brighter in 3 pixels than in 2 others that lie apart"):
        points_of(save(tmp_path / f"a.{ending}", pixels))
    pixels[pixels > 0] = [1, 2, 2, 3, 3]
    with pytest.raises(StimulusError, match=r"than in 1 others that lie apart.*or as counts"):
        points_of(save(tmp_path / f"a.{ending}", pixels))


@pytest.mark.parametrize("ending", ["png", "jpg", "mat", "npy"])
def test_black_is_no_point(tmp_path: Path, ending: str) -> None:
    assert points_of(save(tmp_path / f"a.{ending}", picture(0, np.uint8))) == []


def test_a_picture_on_its_side(tmp_path: Path) -> None:
    turned = PIL.Image.fromarray(np.rot90(picture(255, np.uint8)))
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    turned.save(tmp_path / "a.png", exif=exif)
    assert points_of(tmp_path / "a.png") == POINTS


@pytest.mark.parametrize("ending", ["png", "jpg", "mat", "npy"])
def test_another_size_than_the_image(tmp_path: Path, ending: str) -> None:
    path = save(tmp_path / f"a.{ending}", picture(1, np.uint8))
    with pytest.raises(StimulusError, match=r"a\.\w+.* is 48 x 64, its image is 64 x 48"):
        points_of(path, (64, 48))


@pytest.mark.parametrize("ending", ["mat", "npy"])
def test_a_list_of_points(tmp_path: Path, ending: str) -> None:
    path = save(tmp_path / f"a.{ending}", np.array(POINTS))
    with pytest.raises(StimulusError, match=r"is 5 x 2, .* a list of points belongs in a table"):
        points_of(path)


def discs() -> Pixels:
    around = np.hypot(*np.mgrid[-3:4, -3:4]) <= 3
    return scipy.ndimage.grey_dilation(picture(255, np.uint8), footprint=around)


def test_discs_mark_every_pixel_they_cover(tmp_path: Path) -> None:
    for ending in ("png", "jpg"):
        found = points_of(save(tmp_path / f"a.{ending}", discs()))
        assert abs(len(found) - np.count_nonzero(discs())) <= len(POINTS)


def blurred(sigma: float) -> Pixels:
    density = scipy.ndimage.gaussian_filter(picture(), sigma)
    return np.rint(density * (255 / density.max())).astype(np.uint8)


def photograph() -> Pixels:
    noise = np.random.default_rng(1).random(SIZE)
    texture = scipy.ndimage.gaussian_filter(noise, 1.5)
    return np.rint(255 * (texture - texture.min()) / np.ptp(texture)).astype(np.uint8)


def mask() -> Pixels:
    pixels = np.zeros(SIZE, dtype=np.uint8)
    pixels[10:28, 20:38] = 255
    return pixels


@pytest.mark.parametrize(
    "make",
    [
        lambda: blurred(2),
        lambda: blurred(6),
        photograph,
        mask,
        lambda: 255 - picture(255, np.uint8),
        lambda: np.full(SIZE, 255, dtype=np.uint8),
    ],
    ids=["sharp density", "density", "photograph", "mask", "negative", "white"],
)
@pytest.mark.parametrize("ending", ["png", "npy", "mat"])
def test_what_holds_no_points(tmp_path: Path, ending: str, make: Callable[[], Pixels]) -> None:
    path = save(tmp_path / f"a.{ending}", make())
    with pytest.raises(StimulusError, match=r"a\.\w+ does not hold points: .* among the maps"):
        points_of(path)


def test_colours_and_transparency(tmp_path: Path) -> None:
    pixels = np.zeros((*SIZE, 4), dtype=np.uint8)
    pixels[3, 4] = 255, 0, 0, 255
    PIL.Image.fromarray(pixels[..., :3]).save(tmp_path / "red.png")
    PIL.Image.fromarray(pixels).save(tmp_path / "clear.png")
    with pytest.raises(StimulusError, match=r"red\.png is coloured"):
        points_of(tmp_path / "red.png")
    with pytest.raises(StimulusError, match=r"clear\.png has transparent pixels"):
        points_of(tmp_path / "clear.png")


@pytest.mark.parametrize("ending", ["mat", "npy"])
def test_values_that_say_nothing(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    for level, said in ((np.nan, "NaN or infinity"), (-1, "negative values")):
        with pytest.raises(StimulusError, match=said):
            points_of(save(path, picture(level)))
    with pytest.raises(StimulusError, match="complex"):
        points_of(save(path, picture(1j, np.complex128)))


def test_damage(tmp_path: Path) -> None:
    for name in ("a.png", "a.mat", "a.npy"):
        (tmp_path / name).write_bytes(b"")
        with pytest.raises(StimulusError, match=name):
            points_of(tmp_path / name)
        with pytest.raises(StimulusError, match="b" + name[1:]):
            points_of(tmp_path / name.replace("a", "b", 1))
    (tmp_path / "a.npy").write_bytes(pickle.dumps(picture()))
    with pytest.raises(StimulusError, match=r"a\.npy cannot be read"):
        points_of(tmp_path / "a.npy")
    np.save(tmp_path / "c.npy", np.full(SIZE, None), allow_pickle=True)
    with pytest.raises(StimulusError, match=r"c\.npy cannot be read .*Python objects"):
        points_of(tmp_path / "c.npy")


def test_a_picture_elsewhere() -> None:
    path = as_path("memory://pictures/a.mat")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        scipy.io.savemat(file, {"fixLocs": picture()})
    assert PointPicture(path).read(SIZE).points.tolist() == POINTS


def test_the_gaze_of_a_stimulus(tmp_path: Path) -> None:
    image = ImageFile(save(tmp_path / "image.png", photograph()))
    path = save(tmp_path / "a.png", picture(255, np.uint8))
    stimulus = Stimulus("a", image, PointPicture(path))
    assert stimulus.fixations is not None
    assert stimulus.fixations.points.tolist() == POINTS
    assert pickle.loads(pickle.dumps(stimulus)).fixations.points.tolist() == POINTS  # noqa: S301
    before = stimulus.fingerprint()
    save(path, picture(254, np.uint8))
    assert stimulus.fingerprint() != before


@given(
    places=st.sets(st.tuples(st.integers(0, 63), st.integers(0, 47)), max_size=40),
    ending=st.sampled_from(["png", "npy", "mat"]),
)
@settings(max_examples=30, deadline=None)
def test_any_points_come_back(
    tmp_path_factory: pytest.TempPathFactory, places: set[tuple[int, int]], ending: str
) -> None:
    pixels = np.zeros(SIZE, dtype=np.uint8)
    for x, y in places:
        pixels[y, x] = 255
    path = save(tmp_path_factory.mktemp("any") / f"a.{ending}", pixels)
    expected = sorted(places, key=lambda place: (place[1], place[0]))
    assert points_of(path) == [list(place) for place in expected]


@pytest.mark.parametrize(("number", "count"), [("1", 130), ("3", 113)])
def test_toronto(toronto_sample: Path, number: str, count: int) -> None:
    path = toronto_sample / "fixationLocs" / f"{number}.mat"
    size = ImageFile(toronto_sample / "original" / f"{number}.jpg").size()
    rows, columns = np.nonzero(scipy.io.loadmat(path)["fixLocs"])
    assert len(rows) == count
    assert points_of(path, size) == np.stack([columns, rows], axis=1).tolist()


@pytest.mark.parametrize(
    ("stem", "bare"),
    [
        ("i05june05_static_street_fixMap", "i05june05_static_street"),
        ("i05june05_static_street_fixPts", "i05june05_static_street"),
        ("001_SaliencyMap", "001"),
        ("001_saliencymap", "001"),
        ("001_FIXMAP", "001"),
        ("3_.fixMap", "3"),
        ("a_fixLocs", "a"),
        ("a_density", "a"),
        ("city_map", "city_map"),
        ("a", "a"),
        ("_fixMap", "_fixMap"),
        ("a_fixMap_fixPts", "a_fixMap"),
    ],
)
def test_bare_stems(stem: str, bare: str) -> None:
    assert bare_stem(stem) == bare


@pytest.mark.parametrize(
    ("stem", "suffix", "bare"),
    [
        ("a_GT", "_gt", "a"),
        ("a_fixMap", "_gt", "a_fixMap"),
        ("a_fixMap", "", "a_fixMap"),
        ("gt", "gt", "gt"),
    ],
)
def test_a_suffix_of_ones_own(stem: str, suffix: str, bare: str) -> None:
    assert bare_stem(stem, suffix) == bare


def test_suffixes() -> None:
    assert {".png", ".jpg", ".jpeg", ".tif", ".mat", ".npy"} <= PICTURE_SUFFIXES
