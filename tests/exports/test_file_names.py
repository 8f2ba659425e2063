"""Names of files for ids of any kind."""

from __future__ import annotations

from pathlib import Path, PureWindowsPath
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quickgaze.errors import OptionError
from quickgaze.exports import file_names, stimulus_named

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
SIMILAR = st.text(st.sampled_from("aAbéÉ./%. ßsK\u212a\\"), min_size=1, max_size=6)
IDS = st.lists(TEXTS | SIMILAR | st.just("aux") | st.just("a.png/b"), max_size=8, unique=True)


@pytest.mark.parametrize(
    ("stimulus", "name"),
    [
        ("COCO_val2014_000000000133", "COCO_val2014_000000000133.png"),
        ("indoor/café 1.jpg", "indoor/café 1.jpg.png"),
        ("..", "%2E%2E.png"),
        ("../../etc/passwd", "%2E%2E/%2E%2E/etc/passwd.png"),
        ("/etc/passwd", "%2Fetc%2Fpasswd.png"),
        ("a//b", "a%2F%2Fb.png"),
        ("a/", "a%2F.png"),
        ("./a", "%2E/a.png"),
        (".hidden", "%2Ehidden.png"),
        ("C:\\a", "C%3A%5Ca.png"),
        ("100%", "100%25.png"),
        ("a\nb\0c", "a%0Ab%00c.png"),
        ("con", "%63on.png"),
        ("AUX.1/a", "%41UX.1/a.png"),
        ("a.png/b", "a%2Epng/b.png"),
        ("a./b ", "a%2E/b .png"),
    ],
)
def test_names_that_are_safe_stay_and_others_are_escaped(stimulus: str, name: str) -> None:
    assert file_names([stimulus]) == {stimulus: name}
    assert stimulus_named(name) == stimulus


def test_what_differs_in_case_or_composition_gets_names_that_do_not_meet() -> None:
    decomposed = normalize("NFD", "é")
    assert file_names(["Cat", "cat", "dog"]) == {
        "Cat": "%43at.png",
        "cat": "cat.png",
        "dog": "dog.png",
    }
    assert file_names(["A/1", "a/2"]) == {"A/1": "%41/1.png", "a/2": "a/2.png"}
    assert file_names(["é", decomposed]) == {"é": "%C3%A9.png", decomposed: "e%CC%81.png"}


@given(IDS)
def test_every_name_is_one_file_below_the_folder_and_tells_its_id(ids: list[str]) -> None:
    names = file_names(ids)
    assert [stimulus_named(names[each]) for each in ids] == ids
    folded = {normalize("NFC", normalize("NFC", name).casefold()) for name in names.values()}
    assert len(folded) == len(ids)
    for name in names.values():
        path = Path(name)
        assert not path.is_absolute()
        assert not PureWindowsPath(name).drive
        assert path.as_posix() == name
        assert not {"", ".", ".."} & set(path.parts)
        assert not any(parent.as_posix() in names.values() for parent in path.parents)


def test_ids_that_no_file_can_have() -> None:
    assert len(file_names(["a" * 251])["a" * 251]) == 255
    with pytest.raises(OptionError, match="has 252 characters, too many for a file name"):
        file_names(["a" * 252])
    with pytest.raises(OptionError, match="empty id"):
        file_names([""])
