from __future__ import annotations

import pickle

import numpy as np
import pytest
from skimage.color import rgb2lab

from quickgaze.errors import OptionError, UnknownNameError
from quickgaze.stimuli._popout import KINDS, SHAPES, Item, load_popout

GREY = 119


def covered(image: np.ndarray) -> np.ndarray:
    """Share of each pixel that an item covers, for items of one colour."""
    away = np.abs(image.astype(float) - image[0, 0]).max(axis=2)
    return away / away.max()


def test_displays_take_turns() -> None:
    dataset = load_popout(n=9)
    assert [stimulus.attributes["kind"] for stimulus in dataset] == [*KINDS, *KINDS, "color"]
    assert dataset[3].id == "popout-000003"
    assert dataset.gaze == "target, by construction"
    assert {stimulus.size for stimulus in dataset} == {(480, 640)}
    assert load_popout(n=2, kinds="size")[1].attributes["kind"] == "size"


def test_a_display_depends_on_seed_and_number_alone() -> None:
    few, many = (
        load_popout(n=3, size=(96, 128), set_size=8),
        load_popout(n=20, size=(96, 128), set_size=8),
    )
    for stimulus, same in zip(few, many, strict=False):
        np.testing.assert_array_equal(stimulus.image(), same.image())
        assert stimulus.source.fingerprint() == same.source.fingerprint()
        copy = pickle.loads(pickle.dumps(stimulus))  # noqa: S301
        np.testing.assert_array_equal(stimulus.image(), copy.image())
        assert dict(copy.attributes) == dict(stimulus.attributes)
    other = load_popout(n=1, seed=1, size=(96, 128), set_size=8)[0]
    assert (other.image() != few[0].image()).any()
    assert other.source.fingerprint() != few[0].source.fingerprint()
    assert len({stimulus.source.fingerprint() for stimulus in many}) == 20
    assert len(pickle.dumps(few[0])) < 2000


def test_known_displays_stay_as_they_are() -> None:
    attributes = load_popout(n=3, seed=7)[2].attributes
    assert attributes["target"] == "large cross"
    assert attributes["target_x"] == pytest.approx(581.1998698817632)
    assert attributes["target_y"] == pytest.approx(428.4749364289988)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(4))
def test_the_target_is_where_it_is_said_to_be(kind: str, seed: int) -> None:
    stimulus = load_popout(n=1, seed=seed, kinds=[kind])[0]
    x, y, radius = (float(stimulus.attributes[f"target_{name}"]) for name in ("x", "y", "radius"))
    fixations = stimulus.fixations
    assert fixations is not None
    assert fixations.points.tolist() == [[x, y]]
    assert fixations.observer.tolist() == ["construction"]
    rows, columns = np.indices(stimulus.size)
    within = (columns - x) ** 2 + (rows - y) ** 2 < (radius + 1) ** 2
    weights = covered(stimulus.image()) * within
    centroid = [float((axis * weights).sum() / weights.sum()) for axis in (columns, rows)]
    np.testing.assert_allclose(centroid, [x, y], atol=0.2)


@pytest.mark.parametrize("kind", KINDS)
def test_items_do_not_touch_each_other_or_the_border(kind: str) -> None:
    for stimulus in load_popout(n=4, kinds=[kind], set_size=30):
        layout = stimulus.source.layout()  # type: ignore[attr-defined]
        reach = np.full(len(layout.x), layout.distractor.reach())
        reach[0] = layout.target.reach()
        across, down = (np.subtract.outer(axis, axis) for axis in (layout.x, layout.y))
        distance = np.hypot(across, down)
        np.fill_diagonal(distance, np.inf)
        assert (distance > np.add.outer(reach, reach)).all()
        height, width = stimulus.size
        assert ((layout.x > reach) & (layout.x < width - 1 - reach)).all()
        assert ((layout.y > reach) & (layout.y < height - 1 - reach)).all()


def test_the_target_differs_in_one_feature() -> None:
    for stimulus in load_popout(n=80, set_size=8):
        layout = stimulus.source.layout()  # type: ignore[attr-defined]
        kind = stimulus.attributes["kind"]
        target, distractor = layout.target, layout.distractor
        differing = {
            name
            for name in ("shape", "radius", "hue", "angle")
            if getattr(target, name) != getattr(distractor, name)
        }
        feature = {"color": "hue", "orientation": "angle", "size": "radius", "shape": "shape"}
        assert differing == {feature[str(kind)]}
        if kind == "color":
            apart = abs(target.hue - distractor.hue)
            assert min(apart, 360 - apart) >= 90 - 1e-9
        if kind == "orientation":
            apart = abs(target.angle - distractor.angle)
            assert min(apart, 180 - apart) >= 45 - 1e-9


def test_colours_have_one_lightness_and_chroma() -> None:
    for hue in range(0, 360, 10):
        lightness, a, b = rgb2lab(np.array(Item("disc", 1, hue=hue).colour()) / 255)
        assert lightness == pytest.approx(68, abs=1.5)
        assert np.hypot(a, b) == pytest.approx(38, abs=3)
    image = load_popout(n=1)[0].image()
    assert image[0, 0].tolist() == [GREY, GREY, GREY]


@pytest.mark.parametrize("shape", [*SHAPES, "bar"])
def test_shapes_have_one_area_and_stand_on_their_centroid(shape: str) -> None:
    x, y = Item(shape, 10, angle=33).outline().T
    cross = x * np.roll(y, -1) - np.roll(x, -1) * y
    area = cross.sum() / 2
    assert abs(area) == pytest.approx(100 * np.pi)
    for axis in (x, y):
        assert ((axis + np.roll(axis, -1)) * cross).sum() / (6 * area) == pytest.approx(0, abs=1e-9)


def test_targets_are_everywhere() -> None:
    attributes = [stimulus.attributes for stimulus in load_popout(n=1500)]
    x, y = (np.array([float(a[f"target_{axis}"]) for a in attributes]) for axis in "xy")
    assert (x.min() > 32) & (x.max() < 607) & (y.min() > 24) & (y.max() < 455)
    counts = np.histogram2d(y, x, bins=(3, 4), range=((24, 455), (24, 615)))[0]
    np.testing.assert_allclose(counts, 125, atol=45)


@pytest.mark.parametrize("set_size", [4, 7, 13, 100])
@pytest.mark.parametrize("size", [(480, 640), (640, 200), (224, 224)])
def test_any_number_of_items(set_size: int, size: tuple[int, int]) -> None:
    stimulus = load_popout(n=1, size=size, set_size=set_size, kinds=["color"])[0]
    assert stimulus.image().shape == (*size, 3)
    layout = stimulus.source.layout()  # type: ignore[attr-defined]
    assert len(layout.x) == set_size == stimulus.attributes["set_size"]
    area = covered(stimulus.image())
    assert area.sum() == pytest.approx(set_size * np.pi * layout.target.radius**2, rel=0.5)


def test_edges_are_smooth() -> None:
    image = load_popout(n=1, kinds=["orientation"])[0].image()
    assert len(np.unique(image)) > 5


def test_numpy_numbers_are_numbers() -> None:
    assert len(load_popout(n=np.int64(3), seed=np.uint8(1))) == 3  # type: ignore[arg-type]


def test_attributes_are_a_mapping() -> None:
    attributes = load_popout(n=1)[0].attributes
    assert len(attributes) == len(list(attributes)) == 7
    assert "nothing" not in attributes


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n": 0}, "n is 0; give a whole number, at least 1"),
        ({"n": 2.5}, "n is 2.5"),
        ({"seed": -1}, "seed is -1"),
        ({"set_size": 3}, "set_size is 3; give a whole number, at least 4"),
        ({"set_size": 10_000}, "10000 items on 480 x 640 pixels .*lower set_size or raise size"),
        ({"size": 480}, "size is 480; give height and width"),
        ({"size": (0, 3)}, "height is 0"),
        ({"kinds": []}, "kinds names none; give some of color, orientation, size, shape"),
        ({"kinds": 5}, "kinds names none; give some of color"),
        ({"kinds": [5]}, "kinds names none; give some of color"),
    ],
)
def test_options_that_cannot_be_used(options: dict[str, object], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        load_popout(**options)  # type: ignore[arg-type]


def test_unknown_kinds() -> None:
    with pytest.raises(UnknownNameError, match="'colour'; did you mean 'color'"):
        load_popout(kinds=["colour"])
