"""The overview of a user's own images says what its maps have, and nothing else."""

from __future__ import annotations

from pathlib import Path

import PIL.Image
import pytest
from skimage.data import coffee

from quickgaze import SaliencyModel
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
