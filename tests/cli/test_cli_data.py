"""The commands about data sets, as a user and as a program call them."""

from __future__ import annotations

import dataclasses
import functools
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from quickgaze.stimuli import DATASETS

Call = Callable[..., tuple[int, str, str]]


def draw(path: Path, size: tuple[int, int] = (6, 8)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    PIL.Image.fromarray(noise).save(path)
    return path


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[str]:
    """Address of the folder `served`."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    (tmp_path / "served").mkdir()
    handler = functools.partial(Quiet, directory=str(tmp_path / "served"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("command", ["check", "fetch", "list"])
def test_every_command_explains_itself(call: Call, command: str) -> None:
    code, out, _ = call("data", command, "--help")
    assert code == 0
    assert "Usage" in out


def test_help_names_what_cannot_be_fetched(call: Call) -> None:
    _, out, _ = call("data", "fetch", "--help")
    assert "1YWiwRNHokV2TIUBsNhAeRo1aqz8Iq0In" in out


def test_check_of_osie(call: Call, osie_sample: Path) -> None:
    code, out, err = call("data", "check", "osie", "--root", osie_sample)
    assert code == 0, err
    assert "98,321" in out
    assert "only 40 of 700 images are there" in out
    assert "differs" not in out


def test_check_for_programs(call: Call, salicon_examples: Path) -> None:
    code, out, _ = call(
        *("data", "check", "salicon", "--root", salicon_examples, "--json"),
        *("--option", "split=train"),
    )
    content = json.loads(out)
    assert code == 0
    assert content["passed"] is True
    found = {check["what"]: check["found"] for check in content["checks"]}
    assert found["points in fixations_train2014examples.json"] == "73,630"
    assert None in {check["passed"] for check in content["checks"]}


def test_check_lists_what_cannot_be_read(call: Call, tmp_path: Path) -> None:
    draw(tmp_path / "good.png")
    for number in range(25):
        (tmp_path / f"bad{number:02}.png").write_text("no picture")
    code, out, err = call("data", "check", "folder", "--root", tmp_path)
    assert code == 1
    assert "differs" in out
    assert "unreadable: bad00: " in err
    assert "bad20" not in err
    assert "5 more; --json lists all" in err
    code, out, _ = call("data", "check", "folder", "--root", tmp_path, "--json")
    content = json.loads(out)
    assert code == 1
    assert content["passed"] is False
    assert len(content["checks"][0]["details"]) == 25


def test_check_of_what_cannot_be_loaded(call: Call, tmp_path: Path) -> None:
    code, out, err = call("data", "check", "osie", "--root", tmp_path)
    assert (code, out) == (2, "")
    assert "error: " in err
    assert "does not hold OSIE" in err
    assert call("data", "check", "osie")[0] == 2
    assert call("data", "check", "popout", "--option", "spam=1")[0] == 2


@pytest.fixture
def small_osie(
    tmp_path: Path, mirror: str, osie_sample: Path, monkeypatch: pytest.MonkeyPatch
) -> str:
    """A mirror of OSIE's fixations and its first image, and a catalogue of no more."""
    served = tmp_path / "served"
    draw(served / "stimuli" / "1001.jpg", (600, 800))
    (served / "eye").mkdir()
    (served / "eye" / "fixations.mat").write_bytes((osie_sample / "fixations.mat").read_bytes())
    entry = DATASETS["osie"]
    assert entry.source is not None
    source = dataclasses.replace(entry.source, files=entry.source.files[:2])
    changed = dataclasses.replace(entry, source=source)
    monkeypatch.setitem(DATASETS.own, "osie", changed)  # type: ignore[arg-type]
    return mirror


def test_fetch_and_check(call: Call, tmp_path: Path, small_osie: str) -> None:
    root = tmp_path / "osie"
    fetch = ("data", "fetch", "osie", "--root", root, "--mirror", small_osie)
    code, out, _ = call(*fetch, "--dry-run")
    assert code == 0
    assert "2 of 2 files of osie would be fetched" in out
    assert f"{small_osie}/stimuli/1001.jpg" in out
    assert " kB" in out
    assert not root.exists()
    code, out, err = call(*fetch)
    assert code == 0, err
    assert "2 files fetched, 0 were there already" in out
    assert "None is known of the 700 images" in err
    assert call("data", "check", "osie", "--root", root)[0] == 0
    code, out, _ = call(*fetch)
    assert "0 files fetched, 2 were there already" in out
    assert "there already" in call(*fetch, "--dry-run")[1]


def test_fetch_of_a_wrong_file(call: Call, tmp_path: Path, small_osie: str) -> None:
    (tmp_path / "served" / "eye" / "fixations.mat").write_text("not it")
    root = tmp_path / "osie"
    code, _, err = call("data", "fetch", "osie", "--root", root, "--mirror", small_osie)
    assert code == 2
    assert "its md5 should be 8efdf6fe66f38b6e70f854c7ff45aa70, but is" in err
    assert list(root.iterdir()) == []


def test_fetch_shows_long_lists_in_short(call: Call, tmp_path: Path, mirror: str) -> None:
    code, out, _ = call(
        "data", "fetch", "osie", "--root", tmp_path, "--mirror", mirror, "--dry-run"
    )
    assert code == 0
    assert "701 of 701 files" in out
    assert "696 files more" in out
    assert "size not told by the server" in out


def test_fetch_of_what_has_no_files(call: Call, tmp_path: Path) -> None:
    code, _, err = call("data", "fetch", "popout", "--root", tmp_path)
    assert code == 2
    assert "has no files to fetch" in err


def test_an_option_given_twice(call: Call, tmp_path: Path) -> None:
    draw(tmp_path / "images" / "a.png")
    (tmp_path / "fixations.csv").write_text("stimulus,observer,x,y\na,ann,1,1\n")
    asked = ("data", "check", "folder", "--root", tmp_path, "--option", "origin=0")
    assert call(*asked)[0] == 0
    code, _, err = call(*asked, "--option", "origin=1")
    assert code == 2
    assert "--option gives 'origin' twice; give it once" in err
