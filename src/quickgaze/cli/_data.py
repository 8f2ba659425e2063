"""Commands about data sets: data list, data check, data fetch."""

# ruff: noqa: PLC0415 - PyTorch takes seconds to import, --help must not

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quickgaze.cli._messages import SHOWN, complain, complain_of, end_with, say, show
from quickgaze.cli._options import AS_JSON, OPTION, ROOT, dataset_options

if TYPE_CHECKING:
    from quickgaze.stimuli import Check, PlannedFile, Stimulus
    from quickgaze.stimuli.sources import Progress

NAME = Annotated[
    str, typer.Argument(metavar="NAME", help="A data set that `quickgaze data list` shows.")
]


def list_data() -> None:
    """List the data sets that can be scored on."""
    from quickgaze.report import plain_table
    from quickgaze.stimuli import DATASETS

    entries = DATASETS.entries()
    rows = [
        (name, entry.summary, entry.layout, ", ".join(entry.options))
        for name, entry in entries.items()
    ]
    columns = ("name", "what it is", "what --root holds", "what --option takes")
    show(plain_table("Data sets", columns, rows))


def check_data(
    name: NAME,
    root: ROOT = None,
    option: OPTION = None,
    as_json: AS_JSON = False,
) -> None:
    """Read all of a data set and check it against known counts, sizes and checksums.

    Exits with 0 if nothing differs (a part of a data set is fine),
    with 1 if something does, with 2 if it cannot be loaded.
    """
    from quickgaze.report import plain_table
    from quickgaze.stimuli import check_dataset

    checks = check_dataset(name, root, progress=_reading, **dataset_options(option))
    differing = [check for check in checks if check.passed is False]
    if as_json:
        content = {
            "dataset": name,
            "root": root,
            "passed": not differing,
            "checks": [asdict(check) for check in checks],
        }
        say(json.dumps(content, indent=2))
    else:
        columns = ("what", "expected", "found", "", "note")
        rows = [
            (check.what, check.expected, check.found, check.verdict, check.note) for check in checks
        ]
        show(plain_table(f"Checks of {name}", columns, rows))
        _list_details(checks)
    end_with(differing)


def fetch_data(
    name: NAME,
    root: Annotated[Path, typer.Option(help="Folder to fetch the data set into.")],
    split: Annotated[
        str | None, typer.Option(help="Fetch only this split, such as val; all by default.")
    ] = None,
    mirror: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="Address of a copy with the same files, instead of the authors'."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be fetched, and stop.")
    ] = False,
) -> None:
    """Fetch the public files of a data set: of salicon or osie.

    Files are verified by their checksums, where these are known.
    A download that broke off goes on where it was.
    What is there and right is not fetched again.

    The density maps of the CAP6415 study lie on Google Drive
    (file 1YWiwRNHokV2TIUBsNhAeRo1aqz8Iq0In): fetch them by hand.
    """
    from quickgaze.stimuli import fetch_dataset, plan_fetch
    from quickgaze.stimuli.catalogue import source_of

    if dry_run:
        _show_plan(name, plan_fetch(name, root, split=split, mirror=mirror))
    else:
        with _fetching() as progress:
            done = fetch_dataset(name, root, split=split, mirror=mirror, progress=progress)
        there = sum(item.there for item in done)
        say(f"{root}: {len(done) - there:,} files fetched, {there:,} were there already")
    complain(f"note: {source_of(name).note}")


def _reading(stimuli: Sequence[Stimulus]) -> Iterable[Stimulus]:
    from rich.console import Console
    from rich.progress import track

    yield from track(stimuli, "reading", console=Console(stderr=True), transient=True)


def _list_details(checks: Sequence[Check]) -> None:
    lines = dict.fromkeys(
        f"{'unreadable' if check.passed is False else 'left out'}: {line}"
        for check in checks
        for line in check.details
    )
    complain_of(list(lines), "; --json lists all")


def _show_plan(name: str, planned: Sequence[PlannedFile]) -> None:
    """Print what would be fetched; of many files alike, the first and the last."""
    from quickgaze.report import plain_table

    shown = planned if len(planned) <= SHOWN else [*planned[:4], planned[-1]]
    rows = [
        (item.address, str(item.target), "there already" if item.there else _size_in_words(item))
        for item in shown
    ]
    to_do = sum(not item.there for item in planned)
    title = f"{to_do:,} of {len(planned):,} files of {name} would be fetched"
    show(plain_table(title, ("from", "to", "size"), rows))
    if len(rows) < len(planned):
        say(f"… and {len(planned) - len(rows):,} files more in between")


def _size_in_words(item: PlannedFile) -> str:
    from rich.filesize import decimal

    from quickgaze.stimuli.downloading import size_of_remote

    size = item.file.size or size_of_remote(item.address)
    return "size not told by the server" if size is None else decimal(size)


@contextmanager
def _fetching() -> Iterator[Progress]:
    """Show a progress bar on standard error for the file that is being fetched."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TransferSpeedColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Bar(*columns, TransferSpeedColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("connecting", total=None)

        def report(item: PlannedFile, done: int, total: int | None) -> None:
            bar.update(task, description=item.file.name, completed=done, total=total)

        yield report
