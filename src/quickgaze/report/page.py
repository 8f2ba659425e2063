"""The report's page: one file that asks for nothing from outside, under a strict policy."""

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

from quickgaze.report.contents import Chapter
from quickgaze.report.gallery_data import script_json
from quickgaze.report.layers import DIVERGING, SEQUENTIAL, gradient
from quickgaze.report.papers import figure_spec, numeric, vegalite_version

SCRIPTS = ("page.js", "charts.js", "gallery.js", "large.js")
"""The page's own scripts, in the order in which they run."""

MOST_ROWS = 500
"""Rows of a table that a page shows."""

GALLERY = "gallery"
"""The chapter that the page's scripts fill."""


def write_page(
    path: Path,
    title: str,
    text: str,
    chapters: Sequence[Chapter],
    gallery: Mapping[str, Any],
    *,
    stimuli: Mapping[str, int],
    files_written: bool,
) -> None:
    """Write the page.

    Parameters
    ----------
    path : Path
        Of the file.
    title, text : str
    chapters : sequence of Chapter
    gallery : mapping
        As `quickgaze.report.gallery_data.gallery_data` gives it.
    stimuli : mapping of str to int
        Number of each stimulus by the name that the page calls it.
    files_written : bool
        Whether figures and tables lie beside the page as files.

    Notes
    -----
    Styles and scripts stand in the page, and the policy names their digests: nothing else can
    run or be loaded, also where a page is opened from disk. Pictures may come from beside the
    page alone. Charts are interpreted, not compiled, as the policy forbids evaluation.
    """
    charts = {
        figure.name: figure_spec(figure) for chapter in chapters for figure in chapter.figures
    }
    scripts = [*([_bundle()] if charts else []), *(_static(name) for name in SCRIPTS)]
    style = _static("report.css") + _colour_keys()
    environment = Environment(
        loader=PackageLoader("quickgaze.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["numeric"] = numeric
    environment.globals["most_rows"] = MOST_ROWS
    page = environment.get_template("report.html.j2").render(
        title=title,
        text=text,
        chapters=chapters,
        gallery=gallery,
        stimuli=stimuli,
        files_written=files_written,
        policy=_policy(style, scripts),
        # Ours, and free of what would end their elements; texts of others never stand in them.
        style=Markup(style),  # noqa: S704
        scripts=[Markup(script) for script in scripts],  # noqa: S704
        gallery_json=Markup(script_json(gallery)),  # noqa: S704
        charts_json=Markup(script_json(charts)),  # noqa: S704
    )
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
    keys = (("sequential", SEQUENTIAL), ("diverging", DIVERGING))
    return "\n".join(
        f".key-{name} {{ background: linear-gradient(to right, {', '.join(gradient(colours))}); }}"
        for name, colours in keys
    )
