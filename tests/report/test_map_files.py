"""The overview of a user's own images says what its maps have, and nothing else."""

from __future__ import annotations

from pathlib import Path

import PIL.Image
import pytest
from PIL import features
from skimage.data import coffee

from quickgaze import SaliencyModel, load_dataset
from quickgaze.errors import OptionError, StimulusError
from quickgaze.report import map_files


@pytest.mark.parametrize(
    ("cam", "said", "unsaid"),
    [
        ("eigen", ["explained variance", "orientation margin", "on the grid s16"], []),
        ("deviation", ["on the grid s16", "8 x 12 cells"], ["orientation", "variance"]),
        ("center", ["baseline", "43 x 64 cells"], ["on the grid", "orientation", "variance"]),
    ],
)
def test_the_page_says_what_a_map_has(
    tmp_path: Path, cam: str, said: list[str], unsaid: list[str]
) -> None:
    PIL.Image.fromarray(coffee()).resize((192, 128)).save(tmp_path / "cup.png")
    model = SaliencyModel(cam=cam, grid="s16", device="cpu")
    mapped = map_files(model, [tmp_path / "cup.png"], tmp_path / "maps")
    page = mapped.page.read_text(encoding="utf-8")
    for words in said:
        assert words in page
    for words in (*unsaid, "nan"):
        assert words not in page


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    for name in ("cup", "saucer"):
        PIL.Image.fromarray(coffee()).resize((192, 128)).save(tmp_path / f"{name}.png")
    model = SaliencyModel(cam="center", device="cpu")
    images = [tmp_path / "cup.png", tmp_path / "saucer.png"]
    with pytest.raises(OptionError, match=r"cup\.png cannot be written"):
        map_files(model, images, images[0])
    (tmp_path / "maps" / "cup_map.png").mkdir(parents=True)
    mapped = map_files(model, images, tmp_path / "maps")
    assert (mapped.count, [file.name for file, _ in mapped.failures]) == (1, ["cup.png"])


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as people have it: subfolders, endings of all kinds, and what programs leave."""
    root = tmp_path_factory.mktemp("photos")
    picture = PIL.Image.fromarray(coffee()).resize((64, 48))
    for name in ("cup.jpg", "old.JFIF", "a/cup.png", "b/deep/Cup.webp", ".hidden.png"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        kind = {"jfif": "jpeg", "jpg": "jpeg"}.get(name.rpartition(".")[2].lower())
        picture.save(root / name, kind)
    picture.save(root / "a" / "._cup.png")
    (root / ".trash").mkdir()
    picture.save(root / ".trash" / "gone.png")
    for name in ("notes.txt", "a/raw.heic", "b/list.csv"):
        (root / name).write_bytes(b"no image")
    return root


@pytest.fixture(scope="module")
def center() -> SaliencyModel:
    return SaliencyModel(cam="center", device="cpu")


def test_subfolders_are_entered(center: SaliencyModel, photos: Path, tmp_path: Path) -> None:
    mapped = map_files(center, [photos], tmp_path / "out")
    assert (mapped.count, mapped.failures) == (4, ())
    maps = sorted(path.relative_to(tmp_path / "out") for path in tmp_path.rglob("*_map.png"))
    assert [path.as_posix() for path in maps] == [
        "a/cup_map.png",
        "b/deep/Cup_map.png",
        "cup_map.png",
        "old_map.png",
    ]
    page = mapped.page.read_text(encoding="utf-8")
    for name in ("a/cup.png", "b/deep/Cup.webp", "old.JFIF", "4 of 4 images"):
        assert name in page


def test_what_is_skipped_is_said(center: SaliencyModel, photos: Path, tmp_path: Path) -> None:
    mapped = map_files(center, [photos], tmp_path / "out")
    assert {file.name for file in mapped.skipped} == {"notes.txt", "raw.heic", "list.csv"}
    said = "left out 3 files that are not named like an image: "
    assert mapped.left_out().startswith(said)
    assert said in mapped.page.read_text(encoding="utf-8")
    for name in ("notes.txt", "raw.heic", "list.csv"):
        assert name in mapped.left_out()
    assert "hidden" not in mapped.left_out()


def test_many_skipped_files_are_counted(center: SaliencyModel, tmp_path: Path) -> None:
    for number in range(9):
        (tmp_path / f"{number}.xyz").touch()
    words = r"no image in .*; left out 9 files .*: 0\.xyz, .*, 4\.xyz and 4 more$"
    with pytest.raises(StimulusError, match=words):
        map_files(center, [tmp_path], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_equal_names_do_not_overwrite_each_other(
    center: SaliencyModel, photos: Path, tmp_path: Path
) -> None:
    paths = [photos / "a", photos / "b" / "deep", photos / "cup.jpg"]
    mapped = map_files(center, paths, tmp_path / "out", arrays=True)
    assert mapped.count == 3
    names = {path.name for path in (tmp_path / "out").glob("*_map.npy")}
    assert names == {"cup_map.npy", "Cup-2_map.npy", "cup-3_map.npy"}


def test_maps_within_the_folder_are_not_mapped_again(center: SaliencyModel, tmp_path: Path) -> None:
    PIL.Image.fromarray(coffee()).resize((64, 48)).save(tmp_path / "cup.png")
    for _ in range(2):
        mapped = map_files(center, [tmp_path], tmp_path / "maps", arrays=True)
        assert (mapped.count, mapped.skipped) == (1, ())


def test_a_named_file_may_have_any_ending(
    center: SaliencyModel, photos: Path, tmp_path: Path
) -> None:
    odd = tmp_path / "cup.picture"
    odd.write_bytes((photos / "cup.jpg").read_bytes())
    assert map_files(center, [odd], tmp_path / "out").count == 1
    mapped = map_files(center, [odd, photos / "notes.txt"], tmp_path / "out")
    assert [file.name for file, _ in mapped.failures] == ["notes.txt"]


@pytest.mark.parametrize("ending", ["jfif", "JPG", "avif", "jpe", "tiff", "ppm"])
def test_endings_of_images(center: SaliencyModel, tmp_path: Path, ending: str) -> None:
    if ending == "avif" and not features.check("avif"):
        pytest.skip("this Pillow reads no AVIF")
    kind = "jpeg" if ending in {"jfif", "jpe"} else None
    folder = tmp_path / "photos"
    folder.mkdir()
    PIL.Image.fromarray(coffee()).resize((64, 48)).save(folder / f"cup.{ending}", kind)
    assert map_files(center, [folder], tmp_path / "out").count == 1
    assert [stimulus.id for stimulus in load_dataset("folder", root=folder)] == ["cup"]
