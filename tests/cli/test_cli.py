"""The command line, as a user and as a program call it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from skimage.data import chelsea, coffee

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A folder of photographs of every kind, good and bad."""
    folder = tmp_path / "images"
    folder.mkdir()
    cat = PIL.Image.fromarray(chelsea()).resize((160, 120))
    cat.save(folder / "colour.png")
    cat.convert("L").save(folder / "grey.png")
    cat.convert("CMYK").save(folder / "cmyk.jpg")
    cat.convert("RGBA").save(folder / "alpha.png")
    deep = np.asarray(cat.convert("L")).astype(np.uint16) * 257
    PIL.Image.fromarray(deep).save(folder / "deep.png")
    turned = PIL.Image.Exif()
    turned[0x0112] = 6
    cat.save(folder / "turned.jpg", exif=turned)
    (folder / "truncated.png").write_bytes((folder / "colour.png").read_bytes()[:2000])
    cat.resize((1, 1)).save(folder / "one.png")
    return folder


def size_of(picture: Path) -> tuple[int, int]:
    """Height and width of a picture file."""
    with PIL.Image.open(picture) as image:
        return image.height, image.width


def test_help_is_quick_and_names_the_commands() -> None:
    script = Path(sys.executable).with_name("quickgaze")
    done = subprocess.run([script, "--help"], capture_output=True, text=True, check=True)  # noqa: S603
    for command in (
        *("demo", "map", "run", "summary", "import", "export", "backbones", "metrics", "data"),
    ):
        assert command in done.stdout


@pytest.mark.parametrize("command", ["demo", "map", "run", "summary", "backbones"])
def test_every_command_explains_itself(call: Call, command: str) -> None:
    code, out, _ = call(command, "--help")
    assert code == 0
    assert "Usage" in out


def test_lists(call: Call) -> None:
    code, out, _ = call("backbones")
    assert code == 0
    assert "efficientnet_lite0" in out
    assert "fasterrcnn_resnet50_fpn" in out
    assert "pool:64" in out
    assert "timm/MODEL" in out
    code, out, _ = call("data", "list")
    assert code == 0
    for name in ("salicon", "osie", "folder", "popout"):
        assert name in out
    for option in ("screen", "columns", "set_size"):
        assert option in out


def test_the_geometry_is_an_option(call: Call, images: Path, tmp_path: Path) -> None:
    colour = images / "colour.png"
    code, _, err = call("map", colour, "--out", tmp_path / "maps", "--geometry", "short:64")
    assert code == 0, err
    code, _, err = call("map", colour, "--out", tmp_path / "maps", "--geometry", "large")
    assert code == 2
    assert "default, native, detector, detector-padded, short:N" in err
    code, _, err = call(
        *("run", "--dataset", "popout", "--out", tmp_path / "run", "--option", "n=1"),
        *("--geometry", "short:64", "--metrics", "cc"),
    )
    assert code == 0, err
    plan = json.loads((tmp_path / "run" / "plan.json").read_text())
    assert plan["settings"]["geometry"] == "short:64"


def test_a_run_and_its_summary(call: Call, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    code, out, err = call(
        *("run", "--dataset", "popout", "--out", folder, "--option", "n=3"),
        *("--option", "size=[120, 160]", "--sigma", 19, "--sigma", 5),
        *("--orientation", "activation", "--orientation", "lapack", "--metrics", "cc,nss"),
    )
    assert code == 0, err
    assert "cc ↑" in out
    assert "(3)" in out
    assert str(folder) in out
    assert "popout: 3 stimuli" in err
    code, out, _ = call("summary", folder)
    assert code == 0
    assert "nss ↑" in out
    code, out, _ = call("summary", folder, "--json")
    content = json.loads(out)
    assert code == 0
    assert content["complete"] is True
    assert len(content["variants"]) == 4
    metric = content["variants"][0]["metrics"]["cc"]
    assert metric["images"] == 3
    assert metric["higher_is_better"] is True


def test_bad_images_are_listed_and_nothing_is_lost(
    call: Call, images: Path, tmp_path: Path
) -> None:
    code, out, err = call(
        *("run", "--dataset", "folder", "--root", images, "--out", tmp_path / "run"),
        *("--metrics", "cc", "--orientation", "activation"),
    )
    assert code == 1
    assert "failed: truncated (image)" in err
    assert "failed: one (image)" in err
    assert "1 x 1 pixels" in err
    assert "undefined: cc in 6 scores, because" in err
    assert "undefined (0)" in out


def test_maps_of_ones_own_images(call: Call, images: Path, tmp_path: Path) -> None:
    out_folder = tmp_path / "maps"
    code, out, err = call("map", images, "--out", out_folder, "--npy", "--sigma", 5)
    assert code == 1
    assert "truncated.png" in err
    assert "one.png" in err
    assert "6 maps and overlays" in out
    assert str(out_folder / "index.html") in out
    assert size_of(out_folder / "turned_map.png") == (160, 120)
    for name in ("colour", "grey", "cmyk", "alpha", "deep"):
        assert size_of(out_folder / f"{name}_overlay.png") == (120, 160)
        saliency = np.load(out_folder / f"{name}_map.npy")
        assert (saliency.min(), saliency.max()) == (0, 1)
    alike = [np.load(out_folder / f"{name}_map.npy") for name in ("grey", "deep")]
    assert np.abs(alike[0] - alike[1]).max() < 0.05


def test_one_good_image_is_a_success(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "cup.png"
    PIL.Image.fromarray(coffee()).save(file)
    code, out, _ = call("map", file, "--out", tmp_path / "maps")
    assert code == 0
    assert "1 maps" in out


def test_a_folder_is_mapped_with_its_subfolders(call: Call, tmp_path: Path) -> None:
    (tmp_path / "photos" / "more").mkdir(parents=True)
    picture = PIL.Image.fromarray(coffee()).resize((64, 48))
    for name in ("cup.png", "more/cup.jfif", "._cup.png"):
        picture.save(tmp_path / "photos" / name, "png")
    (tmp_path / "photos" / "cup.heic").touch()
    code, out, err = call("map", tmp_path / "photos", "--out", tmp_path / "maps", "--cam", "center")
    assert code == 0
    assert "2 maps" in out
    assert "left out 1 file that is not named like an image: cup.heic" in err
    assert (tmp_path / "maps" / "more" / "cup_map.png").is_file()


def test_a_baseline_is_tabulated_without_a_backbone(call: Call, tmp_path: Path) -> None:
    data = ("--dataset", "popout", "--option", "n=2", "--option", "size=[120,160]")
    code, out, err = call(
        "run", *data, "--cam", "center", "--metrics", "cc", "--out", tmp_path / "r"
    )
    assert code == 0, err
    assert "center" in out
    assert "efficientnet" not in out + err
    code, out, _ = call("summary", tmp_path / "r", "--json")
    assert {row["backbone"] for row in json.loads(out)["variants"]} == {"none"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--dataset", "salcon", "--root", "."), "did you mean 'salicon'"),
        (("--dataset", "salicon", "--root", "no/such/place"), "no/such/place does not exist"),
        (("--dataset", "salicon"), "needs root"),
        (("--dataset", "popout", "--backbone", "fasterrcnn"), "did you mean 'fasterrcnn_resnet50"),
        (("--dataset", "popout", "--metrics", "ncs"), "did you mean"),
        (("--dataset", "popout", "--orientation", "activaton"), "did you mean 'activation'"),
        (("--dataset", "popout", "--grid", "3by4"), "unknown grid '3by4'"),
        (("--dataset", "popout", "--level", "s64"), "unknown level"),
        (("--dataset", "popout", "--option", "colour=red"), "unknown option of the data set"),
        (("--dataset", "popout", "--option", "n"), "NAME=VALUE"),
        (("--dataset", "popout", "--weights", "no.pth"), "there is no weights file no.pth"),
        (("--dataset", "popout", "--device", "abacus"), "cannot be used"),
        (("--dataset", "popout", "--engine", "rai"), "unknown engine 'rai'"),
        (("--dataset", "popout", "--fusion", "men"), "did you mean 'mean'"),
        (("--dataset", "popout", "--cam", "centre"), "did you mean 'center'"),
        (("--dataset", "popout", "--maps", "no/such/place"), "is not NAME=PATH"),
        (("--dataset", "popout", "--maps", "a=b", "--maps", "a=c"), "gives 'a' twice"),
        (("--dataset", "popout", "--maps", "a=no/such/place"), "no/such/place does not exist"),
    ],
)
def test_unusable_input_gets_a_sentence_and_code_2(
    call: Call, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    code, _, err = call("run", *arguments, "--out", tmp_path / "run")
    assert code == 2
    assert err.startswith("error: ") or "\nerror: " in err
    assert message in err
    assert "Traceback" not in err
    assert not (tmp_path / "run").exists()


def test_wrong_usage_is_code_2(call: Call, tmp_path: Path) -> None:
    assert call("run", "--dataset", "popout")[0] == 2
    assert call("run", "--dataset", "popout", "--out", tmp_path / "r", "--limit", "0")[0] == 2
    assert call("no-such-command")[0] == 2
    code, _, err = call("summary", tmp_path / "nothing")
    assert code == 2
    assert "is not a run folder" in err
    code, _, err = call("map", tmp_path, "--out", tmp_path / "maps")
    assert code == 2
    assert "there is no image" in err


def test_maps_of_another_model_need_no_backbone(call: Call, tmp_path: Path) -> None:
    maps = tmp_path / "maps"
    maps.mkdir()
    for number in range(2):
        array = np.random.default_rng(number).random((120, 160))
        np.save(maps / f"popout-{number:06d}.npy", array)
    options = ("--option", "n=3", "--option", "size=[120, 160]", "--metrics", "auc")
    code, out, err = call(
        *("run", "--dataset", "popout", "--out", tmp_path / "run", *options),
        *("--maps", f"mine={maps}", "--sigma", 0),
    )
    assert code == 1
    assert "mine" in out
    assert "precomputed" in out
    assert "efficientnet" not in out
    assert "(2)" in out
    assert "(cam): mine has no map of" in err


def test_random_weights_are_told(call: Call, tmp_path: Path) -> None:
    code, _, err = call(
        *("run", "--dataset", "popout", "--out", tmp_path / "run", "--option", "n=1"),
        *("--weights", "none", "--metrics", "cc"),
    )
    assert code == 0
    assert "warning: efficientnet_lite0: the weights are random" in err


def test_a_preset_gives_options_that_others_override(call: Call, tmp_path: Path) -> None:
    code, _, err = call(
        *("run", "--dataset", "popout", "--out", tmp_path / "run", "--option", "n=1"),
        *("--preset", "cap6415", "--backbone", "efficientnet_lite0", "--grid", "s32"),
    )
    assert code == 0, err
    settings = json.loads((tmp_path / "run" / "plan.json").read_text())["settings"]
    assert settings["backbones"] == ["efficientnet_lite0"]
    assert settings["grids"] == ["s32"]
    assert settings["orientations"] == ["lapack"]
    assert settings["sigmas"] == [0.0, 19.0]
    assert settings["convention"] == "cap6415"
    assert settings["geometry"] == "detector-padded"
    code, _, err = call("map", tmp_path, "--out", tmp_path / "maps", "--preset", "cap")
    assert code == 2
    assert "unknown preset 'cap'" in err


def test_options_from_a_file(call: Call, tmp_path: Path) -> None:
    config = tmp_path / "study.toml"
    config.write_text(
        'dataset = "popout"\noption = ["n=2", "size=[120, 160]"]\nmetrics = ["cc"]\nsigma = [5]\n'
        "batch-size = 1\n"
    )
    code, _, err = call("run", "--config", config, "--out", tmp_path / "run", "--sigma", 7)
    assert code == 0, err
    plan = json.loads((tmp_path / "run" / "plan.json").read_text())
    assert plan["settings"]["metrics"] == ["cc"]
    assert plan["settings"]["sigmas"] == [7.0]
    assert len(plan["stimuli"]) == 2
    config.write_text("metrcs = 3")
    code, _, err = call("run", "--config", config, "--out", tmp_path / "other")
    assert code == 2
    assert "did you mean 'metrics'" in err
    config.write_text("metrics = ")
    code, _, err = call("run", "--config", config, "--out", tmp_path / "other")
    assert code == 2
    assert "cannot be read" in err


@pytest.mark.slow
def test_the_demo_shows_everything(call: Call, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    code, out, _ = call("demo", "--out", folder)
    assert code == 0
    for rule in ("activation", "extremum", "skew", "border", "lapack", "oracle"):
        assert rule in out
    page = (folder / "index.html").read_text()
    pictures = list((folder / "pictures").iterdir())
    assert len(pictures) == 12 * 4 + 6 * 3
    assert all(f"pictures/{picture.name}" in page for picture in pictures)
    report = folder / "report" / "index.html"
    assert "popout-000000" in report.read_text()
    named = [report, folder / "index.html", folder / "overview.png", folder / "run"]
    places = ["".join(out.split()).index("".join(str(each).split())) for each in named]
    assert places == sorted(places), "the report is to be opened first"
    with PIL.Image.open(folder / "overview.png") as picture:
        assert (picture.format, picture.mode, picture.width) == ("PNG", "RGBA", 1600)
    assert call("demo", "--out", folder)[0] == 0
