"""What makes a network fast that only gives features."""

from __future__ import annotations

import contextlib
import ctypes
import platform
import warnings
from collections.abc import Iterator

import torch
from torch import nn

from quickgaze.backbones._detectors import DetectorFeatures
from quickgaze.backbones._folding import fold_batch_norms
from quickgaze.backbones._timm_models import TimmFeatures
from quickgaze.errors import SlowPrecisionWarning
from quickgaze.options import choices

PRECISIONS = choices("precision")

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_LARGEST_KEPT = 2**30


def make_fast(network: nn.Module, precision: str) -> nn.Module:
    """Prepare a network, in place, for forward passes alone; its values change by rounding.

    Networks that are not quickgaze's own adapters are left as they are.
    """
    if not isinstance(network, (TimmFeatures, DetectorFeatures)):
        return network
    fold_batch_norms(network.network)
    if precision == "bf16":
        # once and for all, not in every pass
        for module in network.modules():
            if type(module) in (nn.Conv2d, nn.Linear):
                module.to(torch.bfloat16)
    return network.to(memory_format=torch.channels_last)


def warn_if_slow(backbone: str, precision: str, device: torch.device) -> None:
    """Warn of bfloat16 on a processor that has no instructions for it."""
    if precision not in ("bf16", "bfloat16") or device.type != "cpu" or _has_bf16():
        return
    warnings.warn(
        f"{backbone}: this processor has no instructions for bf16 (AMX or AVX-512 BF16), so it "
        "computes in bf16 about ten times slower than in fp32; take precision='fp32', or call "
        "module.float() on a module of your own",
        SlowPrecisionWarning,
        stacklevel=4,
    )


def _has_bf16() -> bool:
    """Whether this processor has instructions for bfloat16."""
    # PyTorch's own kernels ask for less on x86: there they also run, but slowly, without them.
    asked = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    if platform.machine().lower() in ("x86_64", "amd64"):
        return any(getattr(torch.cpu, name, bool)() for name in asked)
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())  # noqa: SLF001 - nothing else tells


@contextlib.contextmanager
def computing_in(precision: str, device: torch.device) -> Iterator[None]:
    """Compute in a precision; fp32 is exactly that, also on GPUs that round to tf32 by default."""
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


def keep_freed_memory() -> bool:
    """Let this process keep freed memory for what comes next.

    Each layer of a network takes memory for its features and soon frees it. The C library of
    Linux returns large pieces to the system, which fills them with zeros before they are used
    again: up to a quarter of a forward pass on the CPU. The command line calls this once; it
    cannot be undone, so Python programs decide for themselves.

    Returns
    -------
    bool
        True with the GNU C library; False elsewhere, where it does nothing.

    Examples
    --------
    >>> done = keep_freed_memory()
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    library = ctypes.CDLL(None)
    thresholds = (_TRIM_THRESHOLD, _MMAP_THRESHOLD)
    return [library.mallopt(name, _LARGEST_KEPT) for name in thresholds] == [1, 1]
