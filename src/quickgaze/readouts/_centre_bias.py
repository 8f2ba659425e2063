"""The centre bias of a data set, for readouts that were fitted on another."""

from __future__ import annotations

import numpy as np
import torch

from quickgaze.errors import DatasetError, QuickgazeError
from quickgaze.readouts import _targets
from quickgaze.stimuli import Dataset
from quickgaze.study import progress_bar


def centre_bias(dataset: Dataset, *, progress: bool = True) -> torch.Tensor:
    """Find where people look in the images of a data set, whatever is in them.

    Parameters
    ----------
    dataset : Dataset
        Its images without gaze, or that cannot be read, do not count.
    progress : bool
        Whether to show a progress bar, on standard error.

    Returns
    -------
    Tensor, shape (60, 80), float32
        Log density of all images together, each with the same weight, as a readout has it; for
        `Readout.adapted`.

    Raises
    ------
    DatasetError
        If no image has gaze.

    Examples
    --------
    >>> import quickgaze as qg
    >>> displays = qg.load_dataset("popout", n=3, size=(120, 160))
    >>> float(centre_bias(displays, progress=False).exp().sum().round(decimals=4))
    1.0
    """
    canvases, reason = [], "it holds no image"
    with progress_bar(progress) as bar:
        for stimulus in bar.track(dataset.stimuli, description=f"gaze of {dataset.name}"):
            try:
                gaze = _targets.Gaze.read(stimulus, stimulus.size)
            except QuickgazeError as error:
                reason = f"the last, {stimulus.id}: {error}"
                continue
            canvases.append(gaze.target(_targets.CANVAS, 0.0).canvas)
    if not canvases:
        raise DatasetError(
            f"no image of {dataset.name} has gaze that its centre bias could be made of ({reason})"
        )
    found = _targets.centre_bias(np.stack(canvases))
    return torch.from_numpy(found.astype(np.float32))
