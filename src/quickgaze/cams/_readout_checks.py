"""What a readout has to be, whoever made it: a fit, a caller or a file from somewhere."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from quickgaze.backbones import check_grid
from quickgaze.cams._readout_card import ReadoutCard
from quickgaze.errors import OptionError

CENTRE_SIZE = (60, 80)
"""Height and width in cells of the centre bias."""

_LONGEST_TEXT = 1000  # characters; it is shown to people
_LONGEST_SIDE = 2048  # cells of a grid that is given as a size; a file must not fill the memory


def check_card(card: ReadoutCard) -> None:
    """Refuse texts, levels, a grid or a number of units that no readout can have."""
    for name, value in vars(card).items():
        texts = [value] if isinstance(value, str) else value if isinstance(value, tuple) else ()
        for text in texts:
            if not (text.isprintable() and len(text) <= _LONGEST_TEXT):
                raise OptionError(f"{name} is {text[:40]!r}; give a line of text")
    if not card.levels or len(set(card.levels)) < len(card.levels):
        raise OptionError(f"levels are {list(card.levels)}; a readout needs some, each once")
    check_grid(card.grid, card.levels)
    sides = [] if card.grid in card.levels else card.grid.split("x")
    if any(side.isdecimal() and int(side) > _LONGEST_SIDE for side in sides):
        raise OptionError(f"grid is {card.grid}; give at most {_LONGEST_SIDE} cells a side")
    if card.hidden < 0:
        raise OptionError(f"hidden is {card.hidden}; give 0 for a linear readout, or more")


def check_tensors(tensors: Mapping[str, torch.Tensor], hidden: int) -> None:
    """Refuse tensors that are missing, too many, misshapen, or not finite numbers."""
    wanted = {"mean", "deviation", "weights", "bias", "centre_bias"}
    wanted |= {"output"} if hidden else set()
    if set(tensors) != wanted:
        raise OptionError(
            f"its tensors are {', '.join(sorted(tensors)) or 'none'}; a readout with {hidden} "
            f"hidden units has {', '.join(sorted(wanted))}"
        )
    channels, units = max(1, tensors["mean"].numel()), max(1, hidden)
    shapes: dict[str, tuple[int, ...]] = {
        "mean": (channels,),
        "deviation": (channels,),
        "weights": (units, channels),
        "bias": (units,),
        "centre_bias": CENTRE_SIZE,
    }
    shapes |= {"output": (units,)} if hidden else {}
    for name, shape in shapes.items():
        tensor = tensors[name]
        if tuple(tensor.shape) != shape:
            raise OptionError(
                f"{name} is {tuple(tensor.shape)} where {shape} is expected, for the "
                f"{channels} channels of mean and {hidden} hidden units"
            )
        if tensor.dtype != torch.float32 or not bool(tensor.isfinite().all()):
            raise OptionError(f"{name} has to be finite numbers of float32")
    if not bool((tensors["deviation"] > 0).all()):
        raise OptionError("deviation has to be above 0 in every channel")
