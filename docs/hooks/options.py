"""Shows the options of classes that take them from `quickgaze.options`, as Python does."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any

import griffe

PLACE = "{options}"


class Options(griffe.Extension):
    """Gives such a class the docstring and the signature that it has once it is imported."""

    def on_class_members(self, *, cls: griffe.Class, **_: Any) -> None:
        """Replace what stands in the source by what is made of it."""
        if cls.docstring is None or PLACE not in cls.docstring.value:
            return
        made = getattr(import_module(cls.module.path), cls.name)
        cls.docstring.value = inspect.cleandoc(made.__doc__)
        init = cls.members.get("__init__")
        if isinstance(init, griffe.Function):
            init.parameters = griffe.Parameters(*map(_parameter, _parameters(made)))


def _parameters(made: type) -> list[inspect.Parameter]:
    return list(inspect.signature(made.__init__).parameters.values())


def _parameter(given: inspect.Parameter) -> griffe.Parameter:
    annotation = None if given.annotation is given.empty else str(given.annotation)
    default = None if given.default is given.empty else repr(given.default)
    kind = griffe.ParameterKind(given.kind.description)
    return griffe.Parameter(given.name, annotation=annotation, kind=kind, default=default)
