"""Every public name says what it takes, what it gives, and shows how it is used."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

import quickgaze

COMMAND_LINE = "quickgaze.cli"  # its users read --help
WITHOUT_A_LIST = ("quickgaze.errors", "quickgaze.metrics.modules")  # their classes are public
NOT_RUN = {
    "quickgaze.stimuli.to_pysaliency": "pysaliency cannot be imported beside today's setuptools",
}


def _modules() -> Iterator[ModuleType]:
    """All modules, those that users import from first."""
    found = pkgutil.walk_packages(quickgaze.__path__, "quickgaze.")
    names = ["quickgaze", *(module.name for module in found)]
    for name in sorted(names, key=lambda name: name.count(".")):
        if not name.startswith(COMMAND_LINE):
            yield importlib.import_module(name)


def _listed_in(module: ModuleType) -> list[str]:
    if module.__name__ in WITHOUT_A_LIST:
        own = [name for name, value in vars(module).items() if _is_from(value, module)]
        return [name for name in own if not name.startswith("_")]
    return getattr(module, "__all__", [])


def _is_from(value: object, module: ModuleType) -> bool:
    return inspect.isclass(value) and value.__module__ == module.__name__


def _can_be_documented(value: object) -> bool:
    return inspect.isclass(value) or inspect.isroutine(value)


def _public_names() -> dict[str, Any]:
    """Public classes and functions, each under the shortest name that it goes by."""
    found = {
        f"{module.__name__}.{name}": getattr(module, name)
        for module in _modules()
        for name in _listed_in(module)
    }
    shortest = {
        id(value): (name, value)
        for name, value in reversed(found.items())
        if _can_be_documented(value)
    }
    return dict(sorted(shortest.values(), key=lambda named: named[0]))


def _public_methods(names: dict[str, Any]) -> dict[str, Any]:
    """Methods and properties that public classes define themselves."""
    return {
        f"{name}.{own}": member
        for name, value in names.items()
        if inspect.isclass(value)
        for own, member in vars(value).items()
        if not own.startswith("_") and _is_method(member)
    }


def _is_method(member: object) -> bool:
    return inspect.isfunction(member) or isinstance(member, (property, classmethod, staticmethod))


NAMES = _public_names()
METHODS = _public_methods(NAMES)
BOTH = NAMES | METHODS


def _docstring(value: Any) -> str:
    return inspect.cleandoc(value.__doc__ or "")


def _sections(docstring: str) -> dict[str, str]:
    """Part a docstring at its underlined titles; what comes before them has an empty title."""
    before, *parts = re.split(r"^(\w[\w ]*)\n-{3,}\n", docstring, flags=re.MULTILINE)
    return {"": before, **dict(zip(parts[::2], parts[1::2], strict=True))}


def _documented(docstring: str) -> list[str]:
    lines = _sections(docstring).get("Parameters", "").splitlines()
    headings = [line.partition(" : ")[0] for line in lines if line and not line.startswith(" ")]
    return [name.strip().lstrip("*") for heading in headings for name in heading.split(",")]


def _parameters(value: Any) -> list[str]:
    """Parameters that a caller gives, in their order."""
    if isinstance(value, property) or _is_made_as_its_base(value):
        return []
    names = list(inspect.signature(_function(value)).parameters)
    return names[1:] if names[:1] in (["self"], ["cls"]) else names


def _function(value: Any) -> Callable[..., Any]:
    return value.__func__ if isinstance(value, (classmethod, staticmethod)) else value


def _is_made_as_its_base(value: Any) -> bool:
    """Whether a class takes what its base takes, which is documented there."""
    return inspect.isclass(value) and value.__bases__ != (object,) and "__init__" not in vars(value)


def _gives_something(value: Any) -> bool:
    if inspect.isclass(value) or isinstance(value, property):
        return False
    return inspect.signature(_function(value)).return_annotation not in ("None", None)


def _is_raised_or_warned(value: Any) -> bool:
    return inspect.isclass(value) and issubclass(value, Exception)


def _examples(docstring: str) -> list[str]:
    lines = _sections(docstring).get("Examples", "").splitlines()
    return [line for line in lines if line.startswith(">>> ")]


def test_public_names_are_found_under_the_names_that_users_import() -> None:
    assert NAMES["quickgaze.metrics.cc"] is quickgaze.metrics.cc
    assert NAMES["quickgaze.SaliencyModel"] is quickgaze.SaliencyModel
    assert NAMES["quickgaze.metrics.modules.CC"].__name__ == "CC"
    assert "quickgaze.errors.OptionError" in NAMES
    assert "quickgaze.study.Run.scores" in METHODS
    assert not any(name.startswith(COMMAND_LINE) for name in BOTH)


def test_what_a_docstring_says_is_read() -> None:
    docstring = inspect.cleandoc(
        """Blur a map.

        Parameters
        ----------
        map, weights : ndarray, shape (H, W)
            In [0, 1]: both.
        **options
            Passed on.

        Returns
        -------
        ndarray

        Examples
        --------
        >>> 1 + 1
        2
        """
    )
    assert _documented(docstring) == ["map", "weights", "options"]
    assert list(_sections(docstring)) == ["", "Parameters", "Returns", "Examples"]
    assert _examples(docstring) == [">>> 1 + 1"]


@pytest.mark.parametrize("name", BOTH)
def test_it_is_summed_up_in_one_sentence(name: str) -> None:
    summary, _, rest = _docstring(BOTH[name]).partition("\n")
    assert summary.endswith((".", "?"))
    assert not rest or rest.startswith("\n"), "an empty line follows the summary"


@pytest.mark.parametrize("name", BOTH)
def test_all_of_its_parameters_are_documented_and_no_others(name: str) -> None:
    assert _documented(_docstring(BOTH[name])) == _parameters(BOTH[name])


@pytest.mark.parametrize("name", [name for name in BOTH if _gives_something(BOTH[name])])
def test_what_it_gives_is_documented(name: str) -> None:
    assert {"Returns", "Yields"} & set(_sections(_docstring(BOTH[name])))


@pytest.mark.parametrize("name", [name for name in NAMES if not _is_raised_or_warned(NAMES[name])])
def test_it_has_an_example_that_runs(name: str) -> None:
    examples = _examples(_docstring(NAMES[name]))
    assert examples
    assert name in NOT_RUN or not all("+SKIP" in example for example in examples)
