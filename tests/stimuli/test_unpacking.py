from __future__ import annotations

import shutil
import stat
import tarfile
import types
import zipfile
from pathlib import Path

import pytest

from quickgaze.errors import DatasetError
from quickgaze.stimuli._unpacking import Limits, unpack

Members = dict[str, bytes]


def zipped(path: Path, members: Members) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


PHOTOGRAPHS = {
    "set/val/a.jpg": b"a",
    "set/val/deep/b.jpg": b"bb",
    "set/readme.txt": b"text",
    "__MACOSX/val/._a.jpg": b"x",
}


def refused(folder: Path, archive: Path, match: str, **options: object) -> None:
    """The archive is refused and nothing of it is left, neither inside nor outside."""
    before = set(folder.rglob("*"))
    with pytest.raises(DatasetError, match=match):
        unpack(archive, folder / "into", **options)  # type: ignore[arg-type]
    assert set(folder.rglob("*")) == before


def test_everything(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "archive", PHOTOGRAPHS)
    assert unpack(archive, tmp_path / "new" / "into") == 4
    assert (tmp_path / "new/into/set/val/deep/b.jpg").read_bytes() == b"bb"
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["into"]


def test_what_is_wanted(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "archive", PHOTOGRAPHS)
    assert unpack(archive, tmp_path / "into", members="[a-z]*.jpg", holds=2) == 2
    assert sorted(path.name for path in (tmp_path / "into").iterdir()) == ["a.jpg", "b.jpg"]
    assert unpack(archive, tmp_path / "one", members="val/a*.jpg") == 1
    assert stat.S_IMODE((tmp_path / "one").stat().st_mode) & stat.S_IRUSR


@pytest.mark.parametrize(
    "name", ["../x.jpg", "a/../../x.jpg", "/quickgaze-evil.jpg", "..\\x.jpg", "C:/x.jpg"]
)
@pytest.mark.parametrize("members", [None, "*.jpg", "*.png"])
def test_paths_that_lead_out(tmp_path: Path, name: str, members: str | None) -> None:
    archive = zipped(tmp_path / "archive", {"good.jpg": b"1", name: b"evil"})
    refused(tmp_path, archive, "leads out of its folder", members=members)
    assert not Path("/quickgaze-evil.jpg").exists()


def test_links_in_zip_files(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("link.jpg")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "archive", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    refused(tmp_path, tmp_path / "archive", "holds 'link.jpg', a link")


@pytest.mark.parametrize("kind", [stat.S_IFCHR, stat.S_IFIFO, stat.S_IFSOCK])
def test_devices_in_zip_files(tmp_path: Path, kind: int) -> None:
    info = zipfile.ZipInfo("odd.jpg")
    info.external_attr = (kind | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "archive", "w") as archive:
        archive.writestr(info, "")
    refused(tmp_path, tmp_path / "archive", "neither a file nor a folder")


@pytest.mark.parametrize(
    "kind", [tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE]
)
def test_tar_files_are_not_unpacked(tmp_path: Path, kind: bytes) -> None:
    info = tarfile.TarInfo("odd.jpg")
    info.type, info.linkname = kind, "/etc/passwd"
    with tarfile.open(tmp_path / "archive", "w") as archive:
        archive.addfile(info)
    refused(tmp_path, tmp_path / "archive", "cannot be unpacked .*not a zip file")


def test_bombs(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "archive", {"a.jpg": bytes(8 * 2**20), "b.txt": bytes(8 * 2**20)})
    assert archive.stat().st_size < 100_000
    refused(tmp_path, archive, "more than 100 times its own")
    refused(tmp_path, archive, "more than 100 times its own", members="*.png")
    refused(tmp_path, archive, "more than 1,000 bytes", limits=Limits(size=1000))
    assert unpack(archive, tmp_path / "into", limits=Limits(ratio=10**6)) == 2


def test_a_bomb_that_lies_about_its_size(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "archive", {"a.jpg": bytes(8 * 2**20)})
    true, false = (8 * 2**20).to_bytes(4, "little"), (10).to_bytes(4, "little")
    content = archive.read_bytes()
    assert content.count(true) == 2
    archive.write_bytes(content.replace(true, false))
    refused(tmp_path, archive, "cannot be unpacked|more than 100 times")


def test_too_many_members(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "archive", {f"{number}.jpg": b"" for number in range(11)})
    refused(tmp_path, archive, "more than 10 members", limits=Limits(members=10))
    assert unpack(archive, tmp_path / "into", limits=Limits(members=11)) == 11


def test_names_that_fall_together(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "archive", {"x/a.jpg": b"1", "y/a.jpg": b"2"})
    refused(tmp_path, archive, "holds 'a.jpg' twice", members="*.jpg")


def test_files_that_lack(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "archive", PHOTOGRAPHS)
    refused(tmp_path, archive, "should hold 5,000 files, but 4", holds=5000)


def test_encrypted(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "archive", {"a.jpg": b"abc"})
    content = bytearray(archive.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(bytes(content))
    refused(tmp_path, archive, "encrypted")


def test_damaged(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "archive", {f"{n}.jpg": bytes([n]) * 5000 for n in range(200)})
    content = archive.read_bytes()
    archive.write_bytes(content[: len(content) // 2])
    refused(tmp_path, archive, "cannot be unpacked")
    archive.write_bytes(b"text")
    refused(tmp_path, archive, "cannot be unpacked")


def test_what_is_there_is_not_touched(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "archive", PHOTOGRAPHS)
    (tmp_path / "into").mkdir()
    (tmp_path / "into" / "mine").touch()
    refused(tmp_path, archive, "is there already")


def test_no_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = zipped(tmp_path / "archive", PHOTOGRAPHS)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: types.SimpleNamespace(free=3))
    refused(tmp_path, archive, "8 bytes are needed to unpack archive, but .* only 3 left")
