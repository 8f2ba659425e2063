"""A module of the user's own as a backbone: the outputs of named layers."""

from __future__ import annotations

import copy
import difflib
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from itertools import chain
from typing import Any

import torch
from torch import nn

from quickgaze.backbones._catalogue import BACKBONES
from quickgaze.backbones._geometry import InputGeometry, choose_geometry
from quickgaze.backbones._spec import BackboneSpec, Weights
from quickgaze.backbones._speed import PRECISIONS
from quickgaze.backbones._timm_specs import PREFIX
from quickgaze.backbones._torch_state import plain_torch
from quickgaze.backbones._trials import tried_levels
from quickgaze.backbones.backbone import Backbone, find_device, from_network
from quickgaze.catalogue import check_known
from quickgaze.errors import OptionError, UnknownNameError, first_line

_Reshape = Callable[[Any], torch.Tensor]

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_FIXED = "geometry=InputGeometry(fixed_size=(HEIGHT, WIDTH))"


def wrap_backbone(
    module: nn.Module,
    layers: Sequence[str] | Mapping[str, str],
    *,
    name: str,
    mean: tuple[float, float, float],
    std: tuple[float, float, float],
    geometry: str | InputGeometry = "native",
    reshape: _Reshape | None = None,
    device: str = "auto",
    precision: str = "auto",
) -> Backbone:
    """Make a backbone of a module of your own.

    The backbone holds a copy, so that neither changes the other. The layers' outputs are taken
    with hooks that exist during a call only; what comes after the layers, such as a head for
    images of another size, may fail.

    Parameters
    ----------
    module : nn.Module
        Takes a batch (B, 3, H, W); what it returns does not matter. One in half precision,
        bfloat16 or float64 is given its own type, and computes in it.
    layers : sequence of str, or mapping of str to str
        Names of the layers, as in ``module.named_modules()``; or such names by level name.
    name : str
        Goes into every result.
    mean, std : tuple of float
        Per channel, in units of [0, 1]: the module sees ``(image - mean) / std``.
        ``quickgaze.backbones`` has `IMAGENET_MEAN` and `IMAGENET_STD`.
    geometry : str or InputGeometry
        How images are resized: ``"native"``, ``"detector"``, ``"short:480"`` (see
        `choose_geometry`), or your own.
    reshape : callable, optional
        Turns the output of each layer, whatever it is, into a tensor (B, C, H, W).
    device : str
    precision : {"auto", "fp32", "tf32", "bf16"}
        As for `load_backbone`; only for a module in float32.

    Returns
    -------
    Backbone
        Its levels are in order from fine to coarse; their strides are measured with inputs of
        256 x 384 and 384 x 256 pixels, or with one of the size that `geometry` gives.

    Raises
    ------
    UnknownNameError
        If the module has no such layer; offers the nearest.
    OptionError
        If a layer is not called exactly once in a pass, or does not give (B, C, H, W); if the
        module cannot be copied, is TorchScript, or does not take such images; if `reshape`
        fails; if `name` is that of another backbone.

    Warns
    -----
    SlowPrecisionWarning
        If the processor has no instructions for bfloat16, and the module computes in it.

    Examples
    --------
    >>> module = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.ReLU(), nn.MaxPool2d(2))
    >>> backbone = wrap_backbone(
    ...     module, {"fine": "1", "coarse": "2"}, name="mine", mean=(0, 0, 0), std=(1, 1, 1)
    ... )
    >>> [(level.name, level.stride, level.channels) for level in backbone.spec.levels]
    [('fine', 2, 8), ('coarse', 4, 8)]
    """
    check_known("precision", precision, PRECISIONS)
    if not name or name.startswith(PREFIX) or name in BACKBONES.names():
        raise OptionError(f"the name {name!r} is taken; give your backbone another name")
    colours = _three("mean", mean), _three("std", std)
    place = find_device(device)
    if isinstance(geometry, str):
        geometry = choose_geometry(geometry, InputGeometry(antialias=True))
    if not isinstance(geometry, InputGeometry):
        raise OptionError(
            f"geometry is {geometry!r}; give a name such as 'native', or an InputGeometry: for one "
            f"size alone, {_FIXED}"
        )
    with plain_torch():
        module = _taken(module)
        paths = _paths(layers)
        features = HookedFeatures(copied(module), paths, reshape).to(place).eval()
        levels = tried_levels(features, geometry, place)
        features.paths = {level.name: paths[level.name] for level in levels}
        spec = BackboneSpec(
            name=name,
            family="module",
            architecture=type(module).__qualname__,
            levels=levels,
            geometry=geometry,
            mean=colours[0],
            std=colours[1],
            weights=Weights(tag="own", license="the module's own", file_name=""),
            summary=f"{type(module).__qualname__}, wrapped",
            only_size=geometry.fixed_size is not None,
        )
        return from_network(spec, features, "own", place, _precision(features.numbers, precision))


def _taken(module: object) -> nn.Module:
    """Refuse what is no module, or has no numbers; give what is compiled as it was before."""
    if not isinstance(module, nn.Module):
        raise OptionError(
            f"wrap_backbone takes a torch.nn.Module, not a {type(module).__name__}; "
            "quickgaze.load_backbone loads a backbone by its name"
        )
    if any(tensor.is_meta for tensor in (*module.parameters(), *module.buffers())):
        raise OptionError(
            f"the {type(module).__name__} has no weights yet (it is on the device 'meta'); load "
            "them first"
        )
    compiled = getattr(module, "_orig_mod", None)
    return compiled if isinstance(compiled, nn.Module) else module


def _paths(layers: Sequence[str] | Mapping[str, str]) -> dict[str, str]:
    """Names of layers by level; torch.compile puts something before them."""
    given = [layers] if isinstance(layers, str) else layers
    try:
        pairs = dict(given if isinstance(given, Mapping) else zip(given, given, strict=True))
        return {level: path.removeprefix("_orig_mod.") for level, path in pairs.items()}
    except (TypeError, AttributeError) as error:
        raise OptionError(
            f"layers is {layers!r}; give names of module.named_modules(), or such names by level"
        ) from error


def _three(what: str, given: Sequence[float]) -> tuple[float, float, float]:
    try:
        red, green, blue = (float(each) for each in given)
    except (TypeError, ValueError) as error:
        raise OptionError(
            f"{what} is {given!r}; give three numbers, one for each colour of an image"
        ) from error
    fine = all(map(math.isfinite, (red, green, blue)))
    if not fine or (what == "std" and min(red, green, blue) <= 0):
        raise OptionError(
            f"{what} is {given!r}; give finite numbers" + ", above 0" * (what == "std")
        )
    return red, green, blue


def _precision(own: torch.dtype, precision: str) -> str:
    """Find what a module computes in: what is asked for, or its own type."""
    if own == torch.float32:
        return precision
    name = str(own).removeprefix("torch.")
    if precision != "auto":
        raise OptionError(
            f"precision is {precision!r}, but the module's numbers are {name}; leave precision at "
            "'auto', or call module.float() first"
        )
    return name


class HookedFeatures(nn.Module):
    """A module that gives the outputs of some of its layers; `paths` names them by level."""

    def __init__(
        self, network: nn.Module, paths: Mapping[str, str], reshape: _Reshape | None = None
    ) -> None:
        super().__init__()
        if not paths:
            raise OptionError("layers is empty; name at least one of module.named_modules()")
        known = dict(network.named_modules())
        for path in paths.values():
            if path not in known or not path:
                raise UnknownNameError(_no_layer(path, [name for name in known if name]))
            _refuse_script(path, known)
        self.network = network
        self.paths = dict(paths)
        self.reshape = reshape

    @property
    def numbers(self) -> torch.dtype:
        """Type of the module's numbers."""
        tensors = chain(self.network.parameters(), self.network.buffers())
        return next((each.dtype for each in tensors if each.is_floating_point()), torch.float32)

    def forward(self, batch: torch.Tensor) -> dict[str, torch.Tensor]:
        """Features by level name, (B, C, H, W) each, of a prepared batch (B, 3, H, W)."""
        seen: dict[str, list[torch.Tensor]] = {level: [] for level in self.paths}
        with ExitStack() as hooks:
            for level, path in self.paths.items():
                layer = self.network.get_submodule(path)
                hook = self._keep(seen[level], path, batch.shape)
                hooks.enter_context(layer.register_forward_hook(hook))
            try:
                self.network(batch.to(self.numbers))
            except OptionError:
                raise
            except Exception as error:
                # A head may want another size; the features are there before it.
                if not all(seen.values()):
                    raise OptionError(_refusal(self.network, batch.shape, error)) from error
        for level, maps in seen.items():
            if len(maps) != 1:
                raise OptionError(
                    f"layer {self.paths[level]!r} is called {len(maps)} times in a pass; name "
                    "one that is called once"
                )
        return {level: maps[0] for level, maps in seen.items()}

    def _keep(self, kept: list[torch.Tensor], path: str, given: torch.Size) -> Callable[..., None]:
        def hook(_module: nn.Module, _inputs: object, output: object) -> None:
            maps = output if self.reshape is None else self._reshaped(output, path, given)
            fits = isinstance(maps, torch.Tensor) and maps.ndim == 4 and len(maps) == given[0]
            if not fits or maps.numel() == 0 or maps.is_complex():  # type: ignore[attr-defined]
                raise OptionError(
                    f"layer {path!r} gives {_described(maps)} for {given[0]} images, not a tensor "
                    "(B, C, H, W); name another layer, or convert it with reshape=FUNCTION"
                )
            # A copy, because the next layer may work in place.
            kept.append(maps.clone())  # type: ignore[attr-defined]

        return hook

    def _reshaped(self, output: object, path: str, given: torch.Size) -> object:
        assert self.reshape is not None  # noqa: S101 - tells the type checker
        try:
            return self.reshape(output)
        except Exception as error:
            raise OptionError(
                f"reshape fails on what layer {path!r} gives for images of {given[2]} x {given[3]} "
                f"pixels, {_described(output)} ({first_line(error)}). Images are not all square: "
                f"let it find height and width for any shape, or give {_FIXED}"
            ) from error


def _refusal(network: nn.Module, given: torch.Size, error: Exception) -> str:
    """Say that a module does not take images, and what to do."""
    convolutions = (part for part in network.modules() if isinstance(part, _CONVOLUTIONS))
    channels = next((part.in_channels for part in convolutions), 3)
    problem = (
        f"the {type(network).__name__} does not take images (B, 3, H, W) of {given[2]} x "
        f"{given[3]} pixels ({first_line(error)})"
    )
    if channels == 1:
        return (
            f"{problem}. It takes 1 channel, and images have 3: wrap one that makes them grey "
            "first, nn.Sequential(torchvision.transforms.Grayscale(), module), whose layers have "
            "'1.' before their names"
        )
    if channels != 3:
        return (
            f"{problem}. It takes {channels} channels, and images have 3: wrap a module that "
            "makes those of these first"
        )
    return (
        f"{problem}. If it takes one size alone, give {_FIXED}; if sides must be multiples of 32, "
        "geometry=InputGeometry(multiple=32)"
    )


def _refuse_script(path: str, known: Mapping[str, nn.Module]) -> None:
    """Refuse layers inside TorchScript: nothing that it calls can be watched."""
    parts = path.split(".")
    for count in range(len(parts) + 1):
        around = known[".".join(parts[:count])]
        if isinstance(around, torch.jit.ScriptModule):
            raise OptionError(
                f"layer {path!r} cannot be watched, because "
                f"{'.'.join(parts[:count]) or 'the module'} is TorchScript; wrap the "
                "torch.nn.Module that it was made from"
            )


def copied(module: nn.Module) -> nn.Module:
    """Copy a module; tensors that it computed itself, as results of a pass, lose their past."""
    computed = {
        id(tensor): tensor.detach().clone()
        for part in module.modules()
        for tensor in vars(part).values()
        if isinstance(tensor, torch.Tensor) and not tensor.is_leaf
    }
    try:
        return copy.deepcopy(module, computed)
    except Exception as error:
        raise OptionError(
            f"the {type(module).__qualname__} could not be copied ({first_line(error)}); remove "
            "results of a pass, open files and locks from its attributes"
        ) from error


def _no_layer(path: str, known: Sequence[str]) -> str:
    nearest = difflib.get_close_matches(path, known, n=5, cutoff=0.4)
    first = f"the nearest are: {', '.join(nearest)}" if nearest else "none is similar"
    top = [name for name in known if "." not in name]
    return (
        f"the module has no layer {path!r}; {first}. Its top layers are: {', '.join(top)}; "
        "module.named_modules() lists all"
    )


def _described(thing: object) -> str:
    if isinstance(thing, torch.Tensor):
        return f"a tensor {tuple(thing.shape)}"
    if isinstance(thing, (tuple, list)):
        return f"a {type(thing).__name__} of {', '.join(map(_described, thing))}"
    return f"a {type(thing).__name__}"
