"""Fitting readouts side by side: the features are read once for all of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from quickgaze.readouts._features import Features
from quickgaze.readouts._folds import Positions
from quickgaze.readouts._models import Frame, Parameters
from quickgaze.readouts._targets import Target, centre_bias

BATCH = 8  # images between two steps
IN_A_PASS = 360
"""Images that are shown in a pass at least; where there are fewer, each is shown again."""

_SHOWN = 7200  # images that are shown in all, unless there are so many that 3 passes are more
_FEWEST_PASSES = 3
DROPOUT = 0.3
"""Share of the channels that are left out at each step, where there are many."""

_MANY_CHANNELS = 64
RATE = 0.01
"""Adam's rate of learning, at its highest."""

_WARM_UP = 0.1  # share of the steps in which it rises
_LARGEST = 2**24  # numbers of hidden units in memory at once


DECAYS = (1e-3, 1e-2)
"""Weight decays that the inner part chooses from."""


@dataclass(frozen=True, eq=False)
class Fit:
    """One readout to be fitted: on which images, with which weight decay, and until when.

    It ends after the pass that is best on `inner`, or after `passes` where these are given. One
    that is never better than the centre bias is the centre bias, after 0 passes.
    """

    images: Positions
    inner: Positions
    decay: float
    passes: int | None = None

    def passes_of(self, most: int) -> int:
        """Say how many passes it takes where `most` are usual."""
        return most if self.passes is None else self.passes


@dataclass(frozen=True, eq=False)
class Material:
    """What all fits share: features and gaze by position, and each image's channel moments."""

    features: Features
    targets: Sequence[Target]
    means: npt.NDArray[np.float64]
    squares: npt.NDArray[np.float64]
    device: torch.device

    def frame(self, fits: Sequence[Fit]) -> Frame:
        """Say what is known of readouts before they are fitted: by their own images alone."""
        means = np.stack([self.means[fit.images].mean(0) for fit in fits])
        squares = np.stack([self.squares[fit.images].mean(0) for fit in fits])
        variances = squares - means**2
        # a channel that is the same everywhere is 0 when it is standardised
        varies = variances > 1e-10 * np.maximum(squares, 1e-30)
        deviations = np.sqrt(np.where(varies, variances, 1.0))
        canvases = np.stack([each.canvas for each in self.targets])
        centres = np.stack([centre_bias(canvases[fit.images]) for fit in fits])
        return Frame(*(self._tensor(each) for each in (means, deviations, centres)))

    def target(self, position: int) -> torch.Tensor:
        """Give what is taught of an image, a density (h * w,)."""
        return self._tensor(self.targets[position].taught).flatten()

    def batch(self, positions: Positions) -> Iterator[tuple[Positions, torch.Tensor]]:
        """Positions and features (B, C, h, w) of the images that have the same grid."""
        by_grid: dict[tuple[int, ...], list[int]] = {}
        for position in positions.tolist():
            by_grid.setdefault(self.targets[position].grid.shape, []).append(position)
        for alike in by_grid.values():
            found = torch.stack([self.features.read(position) for position in alike])
            yield np.array(alike), found

    def _tensor(self, values: npt.NDArray[np.floating]) -> torch.Tensor:
        return torch.from_numpy(values.astype(np.float32)).to(self.device)


@dataclass(frozen=True, eq=False)
class Fitted:
    """Readouts after their last passes, these passes, and the likelihood of their inner parts.

    The likelihood is in bits a fixation more than that of the centre bias.
    """

    frame: Frame
    parameters: Parameters
    passes: list[int]
    likelihoods: list[float]

    def readouts(self) -> Iterator[tuple[Parameters, Frame]]:
        """Give them one by one."""
        for model in range(len(self.passes)):
            alone = torch.tensor([model], device=self.frame.mean.device)
            yield self.parameters.select(alone), self.frame.select(alone)


def repeats_for(images: int) -> int:
    """Say how often each image is shown in a pass."""
    return max(1, math.ceil(IN_A_PASS / images))


def passes_for(images: int) -> int:
    """Say in how many passes the images are shown."""
    shown = max(images, IN_A_PASS)
    return max(_FEWEST_PASSES, math.ceil(_SHOWN / shown))


def fit_all(
    material: Material,
    fits: Sequence[Fit],
    hidden: int,
    seed: int,
    done: Callable[[int, float], None],
) -> Fitted:
    """Fit readouts side by side; none of them is changed by what another learns."""
    frame = material.frame(fits)
    parameters = Parameters.begin(frame, hidden, seed)
    best = Parameters.begin(frame, hidden, seed).nothing()
    passes = passes_for(len(material.targets))
    trainer = _Trainer(material, fits, frame, parameters, passes, seed)
    last, highest = [0] * len(fits), [0.0] * len(fits)
    for number in range(1, max(each.passes_of(passes) for each in fits) + 1):
        trainer.go_through(lambda images: done(images, sum(highest) / len(highest)))
        likelihoods = trainer.inner_likelihoods()
        for model, fit in enumerate(fits):
            better = likelihoods[model] > highest[model]
            if number == fit.passes or (fit.passes is None and better):
                last[model], highest[model] = number, likelihoods[model]
                for kept, now in zip(best.tensors, parameters.tensors, strict=True):
                    kept[model] = now.detach()[model]
    return Fitted(frame, best, last, highest)


class _Trainer:
    """Takes the steps. Randomness is its own: the caller's generators are not touched."""

    def __init__(
        self,
        material: Material,
        fits: Sequence[Fit],
        frame: Frame,
        parameters: Parameters,
        passes: int,
        seed: int,
    ) -> None:
        self._material, self._fits = material, fits
        self._frame, self._parameters = frame, parameters
        self._drawn = np.random.default_rng((seed, 2))
        count = len(material.targets)
        self._taught = np.zeros((count, len(fits)), dtype=bool)
        for model, fit in enumerate(fits):
            self._taught[fit.images, model] = True
        self._positions = np.flatnonzero(self._taught.any(1))
        self._repeats = repeats_for(len(self._positions))
        self._steps = passes * self._repeats * math.ceil(len(self._positions) / BATCH)
        self._step = 0
        device = material.device
        self._decay = torch.tensor([fit.decay for fit in fits], device=device)
        self._adam = torch.optim.Adam([each.requires_grad_() for each in parameters.tensors])

    def go_through(self, done: Callable[[int], None]) -> None:
        """Take a step for each batch of the images, each time in a new order."""
        for _ in range(self._repeats):
            order = self._drawn.permutation(self._positions)
            for start in range(0, len(order), BATCH):
                positions = np.sort(order[start : start + BATCH])
                with torch.enable_grad():
                    self._learn(positions)
                done(len(positions))

    def _learn(self, positions: Positions) -> None:
        frame, parameters = self._frame, self._parameters
        # each readout takes the mean over those images of the batch that are its own
        shares = torch.from_numpy(self._taught[positions].astype(np.float32))
        shares = (shares / shares.sum(0).clamp(min=1)).to(self._material.device)
        kept = self._kept_channels()
        for own, features in self._parts(positions):
            targets = torch.stack([self._material.target(each) for each in own])
            predicted = parameters.log_density(frame, features, kept)
            likelihood = (predicted * targets[:, None]).sum(2)
            taken = shares[np.searchsorted(positions, own)]
            (-(likelihood * taken).sum()).backward()  # type: ignore[no-untyped-call]
        (self._decay * parameters.size()).sum().backward()  # type: ignore[no-untyped-call]
        for group in self._adam.param_groups:
            group["lr"] = RATE * self._share_of_rate()
        self._adam.step()
        self._adam.zero_grad()
        self._step += 1

    def _parts(self, positions: Positions) -> Iterator[tuple[Positions, torch.Tensor]]:
        """Images of one grid, as many as the memory may hold."""
        models, units, _ = self._parameters.weights.shape
        for alike, features in self._material.batch(positions):
            cells = features.shape[2] * features.shape[3]
            at_once = max(1, _LARGEST // (models * units * cells))
            for start in range(0, len(alike), at_once):
                part = slice(start, start + at_once)
                yield alike[part], features[part]

    def _kept_channels(self) -> torch.Tensor:
        """Draw which channels take part in a step, (C,), as weights with a mean of 1."""
        channels = self._frame.mean.shape[1]
        share = DROPOUT if channels >= _MANY_CHANNELS else 0.0
        drawn = torch.from_numpy(self._drawn.random(channels, np.float32))
        return ((drawn >= share) / (1 - share)).to(self._frame.mean)

    def _share_of_rate(self) -> float:
        """Rise, then fall as a cosine does."""
        progress = self._step / self._steps
        if progress < _WARM_UP:
            return (progress + 0.2 * _WARM_UP) / (1.2 * _WARM_UP)
        return 0.5 * (1 + math.cos(math.pi * (progress - _WARM_UP) / (1 - _WARM_UP)))

    def inner_likelihoods(self) -> list[float]:
        """Mean information gain over the centre bias of each readout's inner images, in bits."""
        total = np.zeros(len(self._fits))
        inner = np.zeros(self._taught.shape, dtype=bool)
        for model, fit in enumerate(self._fits):
            inner[fit.inner, model] = True
        for position in np.flatnonzero(inner.any(1)):
            models = np.flatnonzero(inner[position])
            chosen = torch.from_numpy(models).to(self._material.device)
            frame, parameters = self._frame.select(chosen), self._parameters.select(chosen)
            for _, features in self._material.batch(np.array([position])):
                gain = parameters.log_density(frame, features)[0]
                gain = gain - frame.centre((features.shape[2], features.shape[3]))
                target = self._material.target(int(position))
                total[models] += ((gain * target).sum(1) / math.log(2)).cpu().numpy()
        counts = np.array([len(fit.inner) for fit in self._fits])
        return [float(each) for each in total / np.maximum(counts, 1)]
