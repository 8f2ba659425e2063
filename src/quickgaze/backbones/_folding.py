"""Frozen batch norms, folded into the convolutions before them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import torch
from timm.layers.conv2d_same import Conv2dSame
from timm.layers.norm_act import BatchNormAct2d, FrozenBatchNormAct2d
from torch import fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights
from torchvision.ops import FrozenBatchNorm2d

_CONVOLUTIONS = (nn.Conv2d, Conv2dSame)
_NORMS = (nn.BatchNorm2d, FrozenBatchNorm2d)
_NORMS_AND_ACTIVATIONS = (BatchNormAct2d, FrozenBatchNormAct2d)


def fold_batch_norms(network: nn.Module) -> int:
    """Fold batch norms, in place, into the convolutions whose output they alone take; count them.

    A network that cannot be traced is left as it is.
    """
    try:
        graph = _Tracer().trace(network)
    except Exception:  # noqa: BLE001 - tracing a network may fail in any way
        return 0
    called = [node for node in graph.nodes if node.op == "call_module"]
    calls = Counter(node.target for node in called)
    shared = Counter(id(module) for _, module in network.named_modules(remove_duplicate=False))
    folded = 0
    for node in called:
        before = next(iter(node.args), None)
        if not isinstance(before, fx.Node) or before not in called or len(before.users) != 1:
            continue
        norm, convolution = (network.get_submodule(str(each.target)) for each in (node, before))
        once = calls[node.target] == calls[before.target] == 1
        alone = shared[id(norm)] == shared[id(convolution)] == 1
        if once and alone and _can_be_folded(convolution, norm):
            _fold(convolution, norm)
            parent, _, name = str(node.target).rpartition(".")
            setattr(network.get_submodule(parent), name, _what_remains(norm))
            folded += 1
    return folded


class _Tracer(fx.Tracer):
    """Follows a network down to its convolutions and norms."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        whole = isinstance(m, (*_CONVOLUTIONS, *_NORMS, *_NORMS_AND_ACTIVATIONS))
        return whole or super().is_leaf_module(m, module_qualified_name)


def _can_be_folded(convolution: nn.Module, norm: nn.Module) -> bool:
    # A subclass that is not known may do anything with its weights, or after the norm.
    known = type(convolution) in _CONVOLUTIONS and type(norm) in (*_NORMS, *_NORMS_AND_ACTIVATIONS)
    return known and not norm.training and norm.running_mean is not None


def _what_remains(norm: nn.Module) -> nn.Module:
    if type(norm) in _NORMS:
        return nn.Identity()
    return nn.Sequential(norm.get_submodule("drop"), norm.get_submodule("act"))


@torch.no_grad()
def _fold(convolution: Any, norm: Any) -> None:
    # in float64, so that the weights are rounded once
    learned = convolution.weight, convolution.bias, norm.weight, norm.bias
    exact: list[Any] = [None if each is None else each.double() for each in learned]
    weight, bias, scale, shift = exact
    mean, variance = norm.running_mean.double(), norm.running_var.double()
    convolution.weight, convolution.bias = (
        nn.Parameter(folded.to(convolution.weight.dtype), requires_grad=False)
        for folded in fuse_conv_bn_weights(weight, bias, mean, variance, norm.eps, scale, shift)
    )
