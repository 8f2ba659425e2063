"""Detectors from torchvision: their body and feature pyramid network, never their heads."""

from __future__ import annotations

import torch
from torch import nn
from torchvision.models import get_model
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.ops import FrozenBatchNorm2d

from quickgaze.backbones._feature_pyramid import evaluate
from quickgaze.backbones._fitting import State, load_state
from quickgaze.backbones._spec import BackboneSpec
from quickgaze.backbones.pyramid import DeferredLevel


class DetectorFeatures(nn.Module):
    """Body and feature pyramid network of a detector, from the state of the whole detector."""

    def __init__(self, spec: BackboneSpec, state: State | None) -> None:
        super().__init__()
        self.names = tuple(level.name for level in spec.levels)
        detector = _detector(spec, state)
        self.network = detector.get_submodule("backbone").eval()
        if state is not None:
            inside = [name.removeprefix("backbone.") for name in detector.state_dict()]
            own = {name: name for name in self.network.state_dict()}
            load_state(self.network, state, spec.name, own, inside)

    def forward(self, batch: torch.Tensor) -> dict[str, torch.Tensor | DeferredLevel]:
        """Features by level name, (B, C, H, W) each, of a prepared batch (B, 3, H, W)."""
        if not isinstance(self.network, BackboneWithFPN):
            features = self.network(batch)
        else:
            stages = self.network.body(batch)
            features = evaluate(self.network.fpn, list(stages.values()), list(stages))
        return {name: features[name] for name in self.names}


def load_detector(spec: BackboneSpec, state: State | None) -> nn.Module:
    """Build a whole detector, heads included, in evaluation mode; without a state, random."""
    detector = _detector(spec, state)
    if state is not None:
        load_state(detector, state, spec.name)
    return detector.eval()


def _detector(spec: BackboneSpec, state: State | None) -> nn.Module:
    """Build a detector that a state can be loaded into."""
    detector: nn.Module = get_model(spec.architecture, weights=None, weights_backbone=None)
    # a file saved from ordinary batch norms counts batches; a published frozen one does not
    counted = any(name.endswith(".num_batches_tracked") for name in state or ())
    if state is not None and spec.frozen_norm_eps is not None and not counted:
        freeze_batch_norms(detector, spec.frozen_norm_eps)
    return detector


def freeze_batch_norms(network: nn.Module, eps: float) -> None:
    """Replace batch norms, in place, by frozen ones as some published detectors have them."""
    for name, child in network.named_children():
        if isinstance(child, nn.BatchNorm2d):
            setattr(network, name, FrozenBatchNorm2d(child.num_features, eps=eps))
        else:
            freeze_batch_norms(child, eps)
