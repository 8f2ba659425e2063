"""What a caller has told torch must not reach the maps: the one guard against it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch

_AUTOCASTING = ("cpu", "cuda", "mps", "xpu")


@contextmanager
def plain_torch() -> Iterator[None]:
    """Compute as if the caller had told torch nothing: float32, no autocast, no gradients.

    What the caller set is back afterwards. A backbone and the CAMs do this by themselves; it is
    for a CAM of your own.

    Yields
    ------
    None

    Examples
    --------
    >>> with torch.autocast("cpu", torch.bfloat16), plain_torch():
    ...     (torch.ones(2, 2) @ torch.ones(2, 2)).dtype
    torch.float32
    """
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.no_grad())
        for device in _AUTOCASTING:
            if torch.is_autocast_enabled(device):
                stack.enter_context(torch.autocast(device, enabled=False))
        if torch.get_default_device().type != "cpu":
            stack.enter_context(torch.device("cpu"))
        if torch.get_default_dtype() != torch.float32:
            stack.callback(torch.set_default_dtype, torch.get_default_dtype())
            torch.set_default_dtype(torch.float32)
        _multiply_exactly(stack)
        yield


def _multiply_exactly(stack: ExitStack) -> None:
    """Let float32 numbers be multiplied as such, until a stack is left."""
    backends = torch.backends
    products: list[Any] = [
        getattr(backends.mkldnn, "matmul", None),
        getattr(backends.mkldnn, "conv", None),
        backends.cuda.matmul,
    ]
    products = [each for each in products if hasattr(each, "fp32_precision")]
    for each in products:
        if each.fp32_precision not in ("none", "ieee"):
            stack.callback(setattr, each, "fp32_precision", each.fp32_precision)
            each.fp32_precision = "ieee"
    # one setting for all before PyTorch 2.9
    if not products and torch.get_float32_matmul_precision() != "highest":
        stack.callback(torch.set_float32_matmul_precision, torch.get_float32_matmul_precision())
        torch.set_float32_matmul_precision("highest")
