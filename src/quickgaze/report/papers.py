"""A report's figures and tables as files for papers: SVG, PDF, PNG; CSV and LaTeX."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import altair as alt
import polars as pl

from quickgaze.report.contents import Figure, Table
from quickgaze.study import progress_bar

WIDTH = 440
"""Of a figure in a paper, in points."""

SCALE = 3
"""Pixels of a PNG figure for each point."""

_SPECIAL = {
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
_SPECIALS = re.compile("|".join(map(re.escape, _SPECIAL)))
_CONFIG: Mapping[str, Any] = {
    "background": "white",
    "view": {"stroke": None},
    "axis": {"labelFontSize": 10, "titleFontSize": 11, "titleFontWeight": "normal"},
    "legend": {"labelFontSize": 10, "titleFontSize": 10},
}


def vegalite_version() -> str:
    """Version of Vega-Lite that Altair writes, as vl-convert calls it.

    Returns
    -------
    str

    Examples
    --------
    >>> vegalite_version().count(".")
    1
    """
    return ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])


def figure_spec(figure: Figure) -> dict[str, Any]:
    """Give a figure as Vega-Lite.

    Parameters
    ----------
    figure : Figure

    Returns
    -------
    dict
        Of plain lists, dictionaries, texts, finite numbers and None.
    """
    spec: dict[str, Any] = _finite(figure.chart.to_dict())
    return spec


def _finite(value: Any) -> Any:
    """Put None for what JSON does not have: NaN and infinity."""
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_figures(figures: Sequence[Figure], folder: Path, progress: bool = True) -> None:
    """Write figures as ``<name>.svg``, ``.pdf`` and ``.png``.

    Parameters
    ----------
    figures : sequence of Figure
    folder : Path
        Made if it is not there.
    progress : bool
        Whether to show a progress bar.
    """
    import vl_convert  # noqa: PLC0415 - it starts a JavaScript engine

    folder.mkdir(parents=True, exist_ok=True)
    with progress_bar(progress) as bar:
        task = bar.add_task("figures", total=len(figures), unit="figures")
        for figure in figures:
            spec = {**figure_spec(figure), "width": WIDTH}
            spec["config"] = {**spec.get("config", {}), **_CONFIG}
            svg = vl_convert.vegalite_to_svg(spec, vl_version=vegalite_version())
            (folder / f"{figure.name}.svg").write_text(svg, encoding="utf-8")
            (folder / f"{figure.name}.pdf").write_bytes(vl_convert.svg_to_pdf(svg))
            (folder / f"{figure.name}.png").write_bytes(vl_convert.svg_to_png(svg, scale=SCALE))
            bar.advance(task)


def write_tables(tables: Sequence[Table], folder: Path) -> None:
    """Write tables as ``<name>.csv`` with all numbers, and ``<name>.tex`` as they are read.

    Parameters
    ----------
    tables : sequence of Table
    folder : Path
        Made if it is not there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for table in tables:
        nested = [name for name, kind in table.data.schema.items() if kind.is_nested()]
        table.data.drop(nested).write_csv(folder / f"{table.name}.csv")
        (folder / f"{table.name}.tex").write_text(
            latex(table.view, table.caption, table.name), encoding="utf-8", errors="replace"
        )


def latex(view: pl.DataFrame, caption: str, label: str) -> str:
    r"""Write a table in LaTeX, with the rules of the package booktabs.

    Parameters
    ----------
    view : polars.DataFrame
        Of texts.
    caption, label : str

    Returns
    -------
    str

    Examples
    --------
    >>> print(latex(pl.DataFrame({"rule": ["a_b"], "cc ↑": ["0.5"]}), "Means.", "means"))
    \begin{table}
    \centering
    \caption{Means.}
    \label{tab:means}
    \begin{tabular}{lr}
    \toprule
    rule & cc $\uparrow$ \\
    \midrule
    a\_b & 0.5 \\
    \bottomrule
    \end{tabular}
    \end{table}
    <BLANKLINE>
    """
    columns = "".join("r" if numeric(view[name]) else "l" for name in view.columns)
    rows = [" & ".join(_escaped(cell or "") for cell in row) + r" \\" for row in view.iter_rows()]
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{_escaped(caption)}}}",
        rf"\label{{tab:{label}}}",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        " & ".join(map(_escaped, view.columns)) + r" \\",
        r"\midrule",
        *rows,
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def numeric(column: pl.Series) -> bool:
    """Whether every text of a column is a number, a number with its interval, or a dash.

    Parameters
    ----------
    column : polars.Series
        Of texts.

    Returns
    -------
    bool

    Examples
    --------
    >>> numeric(pl.Series(["0.5 [0.1, 0.9]", "1,200", "—", "< 0.001", "5 %"]))
    True
    >>> numeric(pl.Series(["0.5", "COCO_1"])), numeric(pl.Series(["—"]))
    (False, False)
    """
    texts = [text for text in column if text not in (None, "—", "")]
    return bool(texts) and all(_NUMBER.fullmatch(text) for text in texts)


_DIGITS = r"-?[\d,]+(\.\d+)?( %)?"
_NUMBER = re.compile(rf"(< )?{_DIGITS}( \[{_DIGITS}, {_DIGITS}\])?")


def _escaped(text: str) -> str:
    printable = "".join(each if each.isprintable() else " " for each in text)
    return _SPECIALS.sub(lambda found: _SPECIAL[found[0]], printable)
