"""How images are resized, and the choices that there are."""

from __future__ import annotations

import pytest

from quickgaze.backbones import InputGeometry, choose_geometry, find_spec
from quickgaze.errors import OptionError, UnknownNameError

OWN = InputGeometry(320, 640, multiple=14, antialias=True)


@pytest.mark.parametrize(
    ("choice", "size", "resized"),
    [
        ("default", (480, 640), (320, 426)),
        ("native", (480, 640), (480, 640)),
        ("native", (20, 2666), (10, 1333)),
        ("detector", (480, 640), (800, 1066)),
        ("short:480", (240, 400), (480, 800)),
        ("short:480", (100, 1000), (133, 1333)),
        ("short:1333", (50, 50), (1333, 1333)),
    ],
)
def test_sizes(choice: str, size: tuple[int, int], resized: tuple[int, int]) -> None:
    assert choose_geometry(choice, OWN).resized(size) == resized


def test_what_the_network_needs_is_kept() -> None:
    for choice in ("native", "short:100"):
        chosen = choose_geometry(choice, OWN)
        assert (chosen.multiple, chosen.antialias) == (14, True)
    detector = choose_geometry("detector", OWN)
    assert (detector.multiple, detector.antialias) == (224, False)
    stretched = InputGeometry(fixed_size=(300, 320))
    assert stretched.resized((7, 1000)) == (300, 320)
    assert choose_geometry("native", stretched).resized((7, 100)) == (7, 100)


@pytest.mark.parametrize(
    "choice", ["", "natvie", "short", "short:", "short:4.5", "short:-3", "480"]
)
def test_an_unknown_geometry_gets_the_list(choice: str) -> None:
    with pytest.raises(
        UnknownNameError, match="Known: default, native, detector, detector-padded, short:N"
    ):
        choose_geometry(choice, OWN)


@pytest.mark.parametrize("choice", ["short:0", "short:1334"])
def test_an_impossible_short_side_is_refused(choice: str) -> None:
    with pytest.raises(OptionError, match="1 to 1333"):
        choose_geometry(choice, OWN)


@pytest.mark.parametrize(
    "sides", [{"short_side": 0}, {"long_side": 0}, {"multiple": 0}, {"fixed_size": (0, 4)}]
)
def test_an_impossible_geometry_is_refused(sides: dict[str, int]) -> None:
    with pytest.raises(OptionError, match="at least 1 pixel"):
        InputGeometry(**sides)


def test_a_detector_is_the_geometry_of_the_detectors() -> None:
    own = find_spec("fasterrcnn_resnet50_fpn").geometry
    assert choose_geometry("detector", InputGeometry()) == own
    assert choose_geometry("detector", own) == own


def test_geometries_say_what_they_do() -> None:
    assert str(OWN) == "short side 320, long side at most 640"
    assert str(InputGeometry()) == "own size, long side at most 1333"
    assert str(InputGeometry(fixed_size=(300, 320))) == "300x320"
