"""What makes a network fast that is only ever asked for its features."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import nn

from quickgaze.backbones.detectors import DetectorFeatures
from quickgaze.backbones.folding import fold_batch_norms
from quickgaze.backbones.timm_models import TimmFeatures

PRECISIONS = ("auto", "fp32", "tf32", "bf16")


def make_fast(network: nn.Module, precision: str) -> nn.Module:
    """Prepare a network for nothing but forward passes; its values change by rounding alone.

    Batch norms are folded into convolutions, and the weights of convolutions are laid out with
    their channels last. With ``"bf16"``, they are also rounded once and for all, not in every
    pass. Networks that are not quickgaze's own adapters are left as they are.

    Parameters
    ----------
    network : nn.Module
        In evaluation mode; changed in place.
    precision : {"fp32", "tf32", "bf16"}

    Returns
    -------
    nn.Module
        The same.
    """
    if not isinstance(network, (TimmFeatures, DetectorFeatures)):
        return network
    for part in network.parts():
        fold_batch_norms(part)
    if precision == "bf16":
        for module in network.modules():
            if type(module) in (nn.Conv2d, nn.Linear):
                module.to(torch.bfloat16)
    return network.to(memory_format=torch.channels_last)


@contextlib.contextmanager
def computing_in(precision: str, device: torch.device) -> Iterator[None]:
    """Compute in a precision for as long as the context lasts.

    Parameters
    ----------
    precision : {"fp32", "tf32", "bf16"}
        ``"fp32"`` is exactly that, also on GPUs that round to tf32 unless they are told not to.
    device : torch.device
    """
    with contextlib.ExitStack() as stack:
        if device.type == "cuda":
            cudnn = torch.backends.cudnn
            flags = cudnn.flags(
                enabled=cudnn.enabled,
                benchmark=cudnn.benchmark,
                deterministic=cudnn.deterministic,
                allow_tf32=precision == "tf32",
            )
            stack.enter_context(flags)
        if precision == "bf16":
            stack.enter_context(torch.autocast(device.type, dtype=torch.bfloat16))
        yield
