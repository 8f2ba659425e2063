"""Downloading one file: resumed where it broke off, tried again, and verified."""

from __future__ import annotations

import contextlib
import errno
import logging
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quickgaze.errors import DatasetError
from quickgaze.places import readable
from quickgaze.stimuli.inspection import md5_of
from quickgaze.stimuli.unpacking import refuse_full_disk

if TYPE_CHECKING:
    import requests

Report = Callable[[int, "int | None"], None]
"""Is told the bytes that are there and those that there will be, if that is known."""

TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers of a server that may be another one in a moment."""

_BLOCK = 2**14  # what is lost, at most, when a connection breaks
_LONGEST_WAIT = 60.0


@dataclass(frozen=True)
class Patience:
    """How long to try.

    Parameters
    ----------
    attempts : int
        Attempts in a row that bring nothing new before it is given up.
    first_wait : float
        Seconds before the second attempt; each further wait is twice as long.
    timeout : float
        Seconds in which a server has to answer, and to go on.
    """

    attempts: int = 5
    first_wait: float = 1.0
    timeout: float = 30.0


class _TransientError(Exception):
    """What may go better another time; `wait` is what the server asked for, in seconds."""

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


def download(
    url: str,
    target: Path,
    md5: str | None = None,
    *,
    report: Report | None = None,
    patience: Patience | None = None,
) -> None:
    """Download a file, unless it is there and right.

    Parameters
    ----------
    url : str
    target : Path
        Where it is to lie. It appears there whole and verified, or not at all.
    md5 : str, optional
        Its MD5 digest, as 32 hexadecimal digits.
    report : callable, optional
        Is told the progress.
    patience : Patience, optional

    Raises
    ------
    DatasetError
        If the server does not have the file, cannot be reached, or gives a file of another
        digest; if the disk is full.

    Notes
    -----
    What has arrived lies beside the target under its name with ``.part``, and the next call goes
    on from there if the digest is known and the server can do so. A file that proves wrong is
    removed.
    """
    import pooch  # noqa: PLC0415 - slow to import

    fetcher = _Downloader(target, md5 is not None, report or _silent, patience or Patience())
    target.parent.mkdir(parents=True, exist_ok=True)
    known = None if md5 is None else f"md5:{md5}"
    try:
        with _quiet(pooch.get_logger()):
            pooch.retrieve(url, known, target.name, target.parent, downloader=fetcher)
    except _TransientError as error:
        kept = "; what has arrived is kept, run it again to go on" if md5 else "; try again later"
        raise DatasetError(f"{url} cannot be fetched: {error}{kept}") from error
    except OSError as error:
        full = "; the disk is full: free some space" if error.errno == errno.ENOSPC else ""
        raise DatasetError(f"{readable(target)} cannot be written: {error}{full}") from error
    except ValueError as error:
        # pooch removes a file whose digest is another one, and says so in this way.
        raise DatasetError(
            f"{url} is not the expected file: its md5 should be {md5}, but is "
            f"{fetcher.found or 'another one'}; it was removed. Try again, or look whether the "
            "authors have replaced it"
        ) from error


def size_of_remote(url: str, timeout: float = 10.0) -> int | None:
    """Ask a server for the size of a file in bytes; None if it does not tell."""
    import requests  # noqa: PLC0415 - slow to import

    try:
        answer = requests.head(url, timeout=timeout, allow_redirects=True, headers=_PLAIN)
    except requests.RequestException:
        return None
    return _length(answer) if answer.ok else None


def already_right(target: Path, md5: str | None) -> bool:
    """Whether a file is there and, where its digest is known, is the expected one."""
    return target.is_file() and (md5 is None or md5_of(target) == md5)


_PLAIN = {"Accept-Encoding": "identity"}  # the bytes of the file, countable and resumable


@dataclass(eq=False)
class _Downloader:
    """A downloader as pooch calls it: with the address and a temporary file's path."""

    target: Path
    resumable: bool
    report: Report
    patience: Patience
    found: str = ""

    def __call__(self, url: str, output_file: Any, _pooch: Any) -> None:
        part = self.target.with_name(f"{self.target.name}.part")
        self._persist(url, part)
        if self.resumable:
            self.found = md5_of(part)
        part.replace(Path(output_file))

    def _persist(self, url: str, part: Path) -> None:
        """Attempt again and again, until it is whole or nothing new comes."""
        failures = 0
        while True:
            before = _size(part)
            try:
                self._attempt(url, part)
            except _TransientError as error:
                failures = 1 if _size(part) > before else failures + 1
                if failures >= self.patience.attempts:
                    raise
                wait = self.patience.first_wait * 2 ** (failures - 1)
                time.sleep(min(wait if error.wait is None else error.wait, _LONGEST_WAIT))
            else:
                return

    def _attempt(self, url: str, part: Path) -> None:
        import requests  # noqa: PLC0415 - slow to import

        # Without a digest, nobody would notice that the halves of two versions were joined.
        start = _size(part) if self.resumable else 0
        asked = {**_PLAIN, **({"Range": f"bytes={start}-"} if start else {})}
        try:
            with requests.get(
                url, headers=asked, stream=True, timeout=self.patience.timeout
            ) as answer:
                if start and answer.status_code == 416:
                    return self._beyond_the_end(answer, part, start)
                _refuse_answer(answer, url)
                partial = answer.status_code == 206
                if partial and _begins(answer) != start:
                    part.unlink(missing_ok=True)
                    raise _TransientError("the server gives another part than was asked for", 0.0)
                self._receive(answer, part, start if partial else 0)
        except requests.exceptions.RequestException as error:
            if isinstance(
                error, (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema)
            ):
                raise DatasetError(f"{url} is not an address: {error}") from error
            raise _TransientError(str(error) or type(error).__name__) from error

    def _beyond_the_end(self, answer: requests.Response, part: Path, start: int) -> None:
        """Deal with a `.part` that has all bytes of the file already, or more."""
        if answer.headers.get("Content-Range", "").rpartition("/")[2] != str(start):
            part.unlink()
            raise _TransientError("what had arrived is longer than the file", wait=0.0)

    def _receive(self, answer: requests.Response, part: Path, start: int) -> None:
        length = _length(answer)
        total = None if length is None else start + length
        refuse_full_disk(part.parent, length or 0, f"to fetch {self.target.name}")
        done = start
        with part.open("ab" if start else "wb") as file:
            self.report(done, total)
            for block in answer.iter_content(_BLOCK):
                file.write(block)
                done += len(block)
                self.report(done, total)
        if total is not None and done < total:
            raise _TransientError(f"the connection ended after {done:,} of {total:,} bytes")


def _silent(_done: int, _total: int | None) -> None:
    """Report to nobody."""


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _length(answer: requests.Response) -> int | None:
    length = answer.headers.get("Content-Length", "")
    return int(length) if length.isdigit() else None


def _begins(answer: requests.Response) -> int | None:
    """Tell where the bytes of a partial answer begin."""
    found = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
    return int(found[1]) if found else None


def _refuse_answer(answer: requests.Response, url: str) -> None:
    if answer.status_code in TRANSIENT:
        asked = answer.headers.get("Retry-After", "")
        wait = float(asked) if asked.isdigit() else None
        raise _TransientError(f"the server answers {answer.status_code} {answer.reason}", wait)
    if not answer.ok:
        raise DatasetError(
            f"{url} cannot be fetched: the server answers {answer.status_code} {answer.reason}; "
            "the file may have moved: give another address with --mirror, or fetch it by hand"
        )


@contextlib.contextmanager
def _quiet(logger: logging.Logger) -> Iterator[None]:
    """Keep pooch from printing lines of its own."""
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)
