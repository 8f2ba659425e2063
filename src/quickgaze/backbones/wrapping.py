"""A module of the user's own as a backbone: the outputs of named layers."""

from __future__ import annotations

import copy
import difflib
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import torch
from torch import nn

from quickgaze.backbones._catalogue import BACKBONES
from quickgaze.backbones._geometry import InputGeometry, choose_geometry
from quickgaze.backbones._spec import BackboneSpec, LevelSpec, Weights
from quickgaze.backbones._speed import PRECISIONS
from quickgaze.backbones._timm_specs import PREFIX
from quickgaze.backbones.backbone import Backbone, find_device, from_network
from quickgaze.catalogue import check_known
from quickgaze.errors import OptionError, UnknownNameError

_Reshape = Callable[[Any], torch.Tensor]

_PROBE = (256, 384)  # height and width of the input that strides are measured with


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
    with hooks that exist during a call only.

    Parameters
    ----------
    module : nn.Module
        Takes a batch (B, 3, H, W); what it returns does not matter.
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
        As for `load_backbone`.

    Returns
    -------
    Backbone
        Its levels are in order from fine to coarse; their strides are measured with an input of
        256 x 384 pixels, or of the one size that `geometry` gives.

    Raises
    ------
    UnknownNameError
        If the module has no such layer; offers the nearest.
    OptionError
        If a layer is not called exactly once in a pass, or does not give (B, C, H, W); if the
        module cannot be copied; if `name` is that of another backbone.

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
    place = find_device(device)
    if isinstance(geometry, str):
        geometry = choose_geometry(geometry, InputGeometry(antialias=True))
    paths = dict(layers) if isinstance(layers, Mapping) else {path: path for path in layers}
    features = HookedFeatures(_copied(module), paths, reshape).to(place).eval()
    size = geometry.fixed_size or tuple(side + -side % geometry.multiple for side in _PROBE)
    with torch.inference_mode():
        found = features(torch.zeros(1, 3, *size, device=place))
    levels = sorted(
        (_measured(level, maps, size) for level, maps in found.items()),
        key=lambda level: level.stride,
    )
    features.paths = {level.name: paths[level.name] for level in levels}
    spec = BackboneSpec(
        name=name,
        family="module",
        architecture=type(module).__qualname__,
        levels=tuple(levels),
        geometry=geometry,
        mean=mean,
        std=std,
        weights=Weights(tag="own", license="the module's own", file_name=""),
        summary=f"{type(module).__qualname__}, wrapped",
        only_size=geometry.fixed_size is not None,
    )
    return from_network(spec, features, "own", place, precision)


class HookedFeatures(nn.Module):
    """A module that gives the outputs of some of its layers; `paths` names them by level."""

    def __init__(
        self, network: nn.Module, paths: Mapping[str, str], reshape: _Reshape | None = None
    ) -> None:
        super().__init__()
        if not paths:
            raise OptionError("layers is empty; name at least one of module.named_modules()")
        known = [path for path, _ in network.named_modules() if path]
        for path in paths.values():
            if path not in known:
                raise UnknownNameError(_no_layer(path, known))
        self.network = network
        self.paths = dict(paths)
        self.reshape = reshape

    def forward(self, batch: torch.Tensor) -> dict[str, torch.Tensor]:
        """Features by level name, (B, C, H, W) each, of a prepared batch (B, 3, H, W)."""
        seen: dict[str, list[torch.Tensor]] = {level: [] for level in self.paths}
        with ExitStack() as hooks:
            for level, path in self.paths.items():
                layer = self.network.get_submodule(path)
                hook = self._keep(seen[level], path, len(batch))
                hooks.enter_context(layer.register_forward_hook(hook))
            self.network(batch)
        for level, maps in seen.items():
            if len(maps) != 1:
                raise OptionError(
                    f"layer {self.paths[level]!r} is called {len(maps)} times in a pass; name "
                    "one that is called once"
                )
        return {level: maps[0] for level, maps in seen.items()}

    def _keep(self, kept: list[torch.Tensor], path: str, count: int) -> Callable[..., None]:
        def hook(_module: nn.Module, _inputs: object, output: object) -> None:
            maps = output if self.reshape is None else self.reshape(output)
            if not isinstance(maps, torch.Tensor) or maps.ndim != 4 or len(maps) != count:
                raise OptionError(
                    f"layer {path!r} gives {_described(maps)} for {count} images, not a tensor "
                    "(B, C, H, W); name another layer, or convert it with reshape=FUNCTION"
                )
            # A copy, because the next layer may work in place.
            kept.append(maps.clone())

        return hook


def _copied(module: nn.Module) -> nn.Module:
    try:
        return copy.deepcopy(module)
    except (RuntimeError, TypeError, AttributeError) as error:
        raise OptionError(
            f"the {type(module).__qualname__} could not be copied ({error}); remove results of a "
            "pass and open files from its attributes"
        ) from error


def _measured(level: str, maps: torch.Tensor, size: tuple[int, ...]) -> LevelSpec:
    """Stride and channels of a level, from its maps of an input of `size`."""
    channels, height, width = maps.shape[1:]
    if abs(height * size[1] - width * size[0]) > 2 * max(size):
        raise OptionError(
            f"level {level!r} gives {tuple(maps.shape)} for an input of {size[0]} x {size[1]} "
            "pixels, not a map (B, C, H, W) of the same shape; if the channels are last, give "
            "reshape=lambda maps: maps.permute(0, 3, 1, 2)"
        )
    stride = (size[0] * size[1] / (height * width)) ** 0.5
    return LevelSpec(level, max(1, round(stride)), channels)


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
