"""A report's figures and tables as files for papers: SVG, PDF, PNG; CSV and LaTeX."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import altair as alt
import polars as pl
from polars import selectors as cs

from quickgaze.report._contents import Figure, Table
from quickgaze.study import progress_bar

_WIDTH = 440  # of a figure, in points
_SCALE = 3  # pixels of a PNG figure per point
_SPECIAL = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\{",
        "}": r"\}",
        "$": r"\$",
        "&": r"\&",
        "#": r"\#",
        "%": r"\%",
        "_": r"\_",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "↑": r"$\uparrow$",
        "↓": r"$\downarrow$",
        "—": "---",
        "·": r"$\cdot$",
    }
)
_DIGITS = r"-?[\d,]+(\.\d+)?( %)?"
_NUMBER = re.compile(rf"(< )?{_DIGITS}( \[{_DIGITS}, {_DIGITS}\])?")
_CONFIG: Mapping[str, Any] = {
    "background": "white",
    "view": {"stroke": None},
    "axis": {"labelFontSize": 10, "titleFontSize": 11, "titleFontWeight": "normal"},
    "legend": {"labelFontSize": 10, "titleFontSize": 10},
}


def vegalite_version() -> str:
    """Version of Vega-Lite that Altair writes, in vl-convert's format."""
    return ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])


def figure_spec(figure: Figure) -> dict[str, Any]:
    """Give a figure as Vega-Lite, in plain JSON values."""
    written = json.dumps(figure.chart.to_dict())
    # JSON has no NaN and no infinity.
    spec: dict[str, Any] = json.loads(written, parse_constant=lambda _: None)
    return spec


def write_figures(figures: Sequence[Figure], folder: Path, progress: bool = True) -> None:
    """Write figures as ``<name>.svg``, ``.pdf`` and ``.png``."""
    import vl_convert  # noqa: PLC0415 - it starts a JavaScript engine

    folder.mkdir(parents=True, exist_ok=True)
    with progress_bar(progress) as bar:
        task = bar.add_task("figures", unit="figures")
        for figure in bar.track(figures, task_id=task):
            spec = {**figure_spec(figure), "width": _WIDTH}
            spec["config"] = {**spec.get("config", {}), **_CONFIG}
            svg = vl_convert.vegalite_to_svg(spec, vl_version=vegalite_version())
            (folder / f"{figure.name}.svg").write_text(svg, encoding="utf-8")
            (folder / f"{figure.name}.pdf").write_bytes(vl_convert.svg_to_pdf(svg))
            (folder / f"{figure.name}.png").write_bytes(vl_convert.svg_to_png(svg, scale=_SCALE))


def write_tables(tables: Sequence[Table], folder: Path) -> None:
    """Write tables as ``<name>.csv`` with all numbers, and ``<name>.tex`` as readers see them."""
    folder.mkdir(parents=True, exist_ok=True)
    for table in tables:
        table.data.select(~cs.nested()).write_csv(folder / f"{table.name}.csv")
        (folder / f"{table.name}.tex").write_text(
            latex(table.view, table.caption, table.name), encoding="utf-8", errors="replace"
        )


def latex(view: pl.DataFrame, caption: str, label: str) -> str:
    """Write a table in LaTeX, with the rules of the package booktabs."""
    columns = "".join("r" if numeric(view[name]) else "l" for name in view.columns)
    rows = "".join(
        " & ".join(_escaped(cell or "") for cell in row) + " \\\\\n" for row in view.iter_rows()
    )
    return rf"""\begin{{table}}
\centering
\caption{{{_escaped(caption)}}}
\label{{tab:{label}}}
\begin{{tabular}}{{{columns}}}
\toprule
{" & ".join(map(_escaped, view.columns))} \\
\midrule
{rows}\bottomrule
\end{{tabular}}
\end{{table}}
"""


def numeric(column: pl.Series) -> bool:
    """Whether every text of a column is a number, a number with its interval, or a dash."""
    texts = [text for text in column if text not in (None, "—", "")]
    return bool(texts) and all(_NUMBER.fullmatch(text) for text in texts)


def _escaped(text: str) -> str:
    printable = "".join(each if each.isprintable() else " " for each in text)
    return printable.translate(_SPECIAL)
