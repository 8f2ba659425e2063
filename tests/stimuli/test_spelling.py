from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quickgaze.errors import DatasetError
from quickgaze.stimuli._spelling import ImageNames

TABLE = Path("fixations.csv")


spelled = unicodedata.normalize


def named(*files: str) -> ImageNames:
    return ImageNames.of([Path("images", file) for file in files], Path("images"))


@pytest.mark.parametrize(
    ("files", "name", "identifier"),
    [
        (["b.jpg"], "b.png", "b"),
        (["b.jpg"], "B.JPG", "b"),
        (["b.jpg"], " b.jpg ", "b"),
        (["b.jpg"], "./b.jpg", "b"),
        ([unicodedata.normalize("NFD", "café.png")], unicodedata.normalize("NFC", "café"), None),
        (
            [unicodedata.normalize("NFC", "café.png")],
            unicodedata.normalize("NFD", "CAFÉ.png"),
            None,
        ),
        (["cats/tabby.png"], "cats\\tabby.png", "cats/tabby"),
        (["cats/tabby.png"], "Cats/Tabby.JPG", "cats/tabby"),
        (["cats/tabby.png"], "tabby.png", "cats/tabby"),
        (["cats/tabby.png"], "C:\\experiment\\cats\\tabby.png", "cats/tabby"),
        (["tabby.png"], "/home/me/stimuli/tabby.png", "tabby"),
        (["cats/one.png", "dogs/one.png"], "pets/dogs/one", "dogs/one"),
        (["v1.2.png", "v1.3.png"], "V1.2", "v1.2"),
        (["a.jpg", "A.png"], "a.jpg", "a"),
        (["a.jpg", "A.png"], "A", "A"),
    ],
)
def test_what_is_clear_is_found(files: list[str], name: str, identifier: str | None) -> None:
    names = named(*files)
    expected = next(iter(names.ids)) if identifier is None else identifier
    assert names.resolve(name, TABLE) == expected


@pytest.mark.parametrize(
    ("files", "name"),
    [
        (["cats/one.png"], "dogs/one"),
        (["tabby.png"], "tabby2"),
        (["tabby.png"], "tabby.old"),
        (["v1.2.png"], "v1"),
        (["tabby.png"], ""),
        (["tabby.png"], "tabby/"),
    ],
)
def test_what_is_another_name_is_not_matched(files: list[str], name: str) -> None:
    assert named(*files).resolve(name, TABLE) == name


@pytest.mark.parametrize(
    ("files", "name"),
    [
        (["Tabby.jpg", "TABBY.png"], "tabby"),
        (["cats/one.png", "dogs/one.png"], "one"),
        (["cats/one.png", "dogs/ONE.jpg"], "One"),
        ([f"{spelled(form, 'é')}.png" for form in ("NFC", "NFD")], "É"),
    ],
)
def test_what_is_not_clear_is_refused(files: list[str], name: str) -> None:
    with pytest.raises(DatasetError, match=r"fixations\.csv names .*, which may be .* or "):
        named(*files).resolve(name, TABLE)


@given(st.lists(st.text("abAB/.é", min_size=1, max_size=6), min_size=1, max_size=6, unique=True))
def test_every_id_and_every_file_name_means_its_own_image(stems: list[str]) -> None:
    files = sorted({f"{stem.strip('/.') or 'x'}.png" for stem in stems})
    files = [file for file in files if "//" not in file and "/." not in file]
    names = named(*files)
    for identifier, path in names.ids.items():
        assert names.resolve(identifier, TABLE) == identifier
        assert names.resolve(path.relative_to("images").as_posix(), TABLE) == identifier
