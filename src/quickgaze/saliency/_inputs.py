"""Images in their various forms, and the batches that a backbone takes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import PIL.Image
import torch

from quickgaze.errors import OptionError, refuse_masked
from quickgaze.stimuli import read_image, to_rgb
from quickgaze.stimuli.types import Image

ImageLike: TypeAlias = str | Path | PIL.Image.Image | npt.NDArray[Any] | torch.Tensor
"""A path, a PIL image, an array (H, W, 3) or (H, W), or a tensor (3, H, W), as `as_image` takes."""

_WANTED = (
    "an image is a path, a PIL image, an array (H, W, 3) or grey (H, W) of uint8 or of floats in "
    "[0, 1], or a tensor (3, H, W) of floats in [0, 1]"
)

_SCALE = "; divide it by its largest possible value, which is 255 for 8 bits and 1 for bool"


def as_image(image: ImageLike) -> Image:
    """Read or convert an image; floats are rounded to 8 bits, as images on disk are."""
    if isinstance(image, (str, Path)):
        return read_image(Path(image))
    if isinstance(image, torch.Tensor):
        return _of_tensor(image)
    refuse_masked(image, "image")
    if isinstance(image, PIL.Image.Image):
        _require_pixels((image.height, image.width))
        return to_rgb(image)
    if isinstance(image, np.ndarray):
        return _of_array(np.asarray(image))
    raise OptionError(f"{_WANTED}; this is a {type(image).__name__}")


def _of_array(array: npt.NDArray[Any]) -> Image:
    """Take an array (H, W, 3), or repeat one of grey (H, W) as red, green and blue."""
    shape = array.shape
    if array.ndim != 2 and shape[2:] != (3,):
        hint = {
            (4,): "; drop its fourth channel, array[..., :3]",
            (1,): "; drop its last axis, array[..., 0]",
        }.get(shape[2:], "")
        if array.ndim == 3 and shape[0] in (1, 3, 4) and not hint:
            hint = "; put its channels last, array.transpose(1, 2, 0)"
        raise OptionError(f"{_WANTED}; this is an array of shape {shape}{hint}")
    _require_pixels(shape[:2])
    if array.dtype != np.uint8:
        array = _rounded(array)
    return array if array.ndim == 3 else np.repeat(array[..., np.newaxis], 3, axis=2)


def _of_tensor(tensor: torch.Tensor) -> Image:
    """Take a tensor (3, H, W) to an array (H, W, 3)."""
    shape = tuple(tensor.shape)
    if tensor.ndim != 3 or shape[0] != 3:
        hints = {
            4: "; give the images of a batch as a list, list(batch)",
            2: "; give grey three channels, tensor.expand(3, -1, -1)",
        }
        hint = hints.get(tensor.ndim, "")
        if tensor.ndim == 3 and shape[2] == 3:
            hint = "; put its channels first, tensor.permute(2, 0, 1)"
        elif tensor.ndim == 3 and shape[0] == 1:
            hint = hints[2]
        raise OptionError(f"{_WANTED}; this is a tensor of shape {shape}{hint}")
    _require_pixels(shape[1:])
    if tensor.requires_grad:
        raise OptionError(
            "a map has no gradient with respect to the image, and this tensor requires one; give "
            "tensor.detach()"
        )
    if not tensor.is_floating_point():
        whole = "" if tensor.is_complex() else _SCALE
        raise OptionError(f"an image tensor is float in [0, 1]; this one is {tensor.dtype}{whole}")
    return _rounded(tensor.permute(1, 2, 0).float().cpu().numpy())


def _require_pixels(size: tuple[int, ...]) -> None:
    if 0 in size:
        height, width = size
        raise OptionError(
            f"an image has at least one row and one column; this one has {height} x {width} pixels "
            "(height x width)"
        )


def _rounded(array: npt.NDArray[Any]) -> Image:
    """Round floats in [0, 1] to 8 bits."""
    if array.dtype.kind != "f":
        whole = _SCALE if array.dtype.kind in "iub" else ""
        raise OptionError(
            f"an image array is uint8, or float in [0, 1]; this one is {array.dtype}{whole}"
        )
    lowest, highest = array.min(), array.max()
    if not (lowest >= 0 and highest <= 1):
        holds = "holds NaN" if np.isnan(lowest) else f"goes from {lowest:g} to {highest:g}"
        raise OptionError(
            f"an image of floats is in [0, 1]; this one is {array.dtype} and {holds}"
            + (". Divide it by 255, or give it as uint8" if 1 < highest <= 255 else "")
        )
    return np.rint(array.astype(np.float64) * 255).astype(np.uint8)


def as_batch(images: Sequence[Image], device: torch.device | str = "cpu") -> torch.Tensor:
    """Stack equally large images into the batch that a backbone takes.

    Parameters
    ----------
    images : sequence of ndarray, each (H, W, 3), uint8
        Or in another form that `SaliencyModel` takes.
    device : torch.device or str
        Where the batch is wanted.

    Returns
    -------
    Tensor, shape (B, 3, H, W), float32
        In [0, 1], on `device`.

    Raises
    ------
    OptionError
        If there is no image, one is none, or their sizes differ.

    Examples
    --------
    >>> batch = as_batch([np.full((2, 3, 3), 255, np.uint8), np.zeros((2, 3, 3), np.uint8)])
    >>> batch.shape, batch.amax().item()
    (torch.Size([2, 3, 2, 3]), 1.0)
    """
    arrays = [as_image(image) for image in images]
    sizes = sorted({array.shape[:2] for array in arrays})
    if len(sizes) != 1:
        found = " and ".join(f"{height} x {width}" for height, width in sizes) or "no image"
        raise OptionError(f"a batch takes images of one size (height x width); got {found}")
    stacked = torch.from_numpy(np.stack(arrays))
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
