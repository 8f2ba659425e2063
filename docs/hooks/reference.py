"""Makes the pages of the reference from the package, so that they name what there is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import griffe
import typer.main
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from quickgaze.cli.app import app

FOLDERS = (
    "stimuli",
    "backbones",
    "cams",
    "saliency",
    "metrics",
    "bounds",
    "study",
    "readouts",
    "exports",
    "findings",
    "report",
)
MODULES = {"metrics": ("modules",)}  # public, and not among the folder's own names

PACKAGE = griffe.load("quickgaze", search_paths=["src"])

_SHORT = 120

_CODE = re.compile(
    r"<pre\b.*?</pre>|<a\b.*?</a>|<h\d\b.*?</h\d>|<code>([A-Za-z_.]+)</code>", re.DOTALL
)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages."""
    pages = {folder: _folder(folder) for folder in FOLDERS}
    pages |= {"quickgaze": _top(), "command-line": _command_line()}
    pages |= {name: _module(f"quickgaze.{name}") for name in ("errors", "catalogue")}
    for name, content in pages.items():
        files.append(File.generated(config, f"reference/{name}.md", content=content))
    return files


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001
    """Link the names that stand in docstrings as code to where they are described."""
    folder = page.file.src_uri.removeprefix("reference/").removesuffix(".md")
    if folder not in (*FOLDERS, "errors", "catalogue"):
        return html
    known = _paths_by_name(folder)

    def linked(found: re.Match[str]) -> str:
        path = known.get(found[1] or "")
        if path is None:
            return found[0]
        return f'<autoref identifier="{path}" optional>{found[0]}</autoref>'

    return _CODE.sub(linked, html)


def _path(folder: str, name: str) -> str:
    """Where users import a public name of a folder from."""
    return f"quickgaze.{folder}.{name}"


def _paths_by_name(folder: str) -> dict[str, str]:
    """Paths of names as docstrings on a folder's page mean them: its own names first."""
    paths = {}
    own = [folder] if folder in FOLDERS else []
    for each in (*FOLDERS, *own):
        for name in PACKAGE[each].exports:
            paths[str(name)] = paths[_path(each, str(name))] = _path(each, str(name))
    errors = {each.name: str(each.path) for each in _defined_in(PACKAGE["errors"])}
    return {**paths, **errors, "Catalogue": "quickgaze.catalogue.Catalogue"}


def _directive(path: str) -> str:
    described = PACKAGE[path.removeprefix("quickgaze.")]
    # the value of a constant is worth showing where it is short; a catalogue's is not
    short = described.is_attribute and len(str(described.value)) < _SHORT
    return f"::: {path}\n    options:\n      show_attribute_values: {str(short).lower()}\n"


def _folder(folder: str) -> str:
    module = PACKAGE[folder]
    names = ", ".join(f"`{name}`" for name in sorted(map(str, module.exports), key=str.lower))
    parts = [f"# {folder}", module.docstring.value]
    parts.append(f"Import from `quickgaze.{folder}`: {names}.")
    parts += [_directive(_path(folder, str(name))) for name in module.exports]
    for name in MODULES.get(folder, ()):
        inner = module[name]
        parts += [f"## quickgaze.{folder}.{name}", inner.docstring.value]
        parts += [_directive(each.path) for each in _defined_in(inner)]
        parts += [_directive(each.path) for each in _classes_made_in(inner)]
    return "\n\n".join(parts) + "\n"


def _module(path: str) -> str:
    module = griffe.load(path, search_paths=["src"])
    parts = [f"# {module.name}", f"Import from `{path}`. {module.docstring.value}"]
    return "\n\n".join([*parts, *(_directive(each.path) for each in _defined_in(module))]) + "\n"


def _defined_in(module: griffe.Module) -> Iterator[griffe.Object]:
    """Public classes and functions that a module defines."""
    for name, member in module.members.items():
        described = not member.is_alias and (member.is_class or member.is_function)
        if described and not name.startswith("_"):
            yield member


def _classes_made_in(module: griffe.Module) -> Iterator[griffe.Object]:
    """Public classes that a module makes by a call: their annotation says what they are."""
    for name, member in module.members.items():
        made = not member.is_alias and member.is_attribute and not name.startswith("_")
        if made and str(member.annotation).startswith("type["):
            yield member


def _top() -> str:
    rows = []
    for name, member in PACKAGE.members.items():
        if not member.is_alias or name.startswith("_"):
            continue
        target = member.final_target
        if target.is_module:
            continue
        first = target.docstring.value.partition("\n")[0]
        rows.append(f"| [`qg.{name}`][{member.target_path}] | {first} |")
    return "\n".join(
        [
            "# quickgaze",
            "",
            PACKAGE.docstring.value,
            "",
            "After `import quickgaze as qg`:",
            "",
            "| name | what it does |",
            "| --- | --- |",
            *sorted(rows, key=str.lower),
            "",
            "`qg.cams`, `qg.metrics` and `qg.stimuli` are there too. Import other folders by name:",
            "`from quickgaze import findings`.",
            "",
        ]
    )


def _command_line() -> str:
    lines = ["# Command line", "", str(app.info.help), ""]
    lines += [
        "Exit codes: 0 done, 1 finished but some stimuli failed, 2 wrong usage or unusable input,",
        "130 after Ctrl-C.",
        "",
    ]
    for name, command in _commands(typer.main.get_command(app), "quickgaze"):
        lines += [f"## {name}", "", command.help or "", "", "| option | what it means |"]
        lines.append("| --- | --- |")
        lines += [_row(parameter) for parameter in command.params if parameter.name != "help"]
        lines.append("")
    return "\n".join(lines)


def _commands(group: Any, name: str) -> Iterator[tuple[str, Any]]:
    for inner, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, f"{name} {inner}")
        else:
            yield f"{name} {inner}", command


def _row(parameter: Any) -> str:
    if parameter.param_type_name == "option":
        spelt = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
    else:
        name = parameter.metavar or parameter.name.upper()
        spelt = f"`{name} …`" if parameter.nargs == -1 else f"`{name}`"
    described = (parameter.help or "").replace("|", "\\|")
    needed = " Required." if parameter.required else ""
    usual = "" if parameter.default in (None, False) else f" By default `{parameter.default}`."
    return f"| {spelt} | {described}{needed}{usual} |"
