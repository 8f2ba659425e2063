"""Any timm model as a backbone, described from timm's data and a pass without numbers."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import timm
import torch

from quickgaze.backbones._geometry import InputGeometry
from quickgaze.backbones._spec import BackboneSpec, LevelSpec, Weights
from quickgaze.backbones._timm_models import timm_network
from quickgaze.backbones._torch_state import plain_torch
from quickgaze.backbones._trials import is_map_of
from quickgaze.errors import OptionError, UnknownNameError

PREFIX = "timm/"
"""Before the name of a timm model, as in ``timm/resnet18``."""

_ODD_SIZE = (97, 129)
_log = logging.getLogger(__name__)


@lru_cache(maxsize=256)
@plain_torch()
def timm_spec(name: str) -> BackboneSpec:
    """Describe a timm model as a backbone; nothing is downloaded, and no weights are made.

    Of several features with one stride the deepest is the level.
    """
    # So a plain vision transformer, whose blocks all have one stride, gives its last patch tokens.
    architecture = name.removeprefix(PREFIX)
    config = _pretrained_config(architecture)
    taps = _taps(architecture)
    deepest = dict(taps)
    tokens = len(deepest) == 1 < len(taps)
    trained_size = (int(config.input_size[1]), int(config.input_size[2]))
    draft = BackboneSpec(
        name=name,
        family="timm_tokens" if tokens else "timm",
        architecture=architecture,
        levels=tuple(LevelSpec(f"s{stride}", stride, 0) for stride in sorted(deepest)),
        geometry=InputGeometry(antialias=True),
        mean=tuple(config.mean),
        std=tuple(config.std),
        weights=Weights(
            tag=config.tag or "default",
            license=config.license or "not stated",
            file_name="model.safetensors",
            url=config.url or None,
            hub=config.hf_hub_id or config.url or None,
        ),
        summary=f"{architecture} from timm",
        options={} if tokens else {"out_indices": [deepest[each] for each in sorted(deepest)]},
    )
    return _fitted(draft, trained_size)


def _pretrained_config(architecture: str) -> Any:
    if not timm.is_model(architecture):
        known = timm.list_models()
        nearest = difflib.get_close_matches(architecture.lower(), known, n=5, cutoff=0.5)
        raise UnknownNameError(
            f"timm has no model {architecture!r}; the nearest are: "
            f"{', '.join(PREFIX + found for found in nearest) or 'none'}. "
            "timm.list_models() names all of them"
        )
    try:
        return timm.get_pretrained_cfg(architecture)
    except RuntimeError as error:
        tagged = timm.list_models(f"{architecture.partition('.')[0]}.*", pretrained=True)
        raise UnknownNameError(
            f"timm has no weights {architecture!r} ({error}) It has: {', '.join(tagged)}"
        ) from error


def _taps(architecture: str) -> list[tuple[int, int]]:
    """Stride and timm's index of the features that a model offers, from shallow to deep."""
    try:
        with torch.device("meta"):
            network: Any = timm.create_model(architecture, features_only=True)
        strides = [round(stride) for stride in network.feature_info.reduction()]
        return list(zip(strides, network.feature_info.out_indices, strict=True))
    except (RuntimeError, AttributeError, AssertionError, TypeError, NotImplementedError) as error:
        raise OptionError(
            f"timm/{architecture} offers no feature maps ({error}); build it yourself and name "
            "its layers with quickgaze.wrap_backbone"
        ) from error


def _fitted(draft: BackboneSpec, trained_size: tuple[int, int]) -> BackboneSpec:
    """Find which image sizes a model takes, from any to only one, and the levels it gives."""
    coarsest = draft.levels[-1].stride
    free = draft.geometry
    padded, fixed = replace(free, multiple=coarsest), replace(free, fixed_size=trained_size)
    even = (6 * coarsest, 10 * coarsest)
    dynamic = replace(draft, options={**draft.options, "dynamic_img_size": True})
    for spec, geometry, size, device in (
        (dynamic, free, _ODD_SIZE, "meta"),
        (dynamic, padded, even, "meta"),
        (draft, free, _ODD_SIZE, "meta"),
        (draft, padded, even, "meta"),
        (draft, fixed, trained_size, "meta"),
        # a few models compute with numbers that the meta device does not have
        (draft, fixed, trained_size, "cpu"),
    ):
        shapes = _shapes(spec, size, device)
        if shapes and (geometry is not free or _covers(shapes, draft.levels, size)):
            pairs = zip(spec.levels, shapes, strict=True)
            levels = tuple(replace(level, channels=shape[1]) for level, shape in pairs)
            return replace(spec, levels=levels, geometry=geometry, only_size=geometry is fixed)
    raise OptionError(
        f"{draft.name} gives no feature maps (B, C, H, W) of a {trained_size} image; build it "
        "yourself and name its layers with quickgaze.wrap_backbone"
    )


def _shapes(spec: BackboneSpec, size: tuple[int, int], device: str) -> list[torch.Size] | None:
    """Shapes of the levels of an image of `size`; None if the model does not take it."""
    try:
        with torch.device(device), torch.random.fork_rng(devices=[]), torch.inference_mode():
            features = timm_network(spec).eval()(torch.zeros(1, 3, *size))
    except Exception as error:  # noqa: BLE001 - models refuse sizes in many ways
        _log.debug("%s takes no %s image: %s", spec.name, size, error)
        return None
    shapes = [level.shape for level in features.values()]
    maps = all(len(shape) == 4 and is_map_of(shape, size) for shape in shapes)
    return shapes if maps else None


def _covers(
    shapes: Sequence[torch.Size], levels: Sequence[LevelSpec], size: tuple[int, int]
) -> bool:
    """Whether the levels cover an image of any size without padding."""
    return all(
        tuple(shape[-2:]) == tuple(-(-side // level.stride) for side in size)
        for shape, level in zip(shapes, levels, strict=True)
    )
