"""Where a run lies: a folder of this machine, or of an object store."""

from __future__ import annotations

import os
import secrets
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from quickgaze.errors import OptionError, RunError
from quickgaze.stimuli.places import readable

Place = str | os.PathLike[str]
"""A local path, or the URL of a folder of an object store, as ``s3://bucket/run``."""


class Storage(Protocol):
    """Files by name in one folder; names have ``/`` between their parts.

    Attributes
    ----------
    place : str
        The folder, as a user named it.
    """

    @property
    def place(self) -> str:
        """The folder, as a user named it."""

    def read(self, name: str) -> bytes:
        """Read a file.

        Raises
        ------
        FileNotFoundError
            If there is none.
        """

    def write(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all, and for good when this returns.

        Raises
        ------
        RunError
            If that is not possible; what was there before is still there.
        """

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""

    def names(self, folder: str = "") -> list[str]:
        """List the files directly in a folder, in order; those being written are left out."""


class LocalStorage:
    """A folder of this machine.

    Parameters
    ----------
    folder : Path
        Made when something is written into it.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     storage = LocalStorage(Path(folder))
    ...     storage.write("scores/part.txt", b"0.5")
    ...     storage.names("scores"), storage.read("scores/part.txt")
    (['scores/part.txt'], b'0.5')
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def place(self) -> str:
        """The folder, as a user named it."""
        return readable(self.folder)

    def read(self, name: str) -> bytes:
        """Read a file."""
        return (self.folder / name).read_bytes()

    def write(self, name: str, content: bytes) -> None:
        """Write a file under another name, flush it to disk, and give it its name."""
        path = self.folder / name
        # a name of its own, so that two writers never share a half-written file
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                temporary.write_bytes(content)
                replace_durably(temporary, path)
            finally:
                temporary.unlink(missing_ok=True)
        except OSError as error:
            raise unwritable(f"{self.place}/{name}", error) from error

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        (self.folder / name).unlink(missing_ok=True)

    def names(self, folder: str = "") -> list[str]:
        """List the files directly in a folder, in order."""
        path = self.folder / folder
        if not path.is_dir():
            return []
        found = (each.name for each in path.iterdir() if each.is_file())
        return [
            str(PurePosixPath(folder) / name) for name in sorted(found) if not name.startswith(".")
        ]


class RemoteStorage:
    """A folder of an object store, or of any other file system that fsspec knows.

    Parameters
    ----------
    url : str
        As ``s3://bucket/run``.
    **options
        What the file system takes besides, as an ``endpoint_url``.
    """

    def __init__(self, url: str, **options: Any) -> None:
        import fsspec  # noqa: PLC0415 - not needed for local folders

        try:
            self._files, self._root = fsspec.core.url_to_fs(url.rstrip("/"), **options)
        except (ImportError, ValueError) as error:
            raise OptionError(f"{url} cannot be used: {error}") from error
        self._url = url.rstrip("/")
        self._options = options

    def __reduce__(self) -> tuple[Any, ...]:
        # connections stay in their process
        return _remote, (self._url, self._options)

    @property
    def place(self) -> str:
        """The folder, as a user named it."""
        return self._url

    def read(self, name: str) -> bytes:
        """Read a file."""
        content: bytes = self._files.cat_file(f"{self._root}/{name}")
        return content

    def write(self, name: str, content: bytes) -> None:
        """Write a file; object stores show an object whole or not at all."""
        try:
            self._files.pipe_file(f"{self._root}/{name}", content)
        except OSError as error:
            raise unwritable(f"{self.place}/{name}", error) from error

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        try:
            self._files.rm_file(f"{self._root}/{name}")
        except FileNotFoundError:
            return

    def names(self, folder: str = "") -> list[str]:
        """List the files directly in a folder, in order."""
        path = f"{self._root}/{folder}".rstrip("/")
        try:
            # what others have written since must be seen
            found = self._files.ls(path, detail=True, refresh=True)
        except FileNotFoundError:
            return []
        except TypeError:
            found = self._files.ls(path, detail=True)
        files = (PurePosixPath(each["name"]).name for each in found if each["type"] == "file")
        return [str(PurePosixPath(folder) / name) for name in sorted(files)]


def _remote(url: str, options: dict[str, Any]) -> RemoteStorage:
    return RemoteStorage(url, **options)


def open_storage(place: Place) -> Storage:
    """Find the storage of a place.

    Parameters
    ----------
    place : path or str
        A local path, or the URL of a folder of an object store, as ``s3://bucket/run``; which
        kinds there are depends on the packages that are installed for fsspec (``s3fs``,
        ``gcsfs``, ``adlfs``).

    Returns
    -------
    Storage

    Raises
    ------
    OptionError
        If nothing is installed for the kind of URL.

    Examples
    --------
    >>> open_storage("runs/first").place, open_storage("memory://first").place
    ('runs/first', 'memory://first')
    """
    if isinstance(place, str) and "://" in place:
        return RemoteStorage(place)
    return LocalStorage(Path(place))


def replace_durably(temporary: Path, path: Path) -> None:
    """Flush a file to disk and give it its name.

    Parameters
    ----------
    temporary : Path
        A complete file, in the folder of `path`.
    path : Path
        Its name from now on.
    """
    with temporary.open("rb+") as file:
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def unwritable(name: str, error: OSError) -> RunError:
    """Make the error of a file that could not be written."""
    reason = error.strerror or str(error) or type(error).__name__
    return RunError(
        f"{name} cannot be written: {reason}. What was computed before is kept; once there is "
        "room and leave to write, run the same command again to go on"
    )
