"""Features of many images on one grid, as half floats: on disk, or computed again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from quickgaze.backbones import Backbone
from quickgaze.cams import readout_features
from quickgaze.errors import StimulusError
from quickgaze.saliency import as_batch
from quickgaze.stimuli import Stimulus
from quickgaze.stimuli.types import Image

_LARGEST = float(np.finfo(np.float16).max)


class Features:
    """Features of images that were added, by their position.

    What does not fit into `space` bytes of the file is computed anew each time, image by image
    like the rest and rounded to half floats like the rest, so that it is the same.
    """

    def __init__(
        self, backbone: Backbone, levels: Sequence[str], grid: str, file: Path, space: int
    ) -> None:
        self._backbone = backbone
        self._levels = levels
        self._grid = grid
        self._file = file.open("w+b")
        self._space = space
        self._kept: list[tuple[int, tuple[int, ...]] | Stimulus] = []

    def __len__(self) -> int:
        return len(self._kept)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def compute(self, image: Image) -> torch.Tensor:
        """Compute the features (C, h, w) of an image, float16, on the CPU."""
        pyramid = self._backbone(as_batch([image], self._backbone.device))
        found = readout_features(pyramid, self._levels, self._grid)[0]
        if not bool(found.isfinite().all()):
            raise StimulusError(f"{self._backbone.name} gives it features that are not finite")
        return found.clamp(-_LARGEST, _LARGEST).half().cpu().clone()

    def add(self, stimulus: Stimulus, computed: torch.Tensor) -> None:
        """Keep what was computed of a stimulus, where there is space for it."""
        start = self._file.seek(0, 2)
        if start + computed.nbytes > self._space:
            self._kept.append(stimulus)
            return
        self._file.write(computed.numpy().tobytes())
        self._kept.append((start, tuple(computed.shape)))

    def read(self, position: int) -> torch.Tensor:
        """Give the features (C, h, w) of an image, float32, on the backbone's device."""
        kept = self._kept[position]
        if isinstance(kept, Stimulus):
            found = self.compute(kept.image())
        else:
            start, shape = kept
            self._file.seek(start)
            found = torch.empty(shape, dtype=torch.float16)
            self._file.readinto(found.numpy().data.cast("B"))
        return found.to(self._backbone.device).float()
