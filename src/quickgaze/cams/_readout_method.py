"""The CAM of a readout, for studies and models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from quickgaze.backbones import BackboneSpec
from quickgaze.cams._cam import Cam
from quickgaze.cams._method import CamInput, CamMethod, CamOptions
from quickgaze.errors import OptionError

if TYPE_CHECKING:
    from quickgaze.cams._readout import Readout


@dataclass(frozen=True)
class ReadoutMap:
    """Makes the CAM of a readout; tells it from a CAM of the user's own with the same name."""

    readout: Readout

    def __call__(self, given: CamInput, _: CamOptions) -> Cam:
        """Map the images."""
        self.readout.check(given.backbone)
        return Cam.unsigned(self.readout.log_density(given.pyramid).exp(), density=True)


def readout_method(
    compute: Callable[[CamInput, CamOptions], Cam],
    check: Callable[[BackboneSpec], None],
    backbone: str | None = None,
) -> CamMethod:
    """Give the CAM of a readout, or of none yet."""
    return CamMethod(
        "readout",
        "where people are predicted to look, by a readout fitted to gaze",
        compute,
        signed=False,
        has_grid=False,
        has_components=False,
        check=check,
        backbone=backbone,
    )


def refuse_without_file(*_: object) -> NoReturn:
    """Say that the CAM needs a readout."""
    raise OptionError(
        "the CAM 'readout' needs a readout: give readout=FILE (--readout FILE), a file that "
        "quickgaze fit wrote or the name of one that comes along, such as 'osie'"
    )
