"""Maps before and after they are calibrated."""

from __future__ import annotations

import polars as pl

from quickgaze.findings import calibrated
from quickgaze.report._contents import Bootstrap, Chapter, Part, Table
from quickgaze.report._subjects import Subject
from quickgaze.report._words import percent, texts, with_interval

_TEXT = (
    "A saliency map is no density: its scale, its blur and the centre bias that it lacks decide "
    "its information gain, KLD and SIM as much as what it says of the image. Calibrated, out of "
    "fold, it is judged by the latter. A map that knows where people look in this image is above "
    "the centre bias (0 bits) and explains a good part of the information that people give."
)


def calibrated_chapters(subject: Subject, bootstrap: Bootstrap) -> list[Chapter]:
    """Write the chapter, with a table for each run of `quickgaze calibrate`, if there is one."""
    parts = []
    for place, run in enumerate(subject.runs):
        found = calibrated(run, **bootstrap)
        if found.height:
            parts.append(Part(subject.title(place), tables=[_table(subject, place, found)]))
    return [Chapter("calibrated", "Calibrated", _TEXT, parts)] if parts else []


def _table(subject: Subject, run: int, found: pl.DataFrame) -> Table:
    labelled = subject.labelled({run: found})
    shown = [
        {
            name: with_interval(row[name], row[f"{name}_low"], row[f"{name}_high"], *write)
            for name, write in (
                ("own", ()),
                ("calibrated", ()),
                ("gain", ()),
                ("explained_own", (percent,)),
                ("explained", (percent,)),
            )
        }
        for row in found.iter_rows(named=True)
    ]
    cells = pl.DataFrame(shown)
    named = texts(labelled, "variant", "metric", "people", "images")
    view = named.select("variant", "metric").hstack(
        [
            cells["own"].alias("as it was"),
            cells["calibrated"],
            cells["gain"].alias("difference"),
            named["people"],
            cells["explained_own"].alias("explained before"),
            cells["explained"].alias("after"),
            named["images"],
        ]
    )
    caption = (
        "Means of each map as it was and calibrated, out of fold, with 95 % intervals; for "
        "information gain, in bits per fixation, the share of the information that people give."
    )
    return Table(f"calibrated{subject.suffix(run)}", caption, view, found)
