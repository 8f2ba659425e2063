"""The readouts that are fitted side by side: their parameters, and what they predict."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch.nn import functional

from quickgaze.cams import Readout, ReadoutCard
from quickgaze.resampling import bilinear_matrix
from quickgaze.stimuli.types import Size

_SMALLEST_BLUR, _LARGEST_BLUR = 0.3, 8.0  # cells
_TRUNCATE = 4.0  # standard deviations, as everywhere else
_REACH = int(_TRUNCATE * _LARGEST_BLUR + 0.5)


@dataclass(frozen=True, eq=False)
class Frame:
    """What is known of K readouts before they are fitted.

    `mean` and `deviation` of the channels are (K, C), `centre_bias` is (K, 60, 80), log.
    """

    mean: torch.Tensor
    deviation: torch.Tensor
    centre_bias: torch.Tensor

    def select(self, models: torch.Tensor) -> Frame:
        """Keep some of the readouts."""
        return Frame(self.mean[models], self.deviation[models], self.centre_bias[models])

    def centre(self, grid: Size) -> torch.Tensor:
        """Log of the centre biases as densities on a grid, (K, h * w)."""
        down, across = (
            torch.tensor(bilinear_matrix(*each)).to(self.centre_bias)
            for each in zip(grid, self.centre_bias.shape[1:], strict=True)
        )
        return functional.log_softmax((down @ self.centre_bias @ across.T).flatten(1), 1)


@dataclass(frozen=True, eq=False)
class Parameters:
    """What is learnt of K readouts with U hidden units.

    `weights` (K, U, C) are of standardised channels, `bias` (K, U), `output` (K, U) or None
    without hidden units; `log_sigma` and `centre_weight` (K,).
    """

    weights: torch.Tensor
    bias: torch.Tensor
    output: torch.Tensor | None
    log_sigma: torch.Tensor
    centre_weight: torch.Tensor

    @classmethod
    def begin(cls, frame: Frame, hidden: int, seed: int) -> Parameters:
        """Begin with the same small random weights in all; with zeros where that is no saddle."""
        channels = frame.mean.shape[1]
        generator = torch.Generator().manual_seed(seed)
        units = max(1, hidden)
        weights, output = torch.zeros(units, channels), None
        if hidden:
            weights = torch.randn(units, channels, generator=generator) / channels**0.5
            output = torch.randn(units, generator=generator) / units**0.5
        return cls(
            _repeated(weights, frame),
            _repeated(torch.zeros(units), frame),
            None if output is None else _repeated(output, frame),
            _repeated(torch.zeros(()), frame),
            _repeated(torch.ones(()), frame),
        )

    def nothing(self) -> Parameters:
        """Forget the channels, so that what is predicted is the centre bias."""
        self.weights.zero_()
        if self.output is not None:
            self.output.zero_()
        return self

    @property
    def tensors(self) -> list[torch.Tensor]:
        """All that is learnt."""
        parts = (self.weights, self.bias, self.output, self.log_sigma, self.centre_weight)
        return [each for each in parts if each is not None]

    def select(self, models: torch.Tensor) -> Parameters:
        """Keep some of the readouts."""
        output = None if self.output is None else self.output[models]
        return Parameters(
            self.weights[models],
            self.bias[models],
            output,
            self.log_sigma[models],
            self.centre_weight[models],
        )

    def sigma(self) -> torch.Tensor:
        """Blur in cells, (K,)."""
        return self.log_sigma.exp().clamp(_SMALLEST_BLUR, _LARGEST_BLUR)

    def size(self) -> torch.Tensor:
        """Sum of the squared weights, (K,)."""
        squares = self.weights.square().sum((1, 2))
        return squares if self.output is None else squares + self.output.square().sum(1)

    def log_density(
        self, frame: Frame, features: torch.Tensor, kept: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Predict log densities (B, K, h * w) of features (B, C, h, w).

        `kept` (C,) weighs the standardised channels; those of weight 0 are at their mean.
        """
        batch, _, *grid = features.shape
        models, units, channels = self.weights.shape
        folded = self.weights / frame.deviation[:, None]
        folded = folded if kept is None else folded * kept
        bias = self.bias - (folded @ frame.mean[:, :, None])[:, :, 0]
        products = folded.reshape(models * units, channels) @ features.flatten(2)
        hidden = products.reshape(batch, models, units, -1) + bias[:, :, None]
        if self.output is None:
            logits = hidden[:, :, 0]
        else:
            logits = (self.output[:, None] @ functional.softplus(hidden))[:, :, 0]
        down, across = (_blur_matrices(self.sigma(), cells) for cells in grid)
        blurred = down @ logits.reshape(batch, models, *grid) @ across.mT
        centre = self.centre_weight[:, None] * frame.centre((grid[0], grid[1]))
        return functional.log_softmax(blurred.flatten(2) + centre, 2)

    def readout(self, model: int, frame: Frame, card: ReadoutCard) -> Readout:
        """Give one of them as it is kept."""
        return Readout(
            card,
            mean=_alone(frame.mean, model),
            deviation=_alone(frame.deviation, model),
            weights=_alone(self.weights, model),
            bias=_alone(self.bias, model),
            output=None if self.output is None else _alone(self.output, model),
            sigma=float(self.sigma()[model]),
            centre_weight=float(self.centre_weight[model]),
            centre_bias=_alone(frame.centre_bias, model),
        )


def _repeated(part: torch.Tensor, frame: Frame) -> torch.Tensor:
    """Give each readout of a frame the same beginning."""
    return part.expand(len(frame.mean), *part.shape).to(frame.mean).clone()


def _alone(part: torch.Tensor, model: int) -> torch.Tensor:
    return part[model].detach().cpu().clone()


def _blur_matrices(sigma: torch.Tensor, cells: int) -> torch.Tensor:
    """Matrices (K, n, n) of `gaussian_blur`, through which sigma (K,) can be learnt."""
    offsets = torch.arange(-_REACH, _REACH + 1, device=sigma.device)
    exponents = -offsets.square() / (2 * sigma[:, None].square())
    outside = offsets.abs() > (_TRUNCATE * sigma.detach()[:, None] + 0.5).floor()
    kernels = torch.softmax(exponents.masked_fill(outside, -torch.inf), 1)
    shifts = torch.from_numpy(_shifts(cells)).to(sigma)
    return (kernels @ shifts).reshape(len(sigma), cells, cells)


@lru_cache(maxsize=32)
def _shifts(cells: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Matrix of each offset, (2 * reach + 1, n * n): which cell it leads to, reflected."""
    rows = np.arange(cells)
    shifts = np.zeros((2 * _REACH + 1, cells, cells), np.float32)
    for number, offset in enumerate(range(-_REACH, _REACH + 1)):
        places = (rows + offset) % (2 * cells)
        shifts[number, rows, np.where(places < cells, places, 2 * cells - 1 - places)] = 1
    return shifts.reshape(len(shifts), -1)
