from __future__ import annotations

import dataclasses
import hashlib
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import pytest

from quickgaze.errors import DatasetError, OptionError, UnknownNameError
from quickgaze.stimuli import (
    DATASETS,
    check_dataset,
    fetch_dataset,
    load_dataset,
    plan_fetch,
)
from quickgaze.stimuli.downloading import Patience

Write = Callable[..., Path]
HURRIED = Patience(attempts=2, first_wait=0.001, timeout=5)


class Web(Protocol):
    files: dict[str, bytes]
    asked: list[tuple[str, str | None]]
    break_after: list[int]
    address: str


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


SIZE = (120, 160)
NAMES = [f"COCO_val2014_{number:012d}" for number in (1, 2, 3)]


@pytest.fixture
def salicon(
    web: Web, tmp_path: Path, draw: Write, annotate: Write, monkeypatch: pytest.MonkeyPatch
) -> Web:
    """A small SALICON, in archives as the authors', and a catalogue that knows of it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in NAMES:
            archive.write(draw(tmp_path / "made" / f"{name}.jpg", SIZE), f"val/{name}.jpg")
        archive.writestr("__MACOSX/val/._COCO_val2014_000000000001.jpg", "x")
    samples = {f"{name}.jpg": {7: [[1, 1], [6, 8]], 8: [[121, 9]]} for name in NAMES}
    listing = annotate(tmp_path / "made.json", samples, SIZE).read_bytes()
    web.files |= {"/val.zip": packed.getvalue(), "/fixations_val2014.json": listing}
    digests = {"val.zip": md5(packed.getvalue()), "fixations_val2014.json": md5(listing)}
    entry = DATASETS["salicon"]
    assert entry.source is not None
    files = tuple(
        dataclasses.replace(file, md5=digests[file.name], holds=file.holds and 3)
        for file in entry.source.files
        if file.split == "val"
    )
    stand_in = dataclasses.replace(entry.source, base=web.address, files=files)
    monkeypatch.setitem(
        DATASETS.own,  # type: ignore[arg-type]
        "salicon",
        dataclasses.replace(entry, source=stand_in),
    )
    return web


def test_salicon(salicon: Web, tmp_path: Path) -> None:
    root = tmp_path / "salicon"
    told: list[tuple[str, int, int | None]] = []
    done = fetch_dataset(
        "salicon", root, progress=lambda item, *counts: told.append((item.file.name, *counts))
    )
    assert [item.there for item in done] == [False, False]
    assert {name for name, *_ in told} == {"val.zip", "fixations_val2014.json"}
    assert sorted(path.name for path in root.iterdir()) == ["fixations_val2014.json", "images"]
    assert len(list((root / "images" / "val").iterdir())) == 3
    dataset = load_dataset("salicon", root)
    assert [stimulus.id for stimulus in dataset] == NAMES
    fixations = dataset[0].fixations
    assert fixations is not None
    assert (fixations.points.tolist(), fixations.dropped) == ([[0, 0], [7, 5]], 1)
    salicon.asked.clear()
    again = fetch_dataset("salicon", root, split="val")
    assert [item.there for item in again] == [True, True]
    assert salicon.asked == []


def test_a_break_and_a_second_call(salicon: Web, tmp_path: Path) -> None:
    salicon.break_after = [17_000, 0]
    with pytest.raises(DatasetError, match="what has arrived is kept"):
        fetch_dataset("salicon", tmp_path / "root", patience=HURRIED)
    assert [path.name for path in (tmp_path / "root").iterdir()] == ["images-val.zip.part"]
    fetch_dataset("salicon", tmp_path / "root", patience=HURRIED)
    assert ("/val.zip", "bytes=16384-") in salicon.asked
    assert len(load_dataset("salicon", tmp_path / "root")) == 3


def test_an_archive_with_another_digest(salicon: Web, tmp_path: Path) -> None:
    salicon.files["/val.zip"] += b"x"
    with pytest.raises(DatasetError, match="not the expected file: its md5 should be"):
        fetch_dataset("salicon", tmp_path / "root", patience=HURRIED)
    assert list((tmp_path / "root").iterdir()) == []


@pytest.mark.usefixtures("salicon")
def test_a_folder_that_is_not_whole(tmp_path: Path) -> None:
    root = tmp_path / "root"
    fetch_dataset("salicon", root)
    next((root / "images" / "val").iterdir()).unlink()
    with pytest.raises(DatasetError, match=r"holds 2 files, but val\.zip unpacks to 3"):
        fetch_dataset("salicon", root)


def test_osie(
    web: Web, tmp_path: Path, draw: Write, osie_sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = DATASETS["osie"]
    assert entry.source is not None
    files = tuple(
        file for file in entry.source.files if file.name in {"eye/fixations.mat", *OSIE_IMAGES}
    )
    source = dataclasses.replace(entry.source, files=files)
    changed = dataclasses.replace(entry, source=source)
    monkeypatch.setitem(DATASETS.own, "osie", changed)  # type: ignore[arg-type]
    picture = draw(tmp_path / "made.jpg", size=(600, 800)).read_bytes()
    web.files["/copy/eye/fixations.mat"] = (osie_sample / "fixations.mat").read_bytes()
    web.files |= {f"/copy/{name}": picture for name in OSIE_IMAGES}
    fetch_dataset("osie", tmp_path / "root", mirror=f"{web.address}/copy/")
    assert [stimulus.id for stimulus in load_dataset("osie", tmp_path / "root")] == ["1001", "1700"]
    assert all(check.passed is not False for check in check_dataset("osie", tmp_path / "root"))
    assert all(item.there for item in plan_fetch("osie", tmp_path / "root"))


OSIE_IMAGES = ("stimuli/1001.jpg", "stimuli/1700.jpg")


def test_the_catalogue() -> None:
    """What DATASETS says of the sources, and nothing that would leave the root folder."""
    sources = {name: DATASETS[name].source for name in ("salicon", "osie")}
    salicon, osie = sources["salicon"], sources["osie"]
    assert salicon is not None
    assert osie is not None
    assert {file.name: file.md5 for file in salicon.files} == {
        "val.zip": "62cd6641a5354d3099a693ff90cb6dab",
        "train.zip": "d549761c16e59b80cd5981373ada5e98",
        "fixations_val2014.json": "3224f8cf86ea8d248d93583866b60c5f",
        "fixations_train2014.json": "ab60a090ee31642fbb4aa41f4953b8bd",
    }
    assert len(osie.files) == 701
    assert [file.md5 for file in osie.files if file.md5] == ["8efdf6fe66f38b6e70f854c7ff45aa70"]
    for source in (salicon, osie):
        assert source.base.startswith("https://")
        targets = [file.target for file in source.files]
        assert len(set(targets)) == len(targets)
        assert not any(target.startswith("/") or ".." in target for target in targets)


def test_plans(tmp_path: Path) -> None:
    planned = plan_fetch("salicon", tmp_path, split="train", mirror="https://example.org/copy")
    assert [item.address for item in planned] == [
        "https://example.org/copy/train.zip",
        "https://example.org/copy/fixations_train2014.json",
    ]
    assert [item.target.relative_to(tmp_path).as_posix() for item in planned] == [
        "images/train",
        "fixations_train2014.json",
    ]
    assert not any(item.there for item in planned)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "options", "match"),
    [
        ("popout", {}, "'popout' has no files to fetch; there are some of salicon, osie"),
        ("osie", {"split": "val"}, "'osie' has no splits to fetch"),
        ("salicon", {"split": "vla"}, "did you mean 'val'"),
        ("salicon", {"mirror": "file:///etc"}, "not an address"),
        ("salicn", {}, "did you mean 'salicon'"),
    ],
)
def test_options(tmp_path: Path, name: str, options: dict[str, Any], match: str) -> None:
    with pytest.raises(OptionError, match=match):
        fetch_dataset(name, tmp_path, **options)
    assert issubclass(UnknownNameError, OptionError)


def test_a_root_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "root").touch()
    with pytest.raises(DatasetError, match="cannot be made"):
        fetch_dataset("salicon", tmp_path / "root")
