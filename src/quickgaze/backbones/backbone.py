"""`Backbone`, from an image batch to a feature pyramid, and `load_backbone`."""

from __future__ import annotations

import contextlib
import warnings
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from quickgaze.backbones.detectors import DetectorFeatures
from quickgaze.backbones.entries import BACKBONES
from quickgaze.backbones.pyramid import Pyramid
from quickgaze.backbones.spec import BackboneSpec, WeightsChoice
from quickgaze.backbones.timm_models import TimmFeatures
from quickgaze.backbones.weights import digest, find_weights, read_state
from quickgaze.catalogue import unknown_name
from quickgaze.errors import OptionError, RandomWeightsWarning
from quickgaze.stimuli.types import Size

_PRECISIONS = ("auto", "fp32", "bf16")


@dataclass(frozen=True, eq=False)
class Backbone:
    """A network that turns an image batch into a feature pyramid.

    Made by `load_backbone`. Calling it runs the network once, without gradients.

    Parameters
    ----------
    spec : BackboneSpec
        What it is made of.
    network : nn.Module
        Gives the levels, by name, of a prepared batch.
    weights : str
        Tag of the weights, ``"none"`` for random ones, or the name of their file.
    weights_hash : str
        SHA-256 of all the weights in `network`.
    device : torch.device
        Where it runs.
    precision : {"fp32", "bf16"}
        What it computes in; the pyramid is float32 in any case.
    """

    spec: BackboneSpec
    network: nn.Module
    weights: str
    weights_hash: str
    device: torch.device
    precision: str

    @property
    def name(self) -> str:
        """Name of the backbone."""
        return self.spec.name

    @property
    def level_names(self) -> tuple[str, ...]:
        """Names of the levels, from fine to coarse."""
        return tuple(level.name for level in self.spec.levels)

    def __call__(self, batch: torch.Tensor) -> Pyramid:
        """Run the network on a batch of equally large images.

        Parameters
        ----------
        batch : Tensor, shape (B, 3, H, W), float
            RGB in [0, 1], on any device.

        Returns
        -------
        Pyramid
            On this backbone's device, float32.

        Raises
        ------
        OptionError
            If the batch has another shape or type.
        """
        if batch.ndim != 4 or batch.shape[1] != 3 or not batch.is_floating_point():
            raise OptionError(
                "a backbone takes a float batch (B, 3, H, W) in [0, 1]; "
                f"it got {tuple(batch.shape)} of {batch.dtype}"
            )
        with torch.inference_mode(), self._autocast():
            prepared, content = prepare(batch.to(self.device, torch.float32), self.spec)
            features = self.network(prepared)
            levels = {name: level.float() for name, level in features.items()}
        height, width = prepared.shape[-2:]
        strides = {level.name: level.stride for level in self.spec.levels}
        return Pyramid(levels, strides, (height, width), content)

    def _autocast(self) -> contextlib.AbstractContextManager[object]:
        if self.precision == "fp32":
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, dtype=torch.bfloat16)


def prepare(batch: torch.Tensor, spec: BackboneSpec) -> tuple[torch.Tensor, Size]:
    """Normalise, resize and pad a batch as the network wants it.

    Parameters
    ----------
    batch : Tensor, shape (B, 3, H, W), float32
        RGB in [0, 1].
    spec : BackboneSpec
        Its mean, std and geometry are used.

    Returns
    -------
    prepared : Tensor, shape (B, 3, H', W')
    content : (int, int)
        Height and width of the part of the input that the image covers.
    """
    mean, std = (
        torch.tensor(values, device=batch.device)[:, None, None] for values in (spec.mean, spec.std)
    )
    prepared = (batch - mean) / std
    geometry = spec.geometry
    content = geometry.resized((batch.shape[-2], batch.shape[-1]))
    if content != batch.shape[-2:]:
        prepared = functional.interpolate(
            prepared, content, mode="bilinear", align_corners=False, antialias=geometry.antialias
        )
    down, across = (-side % geometry.multiple for side in content)
    return functional.pad(prepared, (0, across, 0, down)), content


def list_backbones() -> list[str]:
    """Names of the backbones that `load_backbone` knows.

    Returns
    -------
    list of str

    Examples
    --------
    >>> "efficientnet_lite0" in list_backbones()
    True
    """
    return BACKBONES.names()


def load_backbone(
    name: str,
    weights: WeightsChoice = "default",
    device: str = "auto",
    precision: str = "auto",
    seed: int = 0,
) -> Backbone:
    """Load a backbone with its weights.

    Parameters
    ----------
    name : str
        One of `list_backbones`.
    weights : str or path
        ``"default"`` for the trained weights named in the catalogue, ``"none"`` for random
        ones, or a file with a state dictionary.
    device : str
        ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"mps"``; ``"auto"`` takes a GPU if there is one.
    precision : {"auto", "fp32", "bf16"}
        What the network computes in; ``"auto"`` is fp32.
    seed : int
        Of random weights.

    Returns
    -------
    Backbone

    Raises
    ------
    UnknownNameError
        If there is no such backbone, device or precision.
    WeightsError
        If the weights cannot be found or do not fit; says which file is wanted.

    Warns
    -----
    RandomWeightsWarning
        With ``weights="none"``.

    Examples
    --------
    >>> backbone = load_backbone("efficientnet_lite0")
    >>> pyramid = backbone(torch.zeros(1, 3, 64, 96))
    >>> {name: tuple(level.shape) for name, level in pyramid.levels.items()}["s32"]
    (1, 320, 2, 3)
    """
    spec = BACKBONES[name]
    if precision not in _PRECISIONS:
        raise unknown_name("precision", precision, _PRECISIONS)
    place = find_device(device)
    tag = str(weights)
    state = None
    if tag == "none":
        warnings.warn(
            f"{name}: the weights are random (seed {seed}); its maps tell nothing about a "
            "trained model",
            RandomWeightsWarning,
            stacklevel=2,
        )
    elif tag == "default":
        tag = spec.weights.tag
        state = read_state(find_weights(name, spec.weights))
    else:
        state = read_state(tag)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = (TimmFeatures if spec.family == "timm" else DetectorFeatures)(spec, state)
    network = network.eval().requires_grad_(False)
    weights_hash = digest(network)
    return Backbone(
        spec,
        network.to(place),
        tag,
        weights_hash,
        place,
        "fp32" if precision == "auto" else precision,
    )


def find_device(device: str) -> torch.device:
    """Find the device that a name means, and whether it is there.

    Parameters
    ----------
    device : str
        As for `load_backbone`.

    Returns
    -------
    torch.device

    Raises
    ------
    OptionError
        If there is no such device on this machine.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        place = torch.device(device)
        torch.empty(0, device=place)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).split("\n", maxsplit=1)[0]
        raise OptionError(
            f"device {device!r} cannot be used ({reason}); give 'auto', 'cpu', 'cuda' or 'mps'"
        ) from error
    return place
