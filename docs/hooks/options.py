"""Shows the options of what takes them from `quickgaze.options`, as Python does."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any

import griffe

PLACE = "{options}"


class Options(griffe.Extension):
    """Gives it the docstring, and a class the signature, that it has once it is imported."""

    def on_function_instance(self, *, func: griffe.Function, **_: Any) -> None:
        """Replace a function's docstring by what is made of it."""
        _describe(func)

    def on_class_members(self, *, cls: griffe.Class, **_: Any) -> None:
        """Replace what stands in a class's source by what is made of it."""
        made = _describe(cls)
        init = cls.members.get("__init__")
        if made is not None and isinstance(init, griffe.Function):
            init.parameters = griffe.Parameters(*map(_parameter, _parameters(made)))


def _describe(found: griffe.Function | griffe.Class) -> Any:
    """Write the docstring of an object with options; gives it as Python has it, or None."""
    if found.docstring is None or PLACE not in found.docstring.value:
        return None
    made = getattr(import_module(found.module.path), found.name)
    found.docstring.value = inspect.cleandoc(made.__doc__)
    return made


def _parameters(made: type) -> list[inspect.Parameter]:
    return list(inspect.signature(made.__init__).parameters.values())


def _parameter(given: inspect.Parameter) -> griffe.Parameter:
    annotation = None if given.annotation is given.empty else str(given.annotation)
    default = None if given.default is given.empty else repr(given.default)
    kind = griffe.ParameterKind(given.kind.description)
    return griffe.Parameter(given.name, annotation=annotation, kind=kind, default=default)
