"""Where an export goes: checked before any work, and there whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import PIL.Image

from quickgaze.errors import OptionError
from quickgaze.exports.names import SUFFIX
from quickgaze.places import replace_durably
from quickgaze.stimuli.files import readable
from quickgaze.study import Run

SOFTWARE = "quickgaze"
"""What exported PNG files call the program that wrote them."""


@contextmanager
def written_file(out: Path, run: Run, *, overwrite: bool) -> Iterator[Path]:
    """Give a temporary file that becomes `out` when the block ends without an error.

    Parameters
    ----------
    out : Path
        The file; its folder is made if it is not there.
    run : Run
        What is exported; nothing may be written into its folder.
    overwrite : bool
        Whether `out` may be there already. An empty file may always be.

    Yields
    ------
    Path
        A file beside `out` that is not there yet. It is removed after an error.

    Raises
    ------
    OptionError
        If `out` cannot be such a file.
    """
    _refuse_inside(out, run)
    if out.is_dir():
        raise OptionError(f"{readable(out)} is a folder; name a file for the export")
    if out.exists() and out.stat().st_size and not overwrite:
        raise OptionError(_exists(out))
    temporary = _beside(out)
    try:
        yield temporary
        replace_durably(temporary, out)
    except OSError as error:
        raise _unwritable(out, error) from error
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def written_folder(out: Path, run: Run, *, overwrite: bool) -> Iterator[Path]:
    """Give a temporary folder that becomes `out` when the block ends without an error.

    Parameters
    ----------
    out : Path
        The folder; the one it lies in is made if it is not there.
    run : Run
        What is exported; nothing may be written into its folder.
    overwrite : bool
        Whether `out` may hold exported maps already, which then go. An empty folder may always
        be there; one that holds anything else, such as other PNG files, is never replaced.

    Yields
    ------
    Path
        An empty folder beside `out`. It is removed after an error.

    Raises
    ------
    OptionError
        If `out` cannot be such a folder.
    """
    if out.is_file():
        raise OptionError(f"{readable(out)} is a file; name a folder, or a .zip file, for the maps")
    with replaced_folder(
        out, [run], "maps", overwrite=overwrite, refuse=_refuse_others
    ) as temporary:
        yield temporary


@contextmanager
def replaced_folder(
    out: Path,
    runs: Iterable[Run],
    what: str,
    *,
    overwrite: bool,
    refuse: Callable[[Path], None],
) -> Iterator[Path]:
    """Give a temporary folder that becomes `out` when the block ends without an error.

    Parameters
    ----------
    out : Path
        The folder; a link stays one, to what is written.
    runs : iterable of Run
        Nothing may be written into their folders.
    what : str
        Will be in the folder, in words.
    overwrite : bool
        Whether `out` may hold something already. An empty folder may always be there.
    refuse : callable
        Takes a folder that would be overwritten, and raises where it must not be.

    Yields
    ------
    Path
        An empty folder beside `out`. It is removed after an error.

    Raises
    ------
    OptionError
        If `out` cannot be such a folder.
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
            raise OptionError(_exists(out))
        refuse(out)
    temporary = _beside(out)
    replaced = _beside(out)
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


def _beside(out: Path) -> Path:
    """Make the folder that `out` lies in, and a name in it that nothing else has."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(out, error) from error
    return out.parent / f".{uuid4().hex}.tmp"


def _refuse_inside(out: Path, run: Run) -> None:
    if "://" not in run.place and out.resolve().is_relative_to(run.path.resolve()):
        raise OptionError(
            f"{readable(out)} lies in the run folder, which holds the run alone; name another place"
        )


def _refuse_others(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_symlink() or not (path.is_dir() or _is_exported(path)):
            raise OptionError(
                f"{readable(folder)} holds something else than exported maps "
                f"({readable(path.name)}) and is not overwritten; name another folder"
            )


def _is_exported(path: Path) -> bool:
    """Whether a file is a map that was exported, and not a photograph of the user's."""
    if path.suffix != SUFFIX:
        return False
    try:
        with PIL.Image.open(path, formats=["png"]) as image:
            return image.info.get("Software") == SOFTWARE
    except (OSError, ValueError):
        return False


def _exists(out: Path) -> str:
    return f"{readable(out)} is there already; name another place, or allow it with overwrite"


def _unwritable(out: Path, error: OSError) -> OptionError:
    return OptionError(f"{readable(out)} cannot be written: {error.strerror or error}")
