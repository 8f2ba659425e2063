"""Detectors from torchvision: their body and feature pyramid network, never their heads."""

from __future__ import annotations

import torch
from torch import nn
from torchvision.models import get_model
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.ops import FrozenBatchNorm2d

from quickgaze.backbones.feature_pyramid import evaluate
from quickgaze.backbones.levels import DeferredLevel
from quickgaze.backbones.spec import BackboneSpec
from quickgaze.backbones.weights import State, load_state


class DetectorFeatures(nn.Module):
    """Body and feature pyramid network of a detector.

    Parameters
    ----------
    spec : BackboneSpec
        Says which detector, and the names of its levels from fine to coarse.
    state : mapping of str to Tensor, optional
        Weights of the whole detector; random ones if not given.

    Raises
    ------
    WeightsError
        If a tensor is missing or left over.
    """

    def __init__(self, spec: BackboneSpec, state: State | None) -> None:
        super().__init__()
        self.names = tuple(level.name for level in spec.levels)
        self.network = load_detector(spec, state).get_submodule("backbone")

    def forward(self, batch: torch.Tensor) -> dict[str, torch.Tensor | DeferredLevel]:
        """Features by level name, each (B, C, H, W), of a prepared (B, 3, H, W) batch."""
        if not isinstance(self.network, BackboneWithFPN):
            features = self.network(batch)
        else:
            stages = self.network.body(batch)
            features = evaluate(self.network.fpn, list(stages.values()), list(stages))
        return {name: features[name] for name in self.names}

    def parts(self) -> list[nn.Module]:
        """Give the parts that compute one after the other, each by itself."""
        if not isinstance(self.network, BackboneWithFPN):
            return [self.network]
        pyramid = self.network.fpn
        return [self.network.body, *pyramid.inner_blocks, *pyramid.layer_blocks]


def load_detector(spec: BackboneSpec, state: State | None) -> nn.Module:
    """Build a whole detector with the given weights, heads included.

    Parameters
    ----------
    spec : BackboneSpec
        Says which detector.
    state : mapping of str to Tensor, optional
        Its weights; random ones if not given.

    Returns
    -------
    nn.Module
        In evaluation mode.

    Raises
    ------
    WeightsError
        If a tensor is missing or left over.
    """
    detector: nn.Module = get_model(spec.architecture, weights=None, weights_backbone=None)
    if state is not None:
        counted = any(name.endswith(".num_batches_tracked") for name in state)
        if spec.frozen_norm_eps is not None and not counted:
            freeze_batch_norms(detector, spec.frozen_norm_eps)
        load_state(detector, state, spec.name)
    return detector.eval()


def freeze_batch_norms(network: nn.Module, eps: float) -> None:
    """Replace batch norms by frozen ones, as some of torchvision's published detectors have them.

    Their files count no batches; a file saved from ordinary batch norms does, and keeps them.

    Parameters
    ----------
    network : nn.Module
        Changed in place.
    eps : float
        That the published weights are used with.
    """
    for name, child in network.named_children():
        if isinstance(child, nn.BatchNorm2d):
            setattr(network, name, FrozenBatchNorm2d(child.num_features, eps=eps))
        else:
            freeze_batch_norms(child, eps)
