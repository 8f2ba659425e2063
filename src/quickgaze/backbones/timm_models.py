"""Networks from timm, as feature extractors."""

from __future__ import annotations

import re

import timm
import torch
from torch import nn

from quickgaze.backbones.spec import BackboneSpec
from quickgaze.backbones.weights import State, load_state


class TimmFeatures(nn.Module):
    """A timm network that gives its levels by name.

    Parameters
    ----------
    spec : BackboneSpec
        Says which architecture, and the names of its levels from fine to coarse.
    state : mapping of str to Tensor, optional
        Weights of the whole classifier; random ones if not given.
    """

    def __init__(self, spec: BackboneSpec, state: State | None) -> None:
        super().__init__()
        self.names = tuple(level.name for level in spec.levels)
        self.network: nn.Module = timm.create_model(spec.architecture, features_only=True)
        if state is not None:
            classifier = load_classifier(spec, state)
            kept = classifier.state_dict()
            self.network.load_state_dict({name: kept[name] for name in self.network.state_dict()})

    def forward(self, batch: torch.Tensor) -> dict[str, torch.Tensor]:
        """Features by level name, each (B, C, H, W), of a prepared (B, 3, H, W) batch."""
        return dict(zip(self.names, self.network(batch), strict=True))


def load_classifier(spec: BackboneSpec, state: State) -> nn.Module:
    """Build the whole classifier with the given weights, head included.

    Parameters
    ----------
    spec : BackboneSpec
        Says which architecture.
    state : mapping of str to Tensor
        Its weights, under timm's names or those of the original EfficientNet-Lite files.

    Returns
    -------
    nn.Module
        In evaluation mode.

    Raises
    ------
    WeightsError
        If a tensor is missing or left over.
    """
    classifier: nn.Module = timm.create_model(spec.architecture)
    if any(name.startswith("_conv_stem.") for name in state):
        stages = classifier.get_submodule("blocks").children()
        state = rename_efficientnet_lite(state, [len(list(stage.children())) for stage in stages])
    load_state(classifier, state, spec.name)
    return classifier.eval()


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

    The files number their blocks through, timm numbers them within stages; a block that does
    not expand its channels has other parts than one that does.

    Parameters
    ----------
    state : mapping of str to Tensor
        As in the file.
    blocks_per_stage : list of int
        How many blocks each of timm's stages has.

    Returns
    -------
    mapping of str to Tensor
        A name that no rule knows is kept, so that loading refuses it.
    """
    places = [
        f"blocks.{stage}.{block}"
        for stage, count in enumerate(blocks_per_stage)
        for block in range(count)
    ]
    in_blocks = [match for name in state if (match := _IN_BLOCK.fullmatch(name))]
    expanding = {match[1] for match in in_blocks if match[2] == "_expand_conv"}

    def renamed(name: str) -> str:
        if match := _IN_BLOCK.fullmatch(name):
            block, part, parameter = match.groups()
            parts = _INVERTED_RESIDUAL_BLOCK if block in expanding else _SEPARABLE_BLOCK
            if int(block) < len(places) and part in parts:
                return f"{places[int(block)]}.{parts[part]}.{parameter}"
            return name
        module, _, parameter = name.partition(".")
        return f"{_OUTSIDE_BLOCKS[module]}.{parameter}" if module in _OUTSIDE_BLOCKS else name

    return {renamed(name): tensor for name, tensor in state.items()}
