"""What the page's gallery knows: ids, scores, attributes and pictures, as compact JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from quickgaze.metrics import METRICS
from quickgaze.report.album import Album
from quickgaze.report.subjects import Subject, Variant

DIGITS = 4
"""Significant digits of the numbers in a page."""

_ESCAPED = {
    "<": "\\u003c",
    ">": "\\u003e",
    "&": "\\u0026",
    "\u2028": "\\u2028",
    "\u2029": "\\u2029",
}


def script_json(content: object) -> str:
    r"""Write JSON that can stand in a page's script element, whatever texts it holds.

    Parameters
    ----------
    content : object
        Of lists, dictionaries, texts, numbers and None.

    Returns
    -------
    str
        Without any ``<``, ``>`` or ``&``, and without line ends that JavaScript knows and JSON
        does not. It means the same.

    Raises
    ------
    ValueError
        If a number is NaN or infinite.

    Examples
    --------
    >>> script_json(["</script>"])
    '["\\u003c/script\\u003e"]'
    """
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character, escaped in _ESCAPED.items():
        text = text.replace(character, escaped)
    # A page is UTF-8, in which half of a surrogate pair cannot stand.
    return (
        "".join(f"\\u{ord(each):04x}" if 0xD800 <= ord(each) <= 0xDFFF else each for each in text)
        if any(0xD800 <= ord(each) <= 0xDFFF for each in text)
        else text
    )


def gallery_data(
    subject: Subject, album: Album, attributes: pl.DataFrame | None = None
) -> dict[str, Any]:
    """Gather what the gallery needs.

    Parameters
    ----------
    subject : Subject
    album : Album
    attributes : polars.DataFrame, optional
        A row for each of the subject's stimuli, in their order.

    Returns
    -------
    dict
        Of plain lists, dictionaries, texts, numbers and None: ``stimuli``, ``metrics``,
        ``variants`` (with scores by metric and signs by stimulus), ``attributes``, ``has``
        (a digit for each stimulus), ``digits`` (of file names), ``main`` and ``mains`` (the
        variants that single findings are about), ``sets`` (data set of each stimulus, by number;
        None where there is a single one) and ``metric``.
    """
    count = len(subject.stimuli)
    return {
        "stimuli": list(subject.stimuli),
        "metrics": [
            {
                "name": name,
                "higher": METRICS[name].higher_is_better,
                "summary": METRICS[name].summary,
            }
            for name in subject.metrics
        ],
        "variants": [
            _variant(subject, album, place, variant)
            for place, variant in enumerate(subject.variants)
        ],
        "attributes": [] if attributes is None else _attributes(attributes),
        "has": {
            "image": "".join("1" if place in album.image else "0" for place in range(count)),
            "density": "".join("1" if place in album.density else "0" for place in range(count)),
        },
        "digits": len(album.name(0).removesuffix(".webp")),
        "main": subject.main[0],
        "mains": list(subject.main),
        "sets": _sets(subject),
        "metric": subject.metric,
    }


def _variant(subject: Subject, album: Album, place: int, variant: Variant) -> dict[str, Any]:
    own = subject.scores_of(variant)
    numbers = [subject.number(variant.run, stimulus) for stimulus in own["stimulus"]]
    columns = [*subject.runs[variant.run].metrics, "explained_variance", "orientation_margin"]
    values: dict[str, list[float | None]] = {}
    for name in columns:
        column: list[float | None] = [None] * len(subject.stimuli)
        for number, value in zip(numbers, own[name], strict=True):
            column[number] = rounded(value)
        if name in subject.metrics or any(value is not None for value in column):
            values[name] = column
    return {
        "label": variant.label,
        "set": _datasets(subject).index(subject.dataset(variant.run)),
        "scores": values,
        "signs": album.signs[place],
        "cam": album.cams[place],
        "map": album.maps[place],
    }


def _datasets(subject: Subject) -> list[str]:
    """Names of the data sets, each once."""
    return list(dict.fromkeys(name for name, _ in subject.keys))


def _sets(subject: Subject) -> list[int] | None:
    names = _datasets(subject)
    return [names.index(name) for name, _ in subject.keys] if len(names) > 1 else None


def rounded(value: float | None) -> float | None:
    """Round a number to few significant digits; None for what is no finite number.

    Parameters
    ----------
    value : float or None

    Returns
    -------
    float or None

    Examples
    --------
    >>> rounded(0.123456), rounded(float("nan")), rounded(None)
    (0.1235, None, None)
    """
    if value is None or not math.isfinite(value):
        return None
    return float(f"{value:.{DIGITS}g}")


def _attributes(attributes: pl.DataFrame) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    for column in attributes:
        kind, values = _kind(column)
        if column.name not in ("stimulus", "reason") and kind:
            found.append({"name": column.name, "kind": kind, "values": values})
    return found


def _kind(column: pl.Series) -> tuple[str, Sequence[Any]]:
    if column.dtype == pl.Boolean:
        return "yes/no", [None if value is None else int(value) for value in column]
    if column.dtype.is_numeric():
        known = column.drop_nulls().cast(pl.Float64)
        if len(known) and known.is_in([0.0, 1.0]).all():
            # As the findings take them.
            return "yes/no", [None if value is None else int(value) for value in column]
        return "number", [rounded(value) for value in column.cast(pl.Float64)]
    if column.dtype in {pl.String, pl.Categorical, pl.Enum}:
        return "text", column.cast(pl.String).to_list()
    return "", []
