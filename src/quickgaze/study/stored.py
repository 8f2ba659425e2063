"""Maps that a run has kept, turned into saliency maps again without a forward pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from quickgaze.cams import Cam
from quickgaze.saliency import FloatMap, saliency_maps


def stored_cam(row: Mapping[str, Any]) -> Cam:
    """Give a row of a run's maps as the CAM that it was.

    Parameters
    ----------
    row : mapping
        A row of `Run.maps`, by column.

    Returns
    -------
    Cam
        A batch of one.

    Examples
    --------
    >>> import tempfile
    >>> import quickgaze as qg
    >>> displays = qg.load_dataset("popout", n=1, size=(120, 160))
    >>> study = qg.Study(displays, metrics=["cc"], orientations=["activation"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     row = study.run(folder, progress=False).maps().row(0, named=True)
    >>> cam = stored_cam(row)
    >>> cam.grid, cam.projection.shape
    ((4, 5), torch.Size([1, 4, 5]))
    """
    projection = np.asarray(row["projection"], np.float32).reshape(1, row["height"], row["width"])
    prefix = "evidence_"
    evidence = {
        column.removeprefix(prefix): torch.tensor([row[column]], dtype=torch.float32)
        for column in row
        if column.startswith(prefix) and row[column] is not None
    }
    explained = torch.tensor([row["explained_variance"]], dtype=torch.float32)
    return Cam(torch.from_numpy(projection), explained, evidence, row["component"])


def stored_saliency(
    row: Mapping[str, Any],
    orientation: str = "activation",
    sigma: float = 19.0,
    rectify: bool = True,
) -> FloatMap:
    """Turn a row of a run's maps into a saliency map.

    Parameters
    ----------
    row : mapping
        A row of `Run.maps`, by column.
    orientation : str
        Rule that fixes the sign; any that the features decide.
    sigma : float
        Blur in pixels of the image; 0 is none.
    rectify : bool
        Whether negative values of the CAM are set to 0.

    Returns
    -------
    ndarray, shape (H, W), float32
        In [0, 1], of the image's size.

    Raises
    ------
    UnknownNameError, OptionError
        If there is no such rule, or the features do not decide it.

    Examples
    --------
    >>> import tempfile
    >>> import quickgaze as qg
    >>> displays = qg.load_dataset("popout", n=1, size=(120, 160))
    >>> study = qg.Study(displays, metrics=["cc"], orientations=["activation"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     row = study.run(folder, progress=False).maps().row(0, named=True)
    >>> stored_saliency(row, sigma=9.0).shape
    (120, 160)
    """
    size = (row["image_height"], row["image_width"])
    oriented = stored_cam(row).oriented(orientation)
    saliency: FloatMap = saliency_maps(oriented, size, sigma, rectify)[0].numpy()
    return saliency
