"""Readouts on the command line: ``--readout FILE`` in ``run`` and ``map``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from skimage.data import chelsea

import quickgaze as qg
from quickgaze.cams import Readout
from quickgaze.study import open_run

Call = Callable[..., tuple[int, str, str]]
DISPLAYS = ("--dataset", "popout", "--option", "n=2", "--option", "size=[120, 160]")


@pytest.fixture(scope="module")
def readout(make_readout: Callable[..., Readout], tmp_path_factory: pytest.TempPathFactory) -> Path:
    backbone = qg.load_backbone("efficientnet_lite0", device="cpu")
    return make_readout(backbone).save(tmp_path_factory.mktemp("readout"))


@pytest.fixture
def photograph(tmp_path: Path) -> Path:
    path = tmp_path / "cat.png"
    PIL.Image.fromarray(chelsea()).resize((128, 96)).save(path)
    return path


def test_a_run_has_the_readout_beside_the_cam(call: Call, readout: Path, tmp_path: Path) -> None:
    given = (*DISPLAYS, "--cam", "deviation", "--readout", readout, "--sigma", 0, "--metrics", "cc")
    code, out, err = call("run", *given, "--out", tmp_path / "run")
    assert code == 0, err
    scores = open_run(tmp_path / "run").scores()
    assert sorted(scores["cam"].unique()) == ["deviation", "readout"]
    assert "readout" in out
    code, out, err = call("run", *given, "--out", tmp_path / "run")  # continued: nothing to do
    assert code == 0, err


def test_a_folder_of_a_fit_is_given_as_it_is(call: Call, readout: Path, tmp_path: Path) -> None:
    given = (*DISPLAYS, "--cam", "readout", "--readout", readout.parent, "--metrics", "cc")
    code, _, err = call("run", *given, "--out", tmp_path / "run")
    assert code == 0, err
    assert open_run(tmp_path / "run").scores()["cam"].unique().to_list() == ["readout"]


@pytest.mark.parametrize("folder", [False, True])
def test_a_picture_gets_both_maps(
    call: Call, readout: Path, photograph: Path, tmp_path: Path, folder: bool
) -> None:
    given = readout.parent if folder else readout
    out = tmp_path / "maps"
    code, _, err = call("map", photograph, "--readout", given, "--npy", "--out", out)
    assert code == 0, err
    assert {path.name for path in out.iterdir()} == {
        "cat_map.png",
        "cat_overlay.png",
        "cat_map.npy",
        "cat_density.png",
        "cat_density_overlay.png",
        "cat_density.npy",
        "index.html",
        "pictures",
    }
    density = np.load(out / "cat_density.npy")
    assert (density.shape, density.dtype) == ((96, 128), np.float32)
    np.testing.assert_allclose(density.sum(), 1, atol=1e-5)
    page = (out / "index.html").read_text(encoding="utf-8")
    assert "predicted gaze" in page
    assert "efficientnet_lite0 on osie (of this test), 40 images" in page


def test_a_name_finds_the_one_that_comes_along(
    call: Call, readout: Path, photograph: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    along = tmp_path / "readouts"
    along.mkdir()
    (along / "efficientnet_lite0-osie.safetensors").write_bytes(readout.read_bytes())
    monkeypatch.setattr("quickgaze.cams._readout_files._PACKAGED", along)
    code, _, err = call("map", photograph, "--readout", "osie", "--out", tmp_path / "maps")
    assert code == 0, err
    assert (tmp_path / "maps" / "cat_density.png").is_file()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--readout", "nowhere.safetensors"), "error: unknown readout 'nowhere.safetensors'"),
        (("--cam", "readout"), "error: the CAM 'readout' needs a readout: give readout=FILE"),
        (("--readout", "{image}"), "cat.png is not a readout: it could not be read as safetensors"),
        (
            ("--readout", "{readout}", "--backbone", "timm/resnet18", "--weights", "none"),
            "error: the readout was fitted to efficientnet_lite0, not to timm/resnet18; take",
        ),
        (
            ("--readout", "{readout}", "--weights", "none"),
            "error: the readout was fitted to the weights ImageNet-1k of efficientnet_lite0",
        ),
    ],
)
@pytest.mark.parametrize("command", ["map", "run"])
def test_what_cannot_be_used_is_said_in_a_sentence(
    call: Call,
    readout: Path,
    photograph: Path,
    tmp_path: Path,
    command: str,
    arguments: tuple[str, ...],
    said: str,
) -> None:
    given = [each.format(image=photograph, readout=readout) for each in arguments]
    what = (photograph,) if command == "map" else (*DISPLAYS, "--metrics", "cc")
    code, _, err = call(command, *what, *given, "--out", tmp_path / "out")
    assert code == 2
    assert said in err
    assert "Traceback" not in err
    assert not (tmp_path / "out").exists()
