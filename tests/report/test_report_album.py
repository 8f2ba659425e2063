"""The pictures of a report: which sign, which colours, and at the right place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import polars as pl
import pytest

from quickgaze.metrics import cc
from quickgaze.report._album import Album, file_name, write_album
from quickgaze.report._originals import find_originals
from quickgaze.report._subjects import Subject, signs_of, subject_of
from quickgaze.report.layers import (
    cam_picture,
    difference_picture,
    gradient,
    map_picture,
    photograph,
    shrunk,
    small_size,
)
from quickgaze.saliency import saliency_maps
from quickgaze.stimuli import Dataset
from quickgaze.study import Run, stored_cam, stored_saliency
from quickgaze.study.plan import FORMAT


@pytest.fixture(scope="module")
def subject(run: Run) -> Subject:
    return subject_of([run])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("album")


@pytest.fixture(scope="module")
def album(subject: Subject, displays: Dataset, folder: Path) -> Album:
    return write_album(
        subject, find_originals(subject, displays), folder, longest=80, progress=False
    )


def test_drawn_signs_are_those_that_were_scored(
    subject: Subject, run: Run, displays: Dataset
) -> None:
    """Score the maps anew, with the sign that is drawn: the run's scores come out."""
    maps = run.maps()
    signs = signs_of(subject, [maps])
    rows = {(row["stimulus"], row["grid"]): row for row in maps.iter_rows(named=True)}
    checked = 0
    for variant, found in zip(subject.variants, signs, strict=True):
        keys = variant.keys
        own = run.scores().filter(
            pl.col("grid") == keys["grid"], pl.col("orientation") == keys["orientation"]
        )
        scores = dict(own.select("stimulus", "cc").iter_rows())
        for stimulus in displays:
            row = rows[stimulus.id, keys["grid"]]
            sign = {"p": 1, "n": -1}[found[stimulus.id]]
            size = (row["image_height"], row["image_width"])
            drawn = saliency_maps(stored_cam(row).projection * sign, size, keys["sigma"])[0]
            density = stimulus.density(displays.density_sigma)
            assert cc(drawn.numpy(), density) == pytest.approx(scores[stimulus.id], abs=1e-4)
            checked += 1
    assert checked == 6 * 12
    # Both signs occur, so that the test can fail.
    assert {sign for found in signs for sign in found.values()} == {"p", "n"}


def test_signs_that_cannot_be_told_are_left_out(
    write_run: Callable[..., Run], tmp_path: Path
) -> None:
    keys = {"backbone": "net", "cam": "eigen", "grid": "s32", "component": 0}
    size = {"image_height": 8, "image_width": 8, "height": 1, "width": 2}
    size |= {"projection": [0.0, 1.0], "explained_variance": 0.5}
    maps = [
        {"stimulus": "kept", **keys, **size, "evidence_skew": 0.5},
        {"stimulus": "flipped", **keys, **size, "evidence_skew": -0.5},
        {
            "stimulus": "untold",
            **keys,
            **size,
            "evidence_skew": float("nan"),
            "evidence_border": 1.0,
        },
        {"stimulus": "unsigned", **keys, **size},
    ]
    named = {"sigma": 0.0, "convention": "tuebingen", "cc": 0.5}
    scores = [
        {"stimulus": row["stimulus"], **keys, **named, "orientation": rule}
        for row in maps
        for rule in ("skew", "oracle")
    ]
    scores[3]["cc"] = 0.75  # the oracle chose the other sign
    run = write_run(
        tmp_path / "run",
        ["cc"],
        {
            "format": FORMAT,
            "settings": {"metrics": ["cc"], "convention": "tuebingen"},
            "dataset": {"name": "made"},
            "stimuli": [row["stimulus"] for row in maps],
        },
        maps=maps,
        scores=scores,
    )
    skew, oracle = signs_of(subject_of([run]), [run.maps()])
    assert skew == {"kept": "p", "flipped": "n", "unsigned": "p"}
    assert oracle == {"kept": "p", "flipped": "p", "unsigned": "p"}


def test_every_layer_of_every_stimulus_is_there(
    album: Album, subject: Subject, folder: Path
) -> None:
    assert list(album.failures) == []
    for number in range(12):
        assert (folder / str(album.image_file(number))).is_file()
        assert (folder / str(album.density_file(number))).is_file()
        for variant in range(len(subject.variants)):
            for layer in ("cam", "map", "difference"):
                path = album.map_file(variant, number, layer)
                with PIL.Image.open(folder / str(path)) as picture:
                    assert picture.size == (80, 60)


def test_the_drawn_map_is_the_stored_one(
    album: Album, subject: Subject, run: Run, folder: Path
) -> None:
    row = run.maps().filter(pl.col("grid") == "s16").row(4, named=True)
    place = next(
        place
        for place, variant in enumerate(subject.variants)
        if (variant.keys["grid"], variant.keys["orientation"]) == ("s16", "lapack")
    )
    expected = map_picture(shrunk(stored_saliency(row, "lapack", 7.0), 80))
    with PIL.Image.open(folder / str(album.map_file(place, 4))) as picture:
        difference = np.abs(np.asarray(picture, float) - np.asarray(expected, float))
    assert difference.mean() < 4


def test_zero_is_the_middle_of_what_has_two_signs() -> None:
    values = np.array([[-1, 0, 1]], np.float32)
    blue, white, red = np.asarray(difference_picture(values)).reshape(3, 3).tolist()
    assert blue[2] > blue[0]
    assert red[0] > red[2]
    assert min(white) > 240
    cells = np.asarray(cam_picture(values * 7, (2, 6), 6).convert("RGB"))
    assert cells.shape == (2, 6, 3)
    assert cells[0, :, 0].tolist() == [blue[0]] * 2 + [white[0]] * 2 + [red[0]] * 2


def test_maps_that_say_nothing_can_be_drawn() -> None:
    nothing = np.full((2, 2), np.nan, np.float32)
    assert np.asarray(difference_picture(nothing)).min() > 240
    assert np.asarray(cam_picture(nothing, (4, 4), 4).convert("RGB")).min() > 240
    assert np.asarray(map_picture(nothing)).max() < 8


def test_shrinking_averages() -> None:
    values = np.array([[0, 1, 1, 1], [0, 1, 1, 1]], np.float32)
    np.testing.assert_allclose(shrunk(values, 2), [[0.5, 1.0]])
    assert shrunk(values, 4) is values


def test_photographs_are_never_enlarged() -> None:
    image = np.zeros((30, 40, 3), np.uint8)
    assert photograph(image, 80).size == (40, 30)
    assert photograph(image, 20).size == (20, 15)


def test_file_names_have_as_many_digits_as_there_are_stimuli() -> None:
    assert (file_name(0, 40), file_name(4999, 123456)) == ("0001.webp", "005000.webp")


def test_small_pictures_keep_their_shape_and_are_never_enlarged() -> None:
    sizes = [small_size(size, 480) for size in ((600, 800), (30, 40), (1, 9000))]
    assert sizes == [(480, 360), (40, 30), (480, 1)]


def test_colour_maps_are_given_in_steps() -> None:
    assert gradient("inferno", 2) == ["#000003", "#fcfea4"]
