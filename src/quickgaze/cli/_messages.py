"""What the command line says, and the codes that it ends with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import typer
from rich.console import Console

FAILED = 1
"""Exit code: finished, but some stimuli failed."""

UNUSABLE = 2
"""Exit code: wrong usage or unusable input."""

INTERRUPTED = 130
"""Exit code: stopped by Ctrl-C."""

SHOWN = 20
"""Lines that are printed of a list that may be long."""


def show(content: Any) -> None:
    """Print a table, folded to the width of a terminal and to nothing elsewhere."""
    console = Console()
    if not console.is_terminal:
        # A file or a pipe has no width: fold nothing.
        console = Console(width=200)
    console.print(content)


def say(text: str) -> None:
    """Print a line of the result."""
    typer.echo(text)


def complain(text: str) -> None:
    """Print a line beside the result, on standard error."""
    typer.echo(text, err=True)


def show_warning(message: Warning | str, *_: object) -> None:
    """Print a warning as one line."""
    complain(f"warning: {message}")


def end_with(failures: object) -> None:
    """End with the exit code of failures if there are any."""
    if failures:
        raise typer.Exit(FAILED)


def finish(result: str, what: str, failures: Sequence[tuple[str, str]]) -> None:
    """Print stimuli that failed, then the result, and end with the exit code that fits."""
    complain_of([f"{what}: {stimulus}: {reason}" for stimulus, reason in failures])
    say(result)
    end_with(failures)


def complain_of(lines: Sequence[str], rest: str = "") -> None:
    """Print the first lines on standard error, and how many more there are."""
    for line in lines[:SHOWN]:
        complain(line)
    if len(lines) > SHOWN:
        complain(f"… and {len(lines) - SHOWN:,} more{rest}")
