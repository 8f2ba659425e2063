"""Panels: one file a stimulus, with what there is of it."""

from __future__ import annotations

from pathlib import Path

import PIL.Image
import pytest

from quickgaze.errors import OptionError, UnknownNameError
from quickgaze.report import panels
from quickgaze.stimuli import Dataset
from quickgaze.study import Run


def test_named_stimuli_have_a_file_each(
    run: Run, displays: Dataset, hostile: str, tmp_path: Path
) -> None:
    names = [displays[2].id, "popout-000003", hostile]
    drawn = panels(run, names, tmp_path, dataset=displays, progress=False)
    assert drawn.failures == ()
    assert [file.parent for file in drawn.files] == [tmp_path] * 3
    assert drawn.files[1].name == "0002-popout-000003.png"
    assert drawn.files[2].name == "0003--img-src-x-onerror-alert-1---jpg.png"
    with PIL.Image.open(drawn.files[1]) as picture:
        # Four pictures of 4:3 side by side: image, CAM, saliency map, people.
        assert picture.width > 3 * picture.height / 1.5


def test_the_least_agreeing_by_default(run: Run, displays: Dataset, tmp_path: Path) -> None:
    drawn = panels(
        run, out=tmp_path, dataset=displays, bottom=2, metric="kld", to="svg", progress=False
    )
    own = run.scores().filter(grid="coarsest", orientation="activation").sort("kld")
    worst = own["stimulus"].tail(2).reverse().to_list()
    assert len(drawn.files) == 2
    text = drawn.files[0].read_text(encoding="utf-8")
    assert text.startswith("<?xml")
    assert drawn.files[0].name.startswith(
        "0001-" + worst[0][:6].replace("<", "-").replace(" ", "-")
    )


def test_without_photographs_the_maps_are_drawn(run: Run, tmp_path: Path) -> None:
    drawn = panels(run, ["popout-000004"], tmp_path, to="pdf", progress=False)
    assert drawn.files[0].read_bytes().startswith(b"%PDF")


def test_what_cannot_be_drawn_is_refused(run: Run, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="popout-00000x"):
        panels(run, ["popout-00000x"], tmp_path)
    with pytest.raises(UnknownNameError, match="format"):
        panels(run, to="gif", out=tmp_path)
    with pytest.raises(OptionError, match="bottom is 0"):
        panels(run, out=tmp_path, bottom=0)
    with pytest.raises(OptionError, match="no stimulus"):
        panels(run, [], tmp_path)
    assert list(tmp_path.iterdir()) == []
