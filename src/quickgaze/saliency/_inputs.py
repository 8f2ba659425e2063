"""Images in their various forms, and the batches that a backbone takes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import PIL.Image
import torch

from quickgaze.errors import OptionError
from quickgaze.stimuli import read_image, to_rgb
from quickgaze.stimuli.types import Image

ImageLike: TypeAlias = str | Path | PIL.Image.Image | npt.NDArray[np.uint8] | torch.Tensor
"""A path, a PIL image, an (H, W, 3) uint8 array or a (3, H, W) float tensor in [0, 1]."""


def as_image(image: ImageLike) -> Image:
    """Read or convert an image; a tensor is rounded to 8 bits, as images on disk are."""
    if isinstance(image, (str, Path)):
        return read_image(Path(image))
    if isinstance(image, PIL.Image.Image):
        return to_rgb(image)
    if isinstance(image, torch.Tensor) and image.ndim == 3 and image.shape[0] == 3:
        return _rounded(image)
    if isinstance(image, np.ndarray) and image.dtype == np.uint8 and image.shape[2:] == (3,):
        return image
    shape = getattr(image, "shape", None)
    raise OptionError(
        "an image is a path, a PIL image, an (H, W, 3) uint8 array or a (3, H, W) float tensor "
        f"in [0, 1]; this is a {type(image).__name__}" + (f" of {tuple(shape)}" if shape else "")
    )


def _rounded(tensor: torch.Tensor) -> Image:
    """Round a (3, H, W) tensor to 8 bits, (H, W, 3)."""
    wanted = "an image tensor is float in [0, 1]"
    if not tensor.is_floating_point():
        raise OptionError(f"{wanted}; this one is {tensor.dtype}")
    if not bool(((tensor >= 0) & (tensor <= 1)).all()):
        lowest, highest = tensor.min().item(), tensor.max().item()
        raise OptionError(f"{wanted}; this one goes from {lowest:g} to {highest:g}")
    return np.asarray((tensor.permute(1, 2, 0) * 255).round().cpu(), dtype=np.uint8)


def as_batch(images: Sequence[Image], device: torch.device | str = "cpu") -> torch.Tensor:
    """Stack equally large images into the batch that a backbone takes.

    Parameters
    ----------
    images : sequence of ndarray, each (H, W, 3), uint8
    device : torch.device or str
        Where the batch is wanted.

    Returns
    -------
    Tensor, shape (B, 3, H, W), float32
        In [0, 1], on `device`.

    Examples
    --------
    >>> batch = as_batch([np.full((2, 3, 3), 255, np.uint8), np.zeros((2, 3, 3), np.uint8)])
    >>> batch.shape, batch.amax().item()
    (torch.Size([2, 3, 2, 3]), 1.0)
    """
    stacked = torch.from_numpy(np.stack(images))
    if torch.device(device).type == "cuda":
        # a copy from pinned memory does not hold up the device
        stacked = stacked.pin_memory().to(device, non_blocking=True)
    # bytes are a quarter of the floats, so they go to the device first
    return stacked.to(device).permute(0, 3, 1, 2).float() / 255


def batches_by_size(sizes: Sequence[tuple[int, ...]], batch_size: int) -> list[list[int]]:
    """Group images into batches of one size each; gives their indices."""
    by_size: dict[tuple[int, ...], list[int]] = {}
    for index, size in enumerate(sizes):
        by_size.setdefault(tuple(size), []).append(index)
    return [
        indices[start : start + batch_size]
        for indices in by_size.values()
        for start in range(0, len(indices), batch_size)
    ]
