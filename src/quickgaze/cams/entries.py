"""The CAMs that quickgaze knows by name. A new one is one file and one entry here."""

from __future__ import annotations

from quickgaze.cams.cam import Cam
from quickgaze.cams.eigen_cam import eigen
from quickgaze.cams.method import CamInput, CamMethod, CamOptions
from quickgaze.catalogue import Catalogue


def _eigen(given: CamInput, options: CamOptions) -> Cam:
    return eigen(
        given.pyramid, options.grid, options.component, options.levels, options.level_scale
    )


CAMS: Catalogue[CamMethod] = Catalogue(
    "CAM",
    "quickgaze.cams",
    {
        method.name: method
        for method in (CamMethod("eigen", "the direction in which the features vary most", _eigen),)
    },
)
