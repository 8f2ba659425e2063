"""Paths here and elsewhere, and the files of a run folder."""

from __future__ import annotations

import os
import pickle
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import fsspec
import pytest
from fsspec.registry import _registry as imported_filesystems
from hypothesis import given
from hypothesis import strategies as st
from upath import UPath

from quickgaze.errors import DatasetError, OptionError, RunError
from quickgaze.places import (
    Storage,
    as_path,
    below,
    inside,
    open_storage,
    problem_of,
    read_spans,
    readable,
)
from quickgaze.stimuli.files import walk

Span = tuple[int, int]

NAMES = ("b.png", "a.png", ".DS_Store", "d/e/f.png", "d/a.png", ".git/x.png", "d/.x/y.png")


@pytest.fixture
def memory(request: pytest.FixtureRequest) -> str:
    """A folder of its own in memory."""
    root = f"memory://{request.node.name}"
    for name in NAMES:
        fsspec.filesystem("memory").pipe(f"/{request.node.name}/{name}", b"content")
    return root


@pytest.mark.parametrize("place", ["data", "./data", "/data/x", "~/data", "a:b", "C:/data", "s3:x"])
def test_what_is_local_stays_a_plain_path(place: str) -> None:
    assert as_path(place) == Path(place)
    assert type(as_path(Path(place))) is type(Path(place))


def test_addresses_of_this_machine_are_plain_paths(tmp_path: Path) -> None:
    assert as_path(tmp_path.as_uri()) == tmp_path
    assert type(as_path(f"file://{tmp_path}")) is type(tmp_path)


def test_a_path_that_was_made_of_an_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert as_path(Path("memory://pictures/cats")) == as_path("memory://pictures/cats")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "memory:" / "pictures").mkdir(parents=True)
    assert as_path(Path("memory://pictures")) == Path("memory:/pictures")


def test_paths_of_universal_pathlib_are_kept() -> None:
    path = UPath("memory://pictures", use_listings_cache=False)
    assert as_path(path) is path


def test_an_address_may_end_in_a_slash(memory: str) -> None:
    assert as_path(f"{memory}/") == as_path(memory)


def test_unknown_protocols() -> None:
    with pytest.raises(OptionError, match=r"nowhere://x is not an address that fsspec knows"):
        as_path("nowhere://x")


@pytest.mark.parametrize(
    ("address", "package", "advice"),
    [
        ("s3://bucket/osie", "s3fs", r"run: pip install 'quickgaze\[s3\]'"),
        ("gs://bucket/osie", "gcsfs", r"run: pip install 'quickgaze\[gcs\]'"),
        ("az://container/osie", "adlfs", r"adlfs.*; install it"),
    ],
)
def test_a_package_that_is_not_installed(
    address: str, package: str, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    protocol = address.partition(":")[0]
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(imported_filesystems, protocol, raising=False)
    with pytest.raises(OptionError, match=rf"{address} needs a package .*{advice}"):
        as_path(address)


def test_names_beside_a_root(memory: str) -> None:
    root = as_path(memory)
    assert inside(Path("data"), "maps") == Path("data/maps")
    assert inside(Path("data"), Path("/maps")) == Path("/maps")
    assert inside(root, "maps") == root / "maps"
    assert inside(root, Path("deep/maps")) == root / "deep/maps"
    assert inside(root, "/maps") == Path("/maps")
    assert inside(Path("data"), memory) == root


def test_names_below_a_root(memory: str) -> None:
    root = as_path(memory)
    assert below(root / "d/e.png", root) == "d/e.png"
    assert below(root / "e.png", root / "d") == "e.png"
    assert below(as_path(f"{memory}2/e.png"), root) == "e.png"
    assert below(root / "d/e.png", Path("d")) == "e.png"
    assert below(Path("d/e.png"), root) == "e.png"


@pytest.mark.parametrize(
    ("depth", "expected"),
    [
        (None, ["a.png", "b.png", "d/a.png", "d/e/f.png"]),
        (1, ["a.png", "b.png", "d/a.png"]),
        (0, ["a.png", "b.png"]),
    ],
)
def test_walking_elsewhere_is_as_walking_here(
    memory: str, tmp_path: Path, depth: int | None, expected: list[str]
) -> None:
    for name in NAMES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    for root in (tmp_path, as_path(memory)):
        assert [below(path, root) for path in walk(root, depth)] == expected


def test_walking_a_folder_that_is_not_there() -> None:
    with pytest.raises(DatasetError, match=r"memory:///?nothing/here cannot be listed"):
        list(walk(as_path("memory://nothing/here")))


CONTENT = bytes(range(256)) * 4
SPANS = st.lists(st.tuples(st.integers(0, 1024), st.integers(0, 1024)).map(sorted).map(tuple))


@given(SPANS)
def test_parts_of_a_file(tmp_path_factory: pytest.TempPathFactory, spans: Sequence[Span]) -> None:
    local = tmp_path_factory.getbasetemp() / "content"
    local.write_bytes(CONTENT)
    fsspec.filesystem("memory").pipe("/parts/content", CONTENT)
    expected = [CONTENT[start:stop] for start, stop in spans]
    choose: Callable[[int], Sequence[Span]] = lambda length: spans if length == 1024 else []  # noqa: E731
    for path in (local, as_path("memory://parts/content")):
        assert read_spans(path, choose) == (expected, 1024)


def test_parts_of_a_file_that_is_gone(tmp_path: Path) -> None:
    for path in (tmp_path / "gone", as_path("memory://parts/gone")):
        with pytest.raises(OSError, match="gone"):
            read_spans(path, lambda _: [(0, 1)])


def test_a_chain_of_places(memory: str) -> None:
    name = memory.removeprefix("memory://")
    chained = as_path(f"simplecache::memory://{name}")
    assert "a.png" in {below(path, chained) for path in walk(chained)}


def test_what_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "file")
    assert problem_of(tmp_path / "file") == problem_of(tmp_path / "link") == ""
    assert problem_of(tmp_path) == "is a folder, not a file"
    assert problem_of(Path("/dev/null")) == "is a device, not a file"
    assert problem_of(tmp_path / "file" / "below") == "does not exist"


def test_addresses_can_be_printed(memory: str) -> None:
    assert readable(as_path(memory)) == str(as_path(memory))
    assert readable("a\udcff/é.png") == "a\\xff/é.png"


@pytest.fixture(params=["local", "memory"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "local":
        return open_storage(tmp_path / "run")
    return open_storage(f"memory://{tmp_path.name}/{time.time_ns()}")


def test_what_is_written_is_read(storage: Storage) -> None:
    assert storage.names() == []
    storage.write("plan.json", b"first")
    storage.write("plan.json", b"second")
    storage.write("scores/part-1", b"1")
    storage.write("scores/part-0", b"0")
    assert storage.read("plan.json") == b"second"
    assert storage.names() == ["plan.json"]
    assert storage.names("scores") == ["scores/part-0", "scores/part-1"]
    storage.remove("scores/part-0")
    storage.remove("scores/part-0")
    assert storage.names("scores") == ["scores/part-1"]
    with pytest.raises(FileNotFoundError):
        storage.read("scores/part-0")


def test_a_failed_write_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = Storage(tmp_path)
    storage.write("part", b"old")

    def broken(_descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(RunError, match="part cannot be written: Input/output error"):
        storage.write("part", b"new")
    assert storage.read("part") == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["part"]


def test_the_content_is_on_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = []
    fsync, replace = os.fsync, Path.replace

    def flushed(descriptor: int) -> None:
        events.append(
            "folder" if Path(f"/proc/self/fd/{descriptor}").resolve().is_dir() else "file"
        )
        fsync(descriptor)

    def renamed(self: Path, target: Path) -> Path:
        events.append("name")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", flushed)
    monkeypatch.setattr(Path, "replace", renamed)
    Storage(tmp_path).write("part", b"content")
    assert events == ["file", "name", "folder"]


def test_remote_storage_travels(tmp_path: Path) -> None:
    storage = open_storage(f"memory://{tmp_path.name}")
    storage.write("a", b"1")
    assert pickle.loads(pickle.dumps(storage)).read("a") == b"1"  # noqa: S301 - our own bytes


def test_a_kind_of_url_that_nothing_is_installed_for() -> None:
    with pytest.raises(OptionError, match="nosuch://place is not an address that fsspec knows"):
        open_storage("nosuch://place")


@pytest.mark.parametrize("given", [1, [], None, 2.5])
def test_what_is_no_path_at_all_is_refused(given: object) -> None:
    with pytest.raises(OptionError, match="is not a path or an address; give one as text"):
        as_path(given)  # type: ignore[arg-type]
