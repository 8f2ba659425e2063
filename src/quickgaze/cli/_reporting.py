"""Commands that show what was found: report, panels."""

# ruff: noqa: PLC0415 - PyTorch takes seconds to import, --help must not

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from quickgaze.cli._messages import finish
from quickgaze.cli._options import OPTION, ROOT, RUN, dataset_options, pairs, takes_options
from quickgaze.errors import OptionError
from quickgaze.options import keywords, option

if TYPE_CHECKING:
    import polars as pl

    from quickgaze.stimuli import Dataset

DATASET = Annotated[
    str | None,
    typer.Option(help="Data set of the runs, for photographs and human densities."),
]
IMAGES = Annotated[
    Path | None, typer.Option(help="Folder of the photographs, instead of a data set.")
]
MAPS = Annotated[
    Path | None, typer.Option(help="Folder of the human density maps, instead of a data set.")
]
METRIC = Annotated[
    str | None, typer.Option(help="Metric that single findings are about; cc by default.")
]
VARIANT = Annotated[
    list[str] | None,
    typer.Option(
        metavar="KEY=VALUE",
        help="Key of the variant that single findings are about, such as orientation=skew. "
        "Repeatable.",
    ),
]


@dataclass(frozen=True)
class AttributeOptions:
    """Which attributes of the stimuli a report looks at."""

    attributes: Sequence[Path] = option(
        (),
        "Attributes of the stimuli: a CSV or Parquet file with a column stimulus, or "
        "COCO's annotations of instances (JSON).",
        Path,
        form="repeated",
    )
    objects: Sequence[Path] = option(
        (),
        "Attributes with a row for each object, as OSIE has them: a CSV or Parquet file.",
        Path,
        form="repeated",
    )
    image_statistics: bool = option(False, "Measure how the photographs look, as attributes.")
    text: bool = option(False, "Find text in the photographs, as an attribute.")


@dataclass(frozen=True)
class PageOptions:
    """What a report shows, and how; with the names that `write_report` gives it."""

    title: str | None = option(None, "Title of the page.", str)
    pictures: bool = option(True, "Draw pictures of all stimuli.")
    picture_size: int = option(480, "Largest side of a picture in pixels.", minimum=32)
    papers: bool = option(True, "Write figures as SVG, PDF and PNG, tables as CSV and LaTeX.")
    deep_dive: int = option(
        25, "How many of the stimuli that agree least to look at closely.", minimum=0
    )
    seed: int = option(0, "Seed of the bootstrap.", minimum=0)
    overwrite: bool = option(False, "Replace a report that is there already.")


@takes_options()
def report(
    runs: Annotated[list[str], typer.Argument(metavar="RUN", help="Run folders: paths, or URLs.")],
    out: Annotated[Path, typer.Option(help="Folder to write the report into.")],
    dataset: DATASET = None,
    root: ROOT = None,
    option: OPTION = None,
    images: IMAGES = None,
    maps: MAPS = None,
    *,
    measured: AttributeOptions,
    metric: METRIC = None,
    variant: VARIANT = None,
    page: PageOptions,
) -> None:
    """Write what was found as one folder that opens in a browser, without any network."""
    from quickgaze.report import write_report
    from quickgaze.study import open_run

    opened = [open_run(each) for each in runs]
    loaded = _dataset(dataset, root, option)
    tables = _attributes(measured.attributes, measured.objects)
    if measured.text:
        tables.append(_text(loaded))
    written = write_report(
        opened,
        out,
        dataset=loaded,
        images=images,
        maps=maps,
        attributes=tables,
        image_statistics=measured.image_statistics,
        metric=metric,
        variant=chosen_variant("--variant", variant),
        command=shlex.join(["quickgaze", *sys.argv[1:]]),
        **keywords(page),
    )
    finish(f"report, to open in a browser: {written.page}", "not drawn", written.failures)


def panels(
    folder: RUN,
    out: Annotated[Path, typer.Option(help="Folder to write the panels into.")],
    stimulus: Annotated[
        list[str] | None, typer.Option(help="Id of a stimulus to draw. Repeatable.")
    ] = None,
    bottom: Annotated[
        int | None,
        typer.Option(min=1, help="Draw the N stimuli of least agreement instead; 25 by default."),
    ] = None,
    dataset: DATASET = None,
    root: ROOT = None,
    option: OPTION = None,
    images: IMAGES = None,
    maps: MAPS = None,
    metric: METRIC = None,
    variant: VARIANT = None,
    to: Annotated[str, typer.Option(help="Format of the files: png, pdf or svg.")] = "png",
) -> None:
    """Draw image, CAM, smoothed CAM and human density side by side, one file a stimulus."""
    from quickgaze.report import panels as draw
    from quickgaze.study import open_run

    if stimulus and bottom is not None:
        raise OptionError("give --stimulus or --bottom, not both")
    drawn = draw(
        open_run(folder),
        stimulus,
        out,
        dataset=_dataset(dataset, root, option),
        images=images,
        maps=maps,
        metric=metric,
        variant=chosen_variant("--variant", variant),
        bottom=25 if bottom is None else bottom,
        to=to,
    )
    finish(f"{len(drawn.files)} panels in {out}", "not drawn", drawn.failures)


def _dataset(name: str | None, root: str | None, given: list[str] | None) -> Dataset | None:
    if name is None:
        if root is not None or given:
            raise OptionError("--root and --option belong to a data set; name it with --dataset")
        return None
    from quickgaze.stimuli import load_dataset

    return load_dataset(name, root, **dataset_options(given))


def _attributes(tables: Sequence[Path], objects: Sequence[Path]) -> list[pl.DataFrame]:
    from quickgaze.findings import coco_attributes, read_attributes

    found = [
        coco_attributes(path) if path.suffix.lower() == ".json" else read_attributes(path)
        for path in tables
    ]
    return found + [read_attributes(path, per="object") for path in objects]


def _text(dataset: Dataset | None) -> pl.DataFrame:
    if dataset is None:
        raise OptionError("--text looks at the photographs; name their data set with --dataset")
    from quickgaze.findings import text_attributes

    return text_attributes(dataset)


def chosen_variant(option: str, given: list[str] | None) -> dict[str, Any] | None:
    """Read KEY=VALUE pairs; the keys that are numbers in a run become numbers."""
    found = pairs(option, given or [], "KEY=VALUE", "orientation=skew")
    return {key: _of_key(f"{option} {key}", key, value) for key, value in found} or None


def _of_key(what: str, key: str, value: str) -> str | float:
    try:
        return float(value) if key in ("sigma", "component") else value
    except ValueError:
        raise OptionError(f"{what} is {value!r}; give a number") from None
