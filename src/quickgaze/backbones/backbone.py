"""`Backbone`, from an image batch to a feature pyramid, and `load_backbone`."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property
from os import PathLike

import timm
import torch
from torch import nn
from torch.nn import functional

from quickgaze.backbones._catalogue import BACKBONES
from quickgaze.backbones._detectors import DetectorFeatures, load_detector
from quickgaze.backbones._fitting import State
from quickgaze.backbones._spec import BackboneSpec, WeightsChoice
from quickgaze.backbones._speed import PRECISIONS, computing_in, make_fast, warn_if_slow
from quickgaze.backbones._timm_models import load_classifier, timm_network
from quickgaze.backbones._timm_specs import PREFIX, timm_spec
from quickgaze.backbones._torch_state import plain_torch
from quickgaze.backbones._weights import digest, find_weights, read_state
from quickgaze.backbones.pyramid import Levels, Pyramid
from quickgaze.catalogue import check_known
from quickgaze.errors import (
    OptionError,
    RandomWeightsWarning,
    UnknownNameError,
    WeightsError,
    first_line,
)
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
    precision : str
        What it computes in: ``"fp32"``, ``"tf32"`` or ``"bf16"``; the type of a module of your
        own that is not float32. The pyramid is always float32.

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

    @cached_property
    def whole_model(self) -> nn.Module:
        """The trained model that `network` was cut from, with its head; loaded once.

        It is in evaluation mode, in float32, on this backbone's device. A detector resizes
        images as it was published, whatever the backbone's geometry.
        """
        if self.spec.family == "module":
            return self.network.get_submodule("network")
        if self.weights == "none":
            raise OptionError(
                f"{self.name} has random weights and finds nothing; take weights='default' or a "
                "file"
            )
        weights = "default" if self.weights == self.spec.weights.tag else self.weights
        with plain_torch():
            state = _state(self.spec, weights)
            try:
                if self.spec.family == "detector":
                    model = load_detector(self.spec, state)
                else:
                    model = load_classifier(self.spec, state, pretrained=state is None)
            except WeightsError as error:
                if state is None:  # the hub gave no weights at all
                    raise
                raise WeightsError(
                    f"{error}. They give features, but this map needs the head too; give a file "
                    f"with the head that {self.name} was published with, or take another CAM"
                ) from error
            return model.requires_grad_(False).to(self.device)

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
            If the batch has another shape or type, or no image, row or column; if a module of
            your own cannot take it.
        """
        _check_batch(batch)
        with plain_torch(), torch.inference_mode(), computing_in(self.precision, self.device):
            prepared, content = prepare(batch.to(self.device, torch.float32), self.spec)
            features = self.network(prepared)
            levels = {
                name: level.float() if isinstance(level, torch.Tensor) else level
                for name, level in features.items()
            }
        height, width = prepared.shape[-2:]
        strides = {level.name: level.stride for level in self.spec.levels}
        return Pyramid(Levels(levels), strides, (height, width), content)


def _check_batch(batch: object) -> None:
    wanted = "a backbone takes a float batch (B, 3, H, W) in [0, 1]"
    if not isinstance(batch, torch.Tensor):
        raise OptionError(f"{wanted}, a torch tensor; it got a {type(batch).__name__}")
    found = f"it got {tuple(batch.shape)} of {batch.dtype}"
    if batch.ndim != 4 or batch.shape[1] != 3 or not batch.is_floating_point():
        raise OptionError(f"{wanted}; {found}")
    if batch.numel() == 0:
        raise OptionError(f"{wanted}, with an image of at least 1 x 1 pixel in it; {found}")


def prepare(batch: torch.Tensor, spec: BackboneSpec) -> tuple[torch.Tensor, Size]:
    """Normalise, resize and pad a batch (B, 3, H, W); also give the size of the image in it."""
    mean, std = (
        torch.tensor(values, dtype=batch.dtype, device=batch.device)[:, None, None]
        for values in (spec.mean, spec.std)
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
    """List the backbones of the catalogue; `load_backbone` also takes models of timm.

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
    """Look up what is known of a backbone, without loading it.

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
    if not isinstance(name, str):
        raise OptionError(
            f"a backbone is loaded by its name, not a {type(name).__name__}; wrap_backbone takes a "
            "module of your own"
        )
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
        random ones, or a file: a state dictionary, or a checkpoint that holds one. It must have
        what the features need under its usual names, with or without something before them
        (``module.``); a head may be there, missing, or another. Gradient CAMs and a detector's
        boxes need the head as it was published.
    device : str
        ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"mps"``; ``"auto"`` takes a GPU if there is one.
    precision : {"auto", "fp32", "tf32", "bf16"}
        What the network computes in. ``"auto"`` is fp32, so that results do not depend on the
        machine. ``"tf32"`` is for GPUs. ``"bf16"`` is faster on GPUs and on processors with AMX,
        slower on others; a detector's maps keep a correlation of 0.999.
    seed : int
        Seed of random weights.
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
    SlowPrecisionWarning
        With ``precision="bf16"`` on a processor that has no instructions for it.

    Examples
    --------
    >>> backbone = load_backbone("efficientnet_lite0")
    >>> pyramid = backbone(torch.zeros(1, 3, 64, 96))
    >>> {name: tuple(level.shape) for name, level in pyramid.levels.items()}["s32"]
    (1, 320, 2, 3)
    """
    spec = find_spec(name).at(geometry)
    check_known("precision", precision, PRECISIONS)
    if not isinstance(weights, str | PathLike):
        raise OptionError(
            f"weights is a {type(weights).__name__}; give 'default', 'none' or a file, which "
            "torch.save(model.state_dict(), FILE) writes"
        )
    place = find_device(device)
    tag = str(weights)
    if tag == "none":
        warnings.warn(
            f"{name}: the weights are random (seed {seed}); its maps say nothing about a "
            "trained model",
            RandomWeightsWarning,
            stacklevel=2,
        )
    with plain_torch(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        state = _state(spec, tag)
        network = (
            DetectorFeatures(spec, state)
            if spec.family == "detector"
            else timm_network(spec, state, pretrained=state is None and tag != "none")
        )
    used = spec.weights.tag if tag == "default" else tag
    return from_network(spec, network, used, place, precision)


def _state(spec: BackboneSpec, weights: str) -> State | None:
    """State of the whole model; None for random weights, and for those that timm itself loads."""
    if weights == "default" and spec.weights.hub is None:
        return read_state(find_weights(spec.name, spec.weights))
    return None if weights in ("default", "none") else read_state(weights)


def from_network(
    spec: BackboneSpec, network: nn.Module, weights: str, device: torch.device, precision: str
) -> Backbone:
    """Make a backbone of a network that gives its levels by name."""
    network = network.eval().requires_grad_(False)
    # The hash is that of the weights before they are folded or rounded.
    weights_hash = digest(network)
    chosen = "fp32" if precision == "auto" else precision
    warn_if_slow(spec.name, chosen, device)
    fast = make_fast(network, chosen).to(device)
    return Backbone(spec, fast, weights, weights_hash, device, chosen)


def find_device(device: str) -> torch.device:
    """Find the device that a name means.

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
        raise OptionError(
            f"device {device!r} cannot be used ({first_line(error)}); give 'auto', 'cpu', 'cuda' "
            "or 'mps'"
        ) from error
    return place
