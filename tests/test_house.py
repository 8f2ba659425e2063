"""The house: which modules are public, and what is written in one place only."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import quickgaze

SOURCE = Path(quickgaze.__file__).parent
FOR_USERS = {"metrics.modules", "cli.app"}  # imported by users, and by the documentation
DESCRIBED = {"catalogue.Catalogue"}  # for those who write packages


def _name(file: Path) -> str:
    return ".".join(file.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")


def _modules() -> dict[str, Path]:
    return {_name(file): file for file in SOURCE.rglob("*.py")}


def _listed(file: Path) -> set[str]:
    """Names in a folder's ``__all__``."""
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            return set(ast.literal_eval(node.value)) if isinstance(node.value, ast.List) else set()
    return set()


def _imported(file: Path, listed: dict[str, set[str]]) -> Iterator[str]:
    """Modules that a file imports; a folder's public name is none."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("quickgaze"):
            parent = (node.module or "").removeprefix("quickgaze").removeprefix(".")
            yield parent
            for each in node.names:
                if each.name not in listed.get(parent, ()):
                    yield f"{parent}.{each.name}".removeprefix(".")


def _imports_across_folders() -> set[str]:
    modules = _modules()
    listed = {name: _listed(file) for name, file in modules.items() if file.stem == "__init__"}
    return {
        imported
        for name, file in modules.items()
        for imported in _imported(file, listed)
        if imported.partition(".")[0] != name.partition(".")[0]
    }


def _is_inner(name: str) -> bool:
    return name.rpartition(".")[2].startswith("_")


def test_a_module_of_one_folder_begins_with_an_underscore() -> None:
    across = _imports_across_folders()
    plain = {
        name
        for name, file in _modules().items()
        if "." in name and file.stem != "__init__" and not _is_inner(name)
    }
    assert plain - across == FOR_USERS, "these are imported only within their folder"
    assert not {name for name in across if "._" in name}, "these belong to another folder"


def test_only_what_users_import_is_described_at_length() -> None:
    modules = _modules()
    public = {name for file in modules.values() for name in _listed(file)}
    sections = [
        f"{module}.{node.name}"
        for module, file in modules.items()
        if module not in FOR_USERS
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        if f"{module}.{node.name}" not in DESCRIBED
        if node.name not in public and not node.name.startswith("load_")  # options of a data set
        for inner in ast.walk(node)
        if isinstance(inner, ast.FunctionDef | ast.ClassDef)
        and re.search(r"^-{4,}$", ast.get_docstring(inner) or "", re.MULTILINE)
    ]
    assert not sections


def test_plans_and_manifests_are_read_by_attribute() -> None:
    by_key = re.compile(r"plan\[\"|plan\.get\(|manifest\[\"|manifest\.get\(")
    outside = [file for name, file in _modules().items() if not name.startswith("study")]
    assert not [file.name for file in outside if by_key.search(file.read_text(encoding="utf-8"))]


def test_an_option_of_the_features_stands_in_few_files() -> None:
    files = [
        name
        for name, file in _modules().items()
        if "level_scale" in file.read_text(encoding="utf-8")
    ]
    assert len(files) <= 6, files
