"""The overview of a user's own images says what its maps have, and nothing else."""

from __future__ import annotations

from pathlib import Path

import PIL.Image
import pytest
from skimage.data import coffee

from quickgaze import SaliencyModel
from quickgaze.errors import OptionError
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
