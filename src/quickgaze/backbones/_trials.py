"""What the levels of a module are, found by passing it inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch

from quickgaze.backbones._geometry import InputGeometry
from quickgaze.backbones._spec import LevelSpec
from quickgaze.errors import OptionError
from quickgaze.stimuli.types import Size

_PROBE = (256, 384)  # height and width in pixels of an input; another has them exchanged
_PERMUTE = "give reshape=lambda maps: maps.permute(0, 3, 1, 2)"

_Features = Callable[[torch.Tensor], Mapping[str, torch.Tensor]]


def tried_levels(
    features: _Features, geometry: InputGeometry, device: torch.device
) -> tuple[LevelSpec, ...]:
    """Find the levels that a module gives, from fine to coarse; refuse what is no (B, C, H, W)."""

    def shapes_of(size: Size) -> dict[str, torch.Size]:
        with torch.inference_mode():
            found = features(torch.zeros(1, 3, *size, device=device))
        return {level: maps.shape for level, maps in found.items()}

    if geometry.fixed_size is None:
        size, other = (_padded(sides, geometry.multiple) for sides in (_PROBE, _PROBE[::-1]))
        first, second = shapes_of(size), shapes_of(other)
    else:
        size, other = geometry.fixed_size, _unlike(geometry.fixed_size)
        first = shapes_of(size)
        try:
            second = shapes_of(other)
        except OptionError:  # most modules of one size refuse all others
            second = {}
    for level, shape in first.items():
        _check_shape(level, shape, size)
        if level in second:
            _check_channels(level, (shape, second[level]), (size, other))
        elif _looks_channels_last(shape, size):
            raise OptionError(
                f"level {level!r} gives {tuple(shape)} for an input of {size[0]} x {size[1]} "
                f"pixels, and its channels seem to be last; {_PERMUTE}"
            )
        if geometry.fixed_size is None:
            _check_shape(level, second[level], other)
    levels = (
        LevelSpec(level, max(1, round(_stride(shape, size))), shape[1])
        for level, shape in first.items()
    )
    return tuple(sorted(levels, key=lambda level: level.stride))


def _padded(size: Size, multiple: int) -> Size:
    return size[0] + -size[0] % multiple, size[1] + -size[1] % multiple


def _unlike(size: Size) -> Size:
    """Give another shape, of sides that networks take: those exchanged, or half as high again."""
    return (size[1], size[0]) if size[0] != size[1] else (size[0] + size[0] // 2, size[1])


def _stride(shape: torch.Size, size: Size) -> float:
    return float((size[0] * size[1] / (shape[2] * shape[3])) ** 0.5)


def is_map_of(shape: torch.Size, size: Size) -> bool:
    """Whether maps (B, C, H, W) are of the shape of an input, but for incomplete cells."""
    return abs(shape[2] * size[1] - shape[3] * size[0]) <= 2 * max(size)


def _check_shape(level: str, shape: torch.Size, size: Size) -> None:
    """Refuse maps that are not of the shape of the input."""
    if not is_map_of(shape, size):
        raise OptionError(
            f"level {level!r} gives {tuple(shape)} for an input of {size[0]} x {size[1]} "
            "pixels, not a map (B, C, H, W) of the same shape; if the channels are last, "
            f"{_PERMUTE}"
        )


def _check_channels(
    level: str, shapes: tuple[torch.Size, torch.Size], sizes: tuple[Size, Size]
) -> None:
    """Refuse maps whose number of channels follows the input: that is their height."""
    if shapes[0][1] != shapes[1][1]:
        inputs, outputs = (
            " and ".join(map(str, each)) for each in (sizes, [tuple(shape) for shape in shapes])
        )
        raise OptionError(
            f"level {level!r} gives {outputs} for inputs of {inputs} pixels, so the second number "
            f"is no number of channels; if the channels are last, {_PERMUTE}"
        )


def _looks_channels_last(shape: torch.Size, size: Size) -> bool:
    """Whether a map has the shape of the input only if its channels are last."""
    as_it_is, otherwise = (
        (size[0] / down, size[1] / across) for down, across in (shape[2:], shape[1:3])
    )
    return _is_one_stride(otherwise) and not _is_one_stride(as_it_is)


def _is_one_stride(strides: tuple[float, float]) -> bool:
    return strides[0] == strides[1] and strides[0].is_integer()
