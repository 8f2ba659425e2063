"""Stand-ins for the data that the pages speak of, so that their code runs anywhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from quickgaze.backbones import load_backbone
from quickgaze.cams import Readout
from quickgaze.stimuli import Dataset, load_dataset

SIZE = (160, 192)
SCENES = ("kitchen", "street", "garden", "harbour")


@pytest.fixture(scope="session")
def readout_file(
    make_readout: Callable[..., Readout], tmp_path_factory: pytest.TempPathFactory
) -> bytes:
    """Content of the file of a readout of random weights."""
    readout = make_readout(load_backbone("efficientnet_lite0"))
    return readout.save(tmp_path_factory.mktemp("readout")).read_bytes()


@pytest.fixture
def page_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, readout_file: bytes) -> Path:
    """A working folder with everything that a reader of the pages is told to have."""
    displays = load_dataset("popout", n=len(SCENES), size=SIZE, set_size=12)
    gaze = np.random.default_rng(0).uniform((0, 0), SIZE[::-1], (len(SCENES), 3, 4, 2))
    _images(tmp_path / "photos", displays, SCENES)
    (tmp_path / "photo.jpg").write_bytes((tmp_path / "photos" / "kitchen.jpg").read_bytes())
    _images(tmp_path / "MIT300", displays, SCENES)
    _own_folder(tmp_path / "GAZE", displays, gaze)
    _model_maps(tmp_path / "deepgaze")
    _points_beside_images(tmp_path / "LAB", displays, gaze)
    _salicon(tmp_path / "SALICON", displays, gaze)
    (tmp_path / "READOUT").mkdir()
    (tmp_path / "READOUT" / "readout.safetensors").write_bytes(readout_file)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _images(folder: Path, displays: Dataset, names: tuple[str, ...]) -> None:
    folder.mkdir(parents=True)
    for name, display in zip(names, displays, strict=True):
        PIL.Image.fromarray(display.image()).save(folder / f"{name}.jpg")


def _own_folder(folder: Path, displays: Dataset, gaze: np.ndarray) -> None:
    _images(folder / "images", displays, SCENES)
    rows = [
        f"{scene},{observer},{x:.1f},{y:.1f}"
        for scene, observers in zip(SCENES, gaze, strict=True)
        for observer, points in zip(("ann", "bob", "eve"), observers, strict=True)
        for x, y in points
    ]
    (folder / "fixations.csv").write_text("\n".join(["stimulus,observer,x,y", *rows]))


def _model_maps(folder: Path) -> None:
    folder.mkdir()
    for number, scene in enumerate(SCENES):
        np.save(folder / f"{scene}.npy", np.random.default_rng(number).random(SIZE))


def _points_beside_images(folder: Path, displays: Dataset, gaze: np.ndarray) -> None:
    _images(folder, displays, SCENES)
    for scene, observers in zip(SCENES, gaze, strict=True):
        np.savetxt(folder / f"{scene}.txt", observers.reshape(-1, 2) + 1)


def _salicon(folder: Path, displays: Dataset, gaze: np.ndarray) -> None:
    names = tuple(f"COCO_val2014_{number:012d}" for number in range(len(SCENES)))
    _images(folder / "val", displays, names)
    images = [
        {"id": number, "file_name": f"{name}.jpg", "height": SIZE[0], "width": SIZE[1]}
        for number, name in enumerate(names)
    ]
    annotations = [
        # rows and columns, from 1
        {
            "id": 3 * number + worker,
            "image_id": number,
            "worker_id": worker,
            "fixations": (np.floor(points[:, ::-1]) + 1).astype(int).tolist(),
        }
        for number, observers in enumerate(gaze)
        for worker, points in enumerate(observers)
    ]
    content = {"info": {}, "images": images, "type": "fixations", "annotations": annotations}
    (folder / "fixations_val2014.json").write_text(json.dumps(content))
