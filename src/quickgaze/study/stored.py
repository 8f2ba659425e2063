"""Maps that a run has kept: their rows written, read, and made saliency maps again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl
import torch

from quickgaze.cams import ORIENTATIONS, Cam
from quickgaze.saliency import FloatMap, saliency_maps
from quickgaze.stimuli.types import Size
from quickgaze.study.variants import (
    CAM_KEYS,
    EVIDENCE,
    FLIPPED,
    CamKey,
    Column,
    Sign,
    evidence_of,
    sign_of,
)


def maps_schema() -> pl.Schema:
    """Columns of `maps`: one row per stimulus and CAM."""
    rules = ORIENTATIONS.entries().values()
    columns: dict[str, Column] = {
        **CAM_KEYS,
        "image_height": pl.Int32,
        "image_width": pl.Int32,
        "height": pl.Int32,
        "width": pl.Int32,
        "projection": pl.List(pl.Float32),
        "explained_variance": pl.Float32,
        **{EVIDENCE + rule.name: pl.Float32 for rule in rules if not rule.needs_density},
    }
    return pl.Schema(columns)


@dataclass(frozen=True, eq=False)
class StoredMap:
    """A row of a run's maps: what it is of, the image's height and width, a CAM batch of one."""

    stimulus: str
    key: CamKey
    size: Size
    cam: Cam

    def row(self) -> dict[str, Any]:
        """Write the row."""
        cam = self.cam
        return {
            "stimulus": self.stimulus,
            **asdict(self.key),
            "image_height": self.size[0],
            "image_width": self.size[1],
            "height": cam.grid[0],
            "width": cam.grid[1],
            "projection": cam.projection[0].flatten().tolist(),
            "explained_variance": cam.explained_variance.item(),
            **{EVIDENCE + rule: value.item() for rule, value in cam.evidence.items()},
        }

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> StoredMap:
        """Read a row."""
        values = np.asarray(row["projection"], np.float32).reshape(1, row["height"], row["width"])
        evidence = {
            rule: torch.tensor([value], dtype=torch.float32)
            for rule, value in evidence_of(row).items()
        }
        explained = torch.tensor([row["explained_variance"]], dtype=torch.float32)
        key = CamKey(row["backbone"], row["cam"], row["grid"], row["component"])
        cam = Cam(torch.from_numpy(values), explained, evidence, key.component)
        return cls(row["stimulus"], key, (row["image_height"], row["image_width"]), cam)

    def sign(self, orientation: str) -> Sign:
        """Sign that a rule gives to the map."""
        evidence = {rule: value.item() for rule, value in self.cam.evidence.items()}
        return sign_of(evidence, orientation)

    def signed(self, sign: Sign) -> torch.Tensor:
        """Give the map (1, h, w) with a sign."""
        return -self.cam.projection if sign == FLIPPED else self.cam.projection

    def saliency(self, oriented: torch.Tensor, sigma: float, rectify: bool) -> FloatMap:
        """Make a saliency map of the image's size of the map with a sign."""
        saliency: FloatMap = saliency_maps(oriented, self.size, sigma, rectify)[0].numpy()
        return saliency


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
    return StoredMap.of(row).cam


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
    stored = StoredMap.of(row)
    return stored.saliency(stored.cam.oriented(orientation), sigma, rectify)
