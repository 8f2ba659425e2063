"""The data of the page's gallery: ids, scores, attributes and pictures, as compact JSON."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from quickgaze.report._album import Album
from quickgaze.report._subjects import ShownVariant, Subject

_DIGITS = 4  # significant ones, of the numbers in a page
# Ends of elements and entities, line ends of JavaScript, and halves of surrogate pairs.
_UNSAFE = re.compile("[<>&\u2028\u2029\ud800-\udfff]")


def script_json(content: object) -> str:
    """Write JSON that can stand in a script element of a UTF-8 page, whatever texts it holds."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def gallery_data(
    subject: Subject, album: Album, attributes: pl.DataFrame | None = None
) -> dict[str, Any]:
    """Gather what the gallery's scripts read, in plain JSON values."""
    count, sets = len(subject.stimuli), _datasets(subject)
    return {
        "stimuli": list(subject.stimuli),
        "metrics": [
            {"name": each.name, "higher": each.higher_is_better, "summary": each.summary}
            for each in map(subject.known_metric, subject.metrics)
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
        "sets": [sets.index(name) for name, _ in subject.keys] if len(sets) > 1 else None,
        "metric": subject.metric,
    }


def _variant(subject: Subject, album: Album, place: int, variant: ShownVariant) -> dict[str, Any]:
    own = subject.scores_of(variant)
    numbers = [subject.number(variant.run, stimulus) for stimulus in own["stimulus"]]
    columns = [*subject.runs[variant.run].metrics, "explained_variance", "orientation_margin"]
    values: dict[str, list[float | None]] = {}
    for name in columns:
        known = dict(zip(numbers, own[name], strict=True))
        column = [rounded(known.get(number)) for number in range(len(subject.stimuli))]
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


def rounded(value: float | None) -> float | None:
    """Round to a few significant digits; None for what is not a finite number."""
    if value is None or not math.isfinite(value):
        return None
    return float(f"{value:.{_DIGITS}g}")


def _attributes(attributes: pl.DataFrame) -> list[Mapping[str, Any]]:
    columns = attributes.drop("stimulus", "reason", strict=False)
    kinds = ((column.name, *_kind(column)) for column in columns)
    return [{"name": name, "kind": kind, "values": values} for name, kind, values in kinds if kind]


def _kind(column: pl.Series) -> tuple[str, Sequence[Any]]:
    if column.dtype == pl.Boolean or column.dtype.is_numeric():
        numbers = column.cast(pl.Float64)
        known = numbers.drop_nulls()
        # A number that is only ever 0 or 1 is a yes or no, as in the findings.
        if column.dtype == pl.Boolean or (len(known) and known.is_in([0.0, 1.0]).all()):
            return "yes/no", numbers.cast(pl.Int64).to_list()
        return "number", [rounded(value) for value in numbers]
    if column.dtype in {pl.String, pl.Categorical, pl.Enum}:
        return "text", column.cast(pl.String).to_list()
    return "", []
