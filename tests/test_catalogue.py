"""Names that users choose from."""

from __future__ import annotations

import importlib.metadata

import pytest

from quickgaze.catalogue import Catalogue
from quickgaze.errors import UnknownNameError


def test_an_unknown_name_gets_the_nearest_known_one() -> None:
    colours = Catalogue("colour", "quickgaze.test_colours", {"red": 1, "green": 2})
    with pytest.raises(UnknownNameError, match="unknown colour 'gren'; did you mean 'green'"):
        colours["gren"]


def test_a_name_like_no_other_gets_the_list() -> None:
    colours = Catalogue("colour", "quickgaze.test_colours", {"red": 1, "green": 2})
    with pytest.raises(UnknownNameError, match=r"'xyzzy'\. Known: red, green"):
        colours["xyzzy"]


def test_other_packages_add_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    point = importlib.metadata.EntryPoint("blue", "math:pi", "quickgaze.test_paints")
    points = importlib.metadata.EntryPoints([point])
    monkeypatch.setattr("quickgaze.catalogue.entry_points", points.select)
    colours = Catalogue("colour", "quickgaze.test_paints", {"red": 1.0})
    assert colours.names() == ["red", "blue"]
    assert colours["blue"] == pytest.approx(3.14159, abs=1e-5)
