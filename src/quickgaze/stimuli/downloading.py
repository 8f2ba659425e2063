"""Downloading one file: resumed where it broke off, tried again, and verified."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quickgaze.errors import DatasetError
from quickgaze.places import readable
from quickgaze.stimuli._inspection import md5_of
from quickgaze.stimuli._unpacking import refuse_full_disk

if TYPE_CHECKING:
    import requests

Report = Callable[[int, "int | None"], None]
"""Is told the bytes that are there and those that there will be, if that is known."""

_TRANSIENT = (408, 425, 429, 500, 502, 503, 504)  # answers that may be others in a moment
_PLAIN = {"Accept-Encoding": "identity"}  # the bytes of the file, countable and resumable
_BLOCK = 2**14  # what is lost, at most, when a connection breaks
_LONGEST_WAIT = 60.0


@dataclass(frozen=True)
class Patience:
    """How long to try: attempts in a row without a new byte, and seconds.

    `first_wait` comes before the second attempt, and each further wait is twice as long; `timeout`
    is how long a server may take to answer, and to go on.
    """

    attempts: int = 5
    first_wait: float = 1.0
    timeout: float = 30.0

    def wait(self, failures: int) -> float:
        """Seconds to wait after so many failures in a row."""
        return min(self.first_wait * 2.0 ** (failures - 1), _LONGEST_WAIT)


def download(
    url: str,
    target: Path,
    md5: str | None = None,
    *,
    report: Report = lambda _done, _total: None,
    patience: Patience | None = None,
) -> None:
    """Download a file, unless it is there and right; it appears whole and verified, or not at all.

    What has arrived is kept in a file ending in ``.part``; the next call goes on from there if the
    digest is known and the server is able to.
    """
    if already_right(target, md5):
        return
    part = target.with_name(f"{target.name}.part")
    fetch = _Download(url, part, md5 is not None, report, patience or Patience())
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        fetch.run()
        found = None if md5 is None else md5_of(part)
        if found == md5:
            part.replace(target)
            return
        part.unlink()
    except OSError as error:
        full = "; the disk is full: free some space" if error.errno == errno.ENOSPC else ""
        raise DatasetError(f"{readable(target)} cannot be written: {error}{full}") from error
    raise DatasetError(
        f"{url} is not the expected file: its md5 should be {md5}, but is {found}; it was removed. "
        "Try again, or check whether the authors have replaced it"
    )


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


@dataclass(frozen=True)
class _Download:
    """One file on its way."""

    url: str
    part: Path
    resumable: bool
    report: Report
    patience: Patience

    def run(self) -> None:
        """Ask for what is missing until the file is whole, or until nothing new comes."""
        fruitless = 0
        with _session(self.patience) as session:
            while True:
                before = _size(self.part)
                problem = self._attempt(session)
                if not problem:
                    return
                fruitless = 1 if _size(self.part) > before else fruitless + 1
                if fruitless >= self.patience.attempts:
                    raise self._failed(problem)
                time.sleep(self.patience.wait(fruitless))

    def _attempt(self, session: requests.Session) -> str:
        """Receive what is missing; says what went wrong, or nothing if the file is whole."""
        import requests  # noqa: PLC0415 - slow to import

        # Without a digest, nobody would notice that the halves of two versions were joined.
        start = _size(self.part) if self.resumable else 0
        try:
            with self._ask(session, start) as answer:
                if start and answer.status_code == 416:
                    return self._beyond_the_end(answer, start)
                self._refuse(answer)
                partial = answer.status_code == 206
                given = answer.headers.get("Content-Range", "")
                if partial and not given.startswith(f"bytes {start}-"):
                    self.part.unlink(missing_ok=True)
                    return "the server gives another part than was asked for"
                return self._receive(answer, start if partial else 0)
        except requests.RequestException as error:
            return str(error) or type(error).__name__

    def _ask(self, session: requests.Session, start: int) -> requests.Response:
        import requests  # noqa: PLC0415 - slow to import

        headers = {**_PLAIN, **({"Range": f"bytes={start}-"} if start else {})}
        try:
            return session.get(
                self.url, headers=headers, stream=True, timeout=self.patience.timeout
            )
        except (requests.exceptions.InvalidURL, requests.exceptions.MissingSchema) as error:
            raise DatasetError(f"{self.url} is not an address: {error}") from error
        except requests.RequestException as error:
            raise self._failed(str(error) or type(error).__name__) from error

    def _refuse(self, answer: requests.Response) -> None:
        problem = f"the server answers {answer.status_code} {answer.reason}"
        if answer.status_code in _TRANSIENT:
            raise self._failed(problem)
        if not answer.ok:
            raise DatasetError(
                f"{self.url} cannot be fetched: {problem}; the file may have moved: give another "
                "address with --mirror, or fetch it by hand"
            )

    def _beyond_the_end(self, answer: requests.Response, start: int) -> str:
        """Deal with a `.part` that has all bytes of the file already, or more."""
        if answer.headers.get("Content-Range", "").rpartition("/")[2] == str(start):
            return ""
        self.part.unlink()
        return "what had arrived is longer than the file"

    def _receive(self, answer: requests.Response, start: int) -> str:
        length = _length(answer)
        total = None if length is None else start + length
        refuse_full_disk(self.part.parent, length or 0, f"to fetch {self.part.stem}")
        with self.part.open("ab" if start else "wb") as file:
            self.report(start, total)
            for block in answer.iter_content(_BLOCK):
                file.write(block)
                self.report(file.tell(), total)
            done = file.tell()
        whole = total is None or done >= total
        return "" if whole else f"the connection ended after {done:,} of {total:,} bytes"

    def _failed(self, problem: str) -> DatasetError:
        kept = "what has arrived is kept, run it again to go on"
        advice = kept if self.resumable else "try again later"
        return DatasetError(f"{self.url} cannot be fetched: {problem}; {advice}")


def _session(patience: Patience) -> requests.Session:
    """Open connections that repeat a request while a server is busy or does not answer."""
    import requests  # noqa: PLC0415 - slow to import
    from urllib3.util import Retry  # noqa: PLC0415

    class Patient(Retry):
        """Waits before the second attempt too, and never longer than a minute."""

        def get_backoff_time(self) -> float:
            return patience.wait(len(self.history))

        def get_retry_after(self, response: Any) -> float | None:
            asked = super().get_retry_after(response)
            return None if asked is None else min(asked, _LONGEST_WAIT)

    retry = Patient(patience.attempts - 1, status_forcelist=_TRANSIENT, raise_on_status=False)
    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, requests.adapters.HTTPAdapter(max_retries=retry))
    return session


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _length(answer: requests.Response) -> int | None:
    length = answer.headers.get("Content-Length", "")
    return int(length) if length.isdigit() else None
