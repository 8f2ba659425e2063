"""A run over a folder as people have them: a tenth of its files is broken, in every way."""

from __future__ import annotations

import io
import os
import re
import socket
import struct
import tempfile
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import PIL.Image
import pytest
from rich.console import Console

import quickgaze as qg
from quickgaze.report import plain_table

pytestmark = pytest.mark.slow

Call = Callable[..., tuple[int, str, str]]
Fate = Literal["scored", "failed", "undefined"]

COUNT, BROKEN, SIZE = 1000, 100, (48, 64)


@dataclass
class Collection:
    """A folder with images, maps and fixations, and what is to become of each stimulus."""

    root: Path
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))
    fates: dict[str, tuple[str, Fate, str]] = field(default_factory=dict)
    rows: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for folder in ("images", "maps"):
            (self.root / folder).mkdir(parents=True)

    def image(self, name: str, kind: str | None = None) -> Path:
        """Write a picture with bright blots."""
        pixels = self.rng.integers(0, 120, (*SIZE, 3), dtype=np.uint8)
        row, column = self.rng.integers(0, 40, 2)
        pixels[row : row + 8, column : column + 12] = 255
        path = self.root / "images" / name
        PIL.Image.fromarray(pixels).save(path, kind)
        return path

    def map(self, name: str) -> Path:
        """Write a human map with one place that was looked at most."""
        y, x = np.ogrid[: SIZE[0], : SIZE[1]]
        row, column = self.rng.integers(8, 40, 2)
        path = self.root / "maps" / f"{name}.npy"
        np.save(path, np.exp(-((y - row) ** 2 + (x - column) ** 2) / 100))
        return path

    def look(self, name: str, x: float = 20, y: float = 20) -> None:
        """Let two observers look at an image."""
        self.rows += [f"{name},{observer},{x},{y}" for observer in ("ann", "bob")]

    def whole(self, name: str, ending: str = "png", kind: str | None = None) -> Path:
        """Add an image with all its gaze, under its name without ending."""
        self.map(name)
        self.look(name)
        return self.image(f"{name}.{ending}", kind)

    def expect(self, name: str, how: str, fate: Fate, words: str = "") -> None:
        """Say what is to become of a stimulus, and which words are to name the reason."""
        self.fates[name] = how, fate, words

    def finish(self) -> None:
        """Write the table of fixations."""
        table = "\n".join(["stimulus,observer,x,y", *self.rows, ""])
        (self.root / "fixations.csv").write_text(table)


Break = Callable[[Collection, str], None]


def broken_image(how: str, words: str, make: Callable[[Path], object]) -> tuple[str, Break]:
    """Replace an image of a stimulus by something else of its name."""

    def add(collection: Collection, name: str) -> None:
        path = collection.whole(name, "jpg")
        path.unlink()
        make(path)
        collection.expect(name, how, "failed", words)

    return how, add


def broken_map(
    how: str, fate: Fate, words: str, make: Callable[[Path], object]
) -> tuple[str, Break]:
    """Replace the human map of a stimulus."""

    def add(collection: Collection, name: str) -> None:
        collection.whole(name)
        make(collection.root / "maps" / f"{name}.npy")
        collection.expect(name, how, fate, words)

    return how, add


def truncated(path: Path) -> None:
    PIL.Image.effect_noise((200, 150), 60).save(path)
    path.write_bytes(path.read_bytes()[:3000])


def bomb(path: Path) -> None:
    """A few bytes that claim to be an image of 60,000 x 60,000 pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + checksum

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + pixels)


def left_socket(path: Path) -> None:
    """Leave a socket. It is made elsewhere, since its path may not be long."""
    with tempfile.TemporaryDirectory() as short, socket.socket(socket.AF_UNIX) as made:
        made.bind(f"{short}/s")
        Path(short, "s").rename(path)


def locked(path: Path) -> None:
    path.touch()
    path.chmod(0)


def same_stem(collection: Collection, name: str) -> None:
    """Add two images that differ in their ending alone; their gaze names the ending."""
    for ending in ("bmp", "png"):
        full = f"{name}.{ending}"
        collection.image(full)
        collection.map(full)
        collection.look(full)
        collection.expect(full, "two files of one stem", "scored")


def not_utf8(collection: Collection, name: str) -> None:
    path = collection.whole(name)
    path.rename(path.with_name(f"{name}-\udce9.png"))
    gaze = collection.root / "maps" / f"{name}.npy"
    gaze.rename(gaze.with_name(f"{name}-\udce9.npy"))
    collection.rows = [row.replace(f"{name},", f"{name}-\\xe9,") for row in collection.rows]
    collection.expect(f"{name}-\\xe9", "name that is not UTF-8", "scored")


def called_jpg(collection: Collection, name: str) -> None:
    collection.whole(name, "jpg", "PNG")
    collection.expect(name, "PNG called .jpg", "scored")


def all_outside(collection: Collection, name: str) -> None:
    collection.image(f"{name}.png")
    collection.look(name, x=64)
    reason = "no density; auc: .*no fixation lies inside the image"
    collection.expect(name, "fixations all outside", "undefined", reason)


WAYS: dict[str, Break] = dict(
    [
        broken_image("truncated JPEG", "truncated", truncated),
        broken_image("text called .jpg", "no known image format", lambda p: p.write_text("text")),
        broken_image("zero bytes", "is empty", Path.touch),
        broken_image("decompression bomb", "limit of .* pixels|more pixels than the limit", bomb),
        broken_image("folder", "is a folder, not a file", Path.mkdir),
        broken_image("dangling link", "link that leads nowhere", lambda p: p.symlink_to("gone")),
        broken_image("link to itself", "link that leads nowhere", lambda p: p.symlink_to(p.name)),
        broken_image("pipe", "is a pipe, not a file", os.mkfifo),
        broken_image("socket", "is a socket, not a file", left_socket),
        broken_image("device", "is a device, not a file", lambda p: p.symlink_to("/dev/zero")),
        broken_map("map with NaN", "failed", "NaN", lambda p: np.save(p, np.full(SIZE, np.nan))),
        broken_map(
            "map of another size",
            "failed",
            "64 x 48, its image is 48 x 64",
            lambda p: np.save(p, np.ones(SIZE[::-1])),
        ),
        broken_map("constant map", "undefined", "constant", lambda p: np.save(p, np.ones(SIZE))),
        ("fixations all outside", all_outside),
        ("two files of one stem", same_stem),
        ("name that is not UTF-8", not_utf8),
        ("PNG called .jpg", called_jpg),
    ]
)

if os.geteuid() != 0:  # who may read everything
    WAYS.update([broken_image("no permission", "may not be read", locked)])


@pytest.fixture
def collection(tmp_path: Path) -> Collection:
    made = Collection(tmp_path / "data")
    ways = list(WAYS.values())
    for number in range(COUNT):
        # Spread, so that every shard and every batch has its share of them.
        if number % (COUNT // BROKEN) == 3:
            ways[number // (COUNT // BROKEN) % len(ways)](made, f"bad{number:04d}")
        else:
            made.whole(f"good{number:04d}")
            made.expect(f"good{number:04d}", "nothing wrong", "scored")
    made.finish()
    return made


def test_a_run_ends_well_whatever_lies_in_the_folder(
    collection: Collection,
    tmp_path: Path,
    call: Call,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, err = call(
        *("run", "--dataset", "folder", "--root", collection.root, "--out", tmp_path / "run"),
        *("--metrics", "cc,auc", "--orientation", "activation", "--bounds", "none"),
        *("--batch-size", 32, "--option", "origin=0"),
    )
    assert code == 1, out + err
    run = qg.open_run(tmp_path / "run")
    assert run.complete
    scores = {row["stimulus"]: row for row in run.scores().iter_rows(named=True)}
    failures = {row["stimulus"]: row["message"] for row in run.failures().iter_rows(named=True)}
    undefined: dict[str, dict[str, str]] = {}
    for row in run.undefined().iter_rows(named=True):
        undefined.setdefault(row["stimulus"], {})[row["metric"]] = row["reason"]

    became: Counter[tuple[str, str]] = Counter()
    reasons: dict[str, str] = {}
    for name, (how, fate, words) in collection.fates.items():
        assert (name in failures) == (fate == "failed"), (name, how)
        assert (name in scores) == (fate != "failed"), (name, how)
        assert (name in undefined) == (fate == "undefined"), (name, how)
        reason = ""
        if fate == "failed":
            reason = failures[name]
        elif fate == "undefined":
            assert np.isnan(scores[name]["cc"])
            reason = "; ".join(f"{each}: {why}" for each, why in undefined[name].items())
        else:
            assert np.isfinite([scores[name]["cc"], scores[name]["auc"]]).all()
        assert re.search(words, reason), (name, how, reason)
        became[how, fate] += 1
        reasons.setdefault(how, reason.replace(str(collection.root), "").replace(name, "…"))
    assert len(scores) + len(failures) == len(collection.fates)
    assert set(scores) | set(failures) == set(collection.fates)
    assert {how for how, _ in became} == {*WAYS, "nothing wrong"}
    rows = [(how, f"{number}", fate, reasons[how]) for (how, fate), number in became.items()]
    with capsys.disabled():
        print(f"\n{_as_text(rows)}")


def _as_text(rows: list[tuple[str, str, str, str]]) -> str:
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(plain_table("Bad stimuli", ("what", "number", "became", "reason"), rows))
    return console.export_text()
