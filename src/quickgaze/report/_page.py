"""The report's page: one file that loads nothing from outside, under a strict policy."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from quickgaze.report._contents import Chapter
from quickgaze.report._gallery import script_json
from quickgaze.report._papers import figure_spec, numeric, vegalite_version
from quickgaze.report.layers import DIVERGING, SEQUENTIAL, gradient

_SCRIPTS = ("page.js", "charts.js", "gallery.js", "large.js")  # in the order in which they run
_MOST_ROWS = 500  # of a table

GALLERY = "gallery"
"""Anchor of the chapter that the page's scripts fill."""


def write_page(
    path: Path, chapters: Sequence[Chapter], gallery: Mapping[str, Any], **context: object
) -> None:
    """Write the page; its template reads the `context` too."""
    charts = {
        figure.name: figure_spec(figure)
        for chapter in chapters
        for part in chapter.parts
        for figure in part.figures
    }
    scripts = [*([_bundle()] if charts else []), *(_static(name) for name in _SCRIPTS)]
    style = _static("report.css") + _colour_keys()
    render(
        "report.html.j2",
        path,
        **context,
        chapters=chapters,
        most_rows=_MOST_ROWS,
        policy=_policy(style, scripts),
        # The package's own, without anything that ends their elements.
        style=Markup(style),  # noqa: S704
        scripts=[Markup(script) for script in scripts],  # noqa: S704
        gallery_json=Markup(script_json(gallery)),  # noqa: S704
        charts_json=Markup(script_json(charts)),  # noqa: S704
    )


def render(template: str, path: Path, **context: object) -> None:
    """Fill a template of the package in and write it; what stands in names and texts is escaped."""
    environment = Environment(
        loader=PackageLoader("quickgaze.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["numeric"] = numeric
    page = environment.get_template(template).render(context)
    path.write_text(page, encoding="utf-8", errors="replace")


def _policy(style: str, scripts: Sequence[str]) -> str:
    """Content security policy: these scripts, this style, pictures from beside the page."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {' '.join(map(_digest, scripts))}",
            f"style-src {_digest(style)}",
            "img-src 'self' file: data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _static(name: str) -> str:
    return files("quickgaze.report").joinpath("static", name).read_text(encoding="utf-8")


@cache
def _bundle() -> str:
    """Vega, Vega-Lite and Vega-Embed, for a script element."""
    import vl_convert  # noqa: PLC0415 - it starts a JavaScript engine

    bundle: str = vl_convert.javascript_bundle(
        "window.vegaEmbed = vegaEmbed;", vl_version=vegalite_version()
    )
    return bundle.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _colour_keys() -> str:
    """Styles of the bars that explain the pictures' colours."""
    return "\n".join(
        f".key-{name} {{ background: linear-gradient(to right, {', '.join(gradient(colours))}); }}"
        for name, colours in (("sequential", SEQUENTIAL), ("diverging", DIVERGING))
    )
