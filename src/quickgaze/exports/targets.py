"""Where an export goes: checked before any work, and written whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from quickgaze.errors import OptionError
from quickgaze.places import readable, replace_durably
from quickgaze.study import Run


@contextmanager
def written_file(out: Path, run: Run, *, overwrite: bool) -> Iterator[Path]:
    """Give a temporary file, which becomes `out` if the block ends without an error."""
    _refuse_inside(out, run)
    if out.is_dir():
        raise OptionError(f"{readable(out)} is a folder; name a file for the export")
    if out.exists() and out.stat().st_size and not overwrite:
        raise _exists(out)
    temporary = _beside(out)
    try:
        yield temporary
        replace_durably(temporary, out)
    except OSError as error:
        raise _unwritable(out, error) from error
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def replaced_folder(
    out: Path, runs: Iterable[Run], what: str, *, overwrite: bool, refuse: Callable[[Path], None]
) -> Iterator[Path]:
    """Give a temporary folder for `what`, which becomes `out` if the block ends without an error.

    `refuse` raises if it must not overwrite the folder that it is given.
    """
    if out.is_symlink():
        out = out.resolve()
    for run in runs:
        _refuse_inside(out, run)
    if out.name in ("", ".."):
        raise OptionError(f"{readable(out)} cannot be replaced by {what}; name a folder in it")
    if out.exists() and not out.is_dir():
        raise OptionError(f"{readable(out)} is a file; name a folder for {what}")
    if out.is_dir() and any(out.iterdir()):
        if not overwrite:
            raise _exists(out)
        refuse(out)
    temporary, replaced = _beside(out), _beside(out)
    try:
        temporary.mkdir()
        yield temporary
        if out.exists():
            out.rename(replaced)
        temporary.rename(out)
    except OSError as error:
        raise _unwritable(out, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        if replaced.exists() and not out.exists():
            replaced.rename(out)
        shutil.rmtree(replaced, ignore_errors=True)


def make_folder(out: Path) -> None:
    """Make a folder, and those that it lies in, if it is not there."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(out, error) from error


def _beside(out: Path) -> Path:
    make_folder(out.parent)
    return out.parent / f".{uuid4().hex}.tmp"


def _refuse_inside(out: Path, run: Run) -> None:
    if "://" not in run.place and out.resolve().is_relative_to(run.path.resolve()):
        raise OptionError(f"{readable(out)} lies in the run folder; name a place outside it")


def _exists(out: Path) -> OptionError:
    return OptionError(f"{readable(out)} is there already; name another place, or set overwrite")


def _unwritable(out: Path, error: OSError) -> OptionError:
    return OptionError(f"{readable(out)} cannot be written: {error.strerror or error}")
