"""The CAMs that quickgaze knows by name. A new one is one file and one line here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from quickgaze.backbones.pyramid import Pyramid
from quickgaze.cams.cam import Cam
from quickgaze.cams.eigen_cam import eigen
from quickgaze.catalogue import Catalogue


class CamMethod(Protocol):
    """From a pyramid to signed maps on a grid."""

    def __call__(
        self,
        pyramid: Pyramid,
        grid: str = ...,
        component: int = ...,
        levels: Sequence[str] | None = ...,
        level_scale: str = ...,
    ) -> Cam:
        """Compute the maps of a batch; see `eigen` for what the options mean."""


CAMS: Catalogue[CamMethod] = Catalogue("CAM", "quickgaze.cams", {"eigen": eigen})
