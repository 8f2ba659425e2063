from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest
import scipy.io

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
