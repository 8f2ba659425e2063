"""`Backbone`, from an image batch to a feature pyramid, and `load_backbone`."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import timm
import torch
from torch import nn
from torch.nn import functional

from quickgaze.backbones.detectors import DetectorFeatures
from quickgaze.backbones.entries import BACKBONES
from quickgaze.backbones.levels import Levels
from quickgaze.backbones.pyramid import Pyramid
from quickgaze.backbones.spec import BackboneSpec, WeightsChoice
from quickgaze.backbones.speed import PRECISIONS, computing_in, make_fast
from quickgaze.backbones.timm_models import timm_network
from quickgaze.backbones.timm_specs import PREFIX, timm_spec
from quickgaze.backbones.weights import digest, find_weights, read_state
from quickgaze.catalogue import unknown_name
from quickgaze.errors import OptionError, RandomWeightsWarning, UnknownNameError
from quickgaze.stimuli.types import Size


@dataclass(frozen=True, eq=False)
class Backbone:
    """A network that turns an image batch into a feature pyramid.

    Made by `load_backbone` or `wrap_backbone`. Calling it runs the network once, without gradients.

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
    precision : {"fp32", "tf32", "bf16"}
        What it computes in; the pyramid is float32 in any case.

    Examples
    --------
    >>> backbone = load_backbone("efficientnet_lite0")
    >>> backbone.name, backbone.level_names, backbone.precision
    ('efficientnet_lite0', ('s2', 's4', 's8', 's16', 's32'), 'fp32')
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
        with torch.inference_mode(), computing_in(self.precision, self.device):
            prepared, content = prepare(batch.to(self.device, torch.float32), self.spec)
            features = self.network(prepared)
            levels = {
                name: level.float() if isinstance(level, torch.Tensor) else level
                for name, level in features.items()
            }
        height, width = prepared.shape[-2:]
        strides = {level.name: level.stride for level in self.spec.levels}
        return Pyramid(Levels(levels), strides, (height, width), content)


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
    padded = functional.pad(prepared, (0, across, 0, down))
    return padded, (padded.shape[-2], padded.shape[-1]) if geometry.keep_padding else content


def list_backbones() -> list[str]:
    """Names of the backbones in the catalogue.

    `load_backbone` also takes ``"timm/"`` and the name of any timm model that gives features.

    Returns
    -------
    list of str

    Examples
    --------
    >>> "efficientnet_lite0" in list_backbones()
    True
    """
    return BACKBONES.names()


def find_spec(name: str) -> BackboneSpec:
    """Find out what is known of a backbone, without loading it.

    Parameters
    ----------
    name : str
        As for `load_backbone`.

    Returns
    -------
    BackboneSpec

    Raises
    ------
    UnknownNameError
        If there is no such backbone; offers the nearest.

    Examples
    --------
    >>> [level.name for level in find_spec("timm/resnet18").levels]
    ['s2', 's4', 's8', 's16', 's32']
    """
    if name.startswith(PREFIX):
        return timm_spec(name)
    try:
        return BACKBONES[name]
    except UnknownNameError as error:
        if timm.is_model(name):
            raise UnknownNameError(f"{error}. timm has it: {PREFIX}{name}") from error
        raise UnknownNameError(f"{error}, and timm/MODEL for any model of timm") from error


def load_backbone(
    name: str,
    weights: WeightsChoice = "default",
    device: str = "auto",
    precision: str = "auto",
    seed: int = 0,
    geometry: str = "default",
) -> Backbone:
    """Load a backbone with its weights.

    Parameters
    ----------
    name : str
        One of `list_backbones`, or ``"timm/"`` and the name of a timm model, with or without a
        tag: ``"timm/convnext_tiny"``, ``"timm/resnet18.a1_in1k"``.
    weights : str or path
        ``"default"`` for the trained weights named in the catalogue or by timm, ``"none"`` for
        random ones, or a file with the state dictionary of the whole model.
    device : str
        ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"mps"``; ``"auto"`` takes a GPU if there is one.
    precision : {"auto", "fp32", "tf32", "bf16"}
        What the network computes in; ``"auto"`` is fp32, on every machine, so that results do
        not depend on it. ``"tf32"`` is for GPUs. ``"bf16"`` is faster on GPUs and on processors
        with AMX, slower on others; a detector's maps stay within a correlation of 0.999.
    seed : int
        Of random weights.
    geometry : str
        How images are resized: ``"default"``, ``"native"``, ``"detector"`` or ``"short:480"``;
        see `choose_geometry`.

    Returns
    -------
    Backbone

    Raises
    ------
    UnknownNameError
        If there is no such backbone, precision or geometry.
    OptionError
        If there is no such device, or the backbone takes no other geometry than its own.
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
    spec = find_spec(name).at(geometry)
    check_precision(precision)
    place = find_device(device)
    tag = str(weights)
    if tag == "none":
        warnings.warn(
            f"{name}: the weights are random (seed {seed}); its maps tell nothing about a "
            "trained model",
            RandomWeightsWarning,
            stacklevel=2,
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = _build(spec, tag)
    return from_network(
        spec, network, spec.weights.tag if tag == "default" else tag, place, precision
    )


def _build(spec: BackboneSpec, weights: str) -> nn.Module:
    from_hub = weights == "default" and spec.weights.hub is not None
    state = None
    if weights == "default" and not from_hub:
        state = read_state(find_weights(spec.name, spec.weights))
    elif weights not in ("default", "none"):
        state = read_state(weights)
    if spec.family == "detector":
        return DetectorFeatures(spec, state)
    return timm_network(spec, state, pretrained=from_hub)


def from_network(
    spec: BackboneSpec, network: nn.Module, weights: str, device: torch.device, precision: str
) -> Backbone:
    """Make a backbone of a network that gives its levels by name.

    Parameters
    ----------
    spec : BackboneSpec
        What it is made of.
    network : nn.Module
        Put into evaluation mode, without gradients for its weights, and moved to `device`.
    weights : str
        As in `Backbone`.
    device : torch.device
    precision : {"auto", "fp32", "tf32", "bf16"}

    Returns
    -------
    Backbone
    """
    network = network.eval().requires_grad_(False)
    # The weights are known by what they were, before they are folded or rounded.
    weights_hash = digest(network)
    chosen = "fp32" if precision == "auto" else precision
    fast = make_fast(network, chosen).to(device)
    return Backbone(spec, fast, weights, weights_hash, device, chosen)


def check_precision(precision: str) -> None:
    """Refuse a precision that no backbone computes in.

    Parameters
    ----------
    precision : str

    Raises
    ------
    UnknownNameError
    """
    if precision not in PRECISIONS:
        raise unknown_name("precision", precision, PRECISIONS)


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

    Examples
    --------
    >>> find_device("cpu")
    device(type='cpu')
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
