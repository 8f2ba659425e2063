from __future__ import annotations

import http.server
import json
import threading
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest
import scipy.io

from quickgaze.stimuli import Dataset, Fixations, Stimulus

Write = Callable[..., Path]

FIELDS = ("location", "timestamp", "fixations")


@pytest.fixture
def draw() -> Write:
    """Writes a small noisy picture, in any mode and of any size."""

    def write(path: Path, size: tuple[int, int] = (6, 8), mode: str = "RGB") -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
        PIL.Image.fromarray(noise).convert(mode).save(path)
        return path

    return write


@pytest.fixture
def annotate() -> Write:
    """Writes annotations as SALICON's 2015 release does: rows and columns from 1."""

    def write(
        path: Path,
        samples: Mapping[str, Mapping[int | str, Sequence[Sequence[float]]]],
        size: tuple[int, int] = (6, 8),
        text_ids: bool = False,
    ) -> Path:
        images, annotations = [], []
        for number, (name, workers) in enumerate(samples.items()):
            image = {"file_name": name, "height": size[0], "width": size[1], "id": number}
            images.append(image)
            for worker, points in workers.items():
                annotations.append(
                    {
                        "image_id": str(number) if text_ids else number,
                        "worker_id": worker,
                        "id": len(annotations) + 1,
                        "fixations": points,
                    }
                )
        content = {"info": {}, "images": images, "type": "fixations", "annotations": annotations}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))
        return path

    return write


@pytest.fixture
def record() -> Write:
    """Writes gaze as SALICON's .mat files do: x and y from 1, one struct an observer."""

    def write(
        path: Path,
        observers: Sequence[npt.ArrayLike],
        size: tuple[int, int] = (6, 8),
        upright: bool = True,
    ) -> Path:
        gaze = np.empty(len(observers), dtype=[(name, object) for name in FIELDS])
        for row, points in zip(gaze, observers, strict=True):
            row["fixations"] = np.asarray(points, dtype=np.uint16)
            row["location"] = np.repeat(np.asarray(points, dtype=float), 2, axis=0)
            row["timestamp"] = np.arange(len(row["location"]))[:, None]
        path.parent.mkdir(parents=True, exist_ok=True)
        gaze = gaze[:, None] if upright else gaze[None]
        scipy.io.savemat(path, {"gaze": gaze, "resolution": np.array([size]), "image": path.stem})
        return path

    return write


@pytest.fixture
def pysaliency_files(
    pysaliency: types.ModuleType, monkeypatch: pytest.MonkeyPatch
) -> types.ModuleType:
    """The pysaliency package, able to write: its release 0.2.22 calls ``numpy.string_``."""
    monkeypatch.setattr(np, "string_", np.bytes_, raising=False)
    return pysaliency


class Drawn:
    """An image in memory: an `ImageReader`."""

    def __init__(self, pixels: npt.NDArray[np.uint8]) -> None:
        self.pixels = pixels

    def read(self) -> npt.NDArray[np.uint8]:
        return self.pixels

    def size(self) -> tuple[int, int]:
        return self.pixels.shape[:2]

    def fingerprint(self) -> str:
        return "drawn"


class Looked:
    """Gaze in memory: a `FixationReader`."""

    def __init__(self, fixations: Fixations) -> None:
        self.fixations = fixations

    def read(self, _size: tuple[int, int]) -> Fixations:
        return self.fixations


@pytest.fixture
def in_memory() -> Callable[..., Dataset]:
    """Makes a data set of two images, the first with two points inside it and one outside."""

    def make(observers: tuple[str, ...] = ("bob", "ann", "ann")) -> Dataset:
        noise = np.random.default_rng(0)
        pixels = [noise.integers(0, 256, (*size, 3), np.uint8) for size in ((6, 8), (4, 5))]
        gaze = Fixations.inside([0, 1.25, 7], [5, 2.5, 9], observers, (6, 8), [100, 250, 80])
        stimuli = (
            Stimulus("cats/tabby", Drawn(pixels[0]), Looked(gaze)),
            Stimulus("empty", Drawn(pixels[1])),
        )
        return Dataset("mine", stimuli, "first", "mouse samples", (), ("A note.",), 24.0)

    return make


class Web:
    """A server on this machine that can break off, refuse, and forget about ranges."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[tuple[str, str | None]] = []
        self.statuses: list[int] = []
        self.break_after: list[int] = []
        self.ranges = True
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        web = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                content = web.files.get(self.path)
                self.send_response(404 if content is None else 200)
                if content is not None:
                    self.send_header("Content-Length", str(len(content)))
                self.end_headers()

            def do_GET(self) -> None:
                asked = self.headers.get("Range")
                web.asked.append((self.path, asked))
                content = web.files.get(self.path)
                status = web.statuses.pop(0) if web.statuses else 404 if content is None else 200
                if status != 200 or content is None:
                    self.send_response(status)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                self._send(content, asked if web.ranges else None)

            def _send(self, content: bytes, asked: str | None) -> None:
                start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
                if start >= len(content) > 0:
                    self.send_response(416)
                    self.send_header("Content-Range", f"bytes */{len(content)}")
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                self.send_response(206 if asked else 200)
                if asked:
                    span = f"bytes {start}-{len(content) - 1}/{len(content)}"
                    self.send_header("Content-Range", span)
                self.send_header("Content-Length", str(len(content) - start))
                self.end_headers()
                length = web.break_after.pop(0) if web.break_after else len(content)
                self.wfile.write(content[start : start + length])
                self.close_connection = True

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler


@pytest.fixture
def web() -> Iterator[Web]:
    """A server on this machine; give it `files` by path."""
    made = Web()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()
