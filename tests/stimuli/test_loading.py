from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from quickgaze.errors import DatasetError, OptionError, UnknownNameError
from quickgaze.stimuli import DATASETS, Dataset, DatasetEntry, list_datasets, load_dataset

Write = Callable[..., Path]


def test_the_catalogue() -> None:
    assert {"salicon", "osie", "folder", "popout", "pysaliency"} <= set(list_datasets())
    for name in list_datasets():
        entry = DATASETS[name]
        assert entry.summary
        assert entry.needs_root == bool(entry.layout)
    assert DATASETS["popout"].options == ["n", "seed", "size", "kinds", "set_size"]
    assert DATASETS["osie"].options == []


def test_options_reach_the_loader(tmp_path: Path, draw: Write) -> None:
    assert len(load_dataset("popout", n=5)) == 5
    draw(tmp_path / "a.png")
    assert load_dataset("folder", str(tmp_path), origin=None)[0].id == "a"


def test_home(tmp_path: Path, draw: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    draw(tmp_path / "pictures" / "a.png")
    assert len(load_dataset("folder", "~/pictures")) == 1


def test_unknown_names() -> None:
    with pytest.raises(UnknownNameError, match="unknown data set 'salicn'; did you mean 'salicon'"):
        load_dataset("salicn")


@pytest.mark.parametrize("name", ["salicon", "osie", "folder", "pysaliency"])
def test_roots(tmp_path: Path, name: str) -> None:
    with pytest.raises(OptionError, match=rf"{name!r} needs root=\.\.\., the folder that holds"):
        load_dataset(name)
    with pytest.raises(DatasetError, match=rf"nowhere does not exist; the data set {name!r} needs"):
        load_dataset(name, tmp_path / "nowhere")
    (tmp_path / "file").touch()
    with pytest.raises(DatasetError, match="file is not a folder"):
        load_dataset(name, tmp_path / "file")
    with pytest.raises(DatasetError, match=r"does not hold .*; expected"):
        load_dataset(name, tmp_path)


def test_a_root_for_what_has_no_files(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="'popout' has no files: leave out root="):
        load_dataset("popout", tmp_path)


def test_unknown_options(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"'salicon': 'spilt'; did you mean 'split'.*edition"):
        load_dataset("salicon", tmp_path, spilt="val")
    with pytest.raises(OptionError, match="'osie' takes no options; leave out 'split'"):
        load_dataset("osie", tmp_path, split="val")
    with pytest.raises(OptionError, match="unknown option of the data set 'popout': 'number'"):
        load_dataset("popout", number=3)


def test_entries_of_other_packages() -> None:
    def load(*, n: int = 1) -> Dataset:
        return Dataset("empty", (), str(n))

    entry = DatasetEntry(load, "nothing at all")
    assert not entry.needs_root
    assert entry.options == ["n"]
    assert len(entry.load(n=2)) == 0
