"""Files of readouts: the same numbers again, and a sentence for everything else."""

from __future__ import annotations

import json
import math
import pickle
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors
import safetensors.torch
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import quickgaze as qg
from quickgaze.cams import Readout, _readout_files, as_readout, load_readout
from quickgaze.errors import OptionError, QuickgazeError, UnknownNameError, WeightsError

ReadoutMaker = Callable[..., Readout]
Header = dict[str, Any]


def assert_same(one: Readout, other: Readout) -> None:
    assert one.digest == other.digest
    assert one.card.levels == other.card.levels
    assert (one.sigma, one.centre_weight) == (other.sigma, other.centre_weight)
    assert one.tensors.keys() == other.tensors.keys()
    for name, tensor in one.tensors.items():
        assert torch.equal(tensor, other.tensors[name])


@pytest.mark.parametrize("hidden", [0, 1, 16])
def test_a_file_gives_the_same_readout(
    make_readout: ReadoutMaker, tmp_path: Path, hidden: int
) -> None:
    readout = make_readout(hidden=hidden, levels=("s8", "s16"), grid="s16")
    path = readout.save(tmp_path / "deep" / "mine.safetensors")
    assert path == tmp_path / "deep" / "mine.safetensors"
    found = load_readout(path)
    assert_same(found, readout)
    assert found.card == readout.card
    assert load_readout(str(path)).card == readout.card


def test_a_folder_holds_a_readout(make_readout: ReadoutMaker, tmp_path: Path) -> None:
    readout = make_readout()
    assert readout.save(tmp_path) == tmp_path / "readout.safetensors"
    assert_same(load_readout(tmp_path), readout)


def test_the_same_readout_is_the_same_file(make_readout: ReadoutMaker, tmp_path: Path) -> None:
    first = make_readout().save(tmp_path / "first.safetensors")
    second = load_readout(first).save(tmp_path / "second.safetensors")
    assert first.read_bytes() == second.read_bytes()
    assert stat.S_IMODE(first.stat().st_mode) & 0o044 == 0o044  # others may read it


def test_a_readout_of_16_units_is_small(make_readout: ReadoutMaker, tmp_path: Path) -> None:
    # EfficientNet-Lite0 has 512 channels
    assert make_readout(channels=512, hidden=16).save(tmp_path).stat().st_size < 150_000


def test_an_undefined_score_stays_undefined(make_readout: ReadoutMaker, tmp_path: Path) -> None:
    path = make_readout(scores={"nss": math.nan, "cc": 0.5}).save(tmp_path)
    scores = load_readout(path).card.scores
    assert math.isnan(scores["nss"])
    assert scores["cc"] == 0.5
    assert_same(load_readout(path), make_readout(scores={"nss": math.nan, "cc": 0.5}))


texts = st.text(st.characters(exclude_categories=["C", "Z"]), max_size=12)
numbers = st.floats(allow_nan=False, allow_infinity=False)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    hidden=st.integers(0, 4),
    channels=st.integers(1, 6),
    seed=st.integers(0, 999),
    sigma=st.floats(0, 100),
    centre_weight=numbers,
    text=texts,
    images=st.integers(0, 10**9),
    scores=st.dictionaries(texts, numbers, max_size=3),
    versions=st.dictionaries(texts, texts, max_size=3),
)
def test_whatever_was_saved_is_read_again(
    make_readout: ReadoutMaker,
    tmp_path: Path,
    text: str,
    **made: Any,
) -> None:
    readout = make_readout(dataset=text, licence=text, **made)
    found = load_readout(readout.save(tmp_path / "any.safetensors"))
    assert_same(found, readout)
    assert found.card == readout.card


def rewritten(path: Path, change: Callable[[Header, dict[str, torch.Tensor]], object]) -> Path:
    """Change the header and the tensors of a file in place."""
    with safetensors.safe_open(path, "pt") as file:
        header = json.loads(file.metadata()["readout"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    text = change(header, tensors)
    safetensors.torch.save_file(
        tensors, path, {"readout": text if isinstance(text, str) else json.dumps(header)}
    )
    return path


def without(name: str) -> Callable[[Header, dict[str, torch.Tensor]], object]:
    return lambda header, _: header["card"].pop(name) and None


def with_card(**facts: Any) -> Callable[[Header, dict[str, torch.Tensor]], object]:
    return lambda header, _: header["card"].update(facts)


def with_header(**facts: Any) -> Callable[[Header, dict[str, torch.Tensor]], object]:
    return lambda header, _: header.update(facts)


def with_tensor(name: str, tensor: torch.Tensor) -> Callable[..., object]:
    return lambda _, tensors: tensors.update({name: tensor})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda *_: "", "its card cannot be read"),
        (lambda *_: "no JSON", "its card cannot be read"),
        (lambda *_: "[]", "its card cannot be read"),
        (lambda *_: "null", "its card cannot be read"),
        (lambda *_: "[" * 100_000, "its card cannot be read"),
        (lambda *_: '{"format": ' + "9" * 5000 + "}", "its card cannot be read"),
        (lambda header, _: header.pop("card") and None, "its card cannot be read"),
        (lambda header, _: header.pop("format") and None, "its card cannot be read"),
        (lambda header, _: header.pop("sigma") and None, "its card cannot be read"),
        (without("weights_hash"), "its card cannot be read .*weights_hash"),
        (without("scores"), "its card cannot be read"),
        (with_card(levels="s16"), "its card cannot be read .*levels"),
        (with_card(levels=[1]), "its card cannot be read .*levels"),
        (with_card(hidden="2"), "its card cannot be read .*hidden"),
        (with_card(hidden=2.5), "its card cannot be read .*hidden"),
        (with_card(images=True), "its card cannot be read .*images"),
        (with_card(scores={"cc": "high"}), "its card cannot be read .*scores"),
        (with_card(scores=[0.5]), "its card cannot be read"),
        (with_card(versions={"torch": 2}), "its card cannot be read .*versions"),
        (with_card(backbone=None), "its card cannot be read .*backbone"),
        (with_card(hidden=0), "a readout with 0 hidden units has bias, centre_bias"),
        (with_card(hidden=10**12), r"weights is \(2, 3\) where \(1000000000000, 3\) is expected"),
        (with_card(hidden=-2), "hidden is -2"),
        (with_card(backbone="two\nlines"), r"backbone is 'two\\nlines'; give a line of text"),
        (with_card(weights="\x1b]0;title\x07"), "weights is .*; give a line of text"),
        (with_card(levels=[]), r"levels are \[\]"),
        (with_card(grid="1000000x1000000"), "at most 2048 cells a side"),
        (with_header(format=2), "is a readout of format 2, and this quickgaze reads format 1"),
        (with_header(format="1"), "is a readout of format '1'"),
        (with_header(sigma="wide"), "its card cannot be read .*sigma"),
        (with_header(sigma=-1), "sigma is -1"),
        (with_header(sigma=1e12), "sigma is 1000000000000.0; give 0 to 100 cells"),
        (with_header(sigma=math.nan), "sigma is nan"),
        (with_header(centre_weight=math.inf), "centre_weight is inf"),
        (lambda _, tensors: tensors.clear(), "its tensors are none"),
        (lambda _, tensors: tensors.pop("mean") is None, "its tensors are bias, centre_bias, dev"),
        (lambda _, tensors: tensors.pop("output") is None, "its tensors are .*has .*output"),
        (with_tensor("code", torch.zeros(1)), "its tensors are bias, centre_bias, code"),
        (with_tensor("mean", torch.zeros(3, 1)), r"mean is \(3, 1\) where \(3,\)"),
        (with_tensor("mean", torch.zeros(4)), "where .* is expected, for the 4 channels of mean"),
        (with_tensor("mean", torch.zeros(0)), r"mean is \(0,\)"),
        (with_tensor("bias", torch.full((2,), torch.nan)), "bias has to be finite"),
        (with_tensor("weights", torch.full((2, 3), torch.inf)), "weights has to be finite"),
        (with_tensor("output", torch.zeros(2).half()), "output has to be .* float32"),
        (with_tensor("bias", torch.zeros(2, dtype=torch.int32)), "bias has to be .* float32"),
        (with_tensor("deviation", torch.zeros(3)), "deviation has to be above 0"),
        (with_tensor("centre_bias", torch.zeros(1, 1)), r"centre_bias is \(1, 1\)"),
    ],
)
def test_a_damaged_readout_is_refused(
    make_readout: ReadoutMaker, tmp_path: Path, change: Any, message: str
) -> None:
    path = rewritten(make_readout().save(tmp_path), change)
    with pytest.raises(WeightsError, match=message) as refused:
        load_readout(path)
    said = str(refused.value)
    assert said.startswith(f"{path} is ")
    assert "\n" not in said
    assert len(said) < 600


@pytest.fixture
def whole(make_readout: ReadoutMaker, tmp_path: Path) -> Path:
    return make_readout().save(tmp_path)


def test_every_truncated_file_is_refused(whole: Path) -> None:
    content = whole.read_bytes()
    for length in (0, 1, 7, 8, 9, 100, 1000, len(content) // 2, len(content) - 1):
        whole.write_bytes(content[:length])
        with pytest.raises(WeightsError, match=r"it could not be read as safetensors .* anew"):
            load_readout(whole)


def test_flipped_bytes_never_end_in_an_error_that_is_not_ours(whole: Path) -> None:
    content = whole.read_bytes()
    draw = np.random.default_rng(0)
    for _ in range(150):
        damaged = bytearray(content)
        damaged[draw.integers(0, 2000)] ^= 1 << draw.integers(8)
        whole.write_bytes(damaged)
        with suppress(QuickgazeError):
            load_readout(whole)


class _Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return pytest.fail, ("code of the file has run",)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("readout.safetensors", b"no tensors"),
        ("readout.safetensors", pickle.dumps(_Bomb())),
        ("readout.pt", pickle.dumps(_Bomb())),
        ("readout.json", b'{"format": 1}'),
        ("readout.safetensors", b"\xff" * 8 + b"{}"),
        ("readout.safetensors", (2).to_bytes(8, "little") + b"{}" + b"rest"),
    ],
)
def test_foreign_files_are_refused_and_not_executed(
    tmp_path: Path, name: str, content: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(WeightsError, match="is not a readout"):
        load_readout(path)


def test_a_checkpoint_of_torch_is_refused(tmp_path: Path) -> None:
    torch.save({"mean": torch.zeros(3)}, tmp_path / "readout.pt")
    with pytest.raises(WeightsError, match="it could not be read as safetensors"):
        load_readout(tmp_path / "readout.pt")


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}, {"card": "{}"}])
def test_tensors_without_a_card_are_refused(
    tmp_path: Path, metadata: dict[str, str] | None
) -> None:
    path = tmp_path / "weights.safetensors"
    safetensors.torch.save_file({"layer.weight": torch.zeros(2)}, path, metadata)
    with pytest.raises(WeightsError, match="holds tensors, but no card of a readout; name the"):
        load_readout(path)


def test_a_huge_file_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "huge.safetensors"
    with path.open("wb") as file:
        file.truncate(10 * 2**30)  # ten gigabytes that take no place
    with pytest.raises(WeightsError, match="is larger than 64 MB, which no readout is"):
        load_readout(path)


def test_places_that_cannot_be_written_are_said(make_readout: ReadoutMaker, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WeightsError, match=r"the readout could not be written to .* name a file"):
        make_readout().save(tmp_path / "file" / "readout.safetensors")


def test_a_folder_without_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"holds no readout\.safetensors; name the folder"):
        load_readout(tmp_path)


class TestAlong:
    """Readouts that come with the package."""

    @pytest.fixture(autouse=True)
    def packaged(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        folder = tmp_path / "readouts"
        folder.mkdir()
        monkeypatch.setattr(_readout_files, "_PACKAGED", folder)
        return folder

    def test_they_go_by_name_and_backbone(self, make_readout: ReadoutMaker, packaged: Path) -> None:
        lite, other = make_readout(seed=1), make_readout(seed=2)
        lite.save(packaged / "efficientnet_lite0-osie.safetensors")
        other.save(packaged / "timm_resnet18-osie.safetensors")
        make_readout(seed=3).save(packaged / "timm_resnet18-mit-1003.safetensors")
        assert load_readout("osie").digest == lite.digest
        assert load_readout("osie", "timm/resnet18").digest == other.digest
        assert load_readout("mit-1003", "timm/resnet18").digest == make_readout(seed=3).digest
        with pytest.raises(UnknownNameError, match=r"'mit-1003'.*those come .* efficientnet_lite0"):
            load_readout("mit-1003")

    def test_a_wrong_name_gets_the_nearest(
        self, make_readout: ReadoutMaker, packaged: Path
    ) -> None:
        make_readout().save(packaged / "efficientnet_lite0-osie.safetensors")
        message = r"unknown readout 'ossie'; did you mean 'osie'\? Known: osie"
        with pytest.raises(UnknownNameError, match=message):
            load_readout("ossie")
        for name in ("../osie", "OSIE.safetensors", "", "readouts/efficientnet_lite0-osie"):
            with pytest.raises(QuickgazeError):
                load_readout(name)

    def test_where_none_comes_along_that_is_said(self) -> None:
        message = "unknown readout 'osie'.*none comes with quickgaze for timm/resnet18"
        with pytest.raises(UnknownNameError, match=message):
            load_readout("osie", "timm/resnet18")

    def test_a_file_comes_first_and_a_folder_without_one_does_not(
        self,
        make_readout: ReadoutMaker,
        packaged: Path,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        along, mine = make_readout(seed=1), make_readout(seed=2)
        along.save(packaged / "efficientnet_lite0-osie.safetensors")
        monkeypatch.chdir(tmp_path)
        (tmp_path / "osie").mkdir()  # as of the data set
        assert load_readout("osie").digest == along.digest
        mine.save(tmp_path / "osie")
        assert load_readout("osie").digest == mine.digest


def test_the_package_s_own_folder_is_in_the_package() -> None:
    assert Path(qg.__file__).parent / "cams" / "readouts" == _readout_files._PACKAGED


def test_a_readout_is_taken_as_it_is(make_readout: ReadoutMaker, whole: Path) -> None:
    readout = make_readout()
    assert as_readout(readout, "any") is readout
    assert as_readout(whole, "any").digest == readout.digest
    assert as_readout(str(whole), "any").digest == readout.digest
    for wrong in (3, None, b"osie", replace):
        with pytest.raises(OptionError, match=r"readout is a .*; give a file"):
            as_readout(wrong, "any")
