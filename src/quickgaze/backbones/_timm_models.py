"""Networks from timm, as feature extractors."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import timm
import torch
from huggingface_hub.constants import HF_HUB_CACHE
from torch import nn

from quickgaze.backbones._fitting import State, load_state, without_prefix
from quickgaze.backbones._spec import BackboneSpec
from quickgaze.errors import WeightsError, first_line


class TimmFeatures(nn.Module):
    """A timm network that gives its levels by name, from the state of the whole classifier."""

    def __init__(self, spec: BackboneSpec, state: State | None, pretrained: bool = False) -> None:
        super().__init__()
        self.names = tuple(level.name for level in spec.levels)
        self.network: nn.Module = timm.create_model(
            spec.architecture, pretrained=pretrained, features_only=True, **spec.options
        )
        if state is not None:
            classifier = load_classifier(spec, None)
            whole = list(classifier.state_dict())
            # timm cuts the classifier up: some parts keep their names, some are one level
            # higher (stages.0 is stages_0), some one level lower.
            flattened = {name.replace(".", "_", 1): name for name in whole}
            lower = {f"{top}.{name}": name for name in whole for top in ("model", "body")}
            known = {**lower, **flattened, **{name: name for name in whole}}
            names = {name: known[name] for name in self.network.state_dict()}
            load_state(self.network, in_timms_names(state, classifier), spec.name, names, whole)

    def forward(self, batch: torch.Tensor) -> dict[str, torch.Tensor]:
        """Features by level name, (B, C, H, W) each, of a prepared batch (B, 3, H, W)."""
        features = self.network(batch)
        if getattr(self.network, "output_fmt", "NCHW") == "NHWC":
            features = [level.permute(0, 3, 1, 2) for level in features]
        return dict(zip(self.names, features, strict=True))


class _TimmTokens(nn.Module):
    """A plain vision transformer from timm: the last block's patch tokens, as a map."""

    network: Any

    def __init__(self, spec: BackboneSpec, state: State | None, pretrained: bool = False) -> None:
        super().__init__()
        (self.level,) = (level.name for level in spec.levels)
        self.network = load_classifier(spec, None, pretrained)
        whole = list(self.network.state_dict())
        self.network.prune_intermediate_layers([-1], prune_norm=False, prune_head=True)
        if state is not None:
            own = {name: name for name in self.network.state_dict()}
            load_state(self.network, state, spec.name, own, whole)

    def forward(self, batch: torch.Tensor) -> dict[str, torch.Tensor]:
        """Features (B, C, H, W) after the final norm, of a prepared batch (B, 3, H, W)."""
        (tokens,) = self.network.forward_intermediates(
            batch, indices=[-1], norm=True, output_fmt="NCHW", intermediates_only=True
        )
        return {self.level: tokens}


def timm_network(
    spec: BackboneSpec, state: State | None = None, pretrained: bool = False
) -> nn.Module:
    """Build a timm model as a network that gives its levels by name.

    With `pretrained`, timm loads its own weights, from its hub or the hub's local cache.
    """
    adapter = _TimmTokens if spec.family == "timm_tokens" else TimmFeatures
    if not pretrained:
        return adapter(spec, state)
    with _from_hub(spec):
        return adapter(spec, None, pretrained=True)


@contextmanager
def _from_hub(spec: BackboneSpec) -> Iterator[None]:
    """Let timm fetch weights; if it cannot, one error says so, and not its hub's attempts too."""
    loggers = [logging.getLogger(name) for name in ("huggingface_hub", "timm")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    except Exception as error:
        wanted = spec.weights
        raise WeightsError(
            f"{spec.name}: the weights {wanted.tag} could not be loaded ({first_line(error)}). "
            f"They are wanted from {wanted.hub} on the Hugging Face hub"
            + (f" or from {wanted.url}" if wanted.url else "")
            + ". On a machine with a network, load this backbone once and copy the hub's cache "
            f"folder to {HF_HUB_CACHE}; or name a file of the whole model ({wanted.file_name}) "
            "with weights=FILE, or take weights='none' for random weights."
        ) from error
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def load_classifier(spec: BackboneSpec, state: State | None, pretrained: bool = False) -> nn.Module:
    """Build the whole classifier, head included, in evaluation mode.

    Names in `state` are timm's or those of the original EfficientNet-Lite files.
    """
    own = {name: value for name, value in spec.options.items() if name != "out_indices"}
    with _from_hub(spec) if pretrained else nullcontext():
        classifier: nn.Module = timm.create_model(spec.architecture, pretrained=pretrained, **own)
    if state is not None:
        load_state(classifier, in_timms_names(state, classifier), spec.name)
    return classifier.eval()


def in_timms_names(state: State, classifier: nn.Module) -> State:
    """Rename the tensors of an original EfficientNet-Lite file; others keep their names."""
    stem = "_conv_stem.weight"
    if not any(name.endswith(stem) for name in state):
        return state
    stages = classifier.get_submodule("blocks").children()
    blocks = [len(list(stage.children())) for stage in stages]
    return rename_efficientnet_lite(without_prefix(state, {stem}, "EfficientNet-Lite"), blocks)


_OUTSIDE_BLOCKS = {
    "_conv_stem": "conv_stem",
    "_bn0": "bn1",
    "_conv_head": "conv_head",
    "_bn1": "bn2",
    "_fc": "classifier",
}
_SEPARABLE_BLOCK = {
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn1",
    "_project_conv": "conv_pw",
    "_bn2": "bn2",
}
_INVERTED_RESIDUAL_BLOCK = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}
_IN_BLOCK = re.compile(r"_blocks\.(\d+)\.(\w+)\.(\w+)")


def rename_efficientnet_lite(state: State, blocks_per_stage: list[int]) -> State:
    """Rename the tensors of an original EfficientNet-Lite file as timm calls them.

    A name that no rule knows is kept, so that loading refuses it.
    """
    # The files number blocks through, timm within stages; blocks that do not expand their
    # channels have other parts than those that do.
    places = [
        f"blocks.{stage}.{block}"
        for stage, count in enumerate(blocks_per_stage)
        for block in range(count)
    ]

    def renamed(name: str) -> str:
        if match := _IN_BLOCK.fullmatch(name):
            block, part, parameter = match.groups()
            expands = f"_blocks.{block}._expand_conv.weight" in state
            parts = _INVERTED_RESIDUAL_BLOCK if expands else _SEPARABLE_BLOCK
            if int(block) < len(places) and part in parts:
                return f"{places[int(block)]}.{parts[part]}.{parameter}"
            return name
        module, _, parameter = name.partition(".")
        return f"{_OUTSIDE_BLOCKS[module]}.{parameter}" if module in _OUTSIDE_BLOCKS else name

    return {renamed(name): tensor for name, tensor in state.items()}
