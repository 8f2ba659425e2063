"""Settings of published studies, by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from quickgaze.catalogue import Catalogue


@dataclass(frozen=True)
class Preset:
    """The settings that repeat a study's computation.

    Parameters
    ----------
    name : str
    summary : str
        What it repeats, in one line.
    backbone, cam, grid : str
    component : int
    orientation, geometry : str
        As for `SaliencyModel`.
    sigmas : tuple of float
        Blurs in pixels that the study scored; the last is the one it showed.
    convention : str
        Convention of its metrics.

    Examples
    --------
    >>> preset = PRESETS["cap6415"]
    >>> preset.grid, preset.orientation, preset.sigmas
    ('pool', 'lapack', (0.0, 19.0))
    """

    name: str
    summary: str
    backbone: str
    cam: str
    grid: str
    component: int
    orientation: str
    geometry: str
    sigmas: tuple[float, ...]
    convention: str

    def model_options(self) -> dict[str, Any]:
        """Give the options of a `SaliencyModel`.

        Returns
        -------
        dict of str to object
            With the blur that the study showed.
        """
        same = ("backbone", "cam", "grid", "component", "orientation", "geometry")
        return {**{name: getattr(self, name) for name in same}, "sigma": self.sigmas[-1]}


_CAP6415 = Preset(
    name="cap6415",
    summary="CAP6415 study of autumn 2025; docs/cap6415.md says what it computed",
    backbone="fasterrcnn_resnet50_fpn",
    cam="eigen",
    grid="pool",
    component=0,
    orientation="lapack",
    geometry="detector-padded",
    sigmas=(0.0, 19.0),
    convention="cap6415",
)

PRESETS = Catalogue("preset", "quickgaze.presets", {_CAP6415.name: _CAP6415})
