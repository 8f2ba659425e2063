"""Names that users choose from."""

from __future__ import annotations

import importlib.metadata
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from quickgaze import catalogue
from quickgaze.catalogue import Catalogue
from quickgaze.errors import ExtensionError, ExtensionWarning, OptionError, UnknownNameError

PAINTS = Catalogue("paint", "quickgaze.test_paints", {"red": 1.0})

AddPackage = Callable[..., None]


@pytest.fixture
def add_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AddPackage]:
    """Install a package that adds paints: its name, its module, and its entry points."""
    monkeypatch.syspath_prepend(tmp_path)

    def add(name: str, content: str = "", **points: str) -> None:
        info = tmp_path / f"{name}-3.1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 3.1\n")
        lines = [f"{point} = {value}" for point, value in points.items()]
        (info / "entry_points.txt").write_text("\n".join([f"[{PAINTS.group}]", *lines, ""]))
        (tmp_path / f"{name}.py").write_text(content)
        importlib.invalidate_caches()
        catalogue._installed.cache_clear()

    yield add
    monkeypatch.undo()
    for module in tmp_path.glob("*.py"):
        sys.modules.pop(module.stem, None)
    catalogue._installed.cache_clear()


def test_an_unknown_name_gets_the_nearest_known_one() -> None:
    colours = Catalogue("colour", "quickgaze.test_colours", {"red": 1, "green": 2})
    with pytest.raises(UnknownNameError, match="unknown colour 'gren'; did you mean 'green'"):
        colours["gren"]


def test_a_name_like_no_other_gets_the_list() -> None:
    colours = Catalogue("colour", "quickgaze.test_colours", {"red": 1, "green": 2})
    with pytest.raises(UnknownNameError, match=r"'xyzzy'\. Known: red, green"):
        colours["xyzzy"]


@dataclass(frozen=True)
class Paint:
    name: str


def test_objects_are_taken_beside_names() -> None:
    red = Paint("red")
    paints = Catalogue("paint", "quickgaze.test_named_paints", {"red": red})
    blue = Paint("blue")
    assert paints.choose("red") is paints.choose(red) is red
    assert paints.choose(blue) is blue
    with pytest.raises(UnknownNameError, match="unknown paint 'blue'"):
        paints.choose("blue")
    with pytest.raises(OptionError, match="paint: '' cannot be a name"):
        paints.choose(Paint(""))
    with pytest.raises(OptionError, match=r"give a name or a .*Paint, not a float"):
        paints.choose(0.5)  # type: ignore[arg-type]


def test_an_object_does_not_take_anothers_name() -> None:
    @dataclass(frozen=True)
    class Glossy(Paint):
        gloss: float = 1.0

    paints = Catalogue("paint", PAINTS.group, {"red": Glossy("red")})
    with pytest.raises(OptionError, match="there is another paint 'red'; give yours another name"):
        paints.choose(Glossy("red", 0.5))


def test_other_packages_add_entries(add_package: AddPackage) -> None:
    add_package("sky", "azure = 0.5", blue="sky:azure", cyan="sky:azure")
    assert PAINTS.names() == ["red", "blue", "cyan"]
    assert PAINTS.entries() == {"red": 1.0, "blue": 0.5, "cyan": 0.5}
    assert PAINTS["blue"] == 0.5
    assert PAINTS.package("blue") == ("sky", "3.1")
    assert PAINTS.package("red") is PAINTS.package("mauve") is None
    with pytest.raises(UnknownNameError, match="did you mean 'blue'"):
        PAINTS["blu"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("import no_such_library", "cannot be imported (ModuleNotFoundError: No module named"),
        ("shade = 1.0", "cannot be imported (AttributeError: "),
        ("raise SystemError('too old')", "cannot be imported (SystemError: too old)"),
        ("1 +", "cannot be imported (SyntaxError: "),
        ("colour = '0.5'", "is of the type str; it has to be of float"),
        ("def colour(): ...", "is of the type function; it has to be of float"),
    ],
)
def test_an_entry_that_cannot_be_used_says_whose_it_is(
    add_package: AddPackage, content: str, message: str
) -> None:
    add_package("faulty", content, blue="faulty:colour")
    whose = "the paint 'blue' of faulty 3.1 (entry point quickgaze.test_paints: faulty:colour) "
    with pytest.raises(ExtensionError, match=re.escape(whose + message)):
        PAINTS["blue"]


def test_an_entry_that_cannot_be_used_leaves_the_others(add_package: AddPackage) -> None:
    add_package("faulty", "raise ImportError", blue="faulty:colour")
    add_package("sound", "colour = 0.5", green="sound:colour")
    with pytest.warns(ExtensionWarning, match=r"'blue' of faulty 3\.1") as told:
        assert PAINTS.entries() == {"red": 1.0, "green": 0.5}
    assert len(told) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (PAINTS["red"], PAINTS["green"]) == (1.0, 0.5)


def test_what_quickgaze_brings_keeps_its_name(add_package: AddPackage) -> None:
    add_package("greedy", "colour = 0.5", red="greedy:colour")
    assert PAINTS.names() == ["red"]
    assert PAINTS["red"] == 1.0
    assert PAINTS.package("red") is None
    with pytest.warns(ExtensionWarning, match=r"'red' of greedy 3\.1 .* needs another"):
        assert PAINTS.entries() == {"red": 1.0}


def test_a_name_that_two_packages_add_is_neither(add_package: AddPackage) -> None:
    add_package("one", "colour = 0.5", blue="one:colour")
    add_package("two", "colour = 0.5", blue="two:colour")
    assert PAINTS.names() == ["red", "blue"]
    with pytest.raises(ExtensionError, match="uninstall all but one") as raised:
        PAINTS["blue"]
    assert "of one 3.1" in str(raised.value)
    assert "of two 3.1" in str(raised.value)


def test_entry_and_entry_point_have_one_name(add_package: AddPackage) -> None:
    content = "class Shade(float):\n    name = 'azure'\ncolour = Shade(0.5)\n"
    add_package("sky", content, blue="sky:colour", azure="sky:colour")
    assert PAINTS["azure"] == 0.5
    with pytest.raises(ExtensionError, match="calls itself 'azure'"):
        PAINTS["blue"]


@pytest.mark.parametrize("name", ["light,blue", "light blue", "timm/blue", "-blue"])
def test_names_fit_into_lists_and_files(add_package: AddPackage, name: str) -> None:
    add_package("sky", "colour = 0.5", **{name: "sky:colour"})
    with pytest.raises(ExtensionError, match="use letters, digits"):
        PAINTS[name]


def test_entry_points_without_a_package(monkeypatch: pytest.MonkeyPatch) -> None:
    point = importlib.metadata.EntryPoint("blue", "math:pi", PAINTS.group)
    monkeypatch.setattr(catalogue, "_installed", lambda _: (point,))
    assert PAINTS["blue"] == pytest.approx(3.14159, abs=1e-5)
    assert PAINTS.package("blue") is None
