from __future__ import annotations

from pathlib import Path

import pytest

from quickgaze.errors import DatasetError
from quickgaze.places import readable
from quickgaze.stimuli.files import by_stem, stem_of_listed, walk


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def names(folder: Path, depth: int | None = None) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in walk(folder, depth)]


def test_walk_is_sorted_and_leaves_hidden_ones_out(tmp_path: Path) -> None:
    for name in ("b.png", "a.png", ".DS_Store", "._a.png", "d/e/f.png", "d/a.png", ".git/x.png"):
        touch(tmp_path / name)
    assert names(tmp_path) == ["a.png", "b.png", "d/a.png", "d/e/f.png"]
    assert names(tmp_path, 0) == ["a.png", "b.png"]
    assert names(tmp_path, 1) == ["a.png", "b.png", "d/a.png"]


def test_walk_follows_links_once(tmp_path: Path) -> None:
    touch(tmp_path / "data" / "a.png")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "images").symlink_to(tmp_path / "data")
    (tmp_path / "data" / "loop").symlink_to(tmp_path / "root")
    assert names(tmp_path / "root") == ["images/a.png"]


def test_walk_names_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="nowhere cannot be listed"):
        list(walk(tmp_path / "nowhere"))


def test_by_stem_refuses_two_of_a_name(tmp_path: Path) -> None:
    paths = [tmp_path / "a.png", tmp_path / "b.png", tmp_path / "c" / "a.jpg"]
    assert by_stem(paths[:2], "images") == {"a": paths[0], "b": paths[1]}
    with pytest.raises(DatasetError, match=r"two images are called 'a'.*a\.png.*a\.jpg"):
        by_stem(paths, "images")


@pytest.mark.parametrize("name", ["a.jpg", "val2014/a.jpg", "./a.jpg", "a"])
def test_listed_names(name: str) -> None:
    assert stem_of_listed(name, Path("list.json")) == "a"


@pytest.mark.parametrize(
    "name",
    ["../../x", "..", "", ".", "/etc/passwd", "a/../../x.jpg", "C:\\x.jpg", "..\\x.jpg", "a\0.jpg"],
)
def test_listed_names_that_lead_out(name: str) -> None:
    with pytest.raises(DatasetError, match=r"list\.json lists an image as"):
        stem_of_listed(name, Path("list.json"))


def test_readable_names_can_be_printed() -> None:
    assert readable("a\udcff/é.png") == "a\\xff/é.png"
    assert readable(Path("plain")) == "plain"
